// SPDX-License-Identifier: Apache-2.0
// Trainings step by step against PyTorch's: the same start, the same pictures, the same losses, of what is learnt from
// and of what is not. The curves of both, one over the other, are drawn beside the test: nn-curve-NETWORK.svg.
#include "../support/bg-fixed-numbers.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-train.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 60
#define SIDE 32
#define AREA ((gsize) SIDE * SIDE)

/** CurveNumbers: @losses: before each step, and after it of the pictures that are not learnt from */
typedef struct {
    const char *network;
    guint n_steps;
    double losses[MOST_STEPS][2];
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

/** Samples: those in validation are the last ones of PyTorch's, whichever they are here */
typedef struct {
    gsize n, n_check, pictures[20];
} Samples;

static gsize
count_samples(gpointer data)
{
    return ((const Samples *) data)->n;
}

static const char *
patient_of(gpointer data, gsize index)
{
    static const char letters[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q\0r\0s\0t";

    return letters + 2 * index;
}

static void
choose_pictures(Samples *samples, double share)
{
    BgNnData data = { count_samples, patient_of, NULL, samples };
    gboolean in_check[G_N_ELEMENTS(samples->pictures)];
    g_autoptr(GError) error = NULL;
    gsize n_check = bg_nn_split_patients(&data, share, 0, in_check, &error);
    gsize learnt = 0, check = samples->n - samples->n_check;

    g_assert_no_error(error);
    g_assert_cmpuint(n_check, ==, samples->n_check);
    for (gsize i = 0; i < samples->n; i++)
        samples->pictures[i] = in_check[i] ? check++ : learnt++;
}

static gboolean
make_case(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
          GError **error)
{
    gsize picture = ((const Samples *) data)->pictures[index];

    memset(targets[0], 0, 4 * AREA * sizeof(float));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            gsize at = (gsize) y * SIDE + (gsize) x;
            for (int c = 0; c < 2; c++)
                inputs[0][(gsize) c * AREA + at] = value_at(picture, c, x, y);
            targets[0][(gsize) class_at(picture, x, y) * AREA + at] = 1.0f;
        }
    return TRUE;
}

static gboolean
make_pair(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
          GError **error)
{
    gsize picture = ((const Samples *) data)->pictures[index];

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 2; c++)
                inputs[c][y * SIDE + x] = targets[c][y * SIDE + x] =
                    0.5f * value_at(picture, c, x, y);
    return TRUE;
}

// One curve; of every step one of a pair of losses, `stride` doubles apart.
static void
add_line(GString *svg, const double *losses, gsize stride, guint n, double top, const char *look)
{
    g_string_append(svg, "<polyline points=\"");
    for (guint e = 0; e < n; e++)
        g_string_append_printf(svg, "%.1f,%.1f ", 60.0 + 620.0 * e / (n - 1),
                               380.0 - 340.0 * losses[e * stride] / top);
    g_string_append_printf(svg, "\" fill=\"none\" %s/>\n", look);
}

static void
draw(const CurveNumbers *numbers, double (*ours)[2])
{
    g_autofree char *name = g_strconcat("nn-curve-", numbers->network, ".svg", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_BUILT, name, NULL);
    g_autoptr(GString) svg = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    guint n = numbers->n_steps;
    double top = 0;

    for (guint e = 0; e < n; e++)
        for (int k = 0; k < 2; k++)
            top = MAX(top, 1.05 * MAX(ours[e][k], numbers->losses[e][k]));
    g_string_printf(svg,
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"420\" "
                    "font-family=\"sans-serif\" font-size=\"12\">\n"
                    "<rect width=\"720\" height=\"420\" fill=\"white\"/>\n"
                    "<path d=\"M60 40V380H680\" fill=\"none\" stroke=\"black\"/>\n"
                    "<text x=\"20\" y=\"44\">%.2f</text><text x=\"40\" y=\"384\">0</text>"
                    "<text x=\"620\" y=\"400\">step %u</text>\n<text x=\"200\" y=\"24\">%s, loss; "
                    "red: bregma, wide and blue: PyTorch; dashed: not learnt from</text>\n",
                    top, n, numbers->network);
    for (int k = 0; k < 2; k++) {
        const char *dash = k == 1 ? " stroke-dasharray=\"5 3\"" : "";
        g_autofree char *wide = g_strconcat("stroke=\"#9bf\" stroke-width=\"5\"", dash, NULL);
        g_autofree char *red = g_strconcat("stroke=\"#c33\"", dash, NULL);
        add_line(svg, &numbers->losses[0][k], 2, n, top, wide);
        add_line(svg, &ours[0][k], 2, n, top, red);
    }
    g_string_append(svg, "</svg>\n");
    g_assert_true(g_file_set_contents(path, svg->str, (gssize) svg->len, &error));
    g_assert_no_error(error);
    g_test_message("curves: %s", path);
}

// All samples are in each batch, so that their order says nothing. Adam's first steps are as long for a
// gradient of next to nothing as for a large one: PyTorch's own float32 leaves its float64, too.
static void
follow(const char *name, BgNnGraph *graph, const BgNnData *data, double rate,
       const double tolerance[2], BgNnTrainConfig *config)
{
    const Samples *samples = data->data;
    const BgNetwork *network = bg_network_find(name, NULL);
    g_autoptr(BgNnParams) params = bg_network_params(network, 0, NULL);
    g_autoptr(GArray) history = NULL;
    g_autoptr(GError) error = NULL;
    const CurveNumbers *numbers = curve_numbers;
    double ours[MOST_STEPS][2];

    while (!g_str_equal(numbers->network, name))
        numbers++;
    fill_fixed(params);
    config->optimiser = bg_nn_optimiser_config(BG_NN_ADAM, rate);
    config->batch = (int) (samples->n - samples->n_check);
    config->n_epochs = (int) numbers->n_steps;
    config->n_workers = 1;
    g_assert_true(
        bg_nn_train(graph, params, data, config, NULL, NULL, NULL, &history, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(history->len, ==, numbers->n_steps);
    for (guint e = 0; e < numbers->n_steps; e++) {
        const BgNnEpoch *epoch = &g_array_index(history, BgNnEpoch, e);
        ours[e][0] = epoch->loss;
        ours[e][1] = epoch->validation;
        double off[2] = { fabs(epoch->loss / numbers->losses[e][0] - 1),
                          fabs(epoch->validation / numbers->losses[e][1] - 1) };
        g_test_message("%s, step %u: %.6f, PyTorch %.6f, off by %.2g; not learnt from %.6f, %.6f, "
                       "off by %.2g",
                       name, e + 1, ours[e][0], numbers->losses[e][0], off[0], ours[e][1],
                       numbers->losses[e][1], off[1]);
        // Nothing has moved before the first; the second is behind one step.
        g_assert_cmpfloat(off[0], <, e == 0 ? 1e-5 : e == 1 ? 1e-4 : tolerance[0]);
        g_assert_cmpfloat(off[1], <, tolerance[1]);
    }
    g_assert_cmpfloat(ours[numbers->n_steps - 1][1], <, ours[0][1]);
    draw(numbers, ours);
}

static void
test_tumour(void)
{
    // The dropout of the bottom would drop others than PyTorch's.
    g_autoptr(BgNnGraph) graph =
        bg_unet_graph(&(BgUnet){ .n_in = 2, .n_out = 4, .width = 32, .n_levels = 4 });
    Samples samples = { .n = 20, .n_check = 4 };
    BgNnData data = { count_samples, patient_of, make_case, &samples };
    BgNnTrainConfig config = { .terms = { { BG_NN_LOSS_CROSS_ENTROPY, 1, 0, 0 } },
                               .n_terms = 1,
                               .inputs = { { 4, { 1, 2, SIDE, SIDE } } },
                               .n_inputs = 1,
                               .n_targets = 1,
                               .validation_share = 0.2 };

    choose_pictures(&samples, config.validation_share);
    follow("unet-brats", graph, &data, 0.0003, (double[]){ 0.005, 0.02 }, &config);
}

static void
test_fusion(void)
{
    g_autoptr(BgNnGraph) graph = bg_funfuse_graph();
    Samples samples = { .n = 6, .n_check = 2 };
    BgNnData data = { count_samples, patient_of, make_pair, &samples };
    BgNnTrainConfig config = {
        .terms = { { BG_NN_LOSS_SSIM, 0.8, 0, 0 },
                   { BG_NN_LOSS_SSIM, 0.8, 0, 1 },
                   { BG_NN_LOSS_L2, 0.2, 0, 0 },
                   { BG_NN_LOSS_L2, 0.2, 0, 1 } },
        .n_terms = 4,
        .inputs = { { 4, { 1, 1, SIDE, SIDE } }, { 4, { 1, 1, SIDE, SIDE } } },
        .n_inputs = 2,
        .n_targets = 2,
        .validation_share = 1.0 / 3.0,
    };

    choose_pictures(&samples, config.validation_share);
    follow("funfuse", graph, &data, 0.001, (double[]){ 0.002, 0.1 }, &config);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nn-curve/tumour", test_tumour);
    g_test_add_func("/nn-curve/fusion", test_fusion);
    return g_test_run();
}
