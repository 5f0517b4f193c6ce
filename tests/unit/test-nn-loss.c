// SPDX-License-Identifier: Apache-2.0
// Losses against numbers of PyTorch and scikit-image, their gradients against central differences;
// optimisers against PyTorch.
#include "core/base/bg-error.h"
#include "core/base/bg-random.h"
#include "core/nn/bg-nn-loss.h"
#include "core/nn/bg-nn-optimiser.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "../reference/nn-loss-numbers.h"

// Shared with the script that made the numbers: values of a simple congruence, 0.02..0.98.
static float
value_at(gsize i, guint32 seed)
{
    guint32 x = (guint32) i * 2654435761u + seed * 40503u;

    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (float) (0.02 + 0.96 * (double) (x >> 8) / 16777216.0);
}

static const BgNnShape shape = { 4, { 2, 3, 13, 17 } };

static void
fill(float *p, float *t)
{
    for (gsize i = 0; i < bg_nn_shape_count(&shape); i++) {
        p[i] = value_at(i, 1);
        t[i] = value_at(i, 2);
    }
}

static void
test_loss(gconstpointer data)
{
    BgNnLossKind kind = (BgNnLossKind) GPOINTER_TO_INT(data);
    gsize count = bg_nn_shape_count(&shape);
    g_autofree float *p = g_new(float, count), *t = g_new(float, count);
    g_autofree float *gradient = g_new0(float, count);
    BgRandom random = bg_random(3, 0);

    fill(p, t);
    g_assert_true(bg_nn_loss_check(kind, &shape, NULL));
    double loss = bg_nn_loss(kind, &shape, p, t, 1, gradient);
    g_assert_cmpfloat_with_epsilon(loss, loss_numbers[kind], 2e-6 * fabs(loss_numbers[kind]));
    for (int k = 0; k < 40; k++) {
        gsize at = bg_random_below(&random, count);
        float kept = p[at], above = kept + 1e-3f, below = kept - 1e-3f;
        p[at] = above;
        double high = bg_nn_loss(kind, &shape, p, t, 1, NULL);
        p[at] = below;
        double low = bg_nn_loss(kind, &shape, p, t, 1, NULL);
        p[at] = kept;
        double slope = (high - low) / ((double) above - (double) below);
        if (kind == BG_NN_LOSS_L1 && fabsf(kept - t[at]) < 2e-3f)
            continue;
        // The term of third order of log p at p = 0.02 is a hundredth of a percent at this step.
        g_assert_cmpfloat_with_epsilon((double) gradient[at], slope, 2e-3 * fabs(slope) + 1e-8);
    }
    // A weight multiplies both.
    g_autofree float *half = g_new0(float, count);
    g_assert_cmpfloat_with_epsilon(bg_nn_loss(kind, &shape, p, t, 0.5, half), loss / 2, 1e-12);
    g_assert_cmpfloat_with_epsilon((double) half[5], (double) gradient[5] / 2, 1e-7);
}

static void
test_small_picture(void)
{
    g_autoptr(GError) error = NULL;
    BgNnShape small = { 4, { 1, 1, 10, 30 } };

    g_assert_false(bg_nn_loss_check(BG_NN_LOSS_SSIM, &small, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
}

// ------------------------------------------------------------------------------------------------

#define N_VALUES 6

static BgNnParams *
six_values(void)
{
    g_autoptr(BgNnGraph) graph = bg_nn_graph_new("six");
    BgNnShape in = bg_nn_shape(1, N_VALUES, 0, 0, 0, 0);
    int x = bg_nn_graph_input(graph, "in", N_VALUES, 0);
    x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_LINEAR,
                                             .name = "w",
                                             .inputs = { x },
                                             .n_inputs = 1,
                                             .channels = 1,
                                             .no_bias = TRUE });
    bg_nn_graph_add_output(graph, x);
    BgNnParams *params = bg_nn_params_new(graph, &in, 1, BG_NN_INIT_HE, 0, 1, NULL);
    for (gsize i = 0; i < N_VALUES; i++)
        bg_nn_tensor_data(bg_nn_params_get(params, 0))[i] = (float) i * 0.25f - 0.5f;
    return params;
}

// Gradients of step `s`: made of the values, so that the path matters.
static void
gradients_of(const float *p, int s, float *g)
{
    for (int i = 0; i < N_VALUES; i++)
        g[i] = 2 * p[i] + 0.1f * (float) ((s * 7 + i * 3) % 5) - 0.2f;
}

static void
run_steps(BgNnParams *params, BgNnOptimiser *optimiser, int first, int last, double rate)
{
    float g[N_VALUES], *gradients[1] = { g };

    for (int s = first; s < last; s++) {
        gradients_of(bg_nn_tensor_peek(bg_nn_params_get(params, 0)), s, g);
        bg_nn_optimiser_step(optimiser, gradients, rate);
    }
}

static const BgNnOptimiserConfig optimisers[] = {
    { .kind = BG_NN_SGD, .rate = 0.05, .factor = 1, .period = 1 },
    { .kind = BG_NN_SGD,
      .rate = 0.05,
      .momentum = 0.9,
      .weight_decay = 0.01,
      .factor = 1,
      .period = 1 },
    { .kind = BG_NN_ADAM,
      .rate = 0.02,
      .beta1 = 0.5,
      .beta2 = 0.999,
      .eps = 1e-8,
      .factor = 1,
      .period = 1 },
    { .kind = BG_NN_ADAM,
      .rate = 0.02,
      .beta1 = 0.9,
      .beta2 = 0.99,
      .eps = 1e-8,
      .clip_norm = 0.5,
      .factor = 1,
      .period = 1 },
};

static void
test_optimisers(void)
{
    for (gsize k = 0; k < G_N_ELEMENTS(optimisers); k++) {
        g_autoptr(BgNnParams) params = six_values();
        g_autoptr(GError) error = NULL;
        g_autoptr(BgNnOptimiser) optimiser = bg_nn_optimiser_new(params, &optimisers[k], &error);
        g_assert_no_error(error);
        run_steps(params, optimiser, 0, 20, optimisers[k].rate);
        for (int i = 0; i < N_VALUES; i++)
            g_assert_cmpfloat_with_epsilon(
                (double) bg_nn_tensor_peek(bg_nn_params_get(params, 0))[i], optimiser_numbers[k][i],
                1e-5);
    }
}

// Ten steps, saved, loaded and ten more: the same bits as twenty.
static void
test_resume(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "state.h5", NULL);

    for (gsize k = 0; k < G_N_ELEMENTS(optimisers); k++) {
        g_autoptr(BgNnParams) whole = six_values(), parts = six_values();
        g_autoptr(GError) error = NULL;
        g_autoptr(BgNnOptimiser) a = bg_nn_optimiser_new(whole, &optimisers[k], NULL);
        g_autoptr(BgNnOptimiser) b = bg_nn_optimiser_new(parts, &optimisers[k], NULL);
        g_autoptr(BgNnOptimiser) c = bg_nn_optimiser_new(parts, &optimisers[k], NULL);
        run_steps(whole, a, 0, 20, optimisers[k].rate);
        run_steps(parts, b, 0, 10, optimisers[k].rate);
        g_autoptr(BgH5) out = bg_h5_create(path, TRUE, &error);
        g_assert_true(bg_nn_optimiser_save(b, out, "/optimiser", &error));
        g_assert_true(bg_h5_commit(out, &error));
        g_autoptr(BgH5) in = bg_h5_open(path, &error);
        g_assert_true(bg_nn_optimiser_load(c, in, "/optimiser", &error));
        g_assert_no_error(error);
        run_steps(parts, c, 10, 20, optimisers[k].rate);
        g_assert_cmpmem(bg_nn_tensor_peek(bg_nn_params_get(whole, 0)), N_VALUES * sizeof(float),
                        bg_nn_tensor_peek(bg_nn_params_get(parts, 0)), N_VALUES * sizeof(float));
    }
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_rates(void)
{
    BgNnOptimiserConfig c = bg_nn_optimiser_config(BG_NN_ADAM, 8e-5);

    g_assert_cmpfloat(bg_nn_optimiser_rate(&c, 50), ==, 8e-5);
    c.schedule = BG_NN_RATE_STEP;
    c.period = 8;
    g_assert_cmpfloat(bg_nn_optimiser_rate(&c, 7), ==, 8e-5);
    g_assert_cmpfloat_with_epsilon(bg_nn_optimiser_rate(&c, 17), 2e-5, 1e-18);
    c.schedule = BG_NN_RATE_COSINE;
    c.factor = 0.1;
    g_assert_cmpfloat_with_epsilon(bg_nn_optimiser_rate(&c, 4), 8e-5 * 0.55, 1e-18);
    g_assert_cmpfloat_with_epsilon(bg_nn_optimiser_rate(&c, 80), 8e-6, 1e-18);
    c.least_rate = 1e-5;
    g_assert_cmpfloat(bg_nn_optimiser_rate(&c, 80), ==, 1e-5);
}

static void
test_not_finite(void)
{
    g_autoptr(BgNnParams) params = six_values();
    g_autoptr(BgNnParams) before = bg_nn_params_copy(params, NULL);
    BgNnOptimiserConfig c = bg_nn_optimiser_config(BG_NN_ADAM, 0.1);
    g_autoptr(BgNnOptimiser) optimiser = bg_nn_optimiser_new(params, &c, NULL);
    float g[N_VALUES] = { 1, NAN, 1, 1, 1, 1 }, *gradients[1] = { g };

    g_assert_false(isfinite(bg_nn_optimiser_step(optimiser, gradients, 0.1)));
    g_assert_cmpmem(bg_nn_tensor_peek(bg_nn_params_get(params, 0)), N_VALUES * sizeof(float),
                    bg_nn_tensor_peek(bg_nn_params_get(before, 0)), N_VALUES * sizeof(float));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (int kind = 0; kind < BG_NN_N_LOSSES; kind++) {
        g_autofree char *path =
            g_strdup_printf("/nn-loss/%s", bg_nn_loss_name((BgNnLossKind) kind));
        g_test_add_data_func(path, GINT_TO_POINTER(kind), test_loss);
    }
    g_test_add_func("/nn-loss/small-picture", test_small_picture);
    g_test_add_func("/nn-optimiser/numbers", test_optimisers);
    g_test_add_func("/nn-optimiser/resume", test_resume);
    g_test_add_func("/nn-optimiser/rates", test_rates);
    g_test_add_func("/nn-optimiser/not-finite", test_not_finite);
    return g_test_run();
}
