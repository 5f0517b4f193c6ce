// SPDX-License-Identifier: Apache-2.0
// Every kind of layer over a table of odd sizes: the CPU's executor and the float32 tape against the
// float64 reference, and the reference's gradients against central differences.
#include "../support/bg-nn-rows.h"
#include "core/base/bg-error.h"
#include "core/base/bg-random.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/nn/bg-nn-op.h"
#include "core/nn/bg-nn-tape.h"

#include <math.h>
#include <string.h>

#define MAX_NMSE 1e-10       // of float32 against float64
#define MAX_NMSE_BFLOAT 1e-5 // both factors rounded by 2^-9 at most: 2 * (2^-9)^2 / 3 on average
#define STEP 1e-5            // of the central differences
#define MAX_SLOPE_ERROR 2e-7

/** Case: one row at one size */
typedef struct {
    const Row *row;
    BgNnGraph *graph;
    BgNnParams *params;
    int n_inputs, layer;
    BgNnShape shapes[BG_NN_MAX_INPUTS];
    BgNnTensor *in32[BG_NN_MAX_INPUTS];
    double *in64[BG_NN_MAX_INPUTS];
    gboolean training;
} Case;

// Away from zero, where rectifiers have no slope.
static double
draw(BgRandom *random)
{
    double value = bg_random_normal(random);

    return value + (value < 0 ? -0.01 : 0.01);
}

static void
case_init(Case *c, const Row *row, int size)
{
    BgRandom random = bg_random(7, (guint64) (row - rows) * 4 + (guint64) size);
    g_autoptr(GError) error = NULL;

    *c = (Case){ .row = row };
    c->training = row->layer.kind == BG_NN_BATCH_NORM || row->layer.kind == BG_NN_DROPOUT;
    c->graph = row_graph(row, size, c->shapes, &c->n_inputs, &c->layer);
    for (int i = 0; i < c->n_inputs; i++) {
        c->in32[i] = bg_nn_tensor_new(&c->shapes[i], &error);
        gsize count = bg_nn_tensor_count(c->in32[i]);
        c->in64[i] = g_new(double, count);
        for (gsize k = 0; k < count; k++)
            c->in64[i][k] = (double) (bg_nn_tensor_data(c->in32[i])[k] = (float) draw(&random));
    }
    c->params = bg_nn_params_new(c->graph, c->shapes, c->n_inputs, BG_NN_INIT_HE, 0, 3, &error);
    g_assert_no_error(error);
    for (int p = 0; p < bg_nn_params_count(c->params); p++) {
        BgNnTensor *tensor = bg_nn_params_get(c->params, p);
        for (gsize k = 0; k < bg_nn_tensor_count(tensor); k++) // no plain zeros and ones
            bg_nn_tensor_data(tensor)[k] += 0.25f * (float) bg_random_uniform(&random);
    }
}

static void
case_clear(Case *c)
{
    for (int i = 0; i < c->n_inputs; i++) {
        bg_nn_tensor_unref(c->in32[i]);
        g_free(c->in64[i]);
    }
    bg_nn_params_unref(c->params);
    bg_nn_graph_unref(c->graph);
}

static double
nmse(const float *a, const double *b, gsize count)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < count; i++) {
        error += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        power += b[i] * b[i];
    }
    return error <= 1e-24 ? 0 : error / power;
}

static void
assert_nmse(const Case *c, const char *what, const float *a, const double *b, gsize count)
{
    double found = nmse(a, b, count);

    if (!(found <= MAX_NMSE)) {
        g_autofree char *shape = bg_nn_shape_to_string(&c->shapes[0]);
        g_test_message("%s at %s: %s: NMSE %g", c->row->name, shape, what, found);
        g_test_fail();
    }
}

static BgNnTape64 *
reference(Case *c, gboolean training)
{
    g_autoptr(GError) error = NULL;
    BgNnTape64 *tape = bg_nn_tape64_new(c->graph, c->params, c->shapes, c->n_inputs, &error);

    g_assert_no_error(error);
    g_assert_true(
        bg_nn_tape64_forward(tape, (const double *const *) c->in64, training, 5, NULL, &error));
    return tape;
}

static void
check_executor(Case *c)
{
    g_autoptr(BgNnTape64) tape = reference(c, FALSE);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnTensor) out = NULL;
    g_autoptr(BgNnCpu) cpu =
        bg_nn_cpu_new(c->graph, c->params, c->shapes, c->n_inputs, NULL, &error);

    g_assert_no_error(error);
    g_assert_true(bg_nn_cpu_run(cpu, c->in32, &out, NULL, NULL, &error));
    g_assert_true(
        bg_nn_shape_equal(bg_nn_tensor_get_shape(out), bg_nn_tape64_get_shape(tape, c->layer)));
    assert_nmse(c, "executor", bg_nn_tensor_peek(out), bg_nn_tape64_get(tape, c->layer),
                bg_nn_tensor_count(out));
}

static float
rounded(float value)
{
    return bg_nn_from_bf16(bg_nn_to_bf16(value));
}

static void
round_all(Case *c)
{
    for (int p = 0; p < bg_nn_params_count(c->params); p++) {
        BgNnTensor *tensor = bg_nn_params_get(c->params, p);
        float *data = bg_nn_tensor_data(tensor);
        for (gsize k = 0; k < bg_nn_tensor_count(tensor); k++)
            data[k] = rounded(data[k]);
    }
    for (int i = 0; i < c->n_inputs; i++) {
        float *data = bg_nn_tensor_data(c->in32[i]);
        for (gsize k = 0; k < bg_nn_tensor_count(c->in32[i]); k++)
            c->in64[i][k] = (double) (data[k] = rounded(data[k]));
    }
}

static gboolean
is_for_bfloat(const Case *c)
{
    const BgNnLayer *layer = bg_nn_graph_get(c->graph, c->layer);
    gboolean is = layer->groups <= 1 && c->row->channels % 8 == 0 && layer->channels % 8 == 0 &&
                  c->row->n_space >= 2;

    for (int k = 0; k < 3; k++)
        is = is && layer->stride[k] <= 1;
    return is;
}

// Factors of eight bits already: what is left are the sums. Otherwise the rounding shows, but no more.
static void
check_bfloat(Case *c)
{
    BgNnCpuOptions options = { .precision = BG_NN_BFLOAT16 };
    const BgNnLayer *layer = bg_nn_graph_get(c->graph, c->layer);
    g_autoptr(GError) error = NULL;

    if (layer->kind != BG_NN_CONV || layer->spectral_norm)
        return;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            round_all(c);
        g_autoptr(BgNnTape64) tape = reference(c, FALSE);
        g_autoptr(BgNnTensor) out = NULL;
        g_autoptr(BgNnCpu) cpu =
            bg_nn_cpu_new(c->graph, c->params, c->shapes, c->n_inputs, &options, &error);
        g_assert_no_error(error);
        g_assert_true(bg_nn_cpu_run(cpu, c->in32, &out, NULL, NULL, &error));
        double found =
            nmse(bg_nn_tensor_peek(out), bg_nn_tape64_get(tape, c->layer), bg_nn_tensor_count(out));
        gboolean coarse = is_for_bfloat(c) && pass == 0;
        if (found > (coarse ? MAX_NMSE_BFLOAT : MAX_NMSE) || (coarse && found < MAX_NMSE)) {
            g_test_message("%s: %s: NMSE %g", c->row->name, pass == 1 ? "rounded" : "bfloat16",
                           found);
            g_test_fail();
        }
    }
}

// The loss of these tests: the sum of outputs times fixed numbers.
static double *
make_factors(gsize count)
{
    BgRandom random = bg_random(11, 0);
    double *factors = g_new(double, count);

    for (gsize i = 0; i < count; i++)
        factors[i] = (double) (float) bg_random_normal(&random);
    return factors;
}

static void
check_float_tape(Case *c, BgNnTape64 *tape64, const double *factors, gsize count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnParams) params = bg_nn_params_copy(c->params, NULL);
    g_autoptr(BgNnTape32) tape = bg_nn_tape32_new(c->graph, params, c->shapes, c->n_inputs, &error);
    g_autofree float *factors32 = g_new(float, count);
    const float *ins[BG_NN_MAX_INPUTS], *d_out = factors32;

    g_assert_no_error(error);
    for (gsize i = 0; i < count; i++)
        factors32[i] = (float) factors[i];
    for (int i = 0; i < c->n_inputs; i++)
        ins[i] = bg_nn_tensor_peek(c->in32[i]);
    g_assert_true(bg_nn_tape32_forward(tape, ins, c->training, 5, NULL, &error));
    g_assert_true(bg_nn_tape32_backward(tape, &d_out, NULL, &error));
    assert_nmse(c, "tape", bg_nn_tape32_get(tape, c->layer), bg_nn_tape64_get(tape64, c->layer),
                count);
    for (int i = 0; i < c->n_inputs; i++)
        assert_nmse(c, "input gradient", bg_nn_tape32_get_input_gradient(tape, i),
                    bg_nn_tape64_get_input_gradient(tape64, i), bg_nn_tensor_count(c->in32[i]));
    for (int p = 0; p < bg_nn_params_count(params); p++) {
        gsize n = bg_nn_tensor_count(bg_nn_params_get(params, p));
        if (bg_nn_tape32_get_gradient(tape, p) != NULL)
            assert_nmse(c, bg_nn_params_get_name(params, p), bg_nn_tape32_get_gradient(tape, p),
                        bg_nn_tape64_get_gradient(tape64, p), n);
        assert_nmse(c, "value after", bg_nn_tape32_get_param(tape, p),
                    bg_nn_tape64_get_param(tape64, p), n);
    }
}

static double
loss_at(Case *c, BgNnTape64 *tape, const double *factors, gsize count)
{
    double sum = 0;

    g_assert_true(
        bg_nn_tape64_forward(tape, (const double *const *) c->in64, c->training, 5, NULL, NULL));
    for (gsize i = 0; i < count; i++)
        sum += factors[i] * bg_nn_tape64_get(tape, c->layer)[i];
    return sum;
}

static void
check_slopes(Case *c, const char *what, BgNnTape64 *tape, const double *factors, gsize count,
             double *values, const double *gradient, gsize n)
{
    BgRandom random = bg_random(13, n);
    double most = 1;

    for (gsize i = 0; i < n; i++)
        most = MAX(most, fabs(gradient[i]));
    for (int k = 0; k < (count > 10000 ? 1 : 4); k++) {
        gsize at = bg_random_below(&random, n);
        double kept = values[at];
        values[at] = kept + STEP;
        double above = loss_at(c, tape, factors, count);
        values[at] = kept - STEP;
        double below = loss_at(c, tape, factors, count);
        values[at] = kept;
        double slope = (above - below) / (2 * STEP);
        if (!(fabs(slope - gradient[at]) <= MAX_SLOPE_ERROR * most * (1 + sqrt((double) count)))) {
            g_test_message("%s: %s: slope %.10g, gradient %.10g", c->row->name, what, slope,
                           gradient[at]);
            g_test_fail();
        }
    }
}

static void
check_gradients(Case *c)
{
    g_autoptr(BgNnTape64) tape = reference(c, c->training);
    gsize count = bg_nn_shape_count(bg_nn_tape64_get_shape(tape, c->layer));
    g_autofree double *factors = make_factors(count);
    const double *d_out = factors;

    g_assert_true(bg_nn_tape64_backward(tape, &d_out, NULL, NULL));
    check_float_tape(c, tape, factors, count);
    for (int i = 0; i < c->n_inputs; i++)
        check_slopes(c, "input", tape, factors, count, c->in64[i],
                     bg_nn_tape64_get_input_gradient(tape, i), bg_nn_tensor_count(c->in32[i]));
    for (int p = 0; p < bg_nn_params_count(c->params); p++)
        if (bg_nn_tape64_get_gradient(tape, p) != NULL)
            check_slopes(c, bg_nn_params_get_name(c->params, p), tape, factors, count,
                         bg_nn_tape64_get_param(tape, p), bg_nn_tape64_get_gradient(tape, p),
                         bg_nn_tensor_count(bg_nn_params_get(c->params, p)));
}

static int n_cases;

static void
test_row(gconstpointer data)
{
    const Row *row = data;

    for (int size = 0; size < 3 && row->sizes[size][2] != 0; size++) {
        Case c;
        case_init(&c, row, size);
        check_executor(&c);
        check_gradients(&c);
        check_bfloat(&c);
        case_clear(&c);
        n_cases++;
    }
}

static void
test_enough(void)
{
    if (n_cases != 0) // when all rows ran
        g_assert_cmpint(n_cases, >=, 150);
}

// ------------------------------------------------------------------------------------------------

static void
assert_refused(BgNnGraph *graph, BgNnShape shape, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree BgNnShape *shapes = bg_nn_graph_infer(graph, &shape, 1, &error);

    g_assert_null(shapes);
    g_assert_error(error, BG_ERROR, code);
    g_assert_nonnull(strstr(error->message, text));
}

static void
test_refused(void)
{
    g_autoptr(BgNnGraph) graph = bg_nn_graph_new("bad");
    int x = bg_nn_graph_input(graph, "in", 4, 2);
    int big = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_CONV,
                                                   .name = "valid",
                                                   .inputs = { x },
                                                   .n_inputs = 1,
                                                   .channels = 8,
                                                   .kernel = { 5, 5 } });
    bg_nn_graph_add_output(graph, bg_nn_graph_binary(graph, BG_NN_CONCAT, "join", x, big));
    assert_refused(graph, bg_nn_shape(1, 4, 2, 1, 4, 9), BG_ERROR_MISMATCH, "valid");
    assert_refused(graph, bg_nn_shape(1, 4, 2, 1, 9, 9), BG_ERROR_MISMATCH, "join");
    assert_refused(graph, bg_nn_shape(1, 3, 2, 1, 9, 9), BG_ERROR_MISMATCH, "\"in\"");
    assert_refused(graph, bg_nn_shape(1, 4, 3, 9, 9, 9), BG_ERROR_MISMATCH, "\"in\"");

    g_autoptr(BgNnGraph) twice = bg_nn_graph_new("twice");
    x = bg_nn_graph_input(twice, "in", 4, 2);
    x = bg_nn_graph_unary(twice, BG_NN_RELU, "same", x);
    bg_nn_graph_add_output(twice, bg_nn_graph_unary(twice, BG_NN_RELU, "same", x));
    assert_refused(twice, bg_nn_shape(1, 4, 2, 1, 9, 9), BG_ERROR_INVALID, "same");
}

// What is written as JSON is read back as the same network.
static void
test_json(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Case c;
        case_init(&c, &rows[i], 0);
        g_autoptr(GError) error = NULL;
        g_autoptr(BgJson) json = bg_nn_graph_to_json(c.graph);
        g_autofree char *text = bg_json_print(json, FALSE);
        g_autoptr(BgJson) parsed = bg_json_parse(text, -1, &error);
        g_autoptr(BgNnGraph) again = bg_nn_graph_new_from_json(parsed, &error);
        g_assert_no_error(error);
        g_autoptr(BgJson) json2 = bg_nn_graph_to_json(again);
        g_autofree char *text2 = bg_json_print(json2, FALSE);
        g_assert_cmpstr(text, ==, text2);
        BgNnLayer a = *bg_nn_graph_get(c.graph, c.layer), b = *bg_nn_graph_get(again, c.layer);
        a.name = b.name = NULL;
        g_assert_cmpmem(&a, sizeof a, &b, sizeof b);
        case_clear(&c);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/nn-layers/%s", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/nn-layers/zz-enough", test_enough);
    g_test_add_func("/nn-layers/refused", test_refused);
    g_test_add_func("/nn-layers/json", test_json);
    return g_test_run();
}
