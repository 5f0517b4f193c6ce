// SPDX-License-Identifier: Apache-2.0
// The patch networks over a case: the class of each pixel's patch of 33 x 33, all of a slice at once. Each contrast is
// divided by its largest size in the slice, as in training.
#include "bg-tumour-segment-private.h"

#include <math.h>
#include <string.h>

#define BORDER (BG_TUMOUR_PATCH / 2)
#define CENTRE_BORDER (BG_TUMOUR_PATCH_CENTRE / 2)
#define N_OUT 5

static const BgContrast order[BG_N_CONTRASTS] = { BG_CONTRAST_FLAIR, BG_CONTRAST_T1,
                                                  BG_CONTRAST_T1CE, BG_CONTRAST_T2 };

// BraTS 2013 tells necrosis (1) from core that does not enhance (3); both are core here.
static const int class_of[N_OUT] = { 0, 1, 2, 1, 3 };

gboolean
bg_tumour_start_patches(BgTumourRun *run, const BgTumourModel *model, const BgEngine *engine,
                        GError **error)
{
    g_autoptr(BgNnParams) params = NULL;
    g_autoptr(BgNnGraph) graph =
        bg_patch_network_spread(model->network, model->params, &params, error);
    BgNnShape shapes[2];
    int n = model->network->n_inputs;

    if (graph == NULL)
        return FALSE;
    run->wide = run->tumour_case->grid.dims[0];
    run->high = run->tumour_case->grid.dims[1];
    for (int i = 0; i < n; i++) {
        int border = 2 * (i == 0 ? BORDER : CENTRE_BORDER);
        shapes[i] = bg_nn_shape(1, BG_N_CONTRASTS, 2, 1, (gsize) (run->high + border),
                                (gsize) (run->wide + border));
    }
    run->input = bg_nn_tensor_new(&shapes[0], error);
    run->centre = n > 1 && run->input != NULL ? bg_nn_tensor_new(&shapes[1], error) : NULL;
    if (run->input == NULL || (n > 1 && run->centre == NULL))
        return FALSE;
    run->network = bg_engine_network(engine, graph, params, shapes, n, error);
    return run->network != NULL;
}

static const float *
slice_of(const BgTumourRun *run, BgContrast contrast, int k)
{
    const int *d = run->tumour_case->grid.dims;
    gsize n = bg_geometry_count_voxels(&run->tumour_case->grid);

    return run->tumour_case->planes + (gsize) contrast * n +
           (gsize) k * (gsize) d[0] * (gsize) d[1];
}

// A slice with a border of nothing. FALSE: all of it is nothing.
static gboolean
fill(const BgTumourRun *run, BgNnTensor *tensor, int border, int k, gboolean mirrored)
{
    int wide = run->wide, high = run->high, stride = wide + 2 * border;
    float *to = bg_nn_tensor_data(tensor), largest = 0.0f;

    memset(to, 0, bg_nn_tensor_count(tensor) * sizeof(float));
    for (int c = 0; c < BG_N_CONTRASTS; c++, to += (gsize) stride * (gsize) (high + 2 * border)) {
        const float *from = slice_of(run, order[c], k);
        float most = 0.0f;
        for (int i = 0; i < wide * high; i++)
            most = MAX(most, fabsf(from[i]));
        for (int j = 0; most > 0.0f && j < high; j++) {
            for (int i = 0; i < wide; i++)
                to[(j + border) * stride + i + border] =
                    from[j * wide + (mirrored ? wide - 1 - i : i)] / most;
        }
        largest = MAX(largest, most);
    }
    return largest > 0.0f;
}

static void
add(BgTumourRun *run, const float *found, int k, gboolean mirrored, float share)
{
    gsize area = (gsize) run->wide * (gsize) run->high, first = (gsize) k * area;

    for (int out = 0; out < N_OUT; out++) {
        float *to = run->probabilities[class_of[out]] + first;
        for (int j = 0; j < run->high; j++) {
            const float *from = found + (gsize) out * area + (gsize) j * (gsize) run->wide;
            for (int i = 0; i < run->wide; i++)
                to[j * run->wide + i] += share * from[mirrored ? run->wide - 1 - i : i];
        }
    }
}

// Where no contrast has anything is no brain.
static void
clear_outside(BgTumourRun *run, int k)
{
    gsize area = (gsize) run->wide * (gsize) run->high, first = (gsize) k * area;

    for (gsize i = 0; i < area; i++) {
        gboolean inside = FALSE;
        for (int c = 0; c < BG_N_CONTRASTS; c++)
            inside |= slice_of(run, (BgContrast) c, k)[i] != 0.0f;
        for (int c = 0; !inside && c < BG_TUMOUR_CLASSES; c++)
            run->probabilities[c][first + i] = c == 0 ? 1.0f : 0.0f;
    }
}

static gboolean
run_slice(BgTumourRun *run, int k, GError **error)
{
    int n_runs = run->mirror ? 2 : 1;

    for (int r = 0; r < n_runs; r++) {
        BgNnTensor *inputs[2] = { run->input, run->centre };
        g_autoptr(BgNnTensor) output = NULL;
        if (!fill(run, run->input, BORDER, k, r == 1))
            return TRUE;
        if (run->centre != NULL)
            fill(run, run->centre, CENTRE_BORDER, k, r == 1);
        if (!bg_backend_network_run(run->network, inputs, &output, NULL, run->cancellable, error))
            return FALSE;
        run->flop += bg_backend_network_get_flop(run->network);
        add(run, bg_nn_tensor_peek(output), k, r == 1, 1.0f / (float) n_runs);
    }
    return TRUE;
}

gboolean
bg_tumour_run_patches(BgTumourRun *run, const BgProgress *progress, GError **error)
{
    int n_slices = run->tumour_case->grid.dims[2];

    for (int k = 0; k < n_slices; k++) {
        if (!run_slice(run, k, error))
            return FALSE;
        clear_outside(run, k);
        bg_progress_report(progress, (k + 1.0) / n_slices);
    }
    return TRUE;
}
