/*
 * YAML texts as struct puan_node trees.  The subset plan files are written in:
 * maps, lists, plain and quoted scalars, block scalars, comments.  Refused,
 * with file, line, column and remedy: anchors, aliases, tags, merge keys,
 * directives, a second document, a key twice, a key that is no scalar, depth
 * over PUAN_YAML_DEPTH, more than PUAN_YAML_NODES nodes, files over
 * PUAN_YAML_BYTES, ill-formed UTF-8.
 *
 * A plain empty scalar, ~ and null are PUAN_NODE_NULL; every other plain
 * scalar keeps its text (so `no` is the text "no"; only true and false are
 * truth values to puan_node_bool).
 *
 * Depends on: base/node, libyaml.
 */
#ifndef PUAN_KIT_YAML_YAML_H
#define PUAN_KIT_YAML_YAML_H

#include "base/node.h"

#define PUAN_YAML_DEPTH 32
#define PUAN_YAML_NODES 400000
#define PUAN_YAML_BYTES (4u << 20)

/*
 * The whole text as a tree.  The tree copies what it needs into the arena;
 * `file` names it in error texts and is copied too.  An empty text is an error.
 */
PUAN_MUST_USE enum puan_status
puan_yaml_tree(struct puan_node **out, struct puan_str text, const char *file,
               struct puan_arena *a, struct puan_err *err);

#endif
