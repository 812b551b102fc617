/*
 * Small XML documents from outside, as a tree: elements by their local names,
 * with the text that stands directly in them.  Attributes of the root alone
 * are kept; comments and processing instructions are passed over.
 *
 * Refused: a document type (and with it every entity of its own), text that is
 * no UTF-8, more than PUAN_XML_DEPTH levels or PUAN_XML_NODES elements.
 * Nothing is ever loaded from elsewhere.
 *
 * Depends on: base, libxml2 (loaded when first needed).
 */
#ifndef PUAN_KIT_XML_XML_H
#define PUAN_KIT_XML_XML_H

#include "base/arena.h"

#define PUAN_XML_DEPTH 32
#define PUAN_XML_NODES 200000

struct puan_xml {
    struct puan_str name; /* without prefix */
    struct puan_str text; /* what stands in it directly, in order */
    struct puan_xml *first, *next;
    uint32_t line;
};

struct puan_xml_attr {
    struct puan_str name, value;
};
struct puan_xml_doc {
    struct puan_xml *root;
    struct puan_xml_attr attr[8]; /* of the root, without prefixes */
    size_t n_attr;
};

/*
 * EINVAL  malformed, or refused as above; the message names the line
 * EIO     libxml2 is not installed   ENOMEM  out of memory
 */
PUAN_MUST_USE enum puan_status puan_xml_parse(struct puan_xml_doc *out,
                                              struct puan_str text,
                                              struct puan_arena *a,
                                              struct puan_err *err);
/* The first child of that name, or NULL (also when n is NULL). */
const struct puan_xml *puan_xml_child(const struct puan_xml *n,
                                      const char *name);
/* Text of that child without blanks at its ends; empty when there is none. */
struct puan_str puan_xml_value(const struct puan_xml *n, const char *name);
/* An attribute of the root, empty when absent. */
struct puan_str puan_xml_attribute(const struct puan_xml_doc *d,
                                   const char *name);

#endif
