// SPDX-License-Identifier: Apache-2.0
// A picture is copied once, rounded, with its border of zeros, the channels of a pixel together. Then the
// pixels that 32 outputs in a row need under one tap of the kernel lie in a row too, so that products need
// nothing but pointers. Rows of outputs are as long as the rows with their border: what is computed for the
// surplus at their ends is dropped.
#include "bg-nn-bfloat.h"

#include "bg-nn-amx.h"
#include "core/base/bg-buffer.h"

#include <string.h>

#define LANES 8 // channels of a block of the float32 results
#define BLOCK BG_NN_AMX_BLOCK
#define BLOCKS 8 // of positions that a thread does at once

struct _BgNnBfloat {
    BgNnGeometry g;
    gsize padded[3];   // z, y, x: with the border
    gsize n_in, n_out; // blocks of channels
    gsize n_steps;
    gsize *steps;     // owned: [kz, block, ky, kx]
    BgNnBf16 *weight; // owned: [block of outputs, step, BG_NN_AMX_WEIGHTS]
    float *bias;      // owned: BLOCK a block of outputs
    float slope;
};

gboolean
bg_nn_bfloat_can(const BgNnGeometry *g)
{
    gboolean can = g->groups == 1 && g->in_channels % LANES == 0 && g->out_channels % LANES == 0;

    for (int k = 0; k < 3; k++)
        can = can && g->stride[k] == 1 && g->before[k] >= 0 && g->after[k] >= 0;
    return can;
}

static gsize
plane_size(const BgNnBfloat *bfloat)
{
    return bfloat->padded[1] * bfloat->padded[2] * BLOCK;
}

static void
find_steps(BgNnBfloat *bfloat)
{
    const BgNnGeometry *g = &bfloat->g;
    gsize *step = bfloat->steps;

    for (int kz = 0; kz < g->kernel[0]; kz++)
        for (gsize c = 0; c < bfloat->n_in; c++)
            for (int ky = 0; ky < g->kernel[1]; ky++)
                for (int kx = 0; kx < g->kernel[2]; kx++) {
                    gsize plane = (gsize) (kz * g->dilation[0]) * bfloat->n_in + c;
                    gsize row = (gsize) (ky * g->dilation[1]) * bfloat->padded[2];
                    *step++ =
                        plane * plane_size(bfloat) + (row + (gsize) (kx * g->dilation[2])) * BLOCK;
                }
}

// What @to multiplies: inputs from @c on, under tap @tap, for outputs from @first on.
static void
order_step(const BgNnGeometry *g, const float *weight, gsize first, gsize c, gsize tap,
           BgNnBf16 *to)
{
    gsize n_o = MIN(BLOCK, g->out_channels - first), n_c = MIN(BLOCK, g->in_channels - c);

    memset(to, 0, BG_NN_AMX_WEIGHTS * sizeof *to);
    for (gsize o = 0; o < n_o; o++)
        for (gsize i = 0; i < n_c; i++)
            to[bg_nn_amx_weight_index(i, o)] =
                bg_nn_to_bf16(weight[((first + o) * g->in_channels + c + i) * g->taps + tap]);
}

// Of one block of outputs, in the order of @steps.
static void
order_weights(BgNnBfloat *bfloat, gsize block, const float *weight)
{
    const BgNnGeometry *g = &bfloat->g;
    gsize n_plane = (gsize) (g->kernel[1] * g->kernel[2]);
    BgNnBf16 *to = bfloat->weight + block * bfloat->n_steps * BG_NN_AMX_WEIGHTS;

    for (gsize kz = 0; kz < (gsize) g->kernel[0]; kz++)
        for (gsize c = 0; c < bfloat->n_in; c++)
            for (gsize k = 0; k < n_plane; k++, to += BG_NN_AMX_WEIGHTS)
                order_step(g, weight, block * BLOCK, c * BLOCK, kz * n_plane + k, to);
}

BgNnBfloat *
bg_nn_bfloat_new(const BgNnGeometry *g, const float *weight, const float *bias, float slope,
                 GError **error)
{
    gsize n_in = (g->in_channels + BLOCK - 1) / BLOCK,
          n_out = (g->out_channels + BLOCK - 1) / BLOCK;
    gsize n_steps = n_in * g->taps;
    BgNnBf16 *ready =
        bg_buffer_alloc_items(n_out * n_steps, BG_NN_AMX_WEIGHTS * sizeof *ready, error);

    if (ready == NULL)
        return NULL;
    BgNnBfloat *bfloat = g_new0(BgNnBfloat, 1);
    *bfloat = (BgNnBfloat){ .g = *g,
                            .n_in = n_in,
                            .n_out = n_out,
                            .n_steps = n_steps,
                            .steps = g_new(gsize, n_steps),
                            .weight = ready,
                            .bias = g_new0(float, n_out *BLOCK),
                            .slope = slope };
    for (int k = 0; k < 3; k++)
        bfloat->padded[k] = g->in[k] + (gsize) (g->before[k] + g->after[k]);
    if (bias != NULL)
        memcpy(bfloat->bias, bias, g->out_channels * sizeof *bias);
    find_steps(bfloat);
#pragma omp parallel for schedule(static)
    for (gsize block = 0; block < n_out; block++)
        order_weights(bfloat, block, weight);
    return bfloat;
}

void
bg_nn_bfloat_free(BgNnBfloat *bfloat)
{
    if (bfloat == NULL)
        return;
    bg_buffer_free(bfloat->weight);
    g_free(bfloat->steps);
    g_free(bfloat->bias);
    g_free(bfloat);
}

gsize
bg_nn_bfloat_get_bytes(const BgNnBfloat *bfloat)
{
    return bfloat->n_out * bfloat->n_steps * BG_NN_AMX_WEIGHTS * sizeof(BgNnBf16);
}

// What the surplus of the last positions reads follows the last plane.
gsize
bg_nn_bfloat_get_scratch(const BgNnBfloat *bfloat)
{
    gsize surplus = (BLOCK + bfloat->padded[2]) * BLOCK;

    return (bfloat->padded[0] * bfloat->n_in * plane_size(bfloat) + surplus) * sizeof(BgNnBf16);
}

// ------------------------------------------------------------------------------------------------

// As bg_nn_to_bf16(), of eight.
static inline void
round_eight(const float *from, BgNnBf16 *to)
{
    typedef guint32 Words __attribute__((vector_size(LANES * sizeof(guint32))));
    typedef guint16 Halves __attribute__((vector_size(LANES * sizeof(guint16))));
    typedef float Floats __attribute__((vector_size(LANES * sizeof(float))));
    Words bits;
    Floats value;

    memcpy(&bits, from, sizeof bits);
    memcpy(&value, from, sizeof value);
    Words number = (Words) (value == value);
    Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    Halves halves =
        __builtin_convertvector((rounded & number) | (((bits >> 16) | 0x40) & ~number), Halves);
    memcpy(to, &halves, sizeof halves);
}

// One row of a block of 32 channels, of the copy; `in`: of the picture.
static void
copy_row(const BgNnBfloat *bfloat, const float *in, gsize plane, gsize y, BgNnBf16 *to)
{
    const BgNnGeometry *g = &bfloat->g;
    gsize z = plane / bfloat->n_in, c = plane % bfloat->n_in * BLOCK, n_x = bfloat->padded[2];
    gsize n_c = MIN(BLOCK, g->in_channels - c), before = (gsize) g->before[2];
    gboolean inside = z >= (gsize) g->before[0] && z - (gsize) g->before[0] < g->in[0] &&
                      y >= (gsize) g->before[1] && y - (gsize) g->before[1] < g->in[1];

    if (!inside) {
        memset(to, 0, n_x * BLOCK * sizeof *to);
        return;
    }
    memset(to, 0, before * BLOCK * sizeof *to);
    memset(to + (before + g->in[2]) * BLOCK, 0, (gsize) g->after[2] * BLOCK * sizeof *to);
    gsize line = (z - (gsize) g->before[0]) * g->in[1] + y - (gsize) g->before[1];
    for (gsize k = 0; k < BLOCK; k += LANES) {
        const float *from = in + ((c + k) / LANES * g->in_space + line * g->in[2]) * LANES;
        BgNnBf16 *row = to + before * BLOCK + k;
        for (gsize x = 0; x < g->in[2]; x++)
            if (k < n_c)
                round_eight(from + x * LANES, row + x * BLOCK);
            else
                memset(row + x * BLOCK, 0, LANES * sizeof *row);
    }
}

// 32 outputs from `first` on, in rows of the padded length; `out`: of the picture's and the block's first.
static void
keep_block(const BgNnBfloat *bfloat, const float *sums, gsize z, gsize first, gsize block,
           float *out)
{
    const BgNnGeometry *g = &bfloat->g;
    gsize n_channels = MIN(BLOCK, g->out_channels - block * BLOCK);
    gsize y = first / bfloat->padded[2], x = first % bfloat->padded[2];
    const float *bias = bfloat->bias + block * BLOCK;

    for (gsize p = 0; p < BLOCK && y < g->out[1]; p++) {
        if (x < g->out[2]) {
            float *to = out + ((z * g->out[1] + y) * g->out[2] + x) * LANES;
            for (gsize c = 0; c < n_channels; c += LANES)
                for (gsize k = c; k < c + LANES; k++) {
                    float value = sums[p * BLOCK + k] + bias[k];
                    to[c * g->out_space + k - c] = value > 0.0f ? value : bfloat->slope * value;
                }
        }
        if (++x == bfloat->padded[2]) {
            x = 0;
            y++;
        }
    }
}

/** Task: some positions of a plane, to one block of outputs */
static void
do_task(const BgNnBfloat *bfloat, gsize task, gsize n_parts, const BgNnBf16 *in, gboolean tiles,
        float *out)
{
    gsize block = task % bfloat->n_out, part = task / bfloat->n_out % n_parts;
    gsize z = task / bfloat->n_out / n_parts;
    gsize n_positions = bfloat->g.out[1] * bfloat->padded[2];
    gsize first = part * BLOCKS * BLOCK, last = MIN(first + (gsize) BLOCKS * BLOCK, n_positions);
    float sums[BLOCK * BLOCK];

    for (gsize at = first; at < last; at += BLOCK) {
        BgNnAmxCall call = { in + z * bfloat->n_in * plane_size(bfloat) + at * BLOCK, bfloat->steps,
                             bfloat->n_steps,
                             bfloat->weight + block * bfloat->n_steps * BG_NN_AMX_WEIGHTS };
        bg_nn_amx_block(&call, tiles, sums);
        keep_block(bfloat, sums, z, at, block, out + block * BLOCK * bfloat->g.out_space);
    }
}

void
bg_nn_bfloat_run(const BgNnBfloat *bfloat, const float *in, float *out, gpointer scratch)
{
    const BgNnGeometry *g = &bfloat->g;
    gboolean tiles = bg_nn_amx_is_there();
    BgNnBf16 *copy = scratch;
    gsize n_planes = bfloat->padded[0] * bfloat->n_in, n_y = bfloat->padded[1];
    gsize row_size = bfloat->padded[2] * BLOCK;
    gsize n_parts = (g->out[1] * bfloat->padded[2] + BLOCKS * BLOCK - 1) / (BLOCKS * BLOCK);
    gsize n_tasks = g->out[0] * n_parts * bfloat->n_out;

    memset(copy + n_planes * n_y * row_size, 0, (BLOCK * BLOCK + row_size) * sizeof *copy);
    for (gsize n = 0; n < g->n; n++) {
        const float *picture = in + n * g->in_channels * g->in_space;
        float *result = out + n * g->out_channels * g->out_space;
#pragma omp parallel
        {
#pragma omp for schedule(static)
            for (gsize row = 0; row < n_planes * n_y; row++)
                copy_row(bfloat, picture, row / n_y, row % n_y, copy + row * row_size);
            bg_nn_amx_begin(tiles);
#pragma omp for schedule(dynamic)
            for (gsize task = 0; task < n_tasks; task++)
                do_task(bfloat, task, n_parts, copy, tiles, result);
            bg_nn_amx_end(tiles);
        }
    }
}
