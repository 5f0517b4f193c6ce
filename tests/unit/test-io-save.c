// SPDX-License-Identifier: Apache-2.0
// What is written reads back equal: values, places, scale, provenance, in every format.
#include "core/base/bg-error.h"
#include "core/io/bg-io.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const suffixes[] = { ".nii", ".nii.gz", ".nrrd", ".mha" };

static char *folder;

static char *
path_for(const char *name, const char *suffix)
{
    g_autofree char *base = g_strconcat(name, suffix, NULL);

    return g_build_filename(folder, base, NULL);
}

// Each voxel has a value that its index alone gives.
static double
pattern(gsize index, BgSampleType type)
{
    switch (type) {
    case BG_SAMPLE_UINT8:
        return (double) (index * 7 % 256);
    case BG_SAMPLE_INT8:
        return (double) (index * 7 % 256) - 128.0;
    case BG_SAMPLE_INT16:
        return (double) (index * 4099 % 65536) - 32768.0;
    case BG_SAMPLE_UINT16:
        return (double) (index * 4099 % 65536);
    case BG_SAMPLE_FLOAT32:
        break;
    }
    return (double) ((float) index * 0.1f - 3.0f);
}

static BgVolume *
make_volume(const BgGeometry *geometry, BgSampleFormat format)
{
    gpointer samples = bg_voxels_alloc(geometry, bg_sample_type_size(format.type), NULL);
    gsize n = bg_geometry_count_voxels(geometry);
    g_autoptr(GError) error = NULL;

#define CASE(TYPE, name, ctype)                                \
    case TYPE:                                                 \
        for (gsize i = 0; i < n; i++)                          \
            ((ctype *) samples)[i] = (ctype) pattern(i, TYPE); \
        break;
    switch (format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    BgVolume *volume = bg_volume_new_take(geometry, format, samples, &error);
    g_assert_no_error(error);
    return volume;
}

static void
assert_equal_geometry(const BgGeometry *a, const BgGeometry *b)
{
    g_assert_cmpint(a->dims[0], ==, b->dims[0]);
    g_assert_cmpint(a->dims[1], ==, b->dims[1]);
    g_assert_cmpint(a->dims[2], ==, b->dims[2]);
    g_assert_true(bg_geometry_equal(a, b, 1e-4));
}

static void
assert_equal_values(BgVolume *a, BgVolume *b)
{
    const int *dims = bg_volume_get_geometry(a)->dims;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++) {
                double x = bg_volume_get_value(a, i, j, k), y = bg_volume_get_value(b, i, j, k);
                g_assert_cmpfloat_with_epsilon(x, y, 1e-6 * fmax(1.0, fabs(x)));
            }
        }
    }
}

static BgVolume *
write_and_read(BgVolume *volume, const char *name, const char *suffix, const BgSaveParams *params,
               BgFileInfo **info)
{
    g_autofree char *path = path_for(name, suffix);
    g_autoptr(GError) error = NULL;
    BgSaveParams forced = params != NULL ? *params : (BgSaveParams){ 0 };

    forced.force = TRUE;
    bg_io_save_volume(volume, path, &forced, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->volume);
    if (info != NULL)
        *info = g_steal_pointer(&loaded->info);
    g_unlink(path);
    return g_steal_pointer(&loaded->volume);
}

static void
test_types(void)
{
    static const BgSampleType types[] = { BG_SAMPLE_UINT8, BG_SAMPLE_INT8, BG_SAMPLE_INT16,
                                          BG_SAMPLE_UINT16, BG_SAMPLE_FLOAT32 };
    int dims[3] = { 7, 5, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.7, 1.1, 2.5));

    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        for (gsize t = 0; t < G_N_ELEMENTS(types); t++) {
            g_autoptr(BgVolume) volume = make_volume(&geometry, bg_sample_format_plain(types[t]));
            g_autoptr(BgVolume) back = write_and_read(volume, "types", suffixes[s], NULL, NULL);
            assert_equal_geometry(&geometry, bg_volume_get_geometry(back));
            g_assert_cmpint(bg_volume_get_format(back).type, ==, types[t]);
            g_assert_cmpmem(bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume),
                            bg_volume_get_samples(back), bg_volume_get_n_bytes(back));
        }
    }
}

static void
test_scale(void)
{
    static const double scales[][2] = { { 1, -1024 }, { 0.5, -10 }, { 2.25, 0 } };
    int dims[3] = { 9, 4, 5 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));

    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        for (gsize c = 0; c < G_N_ELEMENTS(scales); c++) {
            BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_UINT8);
            format.slope = scales[c][0];
            format.intercept = scales[c][1];
            g_autoptr(BgVolume) volume = make_volume(&geometry, format);
            g_autoptr(BgVolume) back = write_and_read(volume, "scale", suffixes[s], NULL, NULL);
            assert_equal_values(volume, back);
        }
    }
}

// A voxel's place in the patient is the same after writing and reading, for all ways in which
// three axes can lie.
static void
test_48_codes(void)
{
    static const char letters[] = "LPSRAI";
    int n_codes = 0;

    for (int code = 0; code < 6 * 6 * 6; code++) {
        int axes[3] = { code % 6, code / 6 % 6, code / 36 };
        if (axes[0] % 3 == axes[1] % 3 || axes[0] % 3 == axes[2] % 3 || axes[1] % 3 == axes[2] % 3)
            continue;
        n_codes++;
        BgGeometry geometry = { .dims = { 5, 4, 3 } };
        char wanted[4] = { letters[axes[0]], letters[axes[1]], letters[axes[2]], 0 }, got[4];
        for (int n = 0; n < 3; n++) {
            geometry.patient_from_voxel.m[axes[n] % 3][n] =
                (1.0 + 0.5 * n) * (axes[n] < 3 ? 1 : -1);
            geometry.patient_from_voxel.m[n][3] = 10.0 * n - 7.0;
        }
        g_autoptr(BgVolume) volume =
            make_volume(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16));
        for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
            g_autoptr(BgFileInfo) info = NULL;
            g_autoptr(BgVolume) back = write_and_read(volume, wanted, suffixes[s], NULL, &info);
            bg_geometry_axis_code(bg_volume_get_geometry(back), got);
            g_assert_cmpstr(got, ==, wanted);
            g_assert_true(info->side_known);
            assert_equal_geometry(&geometry, bg_volume_get_geometry(back));
            for (int n = 0; n < 60; n++) {
                BgVec3 voxel = bg_vec3(n % 5, n / 5 % 4, n / 20);
                BgVec3 at = bg_affine_apply(&geometry.patient_from_voxel, voxel);
                double value;
                g_assert_true(bg_volume_sample_linear(back, at, &value));
                g_assert_cmpfloat_with_epsilon(
                    value, bg_volume_get_value(volume, n % 5, n / 5 % 4, n / 20), 0.5);
            }
        }
    }
    g_assert_cmpint(n_codes, ==, 48);
}

static void
test_oblique_and_sheared(void)
{
    BgGeometry grids[] = {
        { .dims = { 6, 5, 4 },
          .patient_from_voxel = { { { 0.8, -0.6 * 1.2, 0, 11.5 },
                                    { 0.6, 0.8 * 1.2, 0, -20.25 },
                                    { 0, 0, 3, 77 } } } },
        { .dims = { 6, 5, 4 },
          .patient_from_voxel = { { { 0.48, 0.1, 0.2, -118.5 },
                                    { 0, 0.51, -0.7, 140.25 },
                                    { 0.03, 0.15, 2.3, -73 } } } },
        { .dims = { 1, 5, 1 },
          .patient_from_voxel = { { { 0, 0, -2, 3 }, { -1, 0, 0, 4 }, { 0, 1.5, 0, 5 } } } },
    };

    for (gsize g = 0; g < G_N_ELEMENTS(grids); g++) {
        g_autoptr(BgVolume) volume =
            make_volume(&grids[g], bg_sample_format_plain(BG_SAMPLE_FLOAT32));
        for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
            g_autoptr(BgFileInfo) info = NULL;
            g_autoptr(BgVolume) back = write_and_read(volume, "oblique", suffixes[s], NULL, &info);
            assert_equal_geometry(&grids[g], bg_volume_get_geometry(back));
            assert_equal_values(volume, back);
            g_assert_false(info->has_alternative_geometry);
            g_assert_cmpuint(info->warnings->len, ==, 0);
        }
    }
}

static void
test_provenance_and_unit(void)
{
    static const char provenance[] =
        "{\"command\":\"gauß\",\"quote\":\"a \\\"b\\\"\\n:= c\",\"bregma\":\"1\"}";
    BgSaveParams params = { .provenance = provenance, .modality = "CT", .unit = "HU" };
    int dims[3] = { 3, 3, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    g_autoptr(BgVolume) volume = make_volume(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16));

    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        g_autoptr(BgFileInfo) info = NULL;
        g_autoptr(BgVolume) back = write_and_read(volume, "told", suffixes[s], &params, &info);
        g_assert_cmpstr(info->provenance, ==, provenance);
        g_assert_cmpstr(info->modality, ==, "CT");
        g_assert_cmpstr(info->unit, ==, "HU");
    }
}

static void
test_labels(void)
{
    static const guint32 largest[] = { 200, 60000, 4000000000u };
    int dims[3] = { 16, 8, 4 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 2, 3));
    g_autoptr(GError) error = NULL;

    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        for (int type = 0; type < 3; type++) {
            gpointer data =
                bg_voxels_alloc(&geometry, bg_label_type_size((BgLabelType) type), NULL);
            for (int i = 0; i < 512; i++) {
                guint32 label = i % 16 < 8 ? 0 : largest[type] - (guint32) (i % 2);
                if (type == 0)
                    ((guint8 *) data)[i] = (guint8) label;
                else if (type == 1)
                    ((guint16 *) data)[i] = (guint16) label;
                else
                    ((guint32 *) data)[i] = label;
            }
            g_autoptr(BgLabelMap) labels =
                bg_label_map_new_take(&geometry, (BgLabelType) type, data, &error);
            g_autofree char *path = path_for("tumour", suffixes[s]);
            BgSaveParams params = { .force = TRUE };
            bg_io_save_labels(labels, path, &params, NULL, NULL, &error);
            g_assert_no_error(error);

            // The file itself says that these are labels.
            g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
            g_assert_no_error(error);
            g_assert_nonnull(loaded->labels);
            g_assert_cmpint(loaded->info->kind, ==, BG_KIND_LABELS);
            assert_equal_geometry(&geometry, bg_label_map_get_geometry(loaded->labels));
            for (int i = 0; i < 512; i++)
                g_assert_cmpuint(
                    bg_label_map_get_label(labels, i % 16, i / 16 % 8, i / 128), ==,
                    bg_label_map_get_label(loaded->labels, i % 16, i / 16 % 8, i / 128));
            g_unlink(path);
        }
    }
}

static void
test_frames(void)
{
    int dims[3] = { 5, 4, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    BgVolume *volumes[3];
    g_autoptr(GError) error = NULL;

    for (int t = 0; t < 3; t++) {
        gint16 *samples = bg_voxels_alloc(&geometry, 2, NULL);
        for (int i = 0; i < 60; i++)
            samples[i] = (gint16) (1000 * t + i);
        volumes[t] =
            bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, &error);
    }
    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        g_autofree char *path = path_for("frames", suffixes[s]);
        BgSaveParams save = { .force = TRUE, .frame_spacing_s = 2.5 };
        bg_io_save_frames(volumes, 3, path, &save, NULL, NULL, &error);
        g_assert_no_error(error);
        for (int t = 2; t >= 0; t--) {
            BgLoadParams params = bg_load_params_default();
            params.frame = t;
            g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_assert_cmpint(loaded->info->n_frames, ==, 3);
            assert_equal_values(volumes[t], loaded->volume);
            assert_equal_geometry(&geometry, bg_volume_get_geometry(loaded->volume));
        }
        BgLoadParams beyond = { .frame = 3, .component = -1 };
        g_assert_null(bg_io_load(path, &beyond, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_clear_error(&error);
        g_unlink(path);
    }
    for (int t = 0; t < 3; t++)
        bg_volume_unref(volumes[t]);
}

// Larger than a block of the packer, and not a multiple of it.
static void
test_large(void)
{
    int dims[3] = { 301, 257, 61 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.5, 0.5, 1));
    g_autoptr(BgVolume) volume = make_volume(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16));

    for (gsize s = 0; s < G_N_ELEMENTS(suffixes); s++) {
        g_autoptr(BgVolume) back = write_and_read(volume, "large", suffixes[s], NULL, NULL);
        g_assert_cmpmem(bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume),
                        bg_volume_get_samples(back), bg_volume_get_n_bytes(back));
    }
}

// Over 32767 voxels a side, NIfTI-1 has no room.
static void
test_nifti2(void)
{
    int dims[3] = { 40000, 2, 2 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.001, 1, 1));
    g_autoptr(BgVolume) volume = make_volume(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8));
    g_autoptr(BgFileInfo) info = NULL;
    g_autoptr(BgVolume) back = write_and_read(volume, "long", ".nii.gz", NULL, &info);

    g_assert_cmpstr(bg_format_name(info->format), ==, "nifti2");
    assert_equal_geometry(&geometry, bg_volume_get_geometry(back));
    assert_equal_values(volume, back);
}

static void
test_refusals(void)
{
    int dims[3] = { 3, 3, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    g_autoptr(BgVolume) volume = make_volume(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8));
    g_autoptr(GError) error = NULL;
    g_autofree char *odd = path_for("x", ".xyz");
    g_autofree char *there = path_for("there", ".nii");

    g_assert_false(bg_io_save_volume(volume, odd, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_clear_error(&error);

    g_assert_true(g_file_set_contents(there, "old", -1, NULL));
    g_assert_false(bg_io_save_volume(volume, there, NULL, NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_clear_error(&error);

    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_cancellable_cancel(cancelled);
    BgSaveParams force = { .force = TRUE };
    g_assert_false(bg_io_save_volume(volume, there, &force, NULL, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(there, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "old");
    g_unlink(there);

    // Nothing may be left behind.
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-io-XXXXXX", NULL);
    g_test_add_func("/io/save/types", test_types);
    g_test_add_func("/io/save/scale", test_scale);
    g_test_add_func("/io/save/48-codes", test_48_codes);
    g_test_add_func("/io/save/oblique-and-sheared", test_oblique_and_sheared);
    g_test_add_func("/io/save/provenance-and-unit", test_provenance_and_unit);
    g_test_add_func("/io/save/labels", test_labels);
    g_test_add_func("/io/save/frames", test_frames);
    g_test_add_func("/io/save/large", test_large);
    g_test_add_func("/io/save/nifti2", test_nifti2);
    g_test_add_func("/io/save/refusals", test_refusals);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
