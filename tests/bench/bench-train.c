// SPDX-License-Identifier: Apache-2.0
// One training step, forward and backward, random weights: network, batch, size, ms, GFLOP/s.
// Medians of five. bench-train serve: reads names, writes the milliseconds of one step of each.
#include "../support/bg-fixed-numbers.h"
#include "core/learn/bg-networks.h"
#include "core/nn/bg-nn-cpu.h"
#include "core/nn/bg-nn-tape.h"

#include <stdio.h>
#include <string.h>

#define N_RUNS 5

typedef struct {
    const char *name, *network;
    gsize batch, sizes[3];
} Job;

static const Job jobs[] = {
    { "funfuse-b4-128", "funfuse", 4, { 1, 128, 128 } },
    { "unet-b2-128", "unet-brats", 2, { 1, 128, 128 } },
    { "scatter-b2-128", "scatter", 2, { 1, 128, 128 } },
    { "vnet-b1-32", "vnet", 1, { 32, 32, 32 } },
};

typedef struct {
    const Job *job;
    BgNnTape32 *tape;
    BgNnTensor *inputs[BG_NETWORK_MAX_INPUTS];
    int n_inputs;
    float *d_out;
    double flop;
} Ready;

static gboolean
prepare(Ready *ready, const Job *job)
{
    const BgNetwork *network = bg_network_find(job->network, NULL);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 1, NULL);
    BgNnShape shapes[BG_NETWORK_MAX_INPUTS];
    g_autoptr(GError) error = NULL;

    *ready = (Ready){ .job = job, .n_inputs = network->n_inputs };
    fill_fixed(params);
    for (int i = 0; i < network->n_inputs; i++) {
        shapes[i] = network->inputs[i];
        shapes[i].dims[0] = job->batch;
        int n_space = shapes[i].rank - 2;
        for (int k = 0; k < n_space; k++)
            shapes[i].dims[2 + k] = job->sizes[3 - n_space + k];
        ready->inputs[i] = fixed_input(&shapes[i], i);
    }
    g_autoptr(BgNnCpu) cpu = bg_nn_cpu_new(graph, params, shapes, network->n_inputs, NULL, &error);
    ready->tape =
        cpu == NULL ? NULL : bg_nn_tape32_new(graph, params, shapes, network->n_inputs, &error);
    if (ready->tape == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return FALSE;
    }
    bg_nn_tape32_leave_inputs(ready->tape);    // as PyTorch, which is not asked for them
    ready->flop = 3 * bg_nn_cpu_get_flop(cpu); // forward, to the data, to the weights
    gsize count =
        bg_nn_shape_count(bg_nn_tape32_get_shape(ready->tape, bg_nn_graph_get_output(graph, 0)));
    ready->d_out = g_new(float, count);
    for (gsize i = 0; i < count; i++)
        ready->d_out[i] = (float) (fixed_number(i, 70) - 0.5);
    return TRUE;
}

static double
run(Ready *ready)
{
    const float *inputs[BG_NETWORK_MAX_INPUTS], *d_out = ready->d_out;
    gint64 start = g_get_monotonic_time();

    for (int i = 0; i < ready->n_inputs; i++)
        inputs[i] = bg_nn_tensor_peek(ready->inputs[i]);
    bg_nn_tape32_clear_gradients(ready->tape);
    bg_nn_tape32_forward(ready->tape, inputs, TRUE, 1, NULL, NULL);
    bg_nn_tape32_backward(ready->tape, &d_out, NULL, NULL);
    return (double) (g_get_monotonic_time() - start) / 1000.0;
}

static void
ready_clear(Ready *ready)
{
    for (int i = 0; i < BG_NETWORK_MAX_INPUTS; i++)
        g_clear_pointer(&ready->inputs[i], bg_nn_tensor_unref);
    g_clear_pointer(&ready->tape, bg_nn_tape32_free);
    g_clear_pointer(&ready->d_out, g_free);
}

static int
compare(const void *a, const void *b)
{
    return *(const double *) a < *(const double *) b ? -1 : 1;
}

static void
report(const char *only)
{
    for (gsize i = 0; i < G_N_ELEMENTS(jobs); i++) {
        Ready ready;
        double ms[N_RUNS];
        if ((only != NULL && !g_str_equal(only, jobs[i].name)) || !prepare(&ready, &jobs[i]))
            continue;
        run(&ready);
        for (int k = 0; k < N_RUNS; k++)
            ms[k] = run(&ready);
        qsort(ms, N_RUNS, sizeof *ms, compare);
        printf("%-16s %8.2f ms (least %.2f) %7.1f GFLOP %7.1f GFLOP/s\n", jobs[i].name,
               ms[N_RUNS / 2], ms[0], ready.flop * 1e-9, ready.flop / ms[N_RUNS / 2] * 1e-6);
        fflush(stdout);
        ready_clear(&ready);
    }
}

static void
serve(void)
{
    Ready ready = { NULL };
    char line[100];

    while (fgets(line, sizeof line, stdin) != NULL) {
        g_strstrip(line);
        if (ready.job == NULL || !g_str_equal(ready.job->name, line)) {
            ready_clear(&ready);
            for (gsize i = 0; i < G_N_ELEMENTS(jobs); i++)
                if (g_str_equal(jobs[i].name, line))
                    prepare(&ready, &jobs[i]);
            if (ready.tape == NULL)
                return;
            run(&ready);
        }
        printf("%.3f\n", run(&ready));
        fflush(stdout);
    }
    ready_clear(&ready);
}

int
main(int argc, char *argv[])
{
    if (argc > 1 && g_str_equal(argv[1], "serve"))
        serve();
    else
        report(argc > 1 ? argv[1] : NULL);
    return 0;
}
