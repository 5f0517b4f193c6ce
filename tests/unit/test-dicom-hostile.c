// SPDX-License-Identifier: Apache-2.0
// DICOM files that mean harm: elements damaged one by one in thousands of files in this process,
// sequences in sequences, promises that the bytes cannot keep, bombs, and preambles that are programs.
// Each gives a typed error or something sound, in less than 2 s and with at most 64 MiB.
#include "../support/bg-dicom-make.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-dicom-write.h"
#include "media/dicom/bg-dicom-anonymize.h"
#include "media/dicom/bg-dicom-data.h"
#include "media/dicom/bg-dicom.h"
#include "tests/support/bg-malformed.h"

#include <string.h>
#include <time.h>
#include <zlib.h>

#define TAG BG_DICOM_TAG
#define MOST_SECONDS 2.0
#define MOST_BYTES (64u << 20)
#define LEAST_FILES 2000
#define DEFLATED "1.2.840.10008.1.2.1.99"

typedef struct {
    gsize n_files, n_refused, n_loaded;
    double slowest;
    gsize largest;
    guint stride; // every how many-th file is read
    guint count;
} Tally;

static void
check_error(const GError *error, const char *what)
{
    if (error == NULL || (error->domain != BG_ERROR && error->domain != G_IO_ERROR))
        g_error("%s: no typed error", what);
    if (!g_utf8_validate(error->message, -1, NULL) || strlen(error->message) > 900)
        g_error("%s: a message that nobody can read", what);
}

static gsize
load_series(BgDicomSeries *series, const char *what, Tally *tally)
{
    static const int dims[3] = { 8, 8, 4 };
    BgGeometry grid = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 1.0));
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLoaded) loaded = series->content == BG_DICOM_CONTENT_RTSTRUCT
                                     ? bg_dicom_load_labels_on(series, &grid, NULL, NULL, &error)
                                     : bg_dicom_load_series(series, NULL, NULL, NULL, &error);
    g_autoptr(BgImage) picture = bg_dicom_load_picture(series, 0, 0, 64, NULL, NULL);

    for (guint i = 0; i < series->warnings->len; i++)
        if (!g_utf8_validate(series->warnings->pdata[i], -1, NULL))
            g_error("%s: a warning that nobody can read: %s", what,
                    (char *) series->warnings->pdata[i]);
    if (loaded == NULL) {
        check_error(error, what);
        tally->n_refused++;
        return 0;
    }
    tally->n_loaded++;
    if (loaded->volume != NULL) {
        const BgGeometry *geometry = bg_volume_get_geometry(loaded->volume);
        g_assert_true(bg_geometry_check(geometry, NULL));
        bg_volume_get_value(loaded->volume, geometry->dims[0] - 1, geometry->dims[1] - 1,
                            geometry->dims[2] - 1);
        return bg_volume_get_n_bytes(loaded->volume);
    }
    return loaded->labels != NULL  ? bg_label_map_get_n_bytes(loaded->labels)
           : loaded->image != NULL ? bg_image_get_n_bytes(loaded->image)
                                   : 0;
}

// Scanned, loaded, shown and anonymised.
static void
try_file(const char *path, const char *what, gpointer user_data)
{
    Tally *tally = user_data;
    BgDicomAnonymizeParams params = { .salt = "x" };
    BgMalformedWatch watch;
    g_autoptr(GError) error = NULL;
    gsize n_bytes = 0;

    if (tally->stride > 1 && tally->count++ % tally->stride != 0)
        return;
    clock_t start = clock();
    bg_malformed_watch_start(&watch);
    g_autoptr(GPtrArray) list = bg_dicom_scan(path, NULL, NULL, &error);
    for (guint i = 0; list != NULL && i < list->len; i++)
        n_bytes += load_series(list->pdata[i], what, tally);
    g_autoptr(GBytes) bytes = bg_dicom_anonymize(path, &params, NULL, NULL);
    bg_malformed_watch_stop(&watch);
    if (list == NULL) {
        check_error(error, what);
        tally->n_refused++;
    }
    double seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
    if (seconds > MOST_SECONDS)
        g_error("%s: %.1f s", what, seconds);
    if (watch.peak_bytes > MOST_BYTES + 2 * n_bytes)
        g_error("%s: %zu bytes of memory", what, watch.peak_bytes);
    tally->slowest = MAX(tally->slowest, seconds);
    tally->largest = MAX(tally->largest, watch.peak_bytes);
    tally->n_files++;
}

static void
try_bytes(gconstpointer data, gsize n_bytes, const char *what, Tally *tally)
{
    char *folder = bg_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.dcm", NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents_full(path, data, (gssize) n_bytes, G_FILE_SET_CONTENTS_NONE, 0600, &error);
    g_assert_no_error(error);
    try_file(path, what, tally);
    bg_remove_folder(folder);
}

// Elements, damaged one by one

typedef struct {
    gsize start, length_at, value, end;
    int length_size;
} Place;

// Where the element's own header lies (PS3.5 7.1); FALSE for what the parser made up.
static gboolean
find_place(const guint8 *bytes, const BgDcmElement *e, gboolean explicit_vr, Place *place)
{
    static const char long_form[] = "OB OW OF OD OL OV SQ UC UN UR UT SV UV";
    char vr[3] = { (char) (e->vr >> 8), (char) e->vr, '\0' };
    gboolean item = e->tag >> 16 == 0xfffe;
    gboolean is_long = explicit_vr && !item && e->vr != 0 && strstr(long_form, vr) != NULL;
    gsize header = is_long ? 12 : 8;

    if (e->offset < header)
        return FALSE;
    *place = (Place){ e->offset - header, e->offset - 4, e->offset, e->offset + e->length, 4 };
    if (explicit_vr && !item && !is_long) {
        place->length_at = e->offset - 2;
        place->length_size = 2;
    }
    guint tag = bytes[place->start] | (guint) bytes[place->start + 1] << 8;
    return tag == e->tag >> 16;
}

static void
try_edit(const guint8 *bytes, gsize n, gsize from, gsize to, gconstpointer put, gsize n_put,
         const char *what, Tally *tally)
{
    g_autoptr(GByteArray) edited = g_byte_array_new();

    if (tally->stride > 1 && tally->count++ % tally->stride != 0)
        return;
    g_byte_array_append(edited, bytes, (guint) from);
    g_byte_array_append(edited, put, (guint) n_put);
    g_byte_array_append(edited, bytes + to, (guint) (n - to));
    guint stride = tally->stride;
    tally->stride = 1;
    try_bytes(edited->data, edited->len, what, tally);
    tally->stride = stride;
}

static void
damage_element(const guint8 *bytes, gsize n, const Place *p, const char *what, Tally *tally)
{
    static const guint32 lengths[] = { 0,       1,          3,          0xff,       0xfffe,
                                       0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
    static const char *const texts[] = {
        "",      "0",         "-1",       "99999999999999999999",
        "1e999", "-1e308",    "nan",      "0.0\\0",
        "1e-9",  "\\\\\\\\ ", "\xff\xfe", "65535 ",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        guint32 length = GUINT32_TO_LE(lengths[i]);
        try_edit(bytes, n, p->length_at, p->length_at + (gsize) p->length_size, &length,
                 (gsize) p->length_size, what, tally);
    }
    try_edit(bytes, n, p->start, MIN(p->end, n), "", 0, what, tally); // left out
    try_edit(bytes, n, p->start, p->start, bytes + p->start, MIN(p->end, n) - p->start, what,
             tally); // twice
    for (gsize i = 0; i < G_N_ELEMENTS(texts) && p->end <= n && p->end > p->value; i++) {
        g_autofree guint8 *value = g_malloc(p->end - p->value);
        gsize length = strlen(texts[i]);
        memset(value, ' ', p->end - p->value);
        memcpy(value, texts[i], MIN(length, p->end - p->value));
        try_edit(bytes, n, p->value, p->end, value, p->end - p->value, what, tally);
    }
    for (int fill = 0; fill <= 0xff && p->end <= n && p->end > p->value; fill += 0x7f) {
        g_autofree guint8 *value = g_malloc(p->end - p->value);
        memset(value, fill, p->end - p->value);
        try_edit(bytes, n, p->value, p->end, value, p->end - p->value, what, tally);
    }
}

static void
damage_file(const char *path, Tally *tally)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgDcmData) data = bg_dcm_data_open(path, &error);
    g_autofree char *bytes = NULL;
    gsize n;

    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (guint i = 0; i < data->elements->len && !data->syntax.deflated; i++) {
        const BgDcmElement *e = &g_array_index(data->elements, BgDcmElement, i);
        g_autofree char *what =
            g_strdup_printf("%s (%04x,%04x)", path, e->tag >> 16, e->tag & 0xffff);
        gboolean explicit_vr = e->tag >> 16 == 2 || data->syntax.explicit_vr;
        Place place;
        if (find_place((const guint8 *) bytes, e, explicit_vr, &place))
            damage_element((const guint8 *) bytes, n, &place, what, tally);
    }
    BgMalformedSeed seed = { path,  (const guint8 *) bytes + 132, n - 132, MIN(n - 132, 200), FALSE,
                             ".dcm" };
    bg_malformed_run(&seed, NULL, 40, try_file, tally);
}

static GBytes *
make_written(int which)
{
    static const int dims[3] = { 6, 5, 4 };
    BgGeometry g = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 2.0));
    BgDicomWriteParams params = { .seed = 3, .provenance = "{\"schema\":1}" };
    g_autoptr(GError) error = NULL;
    GBytes *bytes;

    if (which == 0) {
        guint8 *samples = bg_voxels_alloc(&g, 1, NULL);
        for (gsize i = 0; i < 120; i++)
            samples[i] = (guint8) (i % 3);
        g_autoptr(BgLabelMap) labels = bg_label_map_new_take(&g, BG_LABEL_UINT8, samples, &error);
        g_assert_no_error(error);
        bytes = bg_dicom_make_seg(labels, NULL, &params, &error);
    } else {
        BgImageFormat format = { 6, 5, 3, BG_PIXEL_UINT8 };
        guint8 *pixels = bg_buffer_alloc(90, NULL);
        memset(pixels, 7, 90);
        g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, &error);
        g_assert_no_error(error);
        BgImage *both[2] = { image, image };
        bytes = bg_dicom_make_sc(both, 2, &params, &error);
    }
    g_assert_no_error(error);
    return bytes;
}

// JPEG-LS is not among them: CharLS can spin for half a minute on damaged codes, which in the child
// ends at its limit of processor time.
static void
test_elements(void)
{
    static const char *const good[] = { "enhanced",   "palette",           "rtstruct",
                                        "jpeg-grey8", "sequence.dcm",      "rle-grey8",
                                        "implicit",   "jpeg2000-byte.dcm", "frames.dcm",
                                        "colour.dcm" };
    gboolean is_long = g_getenv("BREGMA_TEST_LONG") != NULL;
    Tally tally = { .stride = is_long ? 1 : 5 };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *path = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "fuzz",
                                                 "corpus", "dicom", good[i], NULL);
        damage_file(path, &tally);
    }
    for (int which = 0; which < 2; which++) {
        g_autoptr(GBytes) bytes = make_written(which);
        char *folder = bg_make_folder();
        g_autofree char *path = g_build_filename(folder, "written.dcm", NULL);
        gsize n;
        const char *data = g_bytes_get_data(bytes, &n);
        g_assert_true(g_file_set_contents(path, data, (gssize) n, NULL));
        damage_file(path, &tally);
        bg_remove_folder(folder);
    }
    g_test_message("%zu files: %zu refused, %zu loaded; slowest %.0f ms, most memory %.1f MiB",
                   tally.n_files, tally.n_refused, tally.n_loaded, tally.slowest * 1e3,
                   (double) tally.largest / (1u << 20));
    g_assert_cmpuint(tally.n_files, >=, LEAST_FILES);
    g_assert_cmpuint(tally.n_refused, >, 100);
    g_assert_cmpuint(tally.n_loaded, >, 100);
}

// Promises

static void
begin(BgDcmEncoder *e, const char *syntax)
{
    static const guint8 preamble[128];

    bg_dcm_encoder_init(e, 1);
    g_byte_array_append(e->bytes, preamble, sizeof preamble);
    g_byte_array_append(e->bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_text(e, TAG(0x0002, 0x0010), "UI", syntax);
}

static void
put_picture(BgDcmEncoder *e, int rows, int columns, const char *frames)
{
    bg_dcm_put_text(e, TAG(0x0008, 0x0060), "CS", "CT");
    bg_dcm_put_text(e, TAG(0x0020, 0x000e), "UI", "1.2.3");
    bg_dcm_put_us(e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(e, TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
    bg_dcm_put_text(e, TAG(0x0028, 0x0008), "IS", frames);
    bg_dcm_put_us(e, TAG(0x0028, 0x0010), rows);
    bg_dcm_put_us(e, TAG(0x0028, 0x0011), columns);
    bg_dcm_put_us(e, TAG(0x0028, 0x0100), 16);
    bg_dcm_put_us(e, TAG(0x0028, 0x0101), 16);
    bg_dcm_put_us(e, TAG(0x0028, 0x0102), 15);
    bg_dcm_put_us(e, TAG(0x0028, 0x0103), 0);
}

static void
put_fragments(BgDcmEncoder *e, gconstpointer data, guint32 n)
{
    static const guint8 head[] = { 0xe0, 0x7f, 0x10, 0x00, 'O', 'B', 0, 0, 0xff, 0xff, 0xff, 0xff,
                                   0xfe, 0xff, 0x00, 0xe0, 0,   0,   0, 0, 0xfe, 0xff, 0x00, 0xe0 };
    static const guint8 tail[] = { 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0 };
    guint32 length = GUINT32_TO_LE(n);

    g_byte_array_append(e->bytes, head, sizeof head);
    g_byte_array_append(e->bytes, (const guint8 *) &length, 4);
    g_byte_array_append(e->bytes, data, n);
    g_byte_array_append(e->bytes, tail, sizeof tail);
}

static void
test_promises(void)
{
    static const char *const syntaxes[] = {
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
        DEFLATED,
    };
    static const char *const frames[] = { "1", "1000000", "2147483647", "-1" };
    guint8 noise[4096];
    Tally tally = { .stride = 1 };

    for (gsize i = 0; i < sizeof noise; i++)
        noise[i] = (guint8) (i * 151 >> 3);
    for (gsize s = 0; s < G_N_ELEMENTS(syntaxes); s++) {
        for (gsize f = 0; f < G_N_ELEMENTS(frames); f++) {
            g_auto(BgDcmEncoder) e = { 0 };
            begin(&e, syntaxes[s]);
            put_picture(&e, 65535, 65535, frames[f]);
            if (s == 0 || s == 6)
                bg_dcm_put_bytes(&e, TAG(0x7fe0, 0x0010), "OW", noise, sizeof noise);
            else
                put_fragments(&e, noise, sizeof noise);
            try_bytes(e.bytes->data, e.bytes->len, syntaxes[s], &tally);
        }
    }
    g_assert_cmpuint(tally.n_loaded, ==, 0);
    g_assert_cmpuint(tally.n_refused, >=, G_N_ELEMENTS(syntaxes) * G_N_ELEMENTS(frames));
}

// Sequences

static void
test_depth(void)
{
    static const guint8 level[] = { 0x08, 0x00, 0x15, 0x11, 'S',  'Q',  0,    0,    0xff, 0xff,
                                    0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff };
    static const guint depths[] = { 10, 63, 64, 65, 1000, 1000000 };
    Tally tally = { .stride = 1 };

    for (gsize d = 0; d < G_N_ELEMENTS(depths); d++) {
        g_auto(BgDcmEncoder) e = { 0 };
        begin(&e, "1.2.840.10008.1.2.1");
        for (guint i = 0; i < depths[d]; i++)
            g_byte_array_append(e.bytes, level, sizeof level);
        try_bytes(e.bytes->data, e.bytes->len, "depth", &tally);
    }
    g_assert_cmpuint(tally.n_loaded, ==, 0);
}

// Bombs

// 64 MiB of zeros behind a header that promises @rows x 512 pixels.
static GByteArray *
make_bomb(int rows, gboolean endless_header)
{
    g_auto(BgDcmEncoder) e = { 0 }, inner = { 0 };
    gsize n = (gsize) 64 << 20;
    g_autofree guint8 *zeros = g_malloc0(n);
    z_stream z = { 0 };

    begin(&e, DEFLATED);
    bg_dcm_encoder_init(&inner, 1);
    put_picture(&inner, rows, 512, "1");
    if (endless_header)
        bg_dcm_put_bytes(&inner, TAG(0x0043, 0x1001), "OB", zeros, n);
    else
        bg_dcm_put_bytes(&inner, TAG(0x7fe0, 0x0010), "OW", zeros, n);
    g_autofree guint8 *packed = g_malloc(inner.bytes->len / 100 + 65536);
    g_assert_cmpint(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), ==, Z_OK);
    z.next_in = inner.bytes->data;
    z.avail_in = inner.bytes->len;
    z.next_out = packed;
    z.avail_out = inner.bytes->len / 100 + 65536;
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_append(e.bytes, packed, (guint) z.total_out);
    deflateEnd(&z);
    return g_steal_pointer(&e.bytes);
}

static void
test_bombs(void)
{
    Tally tally = { .stride = 1 };

    // More than the header promises is not inflated.
    g_autoptr(GByteArray) small = make_bomb(16, FALSE);
    try_bytes(small->data, small->len, "deflated, more than promised", &tally);
    g_assert_cmpuint(tally.largest, <, 32u << 20);
    g_assert_cmpuint(tally.n_loaded, ==, 1);
    // An element of 64 MiB before the pixels: bounded.
    g_autoptr(GByteArray) header = make_bomb(16, TRUE);
    try_bytes(header->data, header->len, "deflated, a huge element", &tally);
    // A JPEG 2000 picture of 2^31 pixels a side in 100 bytes (the SIZ marker).
    static const guint8 siz[] = { 0xff, 0x4f, 0xff, 0x51, 0x00, 0x29, 0x00, 0x00, 0x7f,
                                  0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0,    0,
                                  0,    0,    0,    0,    0,    0,    0x7f, 0xff, 0xff,
                                  0xff, 0x7f, 0xff, 0xff, 0xff, 0,    0,    0,    0,
                                  0,    0,    0,    0,    0x00, 0x01, 0x0f, 0x01, 0x01 };
    guint8 stream[100] = { 0 };
    g_auto(BgDcmEncoder) e = { 0 };
    memcpy(stream, siz, sizeof siz);
    begin(&e, "1.2.840.10008.1.2.4.90");
    put_picture(&e, 16, 16, "1");
    put_fragments(&e, stream, sizeof stream);
    gsize n_refused = tally.n_refused;
    try_bytes(e.bytes->data, e.bytes->len, "JPEG 2000, 2^31 wide", &tally);
    g_assert_cmpuint(tally.n_refused, >, n_refused);
}

// A lossless JPEG that ends one byte early is no picture with an odd last row.
static void
test_short_codes(void)
{
    static const char *const good[] = { "jpeg-lossless-grey.dcm", "jpeg-lossless-byte.dcm" };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *path = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "fuzz",
                                                 "corpus", "dicom", good[i], NULL);
        g_autofree char *bytes = NULL;
        Tally tally = { .stride = 1 };
        gsize n, at;

        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        try_bytes(bytes, n, good[i], &tally);
        g_assert_cmpuint(tally.n_loaded, ==, 1);
        for (at = n - 2; at > 0 && memcmp(bytes + at, "\xff\xd9", 2) != 0; at--)
            continue;
        g_assert_cmpuint(at, >, 0);
        memcpy(bytes + at - 2, "\xff\xd9\0\0", 4); // the fill byte goes, and one of codes
        try_bytes(bytes, n, good[i], &tally);
        g_assert_cmpuint(tally.n_loaded, ==, 1);
        g_assert_cmpuint(tally.n_refused, ==, 1);
    }
}

// Preambles

static void
test_preambles(void)
{
    static const struct {
        const char *magic;
        gsize n;
        gboolean odd;
    } cases[] = {
        { "MZ\x90", 3, TRUE },
        { "\x7f"
          "ELF",
          4, TRUE },
        { "#!/bin/sh\n", 10, TRUE },
        { "\xcf\xfa\xed\xfe", 4, TRUE },
        { "II*\0", 4, TRUE },
        { "\0\0\0\0", 4, FALSE },
    };
    char *folder = bg_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BgMadeSlice slice = { .name = "a", .sop_uid = "1.2.9", .thickness = 1.0 };
        BgDicomAnonymizeParams params = { .salt = "x" };
        g_autofree char *bytes = NULL;
        g_autoptr(GError) error = NULL;
        gsize n;
        bg_make_slice(folder, &slice);
        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        memcpy(bytes, cases[i].magic, cases[i].n);
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
        g_autoptr(GPtrArray) list = bg_dicom_scan(path, NULL, NULL, &error);
        g_assert_no_error(error);
        const BgDicomSeries *series = list->pdata[0];
        g_assert_cmpint((series->badges & BG_DICOM_BADGE_PREAMBLE) != 0, ==, cases[i].odd);
        g_assert_cmpint(series->warnings->len > 0, ==, cases[i].odd);
        // What we write has none.
        g_autoptr(GBytes) clean = bg_dicom_anonymize(path, &params, NULL, &error);
        g_assert_no_error(error);
        const guint8 *data = g_bytes_get_data(clean, NULL);
        for (int b = 0; b < 128; b++)
            g_assert_cmpint(data[b], ==, 0);
    }
    bg_remove_folder(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dicom-hostile/elements", test_elements);
    g_test_add_func("/dicom-hostile/promises", test_promises);
    g_test_add_func("/dicom-hostile/depth", test_depth);
    g_test_add_func("/dicom-hostile/bombs", test_bombs);
    g_test_add_func("/dicom-hostile/short-codes", test_short_codes);
    g_test_add_func("/dicom-hostile/preambles", test_preambles);
    return g_test_run();
}
