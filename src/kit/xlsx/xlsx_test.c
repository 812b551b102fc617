/*
 * Workbooks made by minizip in a temporary file: what Excel, LibreOffice and
 * openpyxl write, and what a hostile hand writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <minizip/zip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test_heap.h"
#include "kit/xlsx/xlsx.h"

#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define REL                                                                    \
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static const char book[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><workbook xmlns=\"" MAIN
    "\" xmlns:r=\"" REL "\"><sheets>"
    "<sheet name=\"survey\" sheetId=\"1\" r:id=\"rId1\"/>"
    "<sheet name=\"\xe9\x80\x89\xe9\xa1\xb9\" sheetId=\"2\" r:id=\"rId2\"/>"
    "</sheets></workbook>";
static const char rels[] =
    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/"
    "relationships\"><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\""
    "/><Relationship Id=\"rId2\" Target=\"/xl/worksheets/sheet2.xml\"/>"
    "</Relationships>";
static const char shared[] =
    "<sst xmlns=\"" MAIN "\"><si><t>type</t></si><si><r><t>na</t></r><r>"
    "<t xml:space=\"preserve\">me </t></r><rPh sb=\"0\" eb=\"1\"><t>yomi</t>"
    "</rPh></si><si><t/></si></sst>";
static const char sheet1[] =
    "<x:worksheet xmlns:x=\"" MAIN "\"><x:sheetData>"
    "<x:row r=\"1\"><x:c r=\"A1\" t=\"s\"><x:v>0</x:v></x:c>"
    "<x:c r=\"C1\" t=\"s\"><x:v>1</x:v></x:c><x:c r=\"D1\" t=\"s\"><x:v>2"
    "</x:v></x:c></x:row><x:row r=\"2\"/>"
    "<x:row r=\"4\"><x:c t=\"inlineStr\"><x:is><x:t>a&amp;b</x:t></x:is></x:c>"
    "<x:c><x:v>0.10000000000000001</x:v></x:c><x:c t=\"b\"><x:v>1</x:v></x:c>"
    "<x:c t=\"e\"><x:v>#REF!</x:v></x:c><x:c t=\"str\"><x:f>\"x\"</x:f><x:v>f"
    "</x:v></x:c><x:c><x:v>42</x:v></x:c></x:row></x:sheetData></x:worksheet>";
static const char sheet2[] =
    "<worksheet xmlns=\"" MAIN "\"><sheetData/></worksheet>";

struct file {
    const char *name, *text;
    size_t n;
};

/* A ZIP file of these parts, in memory of the heap. */
static struct puan_str zipped(const struct file *f, size_t n)
{
    char path[] = "/tmp/puan-xlsx-XXXXXX";
    int fd = mkstemp(path);
    zipFile z;
    FILE *in;
    char *p;
    long size;

    assert_true(fd >= 0);
    (void)close(fd);
    z = zipOpen64(path, APPEND_STATUS_CREATE);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(zipOpenNewFileInZip64(z, f[i].name, NULL, NULL, 0,
                                               NULL, 0, NULL, Z_DEFLATED, 6, 0),
                         ZIP_OK);
        assert_int_equal(zipWriteInFileInZip(z, f[i].text, (unsigned)f[i].n),
                         ZIP_OK);
        assert_int_equal(zipCloseFileInZip(z), ZIP_OK);
    }
    assert_int_equal(zipClose(z, NULL), ZIP_OK);
    in = fopen(path, "rb");
    assert_non_null(in);
    (void)fseek(in, 0, SEEK_END);
    size = ftell(in);
    rewind(in);
    p = malloc((size_t)size);
    assert_int_equal(fread(p, 1, (size_t)size, in), (size_t)size);
    (void)fclose(in);
    (void)unlink(path);
    return (struct puan_str){ p, (size_t)size };
}

/* The workbook above with sheet 1 (and the shared texts) exchanged. */
static struct puan_str workbook(const char *one, const char *texts)
{
    const struct file f[] = {
        { "xl/workbook.xml", book, sizeof(book) - 1 },
        { "xl/_rels/workbook.xml.rels", rels, sizeof(rels) - 1 },
        { "xl/sharedStrings.xml", texts, strlen(texts) },
        { "xl/worksheets/sheet1.xml", one, strlen(one) },
        { "xl/worksheets/sheet2.xml", sheet2, sizeof(sheet2) - 1 },
    };

    return zipped(f, PUAN_COUNT(f));
}

static void cells_are_texts(void **state)
{
    struct puan_str bytes = workbook(sheet1, shared);
    const struct puan_grid_row *r;
    struct puan_arena a;
    struct puan_xlsx x;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_xlsx_read(&x, bytes, "x.xlsx", &a, &err), PUAN_OK);
    assert_int_equal(x.n, 2);
    assert_true(puan_str_is(x.sheet[0].name, "survey"));
    assert_true(puan_str_is(x.sheet[1].name, "\xe9\x80\x89\xe9\xa1\xb9"));
    assert_int_equal(x.sheet[1].n, 0);
    assert_int_equal(x.sheet[0].n, 2);
    r = &x.sheet[0].row[0];
    assert_int_equal(r->line, 1);
    assert_int_equal(r->n, 3); /* D1 says nothing */
    assert_true(puan_str_is(r->cell[0], "type"));
    assert_true(puan_str_is(r->cell[1], ""));
    assert_true(puan_str_is(r->cell[2], "name "));
    r = &x.sheet[0].row[1];
    assert_int_equal(r->line, 4);
    assert_true(puan_str_is(r->cell[0], "a&b"));
    assert_true(puan_str_is(r->cell[1], "0.1"));
    assert_true(puan_str_is(r->cell[2], "TRUE"));
    assert_true(puan_str_is(r->cell[3], ""));
    assert_true(puan_str_is(r->cell[4], "f"));
    assert_true(puan_str_is(r->cell[5], "42"));
    assert_true(puan_str_is(puan_grid_cell(r, 99), ""));
    puan_arena_clear(&a);
    free((void *)(uintptr_t)bytes.p);
}

static void expect(struct puan_str bytes, enum puan_status want,
                   const char *text)
{
    struct puan_arena a;
    struct puan_xlsx x;
    struct puan_err err = { 0 };

    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_xlsx_read(&x, bytes, "x.xlsx", &a, &err), want);
    if (!strstr(err.text, text))
        fail_msg("'%s' (%s) does not say '%s'", err.text, err.where, text);
    puan_arena_clear(&a);
}

static void refuse_sheet(const char *one, enum puan_status want,
                         const char *text)
{
    struct puan_str bytes = workbook(one, shared);

    expect(bytes, want, text);
    free((void *)(uintptr_t)bytes.p);
}

static void other_files_are_told_apart(void **state)
{
    const struct file f[] = { { "mimetype", "text", 4 } };
    struct puan_str bytes = zipped(f, 1);

    (void)state;
    expect(PUAN_STR(""), PUAN_EINVAL, "no ZIP archive");
    expect(PUAN_STR("PK\3\4 and no more"), PUAN_EINVAL, "no ZIP archive");
    expect(PUAN_STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), PUAN_EINVAL,
           "old .xls");
    expect(bytes, PUAN_EINVAL, "no workbook");
    free((void *)(uintptr_t)bytes.p);
}

static void hostile_parts_are_refused(void **state)
{
    (void)state;
    refuse_sheet("<!DOCTYPE worksheet [<!ENTITY a \"aaaa\">]><worksheet>"
                 "<sheetData><row><c t=\"str\"><v>&a;</v></c></row></sheetData>"
                 "</worksheet>",
                 PUAN_EINVAL, "document type");
    refuse_sheet("<worksheet><sheetData><row><c t=\"s\"><v>7</v></c></row>"
                 "</sheetData></worksheet>",
                 PUAN_EINVAL, "not there");
    refuse_sheet("<worksheet><sheetData><row r=\"2\"/><row r=\"1\"/>"
                 "</sheetData></worksheet>",
                 PUAN_EINVAL, "order");
    refuse_sheet("<worksheet><sheetData><row><c r=\"XFD1\"><v>1</v></c></row>"
                 "</sheetData></worksheet>",
                 PUAN_ELIMIT, "right");
    refuse_sheet("<worksheet><sheetData><row>", PUAN_EINVAL, "");
}

/* Forty megabytes of blanks pack into forty kilobytes. */
static void a_bomb_is_given_up(void **state)
{
    size_t n = PUAN_XLSX_PART_BYTES + 8u * 1024 * 1024;
    char *big = malloc(n + 1);
    struct puan_str bytes;

    (void)state;
    assert_non_null(big);
    memset(big, ' ', n);
    big[n] = '\0';
    bytes = workbook(big, shared);
    assert_true(bytes.n < 100000);
    expect(bytes, PUAN_ELIMIT, "32 MiB");
    free((void *)(uintptr_t)bytes.p);
    free(big);
}

/* A byte changed anywhere: an answer, never a crash; memory runs out: ENOMEM. */
static void damage_is_survived(void **state)
{
    struct puan_str bytes = workbook(sheet1, shared);
    char *p = (char *)(uintptr_t)bytes.p;
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < bytes.n; i++) {
        struct puan_arena a;
        struct puan_xlsx x;
        struct puan_err err = { 0 };
        char kept = p[i];

        p[i] = (char)(kept ^ 0x55);
        puan_arena_init(&a, &puan_test_heap);
        if (puan_xlsx_read(&x, bytes, "x.xlsx", &a, &err) != PUAN_OK) {
            assert_true(err.text[0] != '\0');
            refused++;
        }
        puan_arena_clear(&a);
        p[i] = kept;
    }
    assert_true(refused > bytes.n / 4);
    for (int left = 0; left < 40; left++) {
        struct puan_test_scarce scarce = { .left = left };
        struct puan_alloc host = { puan_test_get, puan_test_put, &scarce };
        struct puan_arena a;
        struct puan_xlsx x;
        struct puan_err err = { 0 };
        enum puan_status st;

        puan_arena_init(&a, &host);
        st = puan_xlsx_read(&x, bytes, "x.xlsx", &a, &err);
        assert_true(st == PUAN_OK || st == PUAN_ENOMEM);
        puan_arena_clear(&a);
        assert_int_equal(scarce.live, 0);
        if (st == PUAN_OK)
            break;
        assert_true(left < 39);
    }
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_texts),
        cmocka_unit_test(other_files_are_told_apart),
        cmocka_unit_test(hostile_parts_are_refused),
        cmocka_unit_test(a_bomb_is_given_up),
        cmocka_unit_test(damage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
