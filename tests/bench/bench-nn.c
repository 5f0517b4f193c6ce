// SPDX-License-Identifier: Apache-2.0
// Networks forward, batch of one, random weights: name, size, ms, GFLOP/s, share of what this
// machine multiplies at most (measured here, in registers). Medians of five.
// bench-nn serve: reads names, writes the milliseconds of one run of each: for compare-nn.py.
#include "../support/bg-bench-networks.h"
#include "../support/bg-fixed-numbers.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-parallel.h"
#include "core/learn/bg-networks.h"
#include "core/learn/bg-vgg19.h"
#include "core/nn/bg-nn-cpu.h"

#include <stdio.h>
#include <string.h>

#define N_RUNS 5
#define N_ROUNDS (1 << 22) // of the peak

typedef struct {
    const char *name, *network;
    gsize sizes[3]; // zeros: the network's own
} Job;

static const Job jobs[] = {
    { "vgg19-512", "vgg19", { 1, 512, 512 } },     { "generator-256", "tfgan-generator", { 0 } },
    { "unet-240", "unet-brats", { 1, 240, 240 } }, { "unet64-240", "unet64", { 0 } },
    { "resnet9-256", "resnet9", { 0 } },           { "vnet-64", "vnet", { 64, 64, 64 } },
    { "vnet-128", "vnet", { 128, 128, 128 } },     { "funfuse-256", "funfuse", { 1, 256, 256 } },
};

typedef struct {
    const Job *job;
    BgNnCpu *cpu;
    BgNnTensor *inputs[BG_NETWORK_MAX_INPUTS];
    int n_outputs;
} Ready;

static const BgNetwork *
find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bench_networks); i++) {
        if (g_str_equal(bench_networks[i].name, name))
            return &bench_networks[i];
    }
    return bg_network_find(name, NULL);
}

static gboolean
prepare(Ready *ready, const Job *job, const BgNnCpuOptions *options)
{
    const BgNetwork *network = find(job->network);
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 1, NULL);
    BgNnShape shapes[BG_NETWORK_MAX_INPUTS];
    g_autoptr(GError) error = NULL;

    *ready = (Ready){ .job = job, .n_outputs = bg_nn_graph_count_outputs(graph) };
    fill_fixed(params);
    for (int i = 0; i < network->n_inputs; i++) {
        shapes[i] = network->inputs[i];
        int n_space = shapes[i].rank - 2;
        for (int k = 0; k < n_space && job->sizes[2] != 0; k++)
            shapes[i].dims[2 + k] = job->sizes[3 - n_space + k];
        ready->inputs[i] = fixed_input(&shapes[i], i);
    }
    ready->cpu = bg_nn_cpu_new(graph, params, shapes, network->n_inputs, options, &error);
    if (ready->cpu == NULL)
        fprintf(stderr, "%s\n", error->message);
    return ready->cpu != NULL;
}

static double
run(Ready *ready)
{
    BgNnTensor *outputs[16] = { NULL };
    gint64 start = g_get_monotonic_time();

    bg_nn_cpu_run(ready->cpu, ready->inputs, outputs, NULL, NULL, NULL);
    double ms = (double) (g_get_monotonic_time() - start) / 1000.0;
    for (int i = 0; i < ready->n_outputs; i++)
        bg_nn_tensor_unref(outputs[i]);
    return ms;
}

static void
ready_clear(Ready *ready)
{
    for (int i = 0; i < BG_NETWORK_MAX_INPUTS; i++)
        g_clear_pointer(&ready->inputs[i], bg_nn_tensor_unref);
    g_clear_pointer(&ready->cpu, bg_nn_cpu_free);
}

// ------------------------------------------------------------------------------------------------

typedef float Lanes __attribute__((vector_size(32)));

BG_TARGET_AVX2 static float
multiply_add(void)
{
    Lanes sums[12], a = { 1, 1, 1, 1, 1, 1, 1, 1 }, b = a * 1e-9f;

    for (int k = 0; k < 12; k++)
        sums[k] = a * (float) k;
    for (int i = 0; i < N_ROUNDS; i++) {
        for (int k = 0; k < 12; k++)
            sums[k] = sums[k] * a + b;
        __asm__ volatile("" : "+x"(a)); // not to be done once
    }
    for (int k = 1; k < 12; k++)
        sums[0] += sums[k];
    return sums[0][0];
}

static volatile float sink;

static void
peak_part(gsize first, gsize last, guint worker, gpointer data)
{
    sink = multiply_add();
}

// GFLOP/s of all threads, AVX2, in registers.
static double
measure_peak(void)
{
    double best = 0;

    for (int i = 0; i < 5; i++) {
        gint64 start = g_get_monotonic_time();
        guint n = bg_parallel_count_threads();
        bg_parallel_for(n, 1, peak_part, NULL, NULL);
        double seconds = (double) (g_get_monotonic_time() - start) * 1e-6;
        best = MAX(best, 2.0 * 8 * 12 * N_ROUNDS * n / seconds * 1e-9);
    }
    return best;
}

static int
compare(const void *a, const void *b)
{
    return *(const double *) a < *(const double *) b ? -1 : 1;
}

static void
report(double peak, const BgNnCpuOptions *options, const char *only)
{
    for (gsize i = 0; i < G_N_ELEMENTS(jobs); i++) {
        Ready ready;
        double ms[N_RUNS];
        if (only != NULL ? !g_str_equal(only, jobs[i].name) : g_str_equal(jobs[i].name, "vnet-128"))
            continue;
        if (!prepare(&ready, &jobs[i], options))
            continue;
        run(&ready);
        for (int k = 0; k < N_RUNS; k++)
            ms[k] = run(&ready);
        qsort(ms, N_RUNS, sizeof *ms, compare);
        double rate = bg_nn_cpu_get_flop(ready.cpu) / ms[N_RUNS / 2] * 1e-6;
        printf(
            "%-14s %8.2f ms (least %.2f) %7.1f GFLOP %7.1f GFLOP/s %5.1f %% of the peak %6.0f MB\n",
            jobs[i].name, ms[N_RUNS / 2], ms[0], bg_nn_cpu_get_flop(ready.cpu) * 1e-9, rate,
            100 * rate / peak, (double) bg_nn_cpu_get_bytes(ready.cpu) * 1e-6);
        fflush(stdout);
        ready_clear(&ready);
    }
}

static void
serve(const BgNnCpuOptions *options)
{
    Ready ready = { NULL };
    char line[100];

    while (fgets(line, sizeof line, stdin) != NULL) {
        g_strstrip(line);
        if (ready.job == NULL || !g_str_equal(ready.job->name, line)) {
            ready_clear(&ready);
            for (gsize i = 0; i < G_N_ELEMENTS(jobs); i++)
                if (g_str_equal(jobs[i].name, line))
                    prepare(&ready, &jobs[i], options);
            if (ready.cpu == NULL)
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
    BgNnCpuOptions options = { 0 };
    int at = 1;

    if (at < argc && g_str_equal(argv[at], "direct")) {
        options.direct = TRUE;
        at++;
    }
    if (at < argc && g_str_equal(argv[at], "serve")) {
        serve(&options);
        return 0;
    }
    double peak = measure_peak();
    printf("%-14s %.0f GFLOP/s\n", "peak-f32", peak);
    report(peak, &options, at < argc ? argv[at] : NULL);
    return 0;
}
