// SPDX-License-Identifier: Apache-2.0
// Each kind of layer in the float64 reference, which all executors are measured by, against PyTorch's numbers.
#include "../support/bg-fixed-numbers.h"
#include "../support/bg-nn-rows.h"
#include "core/nn/bg-nn-tape.h"

#define N_SAMPLES 4
#define MAX_ERROR 1e-9 // of the root mean square

/** LayerNumbers: of the result and of its first input's gradient: root mean square, then some elements */
typedef struct {
    const char *name;
    double result[1 + N_SAMPLES], gradient[1 + N_SAMPLES];
} LayerNumbers;

#include "../reference/layer-numbers.h"

static void
compare(const char *what, const double *values, gsize count, guint32 seed, const double *numbers)
{
    double sum = 0;

    for (gsize i = 0; i < count; i++)
        sum += values[i] * values[i];
    for (gsize k = 0; k <= N_SAMPLES; k++) {
        double found = k == 0 ? sqrt(sum / (double) count)
                              : values[(gsize) (fixed_number(k - 1, seed) * (double) count)];
        if (!(fabs(found - numbers[k]) <= MAX_ERROR * numbers[0])) {
            g_test_message("%s: %.12g, PyTorch %.12g", what, found, numbers[k]);
            g_test_fail();
        }
    }
}

static void
test_row(gconstpointer data)
{
    const LayerNumbers *numbers = data;
    const Row *row = rows;
    BgNnShape shapes[BG_NN_MAX_INPUTS];
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    double *inputs[BG_NN_MAX_INPUTS];
    int n_inputs, layer;
    g_autoptr(GError) error = NULL;

    while (!g_str_equal(row->name, numbers->name))
        row++;
    g_autoptr(BgNnGraph) graph = row_graph(row, 0, shapes, &n_inputs, &layer);
    g_autoptr(BgNnParams) params =
        bg_nn_params_new(graph, shapes, n_inputs, BG_NN_INIT_HE, 0, 0, &error);
    g_assert_no_error(error);
    fill_fixed(params);
    for (int i = 0; i < n_inputs; i++) {
        g_autoptr(BgNnTensor) tensor = fixed_input(&shapes[i], i);
        inputs[i] = g_new(double, bg_nn_tensor_count(tensor));
        g_ptr_array_add(owned, inputs[i]);
        for (gsize k = 0; k < bg_nn_tensor_count(tensor); k++)
            inputs[i][k] = (double) bg_nn_tensor_peek(tensor)[k];
    }
    g_autoptr(BgNnTape64) tape = bg_nn_tape64_new(graph, params, shapes, n_inputs, &error);
    g_assert_no_error(error);
    g_assert_true(
        bg_nn_tape64_forward(tape, (const double *const *) inputs, FALSE, 0, NULL, &error));
    gsize count = bg_nn_shape_count(bg_nn_tape64_get_shape(tape, layer));
    compare("result", bg_nn_tape64_get(tape, layer), count, 50, numbers->result);
    double *factors = g_new(double, count);
    const double *d_out = factors;
    g_ptr_array_add(owned, factors);
    for (gsize i = 0; i < count; i++)
        factors[i] = fixed_number(i, 70) - 0.5;
    g_assert_true(bg_nn_tape64_backward(tape, &d_out, NULL, &error));
    compare("gradient", bg_nn_tape64_get_input_gradient(tape, 0), bg_nn_shape_count(&shapes[0]), 90,
            numbers->gradient);
}

// Every row has its numbers.
static void
test_all(void)
{
    g_assert_cmpuint(G_N_ELEMENTS(layer_numbers), ==, G_N_ELEMENTS(rows));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(layer_numbers[i].name, ==, rows[i].name);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nn-numbers/all", test_all);
    for (gsize i = 0; i < G_N_ELEMENTS(layer_numbers); i++) {
        g_autofree char *path = g_strdup_printf("/nn-numbers/%s", layer_numbers[i].name);
        g_test_add_data_func(path, &layer_numbers[i], test_row);
    }
    return g_test_run();
}
