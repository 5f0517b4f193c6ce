// SPDX-License-Identifier: Apache-2.0
// A part of a file is the same voxels at the same places as in the whole, in every format.
#include "../support/bg-dicom-make.h"
#include "core/base/bg-error.h"
#include "core/io/bg-io-wire.h"
#include "core/io/bg-io.h"
#include "media/bg-media.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static const int dims[3] = { 13, 11, 9 };

static BgGeometry
oblique(void)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.5, 0.7, 1.5));

    geometry.patient_from_voxel.m[2][0] = 0.11;
    geometry.patient_from_voxel.m[0][2] = -0.2;
    return geometry;
}

// By indices of the part to those of the whole, one by one: not by the code that is tested.
static void
assert_is_part(const BgLoaded *part, const BgLoaded *whole, const BgLoadPart *p)
{
    const BgGeometry *a = bg_volume_get_geometry(part->volume);
    const BgGeometry *b = bg_volume_get_geometry(whole->volume);

    for (int axis = 0; axis < 3; axis++) {
        int n = 0;
        for (int i = p->first[axis]; i <= p->last[axis]; i += p->step[axis])
            n++;
        g_assert_cmpint(a->dims[axis], ==, n);
        g_assert_cmpint(part->info->dims[axis], ==, n);
    }
    for (int k = 0; k < a->dims[2]; k++) {
        for (int j = 0; j < a->dims[1]; j++) {
            for (int i = 0; i < a->dims[0]; i++) {
                int x = p->first[0] + i * p->step[0], y = p->first[1] + j * p->step[1];
                int z = p->first[2] + k * p->step[2];
                BgVec3 here = bg_affine_apply(&a->patient_from_voxel, bg_vec3(i, j, k));
                BgVec3 there = bg_affine_apply(&b->patient_from_voxel, bg_vec3(x, y, z));
                g_assert_cmpfloat(bg_volume_get_value(part->volume, i, j, k), ==,
                                  bg_volume_get_value(whole->volume, x, y, z));
                g_assert_cmpfloat_with_epsilon(here.x, there.x, 1e-9);
                g_assert_cmpfloat_with_epsilon(here.y, there.y, 1e-9);
                g_assert_cmpfloat_with_epsilon(here.z, there.z, 1e-9);
            }
        }
    }
    g_assert_true(bg_geometry_equal(&part->info->geometry, a, 1e-9));
    g_assert_cmpuint(part->info->warnings->len, ==, whole->info->warnings->len + 1);
    g_assert_nonnull(strstr(g_ptr_array_index(part->info->warnings, part->info->warnings->len - 1),
                            "Only a part"));
}

static void
check_path(const char *path, int frame, int component)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(GError) error = NULL;

    params.frame = frame;
    params.component = component;
    g_autoptr(BgLoaded) whole = bg_io_load(path, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(whole->volume);
    const int *n = bg_volume_get_geometry(whole->volume)->dims;
    const BgLoadPart parts[] = {
        { { 0, 0, 0 }, { n[0] - 1, n[1] - 1, n[2] - 1 }, { 2, 2, 2 } },
        { { 1, 2, 1 }, { n[0] - 2, n[1] - 1, n[2] - 2 }, { 1, 1, 1 } },
        { { 3, 1, 0 }, { n[0] - 1, n[1] - 2, n[2] - 1 }, { 2, 3, 2 } },
        { { n[0] - 1, 0, n[2] - 1 }, { n[0] - 1, 0, n[2] - 1 }, { 1, 1, 1 } },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        params.part = parts[i];
        g_autoptr(BgLoaded) part = bg_io_load(path, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        assert_is_part(part, whole, &parts[i]);
    }
    params.part = (BgLoadPart){ { 0 }, { n[0], 0, 0 }, { 1, 1, 1 } };
    g_autoptr(BgLoaded) none = bg_io_load(path, &params, NULL, NULL, &error);
    g_assert_null(none);
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static BgVolume *
new_volume(int seed)
{
    BgGeometry geometry = oblique();
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_INT16);
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL);

    for (gsize i = 0; i < bg_geometry_count_voxels(&geometry); i++)
        samples[i] = (gint16) ((i * 7919 + (gsize) seed * 131) % 3001);
    return bg_volume_new_take(&geometry, format, samples, NULL);
}

static void
test_formats(gconstpointer suffix)
{
    g_autoptr(BgVolume) volume = new_volume(0);
    g_autofree char *name = g_strconcat("scan", suffix, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;

    bg_io_save_volume(volume, path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    check_path(path, 0, -1);
    g_unlink(path);
}

static void
test_frames(void)
{
    g_autofree char *path = g_build_filename(folder, "frames.nii.gz", NULL);
    BgVolume *volumes[3];
    g_autoptr(GError) error = NULL;

    for (int f = 0; f < 3; f++)
        volumes[f] = new_volume(f);
    bg_io_save_frames(volumes, 3, path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    for (int f = 0; f < 3; f++) {
        check_path(path, f, -1);
        bg_volume_unref(volumes[f]);
    }
    g_unlink(path);
}

// Several values a voxel: beside each other, and in planes.
static void
test_components(gconstpointer planar)
{
    g_autofree char *path = g_build_filename(folder, "vectors.nrrd", NULL);
    const char *fast = "sizes: 3 13 11 9\nkinds: vector domain domain domain\n";
    const char *slow = "sizes: 13 11 9 3\nkinds: domain domain domain vector\n";
    GString *text = g_string_new("NRRD0005\ntype: float\ndimension: 4\nendian: little\n"
                                 "encoding: raw\n");
    g_autoptr(GError) error = NULL;

    g_string_append_printf(text, "%s\n", GPOINTER_TO_INT(planar) ? slow : fast);
    for (int i = 0; i < 3 * 13 * 11 * 9; i++) {
        float value = (float) ((i * 37) % 1009);
        g_string_append_len(text, (const char *) &value, sizeof value);
    }
    g_file_set_contents(path, text->str, (gssize) text->len, &error);
    g_assert_no_error(error);
    for (int component = -1; component < 3; component++)
        check_path(path, 0, component);
    g_string_free(text, TRUE);
    g_unlink(path);
}

static void
test_labels(void)
{
    BgGeometry geometry = oblique();
    guint8 *values = bg_voxels_alloc(&geometry, 1, NULL);
    g_autofree char *path = g_build_filename(folder, "labels.nii.gz", NULL);
    BgLoadParams params = bg_load_params_default();
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < bg_geometry_count_voxels(&geometry); i++)
        values[i] = (guint8) (i / 101 % 5);
    g_autoptr(BgLabelMap) labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, values, &error);
    bg_io_save_labels(labels, path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    params.part = (BgLoadPart){ { 1, 0, 2 }, { 12, 10, 8 }, { 3, 2, 2 } };
    g_autoptr(BgLoaded) part = bg_io_load(path, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(part->labels);
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 6; j++)
            for (int i = 0; i < 4; i++)
                g_assert_cmpuint(bg_label_map_get_label(part->labels, i, j, k), ==,
                                 bg_label_map_get_label(labels, 1 + 3 * i, 2 * j, 2 + 2 * k));
    g_unlink(path);
}

// Slices as they are; with one missing and unevenly far apart; moved within their planes.
static void
test_dicom(gconstpointer kind)
{
    static const double even[] = { 0, 2, 4, 6, 8, 10 }, uneven[] = { 0, 2, 4, 5, 9.3, 11 };
    const double *z = GPOINTER_TO_INT(kind) == 1 ? uneven : even;
    char *series = bg_make_folder();

    for (int s = 0; s < 6; s++) {
        g_autofree char *name = g_strdup_printf("%d.dcm", s);
        g_autofree char *uid = g_strdup_printf("1.2.9.%d", s);
        BgMadeSlice slice = {
            .name = name,
            .sop_uid = uid,
            .position = { -1.0, 2.0 + (GPOINTER_TO_INT(kind) == 2 ? 0.3 * s : 0.0), z[s] },
            .thickness = 1.0,
            .instance = s,
            .value = 100 * (s + 1)
        };
        bg_make_slice(series, &slice);
    }
    check_path(series, 0, -1);
    bg_remove_folder(series);
}

static void
test_wire(void)
{
    BgLoadParams params = bg_load_params_default();

    params.part = (BgLoadPart){ { 1, 2, 3 }, { 40, 50, 60 }, { 2, 1, 4 } };
    g_autoptr(BgJson) json = bg_load_params_to_json(&params);
    BgLoadParams back = bg_load_params_from_json(json);
    g_assert_cmpmem(&params.part, sizeof params.part, &back.part, sizeof back.part);
    params.part = (BgLoadPart){ { 0 } };
    g_autoptr(BgJson) whole = bg_load_params_to_json(&params);
    g_assert_null(bg_json_get(whole, "part"));
}

int
main(int argc, char **argv)
{
    static const char *const suffixes[] = { ".nii", ".nii.gz", ".nrrd", ".mha",
                                            ".mnc", ".h5",     ".tif" };

    g_test_init(&argc, &argv, NULL);
    bg_media_add_readers();
    folder = bg_make_folder();
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strdup_printf("/load-part/format%s", suffixes[i]);
        g_test_add_data_func(name, suffixes[i], test_formats);
    }
    g_test_add_func("/load-part/frames", test_frames);
    g_test_add_data_func("/load-part/vectors", GINT_TO_POINTER(0), test_components);
    g_test_add_data_func("/load-part/planes", GINT_TO_POINTER(1), test_components);
    g_test_add_func("/load-part/labels", test_labels);
    g_test_add_data_func("/load-part/dicom/even", GINT_TO_POINTER(0), test_dicom);
    g_test_add_data_func("/load-part/dicom/uneven", GINT_TO_POINTER(1), test_dicom);
    g_test_add_data_func("/load-part/dicom/tilted", GINT_TO_POINTER(2), test_dicom);
    g_test_add_func("/load-part/wire", test_wire);
    int failed = g_test_run();
    bg_remove_folder(folder);
    return failed;
}
