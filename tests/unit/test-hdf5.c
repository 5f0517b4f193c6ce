// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/io/bg-h5.h"
#include "core/io/bg-io.h"
#include "core/io/bg-mesh-io.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

// Oblique, mirrored and sheared, and no two sides alike.
static BgGeometry
odd_geometry(void)
{
    BgGeometry geometry = { .dims = { 7, 5, 3 } };
    geometry.patient_from_voxel =
        bg_affine_from_columns(bg_vec3(-0.9, 0.1, 0.2), bg_vec3(0.3, 1.4, -0.2),
                               bg_vec3(0.25, 0.1, 3.1), bg_vec3(10.5, -20.25, 1e-3));
    return geometry;
}

static BgVolume *
new_volume(BgSampleFormat format, int offset)
{
    BgGeometry geometry = odd_geometry();
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(format.type), NULL);

    for (int i = 0; i < 105; i++) {
        if (format.type == BG_SAMPLE_INT16)
            ((gint16 *) samples)[i] = (gint16) (i * 3 - 50 + offset);
        else
            ((float *) samples)[i] = (float) (i + offset) / 7.0f;
    }
    BgVolume *volume = bg_volume_new_take(&geometry, format, samples, NULL);
    g_assert_nonnull(volume);
    return volume;
}

static void
assert_same_volume(BgVolume *a, BgVolume *b)
{
    float p[7], q[7];

    g_assert_true(bg_geometry_equal(bg_volume_get_geometry(a), bg_volume_get_geometry(b), 1e-12));
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < 5; j++) {
            bg_volume_read_row(a, j, k, p);
            bg_volume_read_row(b, j, k, q);
            g_assert_cmpmem(p, sizeof p, q, sizeof q);
        }
    }
}

typedef struct {
    const char *name;
    BgSampleFormat format;
    const char *datatype;
} VolumeCase;

static const VolumeCase volumes[] = {
    { "int16", { BG_SAMPLE_INT16, 1.0, 0.0, FALSE }, "int16" },
    { "float32", { BG_SAMPLE_FLOAT32, 1.0, 0.0, FALSE }, "float32" },
    // Other programs read the array alone, so it must hold the values.
    { "whole-scale", { BG_SAMPLE_INT16, 2.0, -1024.0, FALSE }, "int16" },
    { "broken-scale", { BG_SAMPLE_INT16, 0.25, 0.125, FALSE }, "float32" },
};

static void
test_volume(gconstpointer user_data)
{
    const VolumeCase *c = user_data;
    g_autofree char *path = path_of("volume.h5");
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) volume = new_volume(c->format, 0);
    BgSaveParams params = {
        .force = TRUE, .modality = "CT", .unit = "HU", .provenance = "{\"a\":1}"
    };

    g_assert_true(bg_io_save_volume(volume, path, &params, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->volume);
    assert_same_volume(volume, loaded->volume);
    g_assert_cmpstr(loaded->info->datatype, ==, c->datatype);
    g_assert_cmpstr(loaded->info->modality, ==, "CT");
    g_assert_cmpstr(loaded->info->unit, ==, "HU");
    g_assert_cmpint(loaded->info->format, ==, BG_FORMAT_HDF5);
    g_assert_true(loaded->info->side_known);
    g_autofree char *provenance = bg_io_read_provenance(path, &error);
    g_assert_cmpstr(provenance, ==, "{\"a\":1}");
}

static void
test_frames(void)
{
    g_autofree char *path = path_of("frames.h5");
    g_autoptr(GError) error = NULL;
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_INT16);
    g_autoptr(BgVolume) first = new_volume(format, 0), second = new_volume(format, 1000);
    BgVolume *both[] = { first, second };
    BgSaveParams params = { .force = TRUE, .frame_spacing_s = 2.5 };
    BgLoadParams load_params = bg_load_params_default();

    g_assert_true(bg_io_save_frames(both, 2, path, &params, NULL, NULL, &error));
    g_assert_no_error(error);
    load_params.frame = 1;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, &load_params, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_same_volume(second, loaded->volume);
    g_assert_cmpint(loaded->info->n_frames, ==, 2);
    g_assert_cmpfloat(loaded->info->frame_spacing, ==, 2.5);
    load_params.frame = 2;
    g_assert_null(bg_io_load(path, &load_params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_labels(void)
{
    g_autofree char *path = path_of("numbers.h5");
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = odd_geometry();
    guint32 *labels = bg_voxels_alloc(&geometry, sizeof *labels, NULL);

    for (int i = 0; i < 105; i++)
        labels[i] = i % 3 == 0 ? 0 : 4000000000u + (guint32) i;
    g_autoptr(BgLabelMap) map = bg_label_map_new_take(&geometry, BG_LABEL_UINT32, labels, NULL);
    g_assert_true(
        bg_io_save_labels(map, path, &(BgSaveParams){ .force = TRUE }, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->labels);
    g_assert_cmpuint(bg_label_map_get_label(loaded->labels, 1, 0, 0), ==, 4000000001u);
    g_assert_cmpuint(bg_label_map_get_label(loaded->labels, 6, 4, 2), ==, 4000000104u);
}

static void
write_slices(const char *path, int n, gboolean with_step)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, NULL);
    g_autofree float *values = g_new(float, (gsize) n * 4 * 6);
    BgH5Shape shape = { BG_H5_FLOAT32, 3, { (guint64) n, 4, 6 } };
    const double origin[3] = { 1, 2, 3 }, normal[3] = { 0, 0, 1 }, u[3] = { 1, 0, 0 };
    const double v[3] = { 0, 1, 0 }, spacing[3] = { 0.5, 0.75, -2 };

    for (int i = 0; i < n * 24; i++)
        values[i] = (float) i;
    g_assert_true(bg_h5_write(h5, "/slices", &shape, values, NULL, NULL, NULL));
    g_assert_true(bg_h5_set_doubles(h5, "/slices", "origin_mm", origin, 3, NULL));
    g_assert_true(bg_h5_set_doubles(h5, "/slices", "normal", normal, 3, NULL));
    g_assert_true(bg_h5_set_doubles(h5, "/slices", "u", u, 3, NULL));
    g_assert_true(bg_h5_set_doubles(h5, "/slices", "v", v, 3, NULL));
    g_assert_true(bg_h5_set_doubles(h5, "/slices", "spacing_mm", spacing, with_step ? 3 : 2, NULL));
    g_assert_true(bg_h5_commit(h5, NULL));
}

static void
test_slices(void)
{
    g_autofree char *path = path_of("slices.h5");
    g_autoptr(GError) error = NULL;

    write_slices(path, 3, TRUE);
    g_autoptr(BgVolume) volume = bg_io_load_volume(path, NULL, NULL, &error);
    g_assert_no_error(error);
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    g_assert_cmpint(geometry->dims[0], ==, 6);
    g_assert_cmpint(geometry->dims[1], ==, 4);
    g_assert_cmpint(geometry->dims[2], ==, 3);
    BgVec3 at = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(2, 3, 1));
    g_assert_cmpfloat_with_epsilon(at.x, 2.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(at.y, 4.25, 1e-12);
    g_assert_cmpfloat_with_epsilon(at.z, 1.0, 1e-12);
    g_assert_cmpfloat(bg_volume_get_value(volume, 2, 3, 1), ==, 24 + 18 + 2);

    // One slice needs no distance to the next; several do.
    write_slices(path, 1, FALSE);
    g_autoptr(BgVolume) one = bg_io_load_volume(path, NULL, NULL, &error);
    g_assert_no_error(error);
    write_slices(path, 2, FALSE);
    g_assert_null(bg_io_load_volume(path, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

static void
test_says_what_it_is(void)
{
    g_autofree char *path = path_of("other.h5");
    g_autoptr(GError) error = NULL;
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, NULL);

    g_assert_true(bg_h5_set_string(h5, "/", "format", BG_H5_CASE_FORMAT, NULL));
    g_assert_true(bg_h5_commit(h5, NULL));
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(info->kind, ==, BG_KIND_CASE);
    g_assert_null(bg_io_load(path, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_clear_error(&error);

    g_autofree char *empty = path_of("empty.h5");
    g_autoptr(BgH5) none = bg_h5_create(empty, TRUE, NULL);
    g_assert_true(bg_h5_commit(none, NULL));
    g_assert_null(bg_io_probe(empty, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

// What we wrote is sealed: any damage is refused.
static void
test_damaged(void)
{
    g_autofree char *path = path_of("whole.h5"), *broken_path = path_of("broken.h5"), *bytes = NULL;
    g_autoptr(BgVolume) volume = new_volume(bg_sample_format_plain(BG_SAMPLE_INT16), 0);
    gsize n_bytes;

    g_assert_true(
        bg_io_save_volume(volume, path, &(BgSaveParams){ .force = TRUE }, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    for (int i = 0; i < 300; i++) {
        g_autofree char *broken = g_memdup2(bytes, n_bytes);
        gsize length = n_bytes;
        if (i % 3 == 0)
            length = (gsize) g_test_rand_int_range(8, (gint32) n_bytes);
        else
            broken[g_test_rand_int_range(8, (gint32) n_bytes)] ^= (char) (1 << (i % 8));
        g_assert_true(g_file_set_contents(broken_path, broken, (gssize) length, NULL));
        g_autoptr(GError) error = NULL;
        g_autoptr(BgLoaded) loaded = bg_io_load(broken_path, NULL, NULL, NULL, &error);
        g_assert_true((loaded == NULL) == (error != NULL));
        if (loaded != NULL) // the seal itself was hit, so that it is no seal any more
            assert_same_volume(volume, loaded->volume);
    }
}

static void
remove_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-hdf5-XXXXXX", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(volumes); i++) {
        g_autofree char *name = g_strdup_printf("/hdf5/volume/%s", volumes[i].name);
        g_test_add_data_func(name, &volumes[i], test_volume);
    }
    g_test_add_func("/hdf5/frames", test_frames);
    g_test_add_func("/hdf5/labels", test_labels);
    g_test_add_func("/hdf5/slices", test_slices);
    g_test_add_func("/hdf5/says-what-it-is", test_says_what_it_is);
    g_test_add_func("/hdf5/damaged", test_damaged);
    int status = g_test_run();
    remove_folder();
    g_free(folder);
    return status;
}
