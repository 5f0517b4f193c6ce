// SPDX-License-Identifier: Apache-2.0
// Thousands of damaged files in one process: each gives a typed error or a sound volume, in less
// than 2 s and with at most 64 MiB above what its voxels take.
#include "core/base/bg-error.h"
#include "core/io/bg-io.h"
#include "tests/support/bg-malformed.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_SECONDS 2.0
#define MOST_BYTES (64u << 20)

typedef struct {
    gsize n_refused, n_loaded;
    double slowest;
    gsize largest;
} Tally;

static void
check_loaded(const BgLoaded *loaded, const char *what)
{
    const BgFileInfo *info = loaded->info;
    const BgGeometry *geometry = loaded->volume != NULL ? bg_volume_get_geometry(loaded->volume)
                                                        : bg_label_map_get_geometry(loaded->labels);

    g_assert_true((loaded->volume != NULL) != (loaded->labels != NULL));
    if (!bg_geometry_check(geometry, NULL) || geometry->dims[0] != info->dims[0] ||
        !g_utf8_validate(info->modality, -1, NULL) || info->n_frames < 1)
        g_error("%s: the volume is unsound", what);
    for (guint i = 0; i < info->warnings->len; i++) {
        if (!g_utf8_validate(g_ptr_array_index(info->warnings, i), -1, NULL))
            g_error("%s: a warning that nobody can read", what);
    }
    // The last voxel is there.
    int i = geometry->dims[0] - 1, j = geometry->dims[1] - 1, k = geometry->dims[2] - 1;
    if (loaded->volume != NULL)
        bg_volume_get_value(loaded->volume, i, j, k);
    else
        bg_label_map_get_label(loaded->labels, i, j, k);
}

static void
try_file(const char *path, const char *what, gpointer user_data)
{
    Tally *tally = user_data;
    BgMalformedWatch watch;
    g_autoptr(GError) error = NULL;

    bg_malformed_watch_start(&watch);
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, NULL);
    BgLoaded *loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    bg_malformed_watch_stop(&watch);

    tally->slowest = MAX(tally->slowest, watch.seconds);
    if (watch.seconds > MOST_SECONDS)
        g_error("%s: %.1f s", what, watch.seconds);
    if (loaded != NULL) {
        g_assert_no_error(error);
        g_assert_nonnull(info);
        check_loaded(loaded, what);
        tally->n_loaded++;
        bg_loaded_free(loaded);
        return;
    }
    if (error == NULL || (error->domain != BG_ERROR && error->domain != G_IO_ERROR))
        g_error("%s: no typed error", what);
    if (!g_utf8_validate(error->message, -1, NULL) || strlen(error->message) > 700)
        g_error("%s: a message that nobody can read: %s", what, error->message);
    if (watch.peak_bytes > MOST_BYTES)
        g_error("%s: %zu bytes of memory: %s", what, watch.peak_bytes, error->message);
    tally->largest = MAX(tally->largest, watch.peak_bytes);
    tally->n_refused++;
}

static void
add(GByteArray *bytes, gconstpointer data, gsize n)
{
    g_byte_array_append(bytes, data, (guint) n);
}

// A good file as our writer makes it.
static GByteArray *
make_file(const char *suffix, gboolean labels)
{
    int dims[3] = { 11, 9, 7 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 2, 3));
    g_autofree char *path =
        g_strdup_printf("%s/bregma-good-%d%s", g_get_tmp_dir(), (int) getpid(), suffix);
    BgSaveParams params = { .force = TRUE, .provenance = "{\"bregma\":1}", .modality = "MR" };
    g_autoptr(GError) error = NULL;
    gsize n_bytes;
    char *contents;

    if (labels) {
        guint32 *data = bg_voxels_alloc(&geometry, 4, NULL);
        for (int i = 0; i < 693; i++)
            data[i] = (guint32) (i / 100) * 100000;
        g_autoptr(BgLabelMap) map = bg_label_map_new_take(&geometry, BG_LABEL_UINT32, data, NULL);
        bg_io_save_labels(map, path, &params, NULL, NULL, &error);
    } else {
        gint16 *data = bg_voxels_alloc(&geometry, 2, NULL);
        for (int i = 0; i < 693; i++)
            data[i] = (gint16) (i * 37 % 4000 - 1000);
        g_autoptr(BgVolume) volume =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), data, NULL);
        bg_io_save_volume(volume, path, &params, NULL, NULL, &error);
    }
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &contents, &n_bytes, NULL));
    g_unlink(path);
    GByteArray *bytes = g_byte_array_new();
    add(bytes, contents, n_bytes);
    g_free(contents);
    return bytes;
}

static BgMalformedSeed
seed_of(const char *name, GByteArray *bytes, gsize header_bytes, gboolean text, const char *suffix)
{
    return (BgMalformedSeed){ .name = name,
                              .bytes = bytes->data,
                              .n_bytes = bytes->len,
                              .header_bytes = MIN(header_bytes, bytes->len),
                              .text = text,
                              .suffix = suffix };
}

static void
tell(const char *format, gsize n, const Tally *tally)
{
    g_test_message("%s: %zu files: %zu refused, %zu loaded; slowest %.0f ms, most memory %.1f MiB",
                   format, n, tally->n_refused, tally->n_loaded, tally->slowest * 1e3,
                   (double) tally->largest / (1u << 20));
    g_assert_cmpuint(n, >=, 2000);
    g_assert_cmpuint(tally->n_refused, >, n / 10);
    g_assert_cmpuint(tally->n_loaded, >, 0);
}

static void
test_nifti(void)
{
    g_autoptr(GByteArray) plain = make_file(".nii", FALSE), packed = make_file(".nii.gz", FALSE);
    g_autoptr(GByteArray) labels = make_file(".nii.gz", TRUE);
    BgMalformedSeed first = seed_of("nii", plain, 400, FALSE, ".nii");
    BgMalformedSeed second = seed_of("nii.gz", packed, 60, FALSE, ".nii.gz");
    BgMalformedSeed third = seed_of("labels.nii.gz", labels, 60, FALSE, ".nii.gz");
    Tally tally = { 0 };

    gsize n = bg_malformed_run(&first, &second, 300, try_file, &tally);
    n += bg_malformed_run(&second, &third, 300, try_file, &tally);
    n += bg_malformed_run(&third, &first, 100, try_file, &tally);
    tell("NIfTI", n, &tally);
}

static void
test_nrrd(void)
{
    static const char ascii[] = "NRRD0004\ntype: short\ndimension: 4\nspace: RAS\nsizes: 2 3 2 2\n"
                                "kinds: list domain domain domain\nspace directions: none (1,0,0) "
                                "(0,2,0) (0,0,3)\nspace origin: (1,2,3)\nencoding: ascii\n"
                                "key:=value\nspace units: \"mm\" \"mm\" \"mm\"\n\n"
                                "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24\n";
    static const char list[] =
        "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 3 3 4\nspacings: 1 2 3\n"
        "encoding: raw\nline skip: 1\nbyte skip: -1\n"
        "data file: missing-%02d.raw 1 4 1 2\n";
    g_autoptr(GByteArray) gzip = make_file(".nrrd", FALSE), labels = make_file(".nrrd", TRUE);
    g_autoptr(GByteArray) text = g_byte_array_new(), files = g_byte_array_new();
    Tally tally = { 0 };

    add(text, ascii, sizeof ascii - 1);
    add(files, list, sizeof list - 1);
    BgMalformedSeed first = seed_of("nrrd", gzip, 380, TRUE, ".nrrd");
    BgMalformedSeed second = seed_of("text nrrd", text, text->len, TRUE, ".nrrd");
    BgMalformedSeed third = seed_of("labels nrrd", labels, 380, TRUE, ".nrrd");
    BgMalformedSeed fourth = seed_of("nhdr", files, files->len, TRUE, ".nhdr");
    gsize n = bg_malformed_run(&first, &second, 300, try_file, &tally);
    n += bg_malformed_run(&second, &first, 300, try_file, &tally);
    n += bg_malformed_run(&third, &second, 100, try_file, &tally);
    n += bg_malformed_run(&fourth, &second, 100, try_file, &tally);
    tell("NRRD", n, &tally);
}

static void
test_metaimage(void)
{
    static const char ascii[] =
        "ObjectType = Image\nNDims = 4\nBinaryData = False\nDimSize = 3 2 2 2\nElementNumberOfChannels "
        "= 1\nTransformMatrix = 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\nOffset = 1 2 3 0\nElementSpacing = 1 "
        "2 3 4\nHeaderSize = 0\nElementToIntensityFunctionSlope = 2\nElementType = MET_FLOAT\n"
        "ElementDataFile = LOCAL\n"
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24\n";
    static const char list[] = "NDims = 3\nDimSize = 3 3 4\nElementType = MET_USHORT\n"
                               "ElementSpacing = 1 1 1\nHeaderSize = -1\nCompressedData = False\n"
                               "ElementDataFile = missing-%03d.raw 1 4 1\n";
    g_autoptr(GByteArray) zlib = make_file(".mha", FALSE), labels = make_file(".mha", TRUE);
    g_autoptr(GByteArray) text = g_byte_array_new(), files = g_byte_array_new();
    Tally tally = { 0 };

    add(text, ascii, sizeof ascii - 1);
    add(files, list, sizeof list - 1);
    BgMalformedSeed first = seed_of("mha", zlib, 420, TRUE, ".mha");
    BgMalformedSeed second = seed_of("text mha", text, text->len, TRUE, ".mha");
    BgMalformedSeed third = seed_of("labels mha", labels, 420, TRUE, ".mha");
    BgMalformedSeed fourth = seed_of("mhd", files, files->len, TRUE, ".mhd");
    gsize n = bg_malformed_run(&first, &second, 300, try_file, &tally);
    n += bg_malformed_run(&second, &first, 300, try_file, &tally);
    n += bg_malformed_run(&third, &second, 100, try_file, &tally);
    n += bg_malformed_run(&fourth, &second, 100, try_file, &tally);
    tell("MetaImage", n, &tally);
}

static void
check_bomb(const char *name, const GByteArray *bytes)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
    Tally tally = { 0 };

    g_assert_true(g_file_set_contents(path, (const char *) bytes->data, bytes->len, NULL));
    try_file(path, name, &tally);
    g_assert_cmpuint(tally.n_refused, ==, 1);
    g_unlink(path);
}

// A header that promises 70 TB over a few bytes, plain and packed.
static void
test_promises(void)
{
    g_autoptr(GByteArray) plain = make_file(".nii", FALSE), packed = make_file(".mha", FALSE);
    static const guint8 huge[] = { 0xff, 0x7f };

    for (int axis = 0; axis < 3; axis++)
        memcpy(plain->data + 42 + 2 * axis, huge, 2);
    check_bomb("bregma-huge.nii", plain);

    char *size = strstr((char *) packed->data, "DimSize = 11 9 7");
    g_assert_nonnull(size);
    g_autoptr(GByteArray) large = g_byte_array_new();
    add(large, packed->data, (gsize) (size - (char *) packed->data));
    add(large, "DimSize = 60000 60000 60000", 27);
    add(large, size + 16, packed->len - (gsize) (size + 16 - (char *) packed->data));
    check_bomb("bregma-huge.mha", large);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/io/hostile/nifti", test_nifti);
    g_test_add_func("/io/hostile/nrrd", test_nrrd);
    g_test_add_func("/io/hostile/metaimage", test_metaimage);
    g_test_add_func("/io/hostile/promises", test_promises);
    return g_test_run();
}
