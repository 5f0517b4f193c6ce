// SPDX-License-Identifier: Apache-2.0
// Tiles with a halo give what the whole gives.
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-error.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-tiles.h"

static BgNnGraph *
small_unet(void)
{
    return bg_unet_graph(&(BgUnet){ .n_in = 2, .n_out = 3, .width = 8, .n_levels = 2 });
}

static BgNnGraph *
transposed_unet(void)
{
    return bg_unet_graph(
        &(BgUnet){ .n_in = 2, .n_out = 2, .width = 6, .n_levels = 2, .transposed = TRUE });
}

static BgNnGraph *
small_volume(void)
{
    BgNnGraph *graph = bg_nn_graph_new("volume");
    int x = bg_nn_graph_input(graph, "in", 2, 3);

    x = bg_nn_graph_conv(graph, "a", x, 4, 3);
    x = bg_nn_graph_unary(graph, BG_NN_RELU, "b", x);
    bg_nn_graph_add_output(graph, bg_nn_graph_conv(graph, "c", x, 1, 5));
    return graph;
}

static const struct {
    const char *name;
    BgNnGraph *(*graph)(void);
    int n_inputs, channels, n_space;
    gsize size[3], tile[3]; // slowest first; those that are there
} cases[] = {
    { "unet", small_unet, 1, 2, 2, { 1, 132, 148 }, { 20, 33, 0 } },
    { "unet-far-border", small_unet, 1, 2, 2, { 1, 128, 140 }, { 48, 48, 0 } },
    { "unet-whole-rows", small_unet, 1, 2, 2, { 1, 160, 40 }, { 16, 0, 0 } },
    { "unet-small", small_unet, 1, 2, 2, { 1, 16, 12 }, { 64, 64, 0 } },
    { "unet-transposed", transposed_unet, 1, 2, 2, { 1, 200, 168 }, { 24, 16, 0 } },
    { "funfuse", bg_funfuse_graph, 2, 1, 2, { 1, 71, 53 }, { 19, 17, 0 } },
    { "volume", small_volume, 1, 2, 3, { 21, 19, 25 }, { 7, 5, 9 } },
};

static BgNnTensor *
whole(BgNnGraph *graph, BgNnParams *params, BgNnTensor *const *inputs, int n_inputs)
{
    BgNnShape shapes[2];
    BgNnTensor *out = NULL;

    for (int i = 0; i < n_inputs; i++)
        shapes[i] = *bg_nn_tensor_get_shape(inputs[i]);
    BgNnCpuOptions direct = { .direct = TRUE };
    g_autoptr(BgNnCpu) cpu = bg_nn_cpu_new(graph, params, shapes, n_inputs, &direct, NULL);
    g_assert_true(bg_nn_cpu_run(cpu, inputs, &out, NULL, NULL, NULL));
    return out;
}

static void
test_case(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    g_autoptr(BgNnGraph) graph = cases[i].graph();
    g_autoptr(GError) error = NULL;
    BgNnTensor *inputs[2] = { NULL }, *tiled = NULL;
    BgNnShape shapes[2];

    for (int k = 0; k < cases[i].n_inputs; k++) {
        shapes[k] = bg_nn_shape(1, (gsize) cases[i].channels, cases[i].n_space, cases[i].size[0],
                                cases[i].size[1], cases[i].size[2]);
        inputs[k] = fixed_input(&shapes[k], k);
    }
    g_autoptr(BgNnParams) params =
        bg_nn_params_new(graph, shapes, cases[i].n_inputs, BG_NN_INIT_HE, 0, 1, &error);
    g_assert_no_error(error);
    fill_fixed(params);
    g_assert_true(
        bg_nn_run_tiled(graph, params, inputs, cases[i].tile, NULL, &tiled, NULL, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(BgNnTensor) all = whole(graph, params, inputs, cases[i].n_inputs);
    double worst = 0, most = 0;
    for (gsize k = 0; k < bg_nn_tensor_count(all); k++) {
        double a = (double) bg_nn_tensor_peek(all)[k], b = (double) bg_nn_tensor_peek(tiled)[k];
        worst = MAX(worst, fabs(a - b));
        most = MAX(most, fabs(a));
    }
    g_test_message("off by %g of %g", worst, most);
    g_assert_cmpfloat(worst, <=, 2e-5 * most);
    bg_nn_tensor_unref(tiled);
    for (int k = 0; k < cases[i].n_inputs; k++)
        bg_nn_tensor_unref(inputs[k]);
}

/** Windows: what the executor of the caller saw */
typedef struct {
    int n_prepared, n_run;
    gsize pixels;
} Windows;

static gboolean
note_prepared(gpointer data, const BgNnShape *inputs, int n_inputs, GError **error)
{
    Windows *windows = data;

    windows->n_prepared++;
    windows->pixels = inputs[0].dims[2] * inputs[0].dims[3];
    return TRUE;
}

static gboolean
fail_third(gpointer data, BgNnTensor *const *inputs, BgNnTensor **outputs,
           GCancellable *cancellable, GError **error)
{
    Windows *windows = data;
    BgNnShape shape = *bg_nn_tensor_get_shape(inputs[0]);

    if (++windows->n_run == 3) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_DEVICE, "gone");
        return FALSE;
    }
    shape.dims[1] = 3;
    outputs[0] = bg_nn_tensor_new(&shape, error);
    return outputs[0] != NULL;
}

// Much less than the whole is seen at once; an error comes through, and leaves no result.
static void
test_caller(void)
{
    g_autoptr(BgNnGraph) graph = small_unet();
    BgNnShape shape = bg_nn_shape(1, 2, 2, 1, 512, 512);
    g_autoptr(BgNnParams) params = bg_nn_params_new(graph, &shape, 1, BG_NN_INIT_HE, 0, 1, NULL);
    g_autoptr(BgNnTensor) input = fixed_input(&shape, 0);
    g_autoptr(GError) error = NULL;
    Windows windows = { 0 };
    BgNnTileRun run = { note_prepared, fail_third, &windows };
    BgNnTensor *out = NULL;

    g_assert_false(bg_nn_run_tiled(graph, params, &input, (gsize[]){ 64, 64, 0 }, &run, &out, NULL,
                                   NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_DEVICE);
    g_assert_null(out);
    g_assert_cmpint(windows.n_prepared, ==, 1);
    g_assert_cmpuint(windows.pixels, <, 512 * 512 / 4);
}

static void
test_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnGraph) vnet = bg_vnet_graph(); // norms by the batch's statistics
    BgNnShape shape = bg_nn_shape(1, 4, 3, 32, 32, 32);
    BgNnReach reach;
    BgNnTensor *out = NULL;

    g_assert_true(bg_nn_reach(vnet, &shape, 1, &reach, NULL));
    g_assert_true(reach.global);
    g_assert_cmpuint(reach.multiple[2], ==, 16);
    g_autoptr(BgNnGraph) graph = bg_nn_graph_new("norm");
    int x = bg_nn_graph_input(graph, "in", 1, 2);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_INSTANCE_NORM, "norm", x));
    BgNnShape picture = bg_nn_shape(1, 1, 2, 1, 40, 40);
    g_autoptr(BgNnParams) params = bg_nn_params_new(graph, &picture, 1, BG_NN_INIT_HE, 0, 1, NULL);
    g_autoptr(BgNnTensor) input = fixed_input(&picture, 0);
    g_assert_false(bg_nn_run_tiled(graph, params, &input, (gsize[]){ 8, 8, 0 }, NULL, &out, NULL,
                                   NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_true(bg_nn_run_tiled(graph, params, &input, (gsize[]){ 0, 40, 0 }, NULL, &out, NULL,
                                  NULL, &error)); // one tile is the whole
    g_assert_no_error(error);
    bg_nn_tensor_unref(out);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/nn-tiles/%s", cases[i].name);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_case);
    }
    g_test_add_func("/nn-tiles/caller", test_caller);
    g_test_add_func("/nn-tiles/refused", test_refused);
    return g_test_run();
}
