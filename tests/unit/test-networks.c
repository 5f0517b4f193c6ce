// SPDX-License-Identifier: Apache-2.0
// The networks that bregma knows: how many numbers they have, and what they give, against PyTorch.
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-error.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/nn/bg-nn-tape.h"

#include <math.h>
#include <string.h>

#define N_SAMPLES 8
#define MAX_RELATIVE 1e-4 // of the root mean square of all values

/** NetworkNumbers: eight values of an output, of an input's gradient, or of a parameter's */
typedef struct {
    const char *network, *what;
    int index;
    double rms, values[N_SAMPLES];
} NetworkNumbers;

#include "../reference/network-numbers.h"

static void
compare(const NetworkNumbers *numbers, const double *values, gsize count, guint32 seed,
        double tolerance)
{
    double sum = 0;

    for (gsize i = 0; i < count; i++)
        sum += values[i] * values[i];
    double rms = sqrt(sum / (double) count), worst = fabs(rms - numbers->rms) / numbers->rms;
    for (gsize k = 0; k < N_SAMPLES; k++) {
        gsize at = (gsize) (fixed_number(k, seed) * (double) count);
        double scale = MAX(numbers->rms, fabs(numbers->values[k]));
        worst = MAX(worst, fabs(values[at] - numbers->values[k]) / scale);
    }
    g_test_message("%s %s %d: off by %.2g", numbers->network, numbers->what, numbers->index, worst);
    if (!(worst <= tolerance))
        g_test_fail();
}

static void
compare32(const NetworkNumbers *numbers, const float *values, gsize count, guint32 seed)
{
    g_autofree double *wide = g_new(double, count);

    for (gsize i = 0; i < count; i++)
        wide[i] = (double) values[i];
    compare(numbers, wide, count, seed, MAX_RELATIVE);
}

static const NetworkNumbers *
find(const char *network, const char *what, int index)
{
    for (gsize i = 0; i < G_N_ELEMENTS(network_numbers); i++)
        if (g_str_equal(network_numbers[i].network, network) &&
            g_str_equal(network_numbers[i].what, what) && network_numbers[i].index == index)
            return &network_numbers[i];
    return NULL;
}

/** Trial: a network with the numbers that the script gave it, too */
typedef struct {
    const BgNetwork *network;
    BgNnGraph *graph;
    BgNnParams *params;
    int n_outputs;
    BgNnTensor *inputs[BG_NETWORK_MAX_INPUTS];
} Trial;

static void
trial_init(Trial *t, const BgNetwork *network)
{
    *t = (Trial){ .network = network, .graph = network->graph() };
    t->params = bg_network_params(network, 1, NULL);
    t->n_outputs = bg_nn_graph_count_outputs(t->graph);
    fill_fixed(t->params);
    for (int i = 0; i < network->n_inputs; i++)
        t->inputs[i] = fixed_input(&network->inputs[i], i);
}

static void
trial_clear(Trial *t)
{
    for (int i = 0; i < t->network->n_inputs; i++)
        bg_nn_tensor_unref(t->inputs[i]);
    bg_nn_params_unref(t->params);
    bg_nn_graph_unref(t->graph);
}

static void
check_executor(const Trial *t)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnCpu) cpu =
        bg_nn_cpu_new(t->graph, t->params, t->network->inputs, t->network->n_inputs, NULL, &error);
    g_autofree BgNnTensor **outputs = g_new0(BgNnTensor *, (gsize) t->n_outputs);

    g_assert_no_error(error);
    g_assert_true(bg_nn_cpu_run(cpu, t->inputs, outputs, NULL, NULL, &error));
    for (int k = 0; k < t->n_outputs; k++) {
        const NetworkNumbers *numbers = find(t->network->name, "output", k);
        g_assert_nonnull(numbers);
        compare32(numbers, bg_nn_tensor_peek(outputs[k]), bg_nn_tensor_count(outputs[k]),
                  50 + (guint32) k);
        bg_nn_tensor_unref(outputs[k]);
    }
}

// The tape of float64 gives PyTorch's numbers to 1e-7, at whatever rectifier and pool.
static void
check_reference(const Trial *t)
{
    g_autoptr(BgNnTape64) tape =
        bg_nn_tape64_new(t->graph, t->params, t->network->inputs, t->network->n_inputs, NULL);
    g_autoptr(GPtrArray) arrays = g_ptr_array_new_with_free_func(g_free);
    const double *ins[BG_NETWORK_MAX_INPUTS], *factors[2 * BG_NETWORK_MAX_INPUTS];

    for (int i = 0; i < t->network->n_inputs; i++) {
        gsize count = bg_nn_tensor_count(t->inputs[i]);
        double *in = g_new(double, count);
        for (gsize k = 0; k < count; k++)
            in[k] = (double) bg_nn_tensor_peek(t->inputs[i])[k];
        ins[i] = in;
        g_ptr_array_add(arrays, in);
    }
    g_assert_true(bg_nn_tape64_forward(tape, ins, FALSE, 0, NULL, NULL));
    for (int k = 0; k < t->n_outputs; k++) {
        int layer = bg_nn_graph_get_output(t->graph, k);
        gsize count = bg_nn_shape_count(bg_nn_tape64_get_shape(tape, layer));
        double *factor = g_new(double, count);
        for (gsize i = 0; i < count; i++)
            factor[i] = fixed_number(i, 70 + (guint32) k) - 0.5;
        factors[k] = factor;
        g_ptr_array_add(arrays, factor);
        compare(find(t->network->name, "output", k), bg_nn_tape64_get(tape, layer), count,
                50 + (guint32) k, 1e-7);
    }
    g_assert_true(bg_nn_tape64_backward(tape, factors, NULL, NULL));
    compare(find(t->network->name, "input", 0), bg_nn_tape64_get_input_gradient(tape, 0),
            bg_nn_tensor_count(t->inputs[0]), 90, 1e-7);
    for (int p = 0; p < bg_nn_params_count(t->params); p++) {
        const NetworkNumbers *numbers = find(t->network->name, "gradient", p);
        if (numbers != NULL)
            compare(numbers, bg_nn_tape64_get_gradient(tape, p),
                    bg_nn_tensor_count(bg_nn_params_get(t->params, p)), 91, 1e-7);
    }
}

// In float32 a rectifier whose input is next to nothing may decide the other way, and with it a
// whole gradient: only networks without many of those are compared.
static void
check_gradients(const Trial *t)
{
    g_autoptr(BgNnTape32) tape =
        bg_nn_tape32_new(t->graph, t->params, t->network->inputs, t->network->n_inputs, NULL);
    const float *ins[BG_NETWORK_MAX_INPUTS];
    g_autoptr(GPtrArray) factors = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < t->network->n_inputs; i++)
        ins[i] = bg_nn_tensor_peek(t->inputs[i]);
    for (int k = 0; k < t->n_outputs; k++) {
        int layer = bg_nn_graph_get_output(t->graph, k);
        gsize count = bg_nn_shape_count(bg_nn_tape32_get_shape(tape, layer));
        float *factor = g_new(float, count);
        for (gsize i = 0; i < count; i++)
            factor[i] = (float) (fixed_number(i, 70 + (guint32) k) - 0.5);
        g_ptr_array_add(factors, factor);
    }
    g_assert_true(bg_nn_tape32_forward(tape, ins, FALSE, 0, NULL, NULL));
    g_assert_true(bg_nn_tape32_backward(tape, (const float *const *) factors->pdata, NULL, NULL));
    compare32(find(t->network->name, "input", 0), bg_nn_tape32_get_input_gradient(tape, 0),
              bg_nn_tensor_count(t->inputs[0]), 90);
    for (int p = 0; p < bg_nn_params_count(t->params); p++) {
        const NetworkNumbers *numbers = find(t->network->name, "gradient", p);
        if (numbers != NULL)
            compare32(numbers, bg_nn_tape32_get_gradient(tape, p),
                      bg_nn_tensor_count(bg_nn_params_get(t->params, p)), 91);
    }
}

static void
test_network(gconstpointer data)
{
    static const char *const smooth[] = { "tfgan-discriminator", "funfuse",
                                          "patch-cnn",           "scatter",
                                          "patch-dual",          "patch-two-path",
                                          "lesion-unet",         NULL };
    const BgNetwork *network = data;
    gboolean divides = g_str_equal(network->name, "funfusean"); // by next to nothing: float64 only
    Trial t;

    trial_init(&t, network);
    if (!divides)
        check_executor(&t);
    if (divides || g_getenv("BREGMA_TEST_LONG") != NULL)
        check_reference(&t);
    if (g_strv_contains(smooth, network->name))
        check_gradients(&t);
    trial_clear(&t);
}

static gsize
count_values(const BgNetwork *network)
{
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autofree BgNnShape *shapes =
        bg_nn_graph_infer(graph, network->inputs, network->n_inputs, NULL);
    gsize sum = 0;

    for (int i = 0; i < bg_nn_graph_count(graph); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, i);
        BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
        int n = layer->n_inputs == 0
                    ? 0
                    : bg_nn_layer_list_params(layer, &shapes[layer->inputs[0]], infos);
        for (int k = 0; k < n; k++)
            if (bg_nn_role_is_trained(infos[k].role))
                sum += bg_nn_shape_count(&infos[k].shape);
    }
    return sum;
}

static void
test_counts(void)
{
    for (int i = 0; bg_network_at(i) != NULL; i++) {
        const BgNetwork *network = bg_network_at(i);
        gsize count = count_values(network);
        g_test_message("%s: %" G_GSIZE_FORMAT, network->name, count);
        g_assert_cmpuint(count, ==, network->n_values);
    }
    // Those that others published.
    static const gsize published[] = { 7759908, 15172099, 12961025, 900933, 71177 };
    for (gsize k = 0; k < G_N_ELEMENTS(published); k++) {
        gboolean found = FALSE;
        for (int i = 0; bg_network_at(i) != NULL; i++)
            found = found || bg_network_at(i)->n_values == published[k];
        g_assert_true(found);
    }
}

static void
test_unknown(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_network_find("resnet", &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "unet-brats"));
}

// The weights that the authors of the patch network published, and the values that another program
// computed with them (Theano's convolution: kernels flipped).
static void
test_patch_weights(void)
{
    static const double softmax[5] = { 0.787526544, 0.000461875, 0.182800938, 0.021672007,
                                       0.007538635 };
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path = shared == NULL ? NULL
                                           : g_build_filename(shared, "weights", "s3_patch_cnn",
                                                              "6th_epoch60k.hdf5", NULL);
    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("no weights");
        return;
    }
    const BgNetwork *network = bg_network_find("patch-cnn", NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnParams) params = bg_network_load(network, graph, path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgNnTensor) patch = bg_nn_tensor_new(&network->inputs[0], NULL);
    for (gsize i = 0; i < bg_nn_tensor_count(patch); i++)
        bg_nn_tensor_data(patch)[i] = (float) ((double) i / 4356.0);
    g_autoptr(BgNnCpu) cpu = bg_nn_cpu_new(graph, params, network->inputs, 1, NULL, &error);
    g_autoptr(BgNnTensor) out = NULL;
    g_assert_true(bg_nn_cpu_run(cpu, &patch, &out, NULL, NULL, &error));
    for (int c = 0; c < 5; c++)
        g_assert_cmpfloat_with_epsilon((double) bg_nn_tensor_peek(out)[c], softmax[c], 1e-5);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; bg_network_at(i) != NULL; i++) {
        g_autofree char *path = g_strdup_printf("/networks/%s", bg_network_at(i)->name);
        g_test_add_data_func(path, bg_network_at(i), test_network);
    }
    g_test_add_func("/networks/counts", test_counts);
    g_test_add_func("/networks/unknown", test_unknown);
    g_test_add_func("/networks/patch-weights", test_patch_weights);
    return g_test_run();
}
