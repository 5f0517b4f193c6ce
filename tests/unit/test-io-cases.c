// SPDX-License-Identifier: Apache-2.0
// Small files whose content is known from elsewhere: tests/reference/io-cases.json, made by
// make_io_cases.py beside it with nibabel and numpy.
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

// Writes the files of a case; returns the path of the first.
static char *
write_files(const BgJson *files)
{
    char *first = NULL;

    for (gsize i = 0; i < bg_json_count(files); i++) {
        char *path = g_build_filename(folder, bg_json_name_at(files, i), NULL);
        gsize n;
        g_autofree guchar *bytes =
            g_base64_decode(bg_json_to_string(bg_json_value_at(files, i), ""), &n);
        g_assert_true(g_file_set_contents(path, (const char *) bytes, (gssize) n, NULL));
        if (first == NULL)
            first = path;
        else
            g_free(path);
    }
    return first;
}

static void
remove_files(const BgJson *files)
{
    for (gsize i = 0; i < bg_json_count(files); i++) {
        g_autofree char *path = g_build_filename(folder, bg_json_name_at(files, i), NULL);
        g_unlink(path);
    }
}

static void
check_affine(const BgAffine *a, const BgJson *expected)
{
    double m[12];

    g_assert_true(bg_json_to_doubles(expected, m, 12));
    for (int i = 0; i < 12; i++)
        g_assert_cmpfloat_with_epsilon(a->m[i / 4][i % 4], m[i], 1e-4);
}

static void
check_frame(const BgLoaded *loaded, const BgJson *expected)
{
    const int *dims = bg_volume_get_geometry(loaded->volume)->dims;
    gsize index = 0;

    g_assert_cmpuint(bg_json_count(expected), ==,
                     (gsize) dims[0] * (gsize) dims[1] * (gsize) dims[2]);
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, index++) {
                double value = bg_volume_get_value(loaded->volume, i, j, k);
                double wanted = bg_json_to_double(bg_json_at(expected, index), NAN);
                g_assert_cmpfloat_with_epsilon(value, wanted, 1e-6 * fmax(fabs(wanted), 1e-3));
            }
        }
    }
}

static void
check_info(const BgFileInfo *info, const BgJson *facts)
{
    const char *warns = bg_json_to_string(bg_json_get(facts, "warns"), NULL);
    const BgJson *alternative = bg_json_get(facts, "alternative");
    gboolean warned = FALSE;

    g_assert_cmpstr(info->datatype, ==, bg_json_to_string(bg_json_get(facts, "datatype"), ""));
    g_assert_cmpint(info->n_frames, ==, bg_json_count(bg_json_get(facts, "frames")));
    check_affine(&info->geometry.patient_from_voxel, bg_json_get(facts, "affine"));
    for (guint i = 0; warns != NULL && i < info->warnings->len; i++)
        warned = warned || strstr(g_ptr_array_index(info->warnings, i), warns) != NULL;
    g_assert_true(warns == NULL || warned);
    g_assert_true(info->side_known == (g_strcmp0(warns, "Side unknown") != 0));
    g_assert_true(info->has_alternative_geometry == (alternative != NULL));
    if (alternative != NULL)
        check_affine(&info->alternative_geometry.patient_from_voxel, alternative);
}

static void
test_cases(gconstpointer data)
{
    g_autofree char *path = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "reference",
                                             (const char *) data, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length;

    g_file_get_contents(path, &text, &length, &error);
    g_assert_no_error(error);
    g_autoptr(BgJson) cases = bg_json_parse(text, (gssize) length, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_json_count(cases), >, 85);

    for (gsize i = 0; i < bg_json_count(cases); i++) {
        const BgJson *facts = bg_json_at(cases, i);
        const BgJson *frames = bg_json_get(facts, "frames");
        g_autofree char *file = write_files(bg_json_get(facts, "files"));
        BgLoadParams params = bg_load_params_default();

        g_test_message("%s", bg_json_to_string(bg_json_get(facts, "name"), ""));
        g_autoptr(BgFileInfo) info = bg_io_probe(file, NULL, &error);
        g_assert_no_error(error);
        check_info(info, facts);
        params.component = (int) bg_json_to_integer(bg_json_get(facts, "component"), -1);
        for (gsize t = 0; t < bg_json_count(frames); t++) {
            params.frame = (int) t;
            g_autoptr(BgLoaded) loaded = bg_io_load(file, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_assert_nonnull(loaded->volume);
            check_info(loaded->info, facts);
            check_frame(loaded, bg_json_at(frames, t));
        }
        remove_files(bg_json_get(facts, "files"));
    }
}

// Asked for X.nii.gz, X.nii beside it must not be read, whatever is in either.
static void
test_names_side_by_side(void)
{
    int dims[3] = { 3, 3, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    static const char *const names[] = { "x.nii", "x.nii.gz", "x.nrrd", "x.mha" };
    g_autoptr(GError) error = NULL;

    for (int n = 0; n < 4; n++) {
        g_autofree char *path = g_build_filename(folder, names[n], NULL);
        guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
        memset(samples, 10 + n, 27);
        g_autoptr(BgVolume) volume =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, NULL);
        bg_io_save_volume(volume, path, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
    }
    for (int n = 0; n < 4; n++) {
        g_autofree char *path = g_build_filename(folder, names[n], NULL);
        g_autoptr(BgVolume) volume = bg_io_load_volume(path, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(bg_volume_get_value(volume, 1, 1, 1), ==, 10 + n);
        if (n == 1)
            g_unlink(path);
    }
    g_autofree char *gone = g_build_filename(folder, "x.nii.gz", NULL);
    g_assert_null(bg_io_load_volume(gone, NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    for (int n = 0; n < 4; n++) {
        g_autofree char *path = g_build_filename(folder, names[n], NULL);
        g_unlink(path);
    }
}

// Content decides: a NIfTI file by any other name is one.
static void
test_wrong_suffix(void)
{
    int dims[3] = { 3, 3, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    g_autofree char *good = g_build_filename(folder, "a.nii.gz", NULL);
    g_autofree char *odd = g_build_filename(folder, "a.png", NULL);
    g_autoptr(GError) error = NULL;

    memset(samples, 7, 27);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, NULL);
    g_assert_true(bg_io_save_volume(volume, good, NULL, NULL, NULL, NULL));
    g_assert_cmpint(g_rename(good, odd), ==, 0);
    g_autoptr(BgFileInfo) info = bg_io_probe(odd, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(info->format, ==, BG_FORMAT_NIFTI1);
    g_unlink(odd);
}

static void
test_labels_are_exact(void)
{
    g_autofree char *path = g_build_filename(folder, "x_seg.nii.gz", NULL);
    int dims[3] = { 8, 4, 2 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    float *samples = bg_voxels_alloc(&geometry, 4, NULL);
    g_autoptr(GError) error = NULL;

    // As float32, by its name alone: regions of whole numbers.
    for (int i = 0; i < 64; i++)
        samples[i] = i < 40 ? 0.0f : 70000.0f;
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
    g_assert_true(bg_io_save_volume(volume, path, NULL, NULL, NULL, NULL));
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->labels);
    g_assert_cmpuint(bg_label_map_get_label(loaded->labels, 7, 3, 1), ==, 70000);
    g_unlink(path);

    // The same name over values that are none: a volume; asked for as labels, an error.
    float *other = bg_voxels_alloc(&geometry, 4, NULL);
    for (int i = 0; i < 64; i++)
        other[i] = 0.25f * (float) i;
    g_autoptr(BgVolume) grey =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), other, NULL);
    g_assert_true(bg_io_save_volume(grey, path, NULL, NULL, NULL, NULL));
    g_autoptr(BgLoaded) as_volume = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(as_volume->volume);
    g_assert_cmpint(as_volume->info->kind, ==, BG_KIND_VOLUME);
    g_assert_null(bg_io_load_labels(path, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_unlink(path);
}

// A flipped bit in the packed data does not go unseen.
static void
test_checksum(void)
{
    g_autofree char *path = g_build_filename(folder, "sum.nii.gz", NULL);
    int dims[3] = { 64, 64, 16 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize n;

    for (int i = 0; i < 64 * 64 * 16; i++)
        samples[i] = (guint8) g_test_rand_int();
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, NULL);
    g_assert_true(bg_io_save_volume(volume, path, NULL, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    bytes[n / 2] = (char) (bytes[n / 2] ^ 4);
    g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
    g_assert_null(bg_io_load(path, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_unlink(path);
}

static void
test_cancel(void)
{
    g_autofree char *path = g_build_filename(folder, "cancel.nii.gz", NULL);
    int dims[3] = { 64, 64, 64 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    memset(samples, 1, 64 * 64 * 64);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, NULL);
    g_assert_true(bg_io_save_volume(volume, path, NULL, NULL, NULL, NULL));
    g_cancellable_cancel(cancelled);
    g_assert_null(bg_io_load(path, NULL, NULL, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_unlink(path);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-io-XXXXXX", NULL);
    g_test_add_data_func("/io/cases/nifti-nrrd-metaimage", "io-cases.json", test_cases);
    g_test_add_data_func("/io/cases/other-formats", "format-cases.json", test_cases);
    g_test_add_func("/io/names-side-by-side", test_names_side_by_side);
    g_test_add_func("/io/wrong-suffix", test_wrong_suffix);
    g_test_add_func("/io/labels-are-exact", test_labels_are_exact);
    g_test_add_func("/io/checksum", test_checksum);
    g_test_add_func("/io/cancel", test_cancel);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
