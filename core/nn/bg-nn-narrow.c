// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-narrow.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"

#include <string.h>

#define LANES 8 // floats of a vector; channels of a block

struct _BgNnNarrow {
    BgNnGeometry g;
    float *weight; // owned: [in / LANES, tap, out, LANES]
    float bias[BG_NN_NARROW_MOST], slope;
};

gboolean
bg_nn_narrow_can(const BgNnGeometry *g)
{
#ifdef __x86_64__
    gboolean plain = g->groups == 1;

    for (int k = 0; k < 3; k++)
        plain = plain && g->stride[k] == 1 && g->dilation[k] == 1 && g->before[k] >= 0 &&
                g->after[k] >= 0;
    return plain && bg_cpu_has_avx2() && g->out_channels <= BG_NN_NARROW_MOST &&
           g->in_channels % LANES == 0 && g->taps > 1;
#else
    return FALSE;
#endif
}

BgNnNarrow *
bg_nn_narrow_new(const BgNnGeometry *g, const float *weight, const float *bias, float slope,
                 GError **error)
{
    gsize n_out = g->out_channels, n_taps = g->taps;
    float *ready = bg_buffer_alloc_items(n_out * g->in_channels, n_taps * sizeof *ready, error);

    if (ready == NULL)
        return NULL;
    BgNnNarrow *narrow = g_new0(BgNnNarrow, 1);
    *narrow = (BgNnNarrow){ .g = *g, .weight = ready, .slope = slope };
    for (gsize o = 0; o < n_out; o++) {
        narrow->bias[o] = bias != NULL ? bias[o] : 0.0f;
        for (gsize c = 0; c < g->in_channels; c++)
            for (gsize t = 0; t < n_taps; t++)
                ready[((c / LANES * n_taps + t) * n_out + o) * LANES + c % LANES] =
                    weight[(o * g->in_channels + c) * n_taps + t];
    }
    return narrow;
}

void
bg_nn_narrow_free(BgNnNarrow *narrow)
{
    if (narrow == NULL)
        return;
    bg_buffer_free(narrow->weight);
    g_free(narrow);
}

gsize
bg_nn_narrow_get_bytes(const BgNnNarrow *narrow)
{
    return narrow->g.out_channels * narrow->g.in_channels * narrow->g.taps * sizeof(float);
}

#ifdef __x86_64__

#include <immintrin.h>

typedef __m256 Vec;

/** Row: of the output: one picture's, of one z and y */
typedef struct {
    const BgNnNarrow *narrow;
    const float *in; // of the picture
    float *out;      // of the row, in the first channel
    gsize z, y;
} Row;

BG_TARGET_AVX2 static inline float
sum_of(Vec v)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// `n_x` pixels from `x` on, of `n_out` channels; all taps kx of first_x <= kx < last_x lie inside.
BG_TARGET_AVX2 static inline __attribute__((always_inline)) void
do_pixels(const Row *row, gsize x, int first_x, int last_x, const int n_out, const int n_x)
{
    const BgNnGeometry *g = &row->narrow->g;
    Vec sums[12];

    for (int i = 0; i < n_out * n_x; i++)
        sums[i] = _mm256_setzero_ps();
    for (gsize c = 0; c < g->in_channels / LANES; c++)
        for (int kz = 0; kz < g->kernel[0]; kz++) {
            gssize z = (gssize) row->z + kz - g->before[0];
            for (int ky = 0; ky < g->kernel[1]; ky++) {
                gssize y = (gssize) row->y + ky - g->before[1];
                if (z < 0 || y < 0 || z >= (gssize) g->in[0] || y >= (gssize) g->in[1])
                    continue;
                gsize line = (c * g->in[0] + (gsize) z) * g->in[1] + (gsize) y;
                gsize tap = c * g->taps + (gsize) ((kz * g->kernel[1] + ky) * g->kernel[2]);
                const float *w = row->narrow->weight + tap * (gsize) n_out * LANES;
                const float *in = row->in + line * g->in[2] * LANES +
                                  ((gssize) x - g->before[2]) * LANES; // of the first tap
                for (int kx = first_x; kx < last_x; kx++) {
                    Vec by[BG_NN_NARROW_MOST];
                    for (int o = 0; o < n_out; o++)
                        by[o] = _mm256_loadu_ps(w + (kx * n_out + o) * LANES);
                    for (int i = 0; i < n_x; i++) {
                        Vec value = _mm256_loadu_ps(in + (kx + i) * LANES);
                        for (int o = 0; o < n_out; o++)
                            sums[i * n_out + o] =
                                _mm256_fmadd_ps(value, by[o], sums[i * n_out + o]);
                    }
                }
            }
        }
    for (int o = 0; o < n_out; o++)
        for (int i = 0; i < n_x; i++) {
            float value = sum_of(sums[i * n_out + o]) + row->narrow->bias[o];
            row->out[(gsize) o * g->out_space + x + (gsize) i] =
                value > 0.0f ? value : row->narrow->slope * value;
        }
}

BG_TARGET_AVX2 static inline __attribute__((always_inline)) void
do_row(const Row *row, const int n_out, const int n_x)
{
    const BgNnGeometry *g = &row->narrow->g;
    gsize n = g->out[2], x = 0;
    gsize first = (gsize) g->before[2]; // all taps inside: first <= x < last
    gsize last = g->in[2] + first + 1 > (gsize) g->kernel[2]
                     ? g->in[2] + first + 1 - (gsize) g->kernel[2]
                     : 0;

    while (x < n) {
        if (x >= first && x + (gsize) n_x <= MIN(last, n)) {
            do_pixels(row, x, 0, g->kernel[2], n_out, n_x);
            x += (gsize) n_x;
            continue;
        }
        gssize begin = (gssize) x - g->before[2];
        int first_x = (int) MAX(-begin, 0), last_x = g->kernel[2];
        if (begin + last_x > (gssize) g->in[2])
            last_x = (int) ((gssize) g->in[2] - begin);
        do_pixels(row, x, first_x, last_x, n_out, 1);
        x++;
    }
}

BG_TARGET_AVX2 static void
do_any_row(const Row *row)
{
    switch (row->narrow->g.out_channels) {
    case 1:
        do_row(row, 1, 8);
        break;
    case 2:
        do_row(row, 2, 6);
        break;
    case 3:
        do_row(row, 3, 4);
        break;
    default:
        do_row(row, 4, 2);
    }
}

void
bg_nn_narrow_run(const BgNnNarrow *narrow, const float *in, float *out)
{
    const BgNnGeometry *g = &narrow->g;
    gsize n_rows = g->n * g->out[0] * g->out[1];

#pragma omp parallel for schedule(static)
    for (gsize r = 0; r < n_rows; r++) {
        gsize n = r / (g->out[0] * g->out[1]), line = r % (g->out[0] * g->out[1]);
        Row row = { narrow, in + n * g->in_channels * g->in_space,
                    out + n * g->out_channels * g->out_space + line * g->out[2], line / g->out[1],
                    line % g->out[1] };
        do_any_row(&row);
    }
}

#else

void
bg_nn_narrow_run(const BgNnNarrow *narrow, const float *in, float *out)
{
    g_assert_not_reached(); // bg_nn_narrow_can() says no
}

#endif
