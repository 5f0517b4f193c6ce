// SPDX-License-Identifier: Apache-2.0
// Trainings step by step against PyTorch's: the same start, the same pictures, the same losses.
#include "../support/bg-fixed-numbers.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-train.h"

#include <math.h>
#include <string.h>

#define N_STEPS 10
#define SIDE 32
#define AREA ((gsize) SIDE * SIDE)
#define N_CASES 16
#define N_PAIRS 4

typedef struct {
    const char *network;
    double losses[N_STEPS];
} CurveNumbers;

#include "../reference/curve-numbers.h"

// Discs in discs, noisy, as in make-curve-numbers.py.
static int
class_at(gsize index, int x, int y)
{
    double u = fixed_number(3 * index, 500) * SIDE, v = fixed_number(3 * index + 1, 500) * SIDE;
    double radius = (0.2 + 0.3 * fixed_number(3 * index + 2, 500)) * SIDE;
    double part = sqrt((x - u) * (x - u) + (y - v) * (y - v)) / radius;

    return part < 0.35 ? 3 : part < 0.6 ? 1 : part < 1.0 ? 2 : 0;
}

static float
value_at(gsize index, int contrast, int x, int y)
{
    static const double shades[4][2] = { { 0.1, 0.2 }, { 0.5, 0.9 }, { 0.9, 0.4 }, { 0.6, 1.4 } };
    gsize at = (index * 2 + (gsize) contrast) * AREA + (gsize) y * SIDE + (gsize) x;

    return (float) (shades[class_at(index, x, y)][contrast] + 0.3 * (fixed_number(at, 501) - 0.5));
}

static gsize
count_cases(gpointer data)
{
    return N_CASES;
}

static gboolean
make_case(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
          GError **error)
{
    memset(targets[0], 0, 4 * AREA * sizeof(float));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            gsize at = (gsize) y * SIDE + (gsize) x;
            for (int c = 0; c < 2; c++)
                inputs[0][(gsize) c * AREA + at] = value_at(index, c, x, y);
            targets[0][(gsize) class_at(index, x, y) * AREA + at] = 1.0f;
        }
    return TRUE;
}

static gsize
count_pairs(gpointer data)
{
    return N_PAIRS;
}

static gboolean
make_pair(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
          GError **error)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 2; c++)
                inputs[c][y * SIDE + x] = targets[c][y * SIDE + x] =
                    0.5f * value_at(index, c, x, y);
    return TRUE;
}

// All samples are in each batch, so that their order says nothing. Adam's first steps are as long for a
// gradient of next to nothing as for a large one: PyTorch's own float32 leaves its float64, too.
static void
follow(const char *name, BgNnGraph *graph, const BgNnData *data, double rate, double tolerance,
       BgNnTrainConfig *config)
{
    const BgNetwork *network = bg_network_find(name, NULL);
    g_autoptr(BgNnParams) params = bg_network_params(network, 0, NULL);
    g_autoptr(GArray) history = NULL;
    g_autoptr(GError) error = NULL;
    const CurveNumbers *numbers = curve_numbers;

    while (!g_str_equal(numbers->network, name))
        numbers++;
    fill_fixed(params);
    config->optimiser = bg_nn_optimiser_config(BG_NN_ADAM, rate);
    config->batch = (int) data->count(data->data);
    config->n_epochs = N_STEPS;
    config->n_workers = 1;
    g_assert_true(
        bg_nn_train(graph, params, data, config, NULL, NULL, NULL, &history, NULL, NULL, &error));
    g_assert_no_error(error);
    for (guint e = 0; e < N_STEPS; e++) {
        const BgNnEpoch *epoch = &g_array_index(history, BgNnEpoch, e);
        double off = fabs(epoch->loss / numbers->losses[e] - 1);
        g_test_message("%s, step %u: %.6f, PyTorch %.6f, off by %.2g", name, e + 1, epoch->loss,
                       numbers->losses[e], off);
        // Nothing has moved before the first; the second is behind one step.
        g_assert_cmpfloat(off, <, e == 0 ? 1e-5 : e == 1 ? 1e-4 : tolerance);
    }
}

static void
test_tumour(void)
{
    // The dropout of the bottom would drop others than PyTorch's.
    g_autoptr(BgNnGraph) graph =
        bg_unet_graph(&(BgUnet){ .n_in = 2, .n_out = 4, .width = 32, .n_levels = 4 });
    BgNnData data = { count_cases, NULL, make_case, NULL };
    BgNnTrainConfig config = { .terms = { { BG_NN_LOSS_CROSS_ENTROPY, 1, 0, 0 } },
                               .n_terms = 1,
                               .inputs = { { 4, { 1, 2, SIDE, SIDE } } },
                               .n_inputs = 1,
                               .n_targets = 1 };

    follow("unet-brats", graph, &data, 0.0003, 0.02, &config);
}

static void
test_fusion(void)
{
    g_autoptr(BgNnGraph) graph = bg_funfuse_graph();
    BgNnData data = { count_pairs, NULL, make_pair, NULL };
    BgNnTrainConfig config = {
        .terms = { { BG_NN_LOSS_SSIM, 0.8, 0, 0 },
                   { BG_NN_LOSS_SSIM, 0.8, 0, 1 },
                   { BG_NN_LOSS_L2, 0.2, 0, 0 },
                   { BG_NN_LOSS_L2, 0.2, 0, 1 } },
        .n_terms = 4,
        .inputs = { { 4, { 1, 1, SIDE, SIDE } }, { 4, { 1, 1, SIDE, SIDE } } },
        .n_inputs = 2,
        .n_targets = 2,
    };

    follow("funfuse", graph, &data, 0.001, 0.001, &config);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nn-curve/tumour", test_tumour);
    g_test_add_func("/nn-curve/fusion", test_fusion);
    return g_test_run();
}
