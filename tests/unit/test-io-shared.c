// SPDX-License-Identifier: Apache-2.0
// Files of other people against the numbers of their tools: geometry to 1e-4 mm, values to 1e-5.
// The expected numbers lie beside the files (expected.json, by nibabel and a reader of NRRD and
// MetaImage headers). Skipped where the folder is not there.
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io.h"

#include <string.h>

// A field of displacements with directions that nibabel misses; mincstats has its numbers.
#define NIBABEL_CANNOT "t3_grid_0.mnc"

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
check_affine(const char *name, const BgFileInfo *info, const BgJson *rows, gboolean reversed)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgAffine ras = bg_affine_multiply(&flip, &info->geometry.patient_from_voxel);

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++) {
            int other = reversed && column < 3 ? 2 - column : column;
            double expected = bg_json_to_double(bg_json_at(bg_json_at(rows, row), other), NAN);
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

// nibabel has MINC's axes as C has them, slowest first, and so the frames first.
static gboolean
is_reversed(const char *name)
{
    return g_str_has_suffix(name, ".mnc");
}

static gint64
check_dims(const BgFileInfo *info, const BgJson *dims, gboolean reversed)
{
    gsize n = bg_json_count(dims);
    gint64 n_frames = 1;

    for (gsize i = 0; i < n; i++) {
        gint64 size = bg_json_to_integer(bg_json_at(dims, reversed ? n - 1 - i : i), 0);
        if (i < 3)
            g_assert_cmpint(info->dims[i], ==, size);
        else
            n_frames *= size;
    }
    return n_frames;
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
    g_assert_cmpint(info->n_frames, ==, check_dims(info, dims, is_reversed(name)));
    check_affine(name, info, bg_json_get(facts, "affine"), is_reversed(name));

    char code[4];
    bg_geometry_axis_code(&info->geometry, code);
    if (is_reversed(name)) {
        char first = code[0];
        code[0] = code[2];
        code[2] = first;
    }
    g_assert_cmpstr(code, ==, bg_json_to_string(bg_json_get(facts, "axes"), ""));
    check_values(name, path, info, facts);
}

static gboolean
is_volume_name(const char *name)
{
    static const char *const parts[] = { ".nii", ".hdr", ".mgz", ".mnc", ".PAR", ".HEAD" };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strstr(name, parts[i]) != NULL)
            return TRUE;
    }
    return FALSE;
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
        if (!is_volume_name(name) || strcmp(name, NIBABEL_CANNOT) == 0)
            continue;
        check_nibabel_file(folder, name, facts);
        n_checked++;
    }
    g_test_message("%s: %d files", folder, n_checked);
    g_assert_cmpint(n_checked, >, 0);
}

// Facts of NRRD and MetaImage headers: places in LPS as the header's text says them.
static void
check_vectors(const char *name, const BgFileInfo *info, const BgJson *facts)
{
    const char *directions = bg_json_to_string(bg_json_get(facts, "space directions"), NULL);
    const char *origin = bg_json_to_string(bg_json_get(facts, "space origin"), NULL);
    const char *space = bg_json_to_string(bg_json_get(facts, "space"), "");
    double sign = g_str_has_prefix(space, "right-anterior") ? -1.0 : 1.0;

    if (directions == NULL || origin == NULL)
        return;
    g_autofree char *all = g_strconcat(directions, origin, NULL);
    g_strdelimit(all, "(),", ' ');
    char *at = all;
    for (int column = 0; column < 4; column++) {
        for (int row = 0; row < 3; row++) {
            double expected = g_ascii_strtod(at, &at) * (row < 2 ? sign : 1.0);
            check_close(name, "place", info->geometry.patient_from_voxel.m[row][column], expected,
                        1e-4);
        }
    }
}

static void
check_matrix(const char *name, const BgFileInfo *info, const BgJson *facts)
{
    const char *matrix = bg_json_to_string(bg_json_get(facts, "TransformMatrix"), NULL);
    const char *spacing = bg_json_to_string(bg_json_get(facts, "ElementSpacing"), NULL);
    const char *offset = bg_json_to_string(bg_json_get(facts, "Offset"), NULL);
    char *m = (char *) matrix, *s = (char *) spacing, *o = (char *) offset;

    if (matrix == NULL)
        return;
    for (int column = 0; column < 3; column++) {
        double step = g_ascii_strtod(s, &s);
        for (int row = 0; row < 3; row++)
            check_close(name, "place", info->geometry.patient_from_voxel.m[row][column],
                        g_ascii_strtod(m, &m) * step, 1e-4);
        check_close(name, "origin", info->geometry.patient_from_voxel.m[column][3],
                    g_ascii_strtod(o, &o), 1e-4);
    }
}

static void
test_headers(gconstpointer data)
{
    const char *folder = data;
    int n_checked = 0;

    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    g_autoptr(BgJson) expected = read_expected(folder);
    for (gsize i = 0; i < bg_json_count(expected); i++) {
        const BgJson *facts = bg_json_value_at(expected, i);
        const char *name = bg_json_name_at(expected, i);
        g_autofree char *path = g_build_filename(shared(), folder, name, NULL);
        g_autoptr(GError) error = NULL;
        if (bg_json_get(facts, "sizes") == NULL && bg_json_get(facts, "DimSize") == NULL)
            continue;
        g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);
        g_assert_no_error(error);
        check_vectors(name, info, facts);
        check_matrix(name, info, facts);
        if (bg_json_get(facts, "min") != NULL)
            check_values(name, path, info, facts);
        n_checked++;
    }
    g_test_message("%s: %d files", folder, n_checked);
    g_assert_cmpint(n_checked, >, 0);
}

static BgLoaded *
load_shared(const char *name)
{
    g_autofree char *path = g_build_filename(shared(), name, NULL);
    g_autoptr(GError) error = NULL;
    BgLoaded *loaded = bg_io_load(path, NULL, NULL, NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(loaded->volume);
    return loaded;
}

// One image in several files: the same value at the same place in the patient.
static void
check_same(const char *first, const char *second)
{
    g_autoptr(BgLoaded) a = load_shared(first), b = load_shared(second);
    const BgGeometry *from = bg_volume_get_geometry(a->volume);
    BgAffine to_voxel = bg_geometry_voxel_from_patient(bg_volume_get_geometry(b->volume));
    gsize n_compared = 0;

    for (int k = 0; k < from->dims[2]; k += 3) {
        for (int j = 0; j < from->dims[1]; j++) {
            for (int i = 0; i < from->dims[0]; i++) {
                BgVec3 at = bg_affine_apply(&from->patient_from_voxel, bg_vec3(i, j, k));
                BgVec3 v = bg_affine_apply(&to_voxel, at);
                int x = (int) rint(v.x), y = (int) rint(v.y), z = (int) rint(v.z);
                g_assert_cmpfloat_with_epsilon(v.x, x, 0.02);
                g_assert_cmpfloat_with_epsilon(v.y, y, 0.02);
                g_assert_cmpfloat_with_epsilon(v.z, z, 0.02);
                g_assert_cmpfloat_with_epsilon(bg_volume_get_value(a->volume, i, j, k),
                                               bg_volume_get_value(b->volume, x, y, z), 1e-3);
                n_compared++;
            }
        }
    }
    g_test_message("%s = %s at %zu places", first, second, n_compared);
}

static void
test_same_image(void)
{
    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    check_same("nrrd_meta/BallBinary30x30x30.nrrd", "nrrd_meta/BallBinary30x30x30.nii.gz");
    check_same("nrrd_meta/BallBinary30x30x30.nrrd", "nrrd_meta/BallBinary30x30x30.nhdr");
    check_same("nrrd_meta/BallBinary30x30x30.nrrd", "nrrd_meta/BallBinary30x30x30_gz.nrrd");
    check_same("nrrd_meta/BallBinary30x30x30.nrrd",
               "nrrd_meta/BallBinary30x30x30_byteskip_minus_one.nhdr");
    check_same("nrrd_meta/BallBinary30x30x30.nrrd",
               "nrrd_meta/BallBinary30x30x30_byteskip_minus_one_nifti.nhdr");
    check_same("nrrd_meta/i2nii/mha.mha", "nrrd_meta/i2nii/nrrd.nhdr");
    check_same("mri/FLAIR.nii.gz", "mri/FLAIR.nrrd");
    check_same("analyze_minc/mni_2mm_nifti.nii.gz", "analyze_minc/mni_2mm_minc1.mnc");
    check_same("analyze_minc/mni_2mm_nifti.nii.gz", "analyze_minc/mni_2mm_minc2.mnc");
    check_same("analyze_minc/mni_2mm_nifti.nii.gz", "analyze_minc/mni_2mm_minc2_gz.mnc");
    check_same("analyze_minc/mni_2mm_le.hdr", "analyze_minc/mni_2mm_be.hdr");
    check_same("nifti_conf/minimal.hdr", "nifti_conf/minimal.nii.gz");
}

// Numbers of mincstats 2.3.00.
static void
test_displacements(void)
{
    Summary summary = { .min = INFINITY, .max = -INFINITY };
    g_autofree char *path =
        shared() != NULL ? g_build_filename(shared(), "analyze_minc", NIBABEL_CANNOT, NULL) : NULL;
    BgLoadParams params = bg_load_params_default();

    if (path == NULL) {
        g_test_skip("no shared data");
        return;
    }
    for (params.frame = 0; params.frame < 3; params.frame++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(loaded->info->n_frames, ==, 3);
        add_values(&summary, loaded);
    }
    check_close(path, "min", summary.min, -8.83843008, 1e-4);
    check_close(path, "max", summary.max, 20.15351279, 1e-4);
    check_close(path, "mean", summary.sum / summary.n, 1.293183151, 1e-5);
}

// A gzipped pair: X.hdr.gz with X.img.gz, by either name.
static void
test_packed_pair(void)
{
    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    g_autoptr(BgLoaded) a = load_shared("nifti_conf/air.hdr.gz");
    g_autoptr(BgLoaded) b = load_shared("nifti_conf/air.img.gz");
    g_assert_cmpmem(bg_volume_get_samples(a->volume), bg_volume_get_n_bytes(a->volume),
                    bg_volume_get_samples(b->volume), bg_volume_get_n_bytes(b->volume));
}

// What the files are taken for: labels by name and values, CT by values.
static void
test_kinds(void)
{
    static const struct {
        const char *name, *kind, *modality;
    } cases[] = {
        { "nifti_conf/labels256.nii.gz", "labels", "SEG" },
        { "brats/brain1_label.nrrd", "labels", "SEG" },
        { "nrrd_meta/breast1_label.nrrd", "labels", "SEG" },
        { "brats/brats_2013_pat0001_1/OTMultiClass.nii.gz", "labels", "SEG" },
        { "brats/brats_2013_pat0001_1/brainmask.nii.gz", "labels", "SEG" },
        { "brats/TCGA-DU-7294/TCGA-DU-7294_hdbet_mask_native_t1.nii.gz", "labels", "SEG" },
        { "brats/brain1_image.nrrd", "volume", "" },
        { "brats/brats_2013_pat0001_1/Flair_subtrMeanDivStd.nii.gz", "volume", "" },
        { "ct/chest_ct_half.nii.gz", "volume", "CT" },
        { "nifti_conf/shear.nii.gz", "volume", "CT" },
        { "mri/MR_Gd.nii.gz", "volume", "" },
        { "mri/chris_t1.nii.gz", "volume", "" },
        { "nifti_conf/spmMotor.nii.gz", "volume", "" },
    };

    for (gsize i = 0; shared() != NULL && i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(shared(), cases[i].name, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(bg_kind_name(loaded->info->kind), ==, cases[i].kind);
        g_assert_cmpstr(loaded->info->modality, ==, cases[i].modality);
    }
    if (shared() == NULL)
        g_test_skip("no shared data");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/io/shared/nifti-conformance", "nifti_conf", test_nibabel);
    g_test_add_data_func("/io/shared/nifti-orientations", "nifti_orient", test_nibabel);
    g_test_add_data_func("/io/shared/other-formats", "analyze_minc", test_nibabel);
    g_test_add_data_func("/io/shared/mri", "mri", test_nibabel);
    g_test_add_data_func("/io/shared/ct", "ct", test_nibabel);
    g_test_add_data_func("/io/shared/brats", "brats", test_nibabel);
    g_test_add_data_func("/io/shared/nrrd-meta-nifti", "nrrd_meta", test_nibabel);
    g_test_add_data_func("/io/shared/nrrd-and-metaimage", "nrrd_meta", test_headers);
    g_test_add_data_func("/io/shared/mri-nrrd", "mri", test_headers);
    g_test_add_data_func("/io/shared/ct-metaimage", "ct", test_headers);
    g_test_add_data_func("/io/shared/brats-nrrd", "brats", test_headers);
    g_test_add_func("/io/shared/same-image", test_same_image);
    g_test_add_func("/io/shared/packed-pair", test_packed_pair);
    g_test_add_func("/io/shared/kinds", test_kinds);
    g_test_add_func("/io/shared/displacements", test_displacements);
    return g_test_run();
}
