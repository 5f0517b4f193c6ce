// SPDX-License-Identifier: Apache-2.0
// DICOM out: what is written comes back by our own reader; tests/reference/test-cli-dicom.py lets
// pydicom read it. And what anonymising leaves.
#include "../support/bg-dicom-make.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-dicom-write.h"
#include "media/dicom/bg-dicom-anonymize.h"
#include "media/dicom/bg-dicom-data.h"
#include "media/dicom/bg-dicom.h"

#include <string.h>

static BgLoaded *
reload(GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    char *folder = bg_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.dcm", NULL);
    gsize n;
    const guint8 *data = g_bytes_get_data(bytes, &n);

    for (int i = 0; i < 128; i++)
        g_assert_cmpint(data[i], ==, 0);
    g_file_set_contents(path, (const char *) data, (gssize) n, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) list = bg_dicom_scan(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(list->len, ==, 1);
    BgLoaded *loaded = bg_dicom_load_series(g_ptr_array_index(list, 0), NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    bg_remove_folder(folder);
    return loaded;
}

static BgImage *
make_image(int n_channels, BgPixelType type)
{
    BgImageFormat format = { 7, 5, n_channels, type };
    gsize n = 35 * (gsize) n_channels;
    guint8 *pixels = bg_buffer_alloc(n * bg_pixel_type_size(type), NULL);
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < n * bg_pixel_type_size(type); i++)
        pixels[i] = (guint8) (i * 37);
    BgImage *image = bg_image_new_take(&format, pixels, &error);
    g_assert_no_error(error);
    double spacing[2] = { 0.25, 0.5 };
    BgImage *calibrated = bg_image_new_calibrated(image, spacing);
    bg_image_unref(image);
    return calibrated;
}

static void
test_picture(void)
{
    g_autoptr(BgImage) image = make_image(3, BG_PIXEL_UINT8);
    BgDicomWriteParams params = {
        .patient_name = "Müller^Jo", .patient_id = "7", .seed = 5, .provenance = "{\"schema\":1}"
    };
    g_autoptr(GError) error = NULL;
    double spacing[2];

    g_autoptr(GBytes) bytes = bg_dicom_make_sc(&image, 1, &params, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) again = bg_dicom_make_sc(&image, 1, &params, &error);
    g_autoptr(BgLoaded) loaded = reload(bytes);
    g_assert_nonnull(loaded->image);
    g_assert_cmpmem(bg_image_get_pixels(loaded->image), bg_image_get_n_bytes(loaded->image),
                    bg_image_get_pixels(image), bg_image_get_n_bytes(image));
    g_assert_true(bg_image_get_spacing_mm(loaded->image, spacing));
    g_assert_cmpfloat(spacing[0], ==, 0.25);
    g_assert_cmpfloat(spacing[1], ==, 0.5);
    g_assert_cmpstr(loaded->info->patient_name, ==, "Müller^Jo");
    g_assert_nonnull(
        memmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "{\"schema\":1}", 12));
}

static void
test_multi_frame(void)
{
    BgImage *images[3];
    BgDicomWriteParams params = { .seed = 5 };
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 3; i++)
        images[i] = make_image(1, BG_PIXEL_UINT16);
    g_autoptr(GBytes) bytes = bg_dicom_make_sc(images, 3, &params, &error);
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = reload(bytes);
    g_assert_nonnull(loaded->volume); // grey pictures come back as values
    g_assert_cmpint(loaded->info->n_frames, ==, 3);
    g_assert_cmpmem(bg_volume_get_samples(loaded->volume), 70, bg_image_get_pixels(images[0]), 70);
    for (int i = 0; i < 3; i++)
        bg_image_unref(images[i]);
}

static void
test_refusals(void)
{
    g_autoptr(BgImage) a = make_image(1, BG_PIXEL_UINT8);
    g_autoptr(BgImage) b = make_image(3, BG_PIXEL_UINT8);
    g_autoptr(BgImage) f = make_image(1, BG_PIXEL_FLOAT32);
    BgImage *unequal[2] = { a, b };
    BgDicomWriteParams params = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_dicom_make_sc(unequal, 2, &params, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(bg_dicom_make_sc(&f, 1, &params, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

// An oblique, left-handed grid, labels with gaps in their numbers and slices without any.
static BgLabelMap *
make_labels(void)
{
    BgGeometry g = { .dims = { 9, 7, 6 } };
    g_autoptr(GError) error = NULL;

    g.patient_from_voxel = bg_affine_from_columns(
        bg_vec3(0.8 * 0.6, 0.8 * 0.8, 0.0), bg_vec3(-1.2 * 0.8, 1.2 * 0.6, 0.0),
        bg_vec3(0.0, 0.0, -2.0), bg_vec3(10.0, -20.0, 30.0));
    guint8 *labels = bg_voxels_alloc(&g, 1, &error);
    memset(labels, 0, 9 * 7 * 6);
    for (int k = 1; k < 5; k++) {
        labels[9 * 7 * k + 9 * 2 + 3] = 4;
        labels[9 * 7 * k + 9 * 3 + k] = k == 2 ? 0 : 1;
        labels[9 * 7 * k + 62] = 2;
    }
    BgLabelMap *map = bg_label_map_new_take(&g, BG_LABEL_UINT8, labels, &error);
    g_assert_no_error(error);
    return map;
}

static void
test_seg(void)
{
    g_autoptr(BgLabelMap) labels = make_labels();
    BgDicomWriteParams params = { .seed = 5, .frame_of_reference = "1.2.3" };
    g_autoptr(GError) error = NULL;

    g_autoptr(GBytes) bytes = bg_dicom_make_seg(labels, NULL, &params, &error);
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = reload(bytes);
    g_assert_nonnull(loaded->labels);
    g_assert_cmpstr(loaded->info->frame_of_reference, ==, "1.2.3");
    const BgGeometry *g = bg_label_map_get_geometry(labels);
    for (int k = 0; k < 6; k++) {
        for (int j = 0; j < 7; j++) {
            for (int i = 0; i < 9; i++) {
                BgVec3 p = bg_affine_apply(&g->patient_from_voxel, bg_vec3(i, j, k));
                g_assert_cmpuint(bg_label_map_sample_nearest(loaded->labels, p), ==,
                                 bg_label_map_get_label(labels, i, j, k));
            }
        }
    }
}

static void
test_stl(void)
{
    float positions[12] = { 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 30 };
    guint32 triangles[12] = { 0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3 };
    BgMeshData data = { .n_vertices = 4, .n_triangles = 4 };
    BgDicomWriteParams params = { .seed = 5 };
    g_autoptr(GError) error = NULL;
    BgVec3 low, high;

    data.positions = bg_buffer_alloc(sizeof positions, NULL);
    data.triangles = bg_buffer_alloc(sizeof triangles, NULL);
    memcpy(data.positions, positions, sizeof positions);
    memcpy(data.triangles, triangles, sizeof triangles);
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(&data, &error);
    g_autoptr(GBytes) bytes = bg_dicom_make_stl(mesh, &params, &error);
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = reload(bytes);
    g_assert_nonnull(loaded->mesh);
    g_assert_cmpuint(bg_mesh_get_data(loaded->mesh)->n_vertices, ==, 4);
    g_assert_cmpuint(bg_mesh_get_data(loaded->mesh)->n_triangles, ==, 4);
    bg_mesh_get_bounds_mm(loaded->mesh, &low, &high);
    g_assert_cmpfloat(high.z, ==, 30.0);
}

static gboolean
contains(GBytes *bytes, const char *text)
{
    return memmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text)) !=
           NULL;
}

static void
test_anonymize(void)
{
    static const char *const secrets[] = { "Secretname", "SECRET-42", "19500607",
                                           "20260102",   "1.2.3.4",   "1.2.9.1" };
    char *folder = bg_make_folder();
    BgMadeSlice slice = {
        .name = "Secretname.dcm", .sop_uid = "1.2.9.1", .value = 100, .position = { 1.0, 2.0, 3.0 }
    };
    BgDicomAnonymizeParams params = { .salt = "a" };
    g_autofree char *path = g_build_filename(folder, slice.name, NULL);
    g_autofree char *out = g_build_filename(folder, "out.dcm", NULL);
    g_autoptr(BgJson) report = bg_json_new_object();
    g_autoptr(GError) error = NULL;
    gsize n;

    bg_make_slice(folder, &slice);
    g_autoptr(GBytes) bytes = bg_dicom_anonymize(path, &params, report, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
        g_assert_false(contains(bytes, secrets[i]));
    g_assert_true(contains(bytes, "Anonymous"));
    g_assert_true(contains(bytes, "113100"));
    g_assert_cmpuint(bg_json_count(bg_json_get(report, "removed")), >=, 1); // study description
    g_assert_cmpint(bg_json_to_integer(bg_json_at(bg_json_get(report, "removed"), 0), 0), ==,
                    0x00081030);
    // The same place and pixels; the same salt gives the same UIDs, another one others.
    const char *data = g_bytes_get_data(bytes, &n);
    g_file_set_contents(out, data, (gssize) n, &error);
    g_autoptr(BgDcmData) parsed = bg_dcm_data_open(out, &error);
    g_assert_no_error(error);
    double position[3];
    g_assert_cmpint(bg_dcm_numbers(bg_dcm_root(parsed), BG_DCM_TAG(0x0020, 0x0032),
                                   BG_DCM_VR('D', 'S'), position, 3),
                    ==, 3);
    g_assert_cmpfloat(position[2], ==, 3.0);
    g_assert_cmpuint(parsed->pixel_length, ==, 96);
    g_autoptr(GBytes) again = bg_dicom_anonymize(path, &params, NULL, &error);
    g_assert_true(g_bytes_equal(bytes, again));
    params.salt = "b";
    g_autoptr(GBytes) other = bg_dicom_anonymize(path, &params, NULL, &error);
    g_assert_false(g_bytes_equal(bytes, other));
    params.keep_uids = params.keep_dates = params.keep_descriptions = TRUE;
    g_autoptr(GBytes) kept = bg_dicom_anonymize(path, &params, NULL, &error);
    g_assert_true(contains(kept, "1.2.9.1"));
    g_assert_true(contains(kept, "20260102"));
    g_assert_true(contains(kept, "Study of"));
    g_assert_false(contains(kept, "SECRET-42"));
    bg_remove_folder(folder);
}

// All of the shared files that are whole: nothing that was a name or an id is left anywhere.
static void
test_anonymize_shared(void)
{
    g_autofree char *folder = g_build_filename(
        g_getenv("BREGMA_TEST_SHARED") != NULL ? g_getenv("BREGMA_TEST_SHARED") : "/nowhere",
        "dicom_misc", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    BgDicomAnonymizeParams params = { .salt = "a" };
    const char *name;
    guint n_checked = 0;

    if (dir == NULL) {
        g_test_skip("the shared data are not here");
        return;
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(BgDcmData) data = bg_dcm_data_open(path, NULL);
        g_autoptr(GBytes) bytes =
            data != NULL ? bg_dicom_anonymize(path, &params, NULL, &error) : NULL;
        if (bytes == NULL) {
            g_assert_true(data == NULL || error->domain == BG_ERROR);
            continue;
        }
        g_autofree char *patient = bg_dcm_string(bg_dcm_root(data), BG_DCM_TAG(0x0010, 0x0010));
        g_autofree char *id = bg_dcm_string(bg_dcm_root(data), BG_DCM_TAG(0x0010, 0x0020));
        if (strlen(patient) > 5)
            g_assert_false(contains(bytes, patient));
        if (strlen(id) > 5)
            g_assert_false(contains(bytes, id));
        n_checked++;
    }
    g_assert_cmpuint(n_checked, >, 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dicom-write/picture", test_picture);
    g_test_add_func("/dicom-write/multi-frame", test_multi_frame);
    g_test_add_func("/dicom-write/refusals", test_refusals);
    g_test_add_func("/dicom-write/segmentation", test_seg);
    g_test_add_func("/dicom-write/surface", test_stl);
    g_test_add_func("/dicom-write/anonymize", test_anonymize);
    g_test_add_func("/dicom-write/anonymize-shared", test_anonymize_shared);
    return g_test_run();
}
