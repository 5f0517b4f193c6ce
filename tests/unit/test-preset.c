// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/cast/bg-cast.h"
#include "core/cast/bg-preset.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

// 0..999 in equal parts, times 3, less 500.
static BgVolume *
make_volume(int lowest)
{
    const int dims[3] = { 10, 10, 10 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    BgSampleFormat format = { BG_SAMPLE_INT16, 3.0, -500.0, FALSE };
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    GError *error = NULL;

    for (int v = 0; v < 1000; v++)
        samples[v] = (gint16) MAX(v, lowest);
    BgVolume *volume = bg_volume_new_take(&geometry, format, samples, &error);
    g_assert_no_error(error);
    return volume;
}

static void
use_source_tree(void)
{
    g_autofree char *folder = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "data", NULL);

    g_setenv("BREGMA_DATA_DIR", folder, TRUE);
}

static void
test_list(void)
{
    g_autoptr(BgVolume) volume = make_volume(0);
    GError *error = NULL;
    g_autoptr(GArray) infos = bg_preset_list(&error);
    gboolean ct = FALSE, mr = FALSE;

    g_assert_no_error(error);
    g_assert_cmpuint(infos->len, >=, 12);
    for (guint i = 0; i < infos->len; i++) {
        const BgPresetInfo *info = &g_array_index(infos, BgPresetInfo, i);
        g_autoptr(BgTransferFunction) tf = bg_preset_load(info->id, volume, &error);
        g_assert_no_error(error);
        const BgTransferFunctionData *data = bg_transfer_function_get_data(tf);
        g_assert_cmpstr(data->name, ==, info->name);
        g_assert_cmpint(data->technique, ==, info->technique);
        ct = ct || strcmp(info->modality, "CT") == 0;
        mr = mr || strcmp(info->modality, "MR") == 0;
        // CT values are Hounsfield units for every patient, MR values never are.
        if (strcmp(info->modality, "any") != 0)
            g_assert_cmpint(info->relative, ==, strcmp(info->modality, "MR") == 0);
        g_autofree char *json = bg_transfer_function_print(tf);
        g_autoptr(BgTransferFunction) again = bg_transfer_function_parse(json, -1, &error);
        g_assert_no_error(error);
        g_assert_true(bg_transfer_function_equal(tf, again)); // resolved: absolute values
    }
    g_assert_true(ct && mr);
}

static void
test_range(void)
{
    g_autoptr(BgVolume) volume = make_volume(0), flat = make_volume(1000),
                        mostly = make_volume(998);
    GError *error = NULL;
    double low, high;

    // numpy.percentile(arange(1000) * 3 - 500, [0.1, 99.9])
    g_assert_true(bg_preset_range(volume, &low, &high, &error));
    g_assert_cmpfloat_with_epsilon(low, -497.003, 1e-9);
    g_assert_cmpfloat_with_epsilon(high, 2494.003, 1e-9);
    g_assert_true(bg_preset_range(flat, &low, &high, &error));
    g_assert_cmpfloat(low, ==, 2500.0);
    g_assert_cmpfloat(high, ==, 2501.0);
    g_assert_true(bg_preset_range(mostly, &low, &high, &error));
    g_assert_cmpfloat(high, >, low);
}

static void
test_relative(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-XXXXXX", NULL);
    g_autofree char *presets = g_build_filename(folder, "presets", NULL);
    g_autofree char *path = g_build_filename(presets, "mine.json", NULL);
    g_autofree char *broken = g_build_filename(presets, "broken.json", NULL);
    g_autoptr(BgVolume) volume = make_volume(0);
    GError *error = NULL;
    const char *json = "{\"schema\":1,\"name\":\"Mine\",\"relative\":true,\"technique\":\"iso\","
                       "\"iso_value\":0.25,\"opacity\":[[0,0],[0.5,1]],\"colour\":[[1,1,1,1]],"
                       "\"gradient_opacity\":[[0,0],[0.1,1]],\"background\":[1,0.5,0]}";

    g_mkdir_with_parents(presets, 0700);
    g_assert_true(g_file_set_contents(path, json, -1, NULL));
    g_assert_true(g_file_set_contents(broken, "{", -1, NULL));
    g_setenv("BREGMA_DATA_DIR", folder, TRUE);
    g_autoptr(GArray) infos = bg_preset_list(&error);
    g_assert_no_error(error);
    g_assert_cmpuint(infos->len, ==, 1); // one spoilt file does not hide the others
    g_assert_cmpstr(g_array_index(infos, BgPresetInfo, 0).modality, ==, "any");
    g_assert_cmpfloat(g_array_index(infos, BgPresetInfo, 0).background[1], ==, 0.5);
    g_autoptr(BgTransferFunction) tf = bg_preset_load("mine", volume, &error);
    g_assert_no_error(error);
    const BgTransferFunctionData *data = bg_transfer_function_get_data(tf);
    double low = -497.003, span = 2494.003 + 497.003;
    g_assert_cmpfloat_with_epsilon(data->iso_value, low + 0.25 * span, 1e-9);
    g_assert_cmpfloat_with_epsilon(g_array_index(data->opacity, BgOpacityPoint, 1).value,
                                   low + 0.5 * span, 1e-9);
    g_assert_cmpfloat_with_epsilon(g_array_index(data->colour, BgColourPoint, 0).value, low + span,
                                   1e-9);
    g_assert_cmpfloat_with_epsilon(g_array_index(data->gradient_opacity, BgOpacityPoint, 1).value,
                                   0.1 * span, 1e-9);

    g_assert_null(bg_preset_load("mine", NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(bg_preset_load("broken", volume, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    const char *const wrong[] = { "none", "", "../presets/mine", "/etc/passwd", "mine.json" };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_null(bg_preset_load(wrong[i], volume, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_clear_error(&error);
    }
    use_source_tree();
    g_remove(path);
    g_remove(broken);
    g_remove(presets);
    g_remove(folder);
}

static void
test_guess(void)
{
    g_autoptr(BgVolume) volume = make_volume(0);
    GError *error = NULL;

    // Nothing of air or water about it.
    g_assert_cmpstr(bg_preset_guess(volume), ==, "mr-default");
    g_autoptr(BgTransferFunction) bone = bg_preset_load("ct-bone", NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(bone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    use_source_tree();
    g_test_add_func("/preset/lists/all", test_list);
    g_test_add_func("/preset/takes/range", test_range);
    g_test_add_func("/preset/scales/relative-values", test_relative);
    g_test_add_func("/preset/guesses", test_guess);
    return g_test_run();
}
