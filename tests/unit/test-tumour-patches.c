// SPDX-License-Identifier: Apache-2.0
// Patch networks over a case give at each pixel what they give for its patch alone; samples for them are scaled as the
// slices are.
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-error.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/segment/bg-tumour-data.h"
#include "core/segment/bg-tumour-segment.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define WIDE 9
#define HIGH 7
#define N_SLICES 3
#define N (WIDE * HIGH * N_SLICES)
#define SIDE BG_TUMOUR_PATCH
#define CENTRE BG_TUMOUR_PATCH_CENTRE

// Numbers everywhere, but in the last slice, in a corner, and T2, which is missing.
static BgTumourCase *
new_case(void)
{
    BgTumourCase *made = g_new0(BgTumourCase, 1);

    made->grid = bg_geometry_new_regular((const int[3]){ WIDE, HIGH, N_SLICES }, bg_vec3(2, 2, 2));
    made->planes = bg_voxels_alloc(&made->grid, BG_N_CONTRASTS * sizeof(float), NULL);
    made->warnings = g_ptr_array_new_with_free_func(g_free);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        made->present[c] = c != BG_CONTRAST_T2;
        for (int i = 0; i < N; i++) {
            gboolean empty = c == BG_CONTRAST_T2 || i / (WIDE * HIGH) == N_SLICES - 1 ||
                             (i % WIDE < 3 && i / WIDE % HIGH < 2);
            made->planes[c * N + i] =
                empty ? 0.0f : (float) (4 * fixed_number((gsize) i, 7u + (guint32) c) - 2);
        }
    }
    return made;
}

// The patch around a pixel, by planes in the order of the old files, by their largest sizes.
static void
cut_patch(const BgTumourCase *made, int i, int j, int k, int side, float *to)
{
    static const BgContrast order[] = { BG_CONTRAST_FLAIR, BG_CONTRAST_T1, BG_CONTRAST_T1CE,
                                        BG_CONTRAST_T2 };

    for (int c = 0; c < 4; c++) {
        const float *slice = made->planes + order[c] * N + k * WIDE * HIGH;
        float most = 0.0f;
        for (int p = 0; p < WIDE * HIGH; p++)
            most = MAX(most, fabsf(slice[p]));
        for (int p = 0; p < side * side; p++) {
            int x = i + p % side - side / 2, y = j + p / side - side / 2;
            gboolean inside = x >= 0 && y >= 0 && x < WIDE && y < HIGH && most > 0.0f;
            *to++ = inside ? slice[y * WIDE + x] / most : 0.0f;
        }
    }
}

static BgNnTensor *
run_alone(BgNnCpu *cpu, const BgNetwork *network, const BgTumourCase *made, int i, int j, int k)
{
    g_autoptr(BgNnTensor) patch = bg_nn_tensor_new(&network->inputs[0], NULL);
    g_autoptr(BgNnTensor) centre =
        network->n_inputs > 1 ? bg_nn_tensor_new(&network->inputs[1], NULL) : NULL;
    BgNnTensor *inputs[2] = { patch, centre }, *output = NULL;

    cut_patch(made, i, j, k, SIDE, bg_nn_tensor_data(patch));
    if (centre != NULL)
        cut_patch(made, i, j, k, CENTRE, bg_nn_tensor_data(centre));
    g_assert_true(bg_nn_cpu_run(cpu, inputs, &output, NULL, NULL, NULL));
    return output;
}

static void
check_pixel(const BgTumourResult *found, const float *p, int i, int j, int k)
{
    double wanted[BG_TUMOUR_CLASSES] = { (double) p[0], (double) p[1] + (double) p[3],
                                         (double) p[2], (double) p[4] };
    int best = 0;

    for (int c = 0; c < BG_TUMOUR_CLASSES; c++) {
        g_assert_cmpfloat_with_epsilon(bg_volume_get_value(found->probabilities[c], i, j, k),
                                       wanted[c], 1e-4);
        best = wanted[c] > wanted[best] ? c : best;
    }
    g_assert_cmpuint(bg_label_map_get_label(found->labels, i, j, k), ==, bg_tumour_labels[best]);
}

static void
test_alone(gconstpointer name)
{
    static const int at[][3] = { { 4, 3, 0 }, { 0, 6, 0 }, { 8, 0, 1 }, { 3, 1, 1 }, { 8, 6, 1 } };
    const BgNetwork *network = bg_network_find(name, NULL);
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "patches.h5", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) weights = bg_network_params(network, 3, NULL);
    g_autoptr(BgTumourCase) made = new_case();
    BgTumourOptions options = { .mirror = FALSE };
    g_auto(BgTumourResult) found = { 0 }, both = { 0 };
    g_autoptr(GError) error = NULL;

    fill_fixed(weights);
    g_assert_true(bg_nn_weights_save(path, graph, weights, NULL, FALSE, NULL, &error));
    g_autoptr(BgTumourModel) model = bg_tumour_model_load(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(
        bg_tumour_segment(model, made, &made->grid, &options, &found, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(found.flop, >, 1e8);
    g_autoptr(BgNnCpu) cpu =
        bg_nn_cpu_new(graph, weights, network->inputs, network->n_inputs, NULL, NULL);
    for (gsize n = 0; n < G_N_ELEMENTS(at); n++) {
        g_autoptr(BgNnTensor) p = run_alone(cpu, network, made, at[n][0], at[n][1], at[n][2]);
        check_pixel(&found, bg_nn_tensor_peek(p), at[n][0], at[n][1], at[n][2]);
    }
    // Outside of the brain nothing is asked.
    g_assert_cmpfloat(bg_volume_get_value(found.probabilities[0], 1, 1, 0), ==, 1.0);
    g_assert_cmpfloat(bg_volume_get_value(found.probabilities[0], 4, 3, 2), ==, 1.0);
    g_assert_cmpuint(bg_label_map_get_label(found.labels, 4, 3, 2), ==, 0);
    // Mirrored too, it is another mean, and still one.
    options.mirror = TRUE;
    g_assert_true(bg_tumour_segment(model, made, &made->grid, &options, &both, NULL, NULL, NULL));
    double sum = 0.0;
    for (int c = 0; c < BG_TUMOUR_CLASSES; c++)
        sum += bg_volume_get_value(both.probabilities[c], 4, 3, 0);
    g_assert_cmpfloat_with_epsilon(sum, 1.0, 1e-5);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_cancelled(void)
{
    const BgNetwork *network = bg_network_find("patch-two-path", NULL);
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "patches.h5", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) weights = bg_network_params(network, 3, NULL);
    g_autoptr(BgTumourCase) made = new_case();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgTumourOptions options = { .mirror = FALSE };
    BgTumourResult found = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_nn_weights_save(path, graph, weights, NULL, FALSE, NULL, NULL));
    g_autoptr(BgTumourModel) model = bg_tumour_model_load(path, NULL, NULL, NULL);
    g_cancellable_cancel(cancellable);
    g_assert_false(
        bg_tumour_segment(model, made, &made->grid, &options, &found, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_null(found.labels);
    g_unlink(path);
    g_rmdir(folder);
}

// What a sample of training holds is within -1..1, and rarely as large as 1: that is the slice's.
static void
test_samples(void)
{
    BgTumourDataParams params = bg_tumour_data_params();
    BgTumourParams prepare = { .spacing_mm = 4.0,
                               .align = BG_TUMOUR_ALIGN_NEVER,
                               .as_given = TRUE };
    g_autoptr(GError) error = NULL;
    static float patch[4 * SIDE * SIDE], target[5];
    float *inputs[1] = { patch }, *targets[1] = { target };
    int n_full = 0;

    params.per_case = 8;
    g_autoptr(BgTumourData) data = bg_tumour_data_new(&params, g_get_tmp_dir(), &error);
    g_assert_true(
        bg_tumour_data_add_phantoms(data, 1, 41, 60, FALSE, &prepare, NULL, NULL, &error));
    BgNnData source = bg_tumour_data_source_patches(data);
    for (gsize index = 0; index < 8; index++) {
        g_assert_true(source.make(source.data, index, 5, inputs, targets, &error));
        g_assert_cmpfloat(target[0] + target[1] + target[2] + target[3] + target[4], ==, 1.0f);
        for (int c = 0; c < 4; c++) {
            float most = 0.0f;
            for (int i = 0; i < SIDE * SIDE; i++)
                most = MAX(most, fabsf(patch[c * SIDE * SIDE + i]));
            g_assert_cmpfloat(most, <=, 1.000001f);
            n_full += most > 0.999f;
        }
    }
    g_assert_cmpint(n_full, <, 32);
}

static gboolean
in_block(int i, int j, int k)
{
    return i >= 26 && i < 34 && j >= 28 && j < 36 && k >= 5 && k < 11;
}

// Half of the background's patches lie beside the tumour: a small block, bright in FLAIR, that few would meet by chance.
static void
test_beside(void)
{
    BgTumourDataParams params = bg_tumour_data_params();
    BgTumourParams prepare = { .spacing_mm = 1.0,
                               .align = BG_TUMOUR_ALIGN_NEVER,
                               .as_given = TRUE };
    const int dims[3] = { 64, 64, 16 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 1.0));
    gsize n = bg_geometry_count_voxels(&geometry);
    g_autoptr(GError) error = NULL;
    float *values = bg_voxels_alloc(&geometry, sizeof(float), &error);
    guint8 *classes = bg_voxels_alloc(&geometry, sizeof(guint8), &error);
    static float patch[4 * SIDE * SIDE], target[5];
    float *inputs[1] = { patch }, *targets[1] = { target };
    const float *flair = patch + BG_CONTRAST_FLAIR * SIDE * SIDE;
    int n_beside = 0, n_background = 0;

    for (gsize v = 0; v < n; v++) {
        int i = (int) (v % 64), j = (int) (v / 64 % 64), k = (int) (v / 4096);
        gboolean brain = MIN(i, j) >= 2 && MAX(i, j) < 62 && k >= 1 && k < 15;
        values[v] = !brain ? 0.0f : in_block(i, j, k) ? 300.0f : 100.0f + (float) ((i + j) % 3);
        classes[v] = in_block(i, j, k) ? 2 : 0;
    }
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), values, &error);
    g_autoptr(BgLabelMap) labels =
        bg_label_map_new_take(&geometry, BG_LABEL_UINT8, classes, &error);
    BgVolume *contrasts[BG_N_CONTRASTS] = { volume, volume, volume, volume };
    params.per_case = 256;
    g_autoptr(BgTumourData) data = bg_tumour_data_new(&params, g_get_tmp_dir(), &error);
    g_assert_true(bg_tumour_data_add(data, "one", contrasts, labels, &prepare, NULL, &error));
    BgNnData source = bg_tumour_data_source_patches(data);
    for (gsize index = 0; index < 256; index++) {
        gboolean beside = FALSE;
        g_assert_true(source.make(source.data, index, 5, inputs, targets, &error));
        for (int y = SIDE / 2 - 6; y <= SIDE / 2 + 6; y++)
            for (int x = SIDE / 2 - 6; x <= SIDE / 2 + 6; x++)
                beside |= flair[y * SIDE + x] > 0.9f;
        n_background += index % 4 == 0 && target[0] > 0.5f;
        n_beside += index % 4 == 0 && target[0] > 0.5f && beside;
    }
    g_test_message("%d of %d", n_beside, n_background);
    g_assert_cmpint(n_background, >, 50);
    g_assert_cmpint(n_beside, >, n_background / 3);
    g_assert_cmpint(n_beside, <, 4 * n_background / 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/tumour-patches/patch-cnn", "patch-cnn", test_alone);
    g_test_add_data_func("/tumour-patches/patch-two-path", "patch-two-path", test_alone);
    g_test_add_data_func("/tumour-patches/patch-dual", "patch-dual", test_alone);
    g_test_add_func("/tumour-patches/cancelled", test_cancelled);
    g_test_add_func("/tumour-patches/samples", test_samples);
    g_test_add_func("/tumour-patches/beside", test_beside);
    return g_test_run();
}
