// SPDX-License-Identifier: Apache-2.0
// Damaged files of every format that needs other people's codecs, and of those without a test of their
// own, read inside this process: each gives a typed error or something sound, in less than 2 s and with
// at most 64 MiB. The good files are the fuzzers' (tests/fuzz/make-corpus.py).
#include "core/base/bg-error.h"
#include "media/bg-media.h"
#include "tests/support/bg-malformed.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

#define MOST_SECONDS 2.0
#define MOST_BYTES (64u << 20)
#define MOST_POISONED (1u << 20) // larger ones come zeroed from the system

typedef struct {
    gsize n_refused, n_loaded;
    double slowest;
    gsize largest;
} Tally;

static gsize
count_voxel_bytes(const BgLoaded *loaded)
{
    return loaded->volume != NULL   ? bg_volume_get_n_bytes(loaded->volume)
           : loaded->labels != NULL ? bg_label_map_get_n_bytes(loaded->labels)
           : loaded->image != NULL  ? bg_image_get_n_bytes(loaded->image)
                                    : 0;
}

static void
check_loaded(const BgLoaded *loaded, const char *what)
{
    g_assert_true(loaded->info->n_frames >= 1);
    if (!g_utf8_validate(loaded->info->modality, -1, NULL))
        g_error("%s: a modality that nobody can read", what);
    for (guint i = 0; i < loaded->info->warnings->len; i++) {
        if (!g_utf8_validate(loaded->info->warnings->pdata[i], -1, NULL))
            g_error("%s: a warning that nobody can read", what);
    }
    if (loaded->volume != NULL) {
        const BgGeometry *geometry = bg_volume_get_geometry(loaded->volume);
        g_assert_true(bg_geometry_check(geometry, NULL));
        bg_volume_get_value(loaded->volume, geometry->dims[0] - 1, geometry->dims[1] - 1,
                            geometry->dims[2] - 1);
    }
}

static gconstpointer
get_voxels(const BgLoaded *loaded)
{
    return loaded->volume != NULL   ? bg_volume_get_samples(loaded->volume)
           : loaded->labels != NULL ? bg_label_map_get_labels(loaded->labels)
           : loaded->image != NULL  ? bg_image_get_pixels(loaded->image)
                                    : NULL;
}

// What memory held before must not become a pixel: read twice, over other poison.
static void
check_no_poison(const BgLoaded *loaded, const char *path, const char *what)
{
    gconstpointer voxels = get_voxels(loaded);
    gsize n_bytes = count_voxel_bytes(loaded);

    // libde265 leaves what no slice of a damaged file covers as it was.
    if (voxels == NULL || n_bytes > MOST_POISONED || loaded->info->format == BG_FORMAT_HEIC)
        return;
    mallopt(M_PERTURB, 0x5A);
    g_autoptr(BgLoaded) again = bg_io_load(path, NULL, NULL, NULL, NULL);
    mallopt(M_PERTURB, 0xA7);
    if (again == NULL || count_voxel_bytes(again) != n_bytes ||
        memcmp(get_voxels(again), voxels, n_bytes) != 0)
        g_error("%s: other pixels when it is read again", what);
}

static void
try_file(const char *path, const char *what, gpointer user_data)
{
    Tally *tally = user_data;
    BgMalformedWatch watch;
    g_autoptr(GError) error = NULL;
    clock_t start = clock();

    bg_malformed_watch_start(&watch);
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, NULL);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    bg_malformed_watch_stop(&watch);
    double seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
    tally->slowest = MAX(tally->slowest, seconds);
    if (seconds > MOST_SECONDS)
        g_error("%s: %.1f s", what, seconds);
    if (watch.peak_bytes > MOST_BYTES + (loaded != NULL ? 2 * count_voxel_bytes(loaded) : 0))
        g_error("%s: %zu bytes of memory", what, watch.peak_bytes);
    tally->largest = MAX(tally->largest, watch.peak_bytes);
    if (loaded != NULL) {
        check_loaded(loaded, what);
        check_no_poison(loaded, path, what);
        tally->n_loaded++;
        return;
    }
    if (error == NULL || (error->domain != BG_ERROR && error->domain != G_IO_ERROR))
        g_error("%s: no typed error", what);
    if (!g_utf8_validate(error->message, -1, NULL) || strlen(error->message) > 900)
        g_error("%s: a message that nobody can read: %s", what, error->message);
    tally->n_refused++;
}

static GPtrArray *
list_good_files(const char *format)
{
    g_autofree char *folder =
        g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "fuzz", "corpus", format, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (dir == NULL)
        g_ptr_array_add(paths, g_strdup(folder)); // one of them
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_prefix(name, "z-")) // what the search found is no good file
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(paths, (GCompareFunc) (gpointer) g_strcmp0);
    return paths;
}

// Quick: one good file of each format; long: all of them.
static void
test_format(gconstpointer user_data)
{
    const char *format = user_data;
    gboolean is_long = g_getenv("BREGMA_TEST_LONG") != NULL;
    g_autoptr(GPtrArray) paths = list_good_files(format);
    Tally tally = { 0 };
    gsize n_files = 0;

    g_assert_cmpuint(paths->len, >, 0);
    for (guint i = 0; i < (is_long ? paths->len : 1); i++) {
        g_autofree char *bytes = NULL;
        gsize n_bytes;
        const char *suffix = strrchr(paths->pdata[i], '.');
        g_assert_true(g_file_get_contents(paths->pdata[i], &bytes, &n_bytes, NULL));
        gboolean text = g_utf8_validate(bytes, (gssize) n_bytes, NULL);
        BgMalformedSeed seed = { paths->pdata[i],
                                 (const guint8 *) bytes,
                                 n_bytes,
                                 MIN(n_bytes, is_long ? 512 : 24),
                                 text,
                                 suffix };
        n_files += bg_malformed_run(&seed, NULL, is_long ? 300 : 40, try_file, &tally);
    }
    g_test_message("%s: %zu files: %zu refused, %zu loaded; slowest %.0f ms, most memory %.1f MiB",
                   format, n_files, tally.n_refused, tally.n_loaded, tally.slowest * 1e3,
                   (double) tally.largest / (1u << 20));
    g_assert_cmpuint(tally.n_refused, >, 0);
}

// What the libraries take in silence: a slice of HEIC cut by one bit, a JPEG strip of another size than its
// page, a promise of 8193 tiles.
static void
test_silent_damage(void)
{
    static const struct {
        const char *name;
        gsize at;
        guint8 flipped;
        const char *word;
    } cases[] = {
        { "heic/upright.heic", 479, 0x10, "HEVC data are damaged" },
        { "tiff/jpeg.tif", 16, 0x03, "JPEG" },
        { "dicom/jpeg2000-byte.dcm", 705, 0x01, "header is damaged" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *good = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "fuzz",
                                                 "corpus", cases[i].name, NULL);
        g_autofree char *path = g_strdup_printf("damage-%s", strchr(cases[i].name, '/') + 1);
        g_autofree char *bytes = NULL;
        g_autoptr(GError) error = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(good, &bytes, &n, NULL));
        g_assert_cmpuint(cases[i].at, <, n);
        bytes[cases[i].at] = (char) (bytes[cases[i].at] ^ (char) cases[i].flipped);
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
        g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
        g_unlink(path);
        g_assert_null(loaded);
        if (g_error_matches(error, BG_ERROR, BG_ERROR_UNSUPPORTED)) // built without libheif
            continue;
        g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].word));
    }
}

int
main(int argc, char **argv)
{
    static const char *const formats[] = {
        "afni",
        "analyze",
        "archive",
        "bmp",
        "dicom/colour.dcm",
        "dicom/deflated.dcm",
        "dicom/jpeg-extended.dcm",
        "dicom/jpeg-lossless-grey.dcm",
        "dicom/jpeg2000-byte.dcm",
        "dicom/jpegls-grey.dcm",
        "dicom/rle-grey.dcm",
        "gif",
        "heic",
        "interfile",
        "jpeg-file",
        "landmarks",
        "mgh",
        "minc1",
        "npy",
        "parrec",
        "png",
        "pnm",
        "raw",
        "tiff",
    };

    g_test_init(&argc, &argv, NULL);
    mallopt(M_PERTURB, 0xA7);
    bg_media_add_readers();
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *name = g_strdup_printf("/foreign-hostile/%s", formats[i]);
        g_test_add_data_func(name, formats[i], test_format);
    }
    g_test_add_func("/foreign-hostile/silent-damage", test_silent_damage);
    return g_test_run();
}
