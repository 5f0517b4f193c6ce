// SPDX-License-Identifier: Apache-2.0
// Files of other people against the numbers of their tools: geometry to 1e-4 mm, values to 1e-5.
// The expected numbers lie beside the files (expected.json, by nibabel and a reader of NRRD and
// MetaImage headers). Skipped where the folder is not there.
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io.h"

#include <string.h>

static const char *
shared(void)
{
    const char *folder = g_getenv("BREGMA_TEST_SHARED");

    return folder != NULL && g_file_test(folder, G_FILE_TEST_IS_DIR) ? folder : NULL;
}

static BgJson *
read_expected(const char *folder)
{
    g_autofree char *path = g_build_filename(shared(), folder, "expected.json", NULL);
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, &length, &error);
    g_assert_no_error(error);
    BgJson *json = bg_json_parse(text, (gssize) length, &error);
    g_assert_no_error(error);
    return json;
}

static void
check_close(const char *name, const char *what, double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        g_test_message("%s: %s is %.9g, expected %.9g", name, what, value, expected);
        g_test_fail();
    }
}

// The printed numbers have six digits, so 1e-4 mm holds up to 100 mm, and half a digit beyond.
static void
check_affine(const char *name, const BgFileInfo *info, const BgJson *rows)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgAffine ras = bg_affine_multiply(&flip, &info->geometry.patient_from_voxel);

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++) {
            double expected = bg_json_to_double(bg_json_at(bg_json_at(rows, row), column), NAN);
            check_close(name, "affine", ras.m[row][column], expected,
                        fmax(1e-4, 5.1e-6 * fabs(expected)));
        }
    }
}

typedef struct {
    double min, max, sum, n;
} Summary;

static void
add_values(Summary *summary, const BgLoaded *loaded)
{
    const int *dims = loaded->info->dims;
    g_autofree float *row = g_new(float, dims[0]);
    g_autofree guint32 *labels = g_new(guint32, dims[0]);

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            if (loaded->volume != NULL)
                bg_volume_read_row(loaded->volume, j, k, row);
            else
                bg_label_map_read_row(loaded->labels, j, k, labels);
            for (int i = 0; i < dims[0]; i++) {
                double v = loaded->volume != NULL ? (double) row[i] : (double) labels[i];
                if (!isfinite(v))
                    continue;
                summary->min = fmin(summary->min, v);
                summary->max = fmax(summary->max, v);
                summary->sum += v;
                summary->n++;
            }
        }
    }
}

static void
check_values(const char *name, const char *path, const BgFileInfo *info, const BgJson *facts)
{
    Summary summary = { .min = INFINITY, .max = -INFINITY };
    gboolean colour = g_str_has_prefix(info->datatype, "rgb");
    BgLoadParams params = bg_load_params_default();

    for (params.frame = 0; params.frame < info->n_frames; params.frame++) {
        for (int c = 0; c < (colour ? info->n_components : 1); c++) {
            g_autoptr(GError) error = NULL;
            params.component = colour ? c : -1;
            g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_assert_true((loaded->volume != NULL) != (loaded->labels != NULL));
            add_values(&summary, loaded);
        }
    }
    double min = bg_json_to_double(bg_json_get(facts, "min"), NAN);
    double max = bg_json_to_double(bg_json_get(facts, "max"), NAN);
    double tolerance = 1e-5 * fmax(fabs(min), fabs(max));
    check_close(name, "min", summary.min, min, tolerance);
    check_close(name, "max", summary.max, max, tolerance);
    check_close(name, "mean", summary.sum / summary.n,
                bg_json_to_double(bg_json_get(facts, "mean"), NAN), tolerance);
}

static void
check_refused(const char *name, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);

    g_assert_null(loaded);
    g_assert_nonnull(error);
    g_test_message("%s: %s", name, error->message);
    g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
    g_assert_nonnull(strstr(error->message, name));
    g_assert_cmpuint(strlen(error->message), <, 500);
}

// Facts of nibabel: affines are RAS.
static void
check_nibabel_file(const char *folder, const char *name, const BgJson *facts)
{
    g_autofree char *path = g_build_filename(shared(), folder, name, NULL);
    g_autoptr(GError) error = NULL;
    const BgJson *dims = bg_json_get(facts, "dims");

    if (bg_json_get(facts, "reader_error") != NULL || bg_json_get(facts, "data_error") != NULL) {
        g_autofree char *base = g_path_get_basename(name);
        check_refused(base, path);
        return;
    }
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);
    g_assert_no_error(error);
    gint64 n_frames = 1;
    for (gsize i = 0; i < bg_json_count(dims); i++) {
        gint64 size = bg_json_to_integer(bg_json_at(dims, i), 0);
        if (i < 3)
            g_assert_cmpint(info->dims[i], ==, size);
        else
            n_frames *= size;
    }
    g_assert_cmpint(info->n_frames, ==, n_frames);
    check_affine(name, info, bg_json_get(facts, "affine"));

    char code[4];
    bg_geometry_axis_code(&info->geometry, code);
    g_assert_cmpstr(code, ==, bg_json_to_string(bg_json_get(facts, "axes"), ""));
    check_values(name, path, info, facts);
}

static void
test_nibabel(gconstpointer data)
{
    const char *folder = data;

    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    g_autoptr(BgJson) expected = read_expected(folder);
    int n_checked = 0;
    for (gsize i = 0; i < bg_json_count(expected); i++) {
        const BgJson *facts = bg_json_value_at(expected, i);
        const char *name = bg_json_name_at(expected, i);
        if (bg_json_get(facts, "dims") == NULL && bg_json_get(facts, "reader_error") == NULL)
            continue;
        if (strstr(name, ".nii") == NULL && strstr(name, ".hdr") == NULL)
            continue;
        check_nibabel_file(folder, name, facts);
        n_checked++;
    }
    g_test_message("%s: %d files", folder, n_checked);
    g_assert_cmpint(n_checked, >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/io/shared/nifti-conformance", "nifti_conf", test_nibabel);
    g_test_add_data_func("/io/shared/nifti-orientations", "nifti_orient", test_nibabel);
    g_test_add_data_func("/io/shared/mri", "mri", test_nibabel);
    g_test_add_data_func("/io/shared/ct", "ct", test_nibabel);
    g_test_add_data_func("/io/shared/brats", "brats", test_nibabel);
    g_test_add_data_func("/io/shared/nrrd-meta-nifti", "nrrd_meta", test_nibabel);
    return g_test_run();
}
