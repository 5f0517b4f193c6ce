// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-winograd.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"

#include <omp.h>
#include <string.h>

#define N_POINTS 36 // of a tile of 6 x 6
#define ROWS 6      // tiles that the kernel does at once
#define LANES 8     // floats of a vector; channels of a block
#define PANEL 16    // output channels that the kernel does at once
#define TILES 48    // of a part: what a thread transforms, multiplies and transforms back
#define DEPTH 256   // input channels at once: a panel of weights stays in the first cache

struct _BgNnWinograd {
    gsize in_channels, out_channels;
    float *weight; // owned: [point, out / PANEL, in, PANEL]
    float *bias;   // owned
    float slope;
};

gboolean
bg_nn_winograd_can(gsize in_channels, gsize out_channels)
{
#ifdef __x86_64__
    return bg_cpu_has_avx2() && in_channels % LANES == 0 && out_channels % PANEL == 0 &&
           in_channels >= 32;
#else
    return FALSE;
#endif
}

// G g G': of one kernel, in double.
static void
transform_kernel(const float *g, double *u)
{
    static const double G[6][3] = { { 1.0 / 4, 0, 0 },
                                    { -1.0 / 6, -1.0 / 6, -1.0 / 6 },
                                    { -1.0 / 6, 1.0 / 6, -1.0 / 6 },
                                    { 1.0 / 24, 1.0 / 12, 1.0 / 6 },
                                    { 1.0 / 24, -1.0 / 12, 1.0 / 6 },
                                    { 0, 0, 1 } };
    double half[6][3];

    for (int i = 0; i < 6; i++)
        for (int x = 0; x < 3; x++) {
            half[i][x] = 0;
            for (int y = 0; y < 3; y++)
                half[i][x] += G[i][y] * (double) g[3 * y + x];
        }
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 6; k++) {
            u[6 * i + k] = 0;
            for (int x = 0; x < 3; x++)
                u[6 * i + k] += half[i][x] * G[k][x];
        }
}

BgNnWinograd *
bg_nn_winograd_new(gsize in_channels, gsize out_channels, const float *weight, const float *bias,
                   float slope, GError **error)
{
    gsize n_panels = out_channels / PANEL;
    float *ready =
        bg_buffer_alloc_items(N_POINTS * in_channels * out_channels, sizeof *ready, error);

    if (ready == NULL)
        return NULL;
    BgNnWinograd *winograd = g_new0(BgNnWinograd, 1);
    *winograd =
        (BgNnWinograd){ in_channels, out_channels, ready, g_new0(float, out_channels), slope };
    if (bias != NULL)
        memcpy(winograd->bias, bias, out_channels * sizeof *bias);
#pragma omp parallel for schedule(static)
    for (gsize k = 0; k < out_channels; k++)
        for (gsize c = 0; c < in_channels; c++) {
            double u[N_POINTS];
            transform_kernel(weight + (k * in_channels + c) * 9, u);
            for (gsize p = 0; p < N_POINTS; p++)
                ready[((p * n_panels + k / PANEL) * in_channels + c) * PANEL + k % PANEL] =
                    (float) u[p];
        }
    return winograd;
}

void
bg_nn_winograd_free(BgNnWinograd *winograd)
{
    if (winograd == NULL)
        return;
    bg_buffer_free(winograd->weight);
    g_free(winograd->bias);
    g_free(winograd);
}

gsize
bg_nn_winograd_get_bytes(const BgNnWinograd *winograd)
{
    return N_POINTS * winograd->in_channels * winograd->out_channels * sizeof(float);
}

gsize
bg_nn_winograd_get_scratch(const BgNnWinograd *winograd)
{
    return (gsize) omp_get_max_threads() * N_POINTS * TILES *
           (winograd->in_channels + winograd->out_channels) * sizeof(float);
}

#ifdef __x86_64__

#include <immintrin.h>

typedef __m256 Vec;

/** Part: some tiles of one picture, numbered along x, then y, then pictures */
typedef struct {
    const BgNnWinograd *winograd;
    const BgNnWinogradSize *size;
    gsize tiles_x, tiles_y, first, n; // n: of real tiles
    float *points, *products;         // scratch: [point, TILES, channels]
} Part;

// One dimension of B' d B, on six vectors that are `step` apart.
BG_TARGET_AVX2 static inline void
transform_six(const Vec *d, int step, Vec *t, int to_step)
{
    Vec two = _mm256_set1_ps(2), four = _mm256_set1_ps(4), five = _mm256_set1_ps(5);
    Vec a = _mm256_fnmadd_ps(four, d[2 * step], d[4 * step]); // d4 - 4 d2
    Vec b = _mm256_fnmadd_ps(four, d[step], d[3 * step]);     // d3 - 4 d1
    Vec c = d[4 * step] - d[2 * step], e = two * (d[3 * step] - d[step]);

    t[0] = _mm256_fmadd_ps(four, d[0], _mm256_fnmadd_ps(five, d[2 * step], d[4 * step]));
    t[to_step] = a + b;
    t[2 * to_step] = a - b;
    t[3 * to_step] = c + e;
    t[4 * to_step] = c - e;
    t[5 * to_step] =
        _mm256_fmadd_ps(four, d[step], _mm256_fnmadd_ps(five, d[3 * step], d[5 * step]));
}

// One dimension of A' m A.
BG_TARGET_AVX2 static inline void
transform_back(const Vec *m, int step, Vec *t, int to_step)
{
    Vec two = _mm256_set1_ps(2), four = _mm256_set1_ps(4), eight = _mm256_set1_ps(8);
    Vec a = m[step] + m[2 * step], b = m[step] - m[2 * step];
    Vec c = m[3 * step] + m[4 * step], d = m[3 * step] - m[4 * step];

    t[0] = m[0] + a + c;
    t[to_step] = _mm256_fmadd_ps(two, d, b);
    t[2 * to_step] = _mm256_fmadd_ps(four, c, a);
    t[3 * to_step] = _mm256_fmadd_ps(eight, d, b) + m[5 * step];
}

static void
tile_place(const Part *part, gsize tile, gsize *n, gsize *y, gsize *x)
{
    gsize at = part->first + tile, per_picture = part->tiles_x * part->tiles_y;

    *n = at / per_picture;
    *y = at % per_picture / part->tiles_x * 4;
    *x = at % part->tiles_x * 4;
}

BG_TARGET_AVX2 static void
load_tile(const Part *part, const float *plane, gsize y, gsize x, Vec *d)
{
    const BgNnWinogradSize *size = part->size;
    gssize first_y = (gssize) y - size->before[0], first_x = (gssize) x - size->before[1];

    for (gssize i = 0; i < 6; i++) {
        gboolean inside = first_y + i >= 0 && first_y + i < (gssize) size->in[0];
        const float *row = plane + (first_y + i) * (gssize) size->in[1] * LANES;
        for (gssize k = 0; k < 6; k++) {
            gssize at = first_x + k;
            d[6 * i + k] = inside && at >= 0 && at < (gssize) size->in[1]
                               ? _mm256_loadu_ps(row + at * LANES)
                               : _mm256_setzero_ps();
        }
    }
}

BG_TARGET_AVX2 static void
transform_in(const Part *part, const float *in)
{
    gsize channels = part->winograd->in_channels;
    gsize plane_size = part->size->in[0] * part->size->in[1] * LANES;

    for (gsize tile = 0; tile < part->n; tile++) {
        gsize n, y, x;
        tile_place(part, tile, &n, &y, &x);
        for (gsize c = 0; c < channels; c += LANES) {
            Vec d[36], half[36], v[36];
            load_tile(part, in + (n * channels + c) / LANES * plane_size, y, x, d);
            for (int k = 0; k < 6; k++)
                transform_six(d + k, 6, half + k, 6);
            for (int i = 0; i < 6; i++)
                transform_six(half + 6 * i, 1, v + 6 * i, 1);
            float *to = part->points + tile * channels + c;
            for (int p = 0; p < N_POINTS; p++)
                _mm256_storeu_ps(to + (gsize) p * TILES * channels, v[p]);
        }
    }
}

// products[6 tiles, 16] (+)= points[6 tiles, n_c] weight[n_c, 16].
BG_TARGET_AVX2 static void
multiply(const float *points, gsize points_step, const float *weight, gsize n_c, float *products,
         gsize products_step, gboolean add)
{
    Vec sums[ROWS][2];

    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < 2; k++)
            sums[r][k] = add ? _mm256_loadu_ps(products + (gsize) r * products_step + LANES * k)
                             : _mm256_setzero_ps();
    for (gsize c = 0; c < n_c; c++) {
        Vec a = _mm256_load_ps(weight + c * PANEL), b = _mm256_load_ps(weight + c * PANEL + LANES);
#pragma GCC unroll 6
        for (int r = 0; r < ROWS; r++) {
            Vec value = _mm256_broadcast_ss(points + (gsize) r * points_step + c);
            sums[r][0] = _mm256_fmadd_ps(value, a, sums[r][0]);
            sums[r][1] = _mm256_fmadd_ps(value, b, sums[r][1]);
        }
    }
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < 2; k++)
            _mm256_storeu_ps(products + (gsize) r * products_step + LANES * k, sums[r][k]);
}

static void
multiply_part(const Part *part)
{
    gsize in = part->winograd->in_channels, out = part->winograd->out_channels;
    gsize n_rows = (part->n + ROWS - 1) / ROWS * ROWS; // those beyond are scratch that nobody reads

    for (gsize p = 0; p < N_POINTS; p++) {
        const float *points = part->points + p * TILES * in;
        float *products = part->products + p * TILES * out;
        for (gsize c = 0; c < in; c += DEPTH)
            for (gsize k = 0; k < out; k += PANEL) {
                const float *weight = part->winograd->weight + ((p * out + k) * in + c * PANEL);
                for (gsize t = 0; t < n_rows; t += ROWS)
                    multiply(points + t * in + c, in, weight, MIN(DEPTH, in - c),
                             products + t * out + k, out, c > 0);
            }
    }
}

BG_TARGET_AVX2 static void
transform_out(const Part *part, float *out)
{
    const BgNnWinogradSize *size = part->size;
    gsize channels = part->winograd->out_channels, plane_size = size->out[0] * size->out[1] * LANES;
    Vec slope = _mm256_set1_ps(part->winograd->slope), zero = _mm256_setzero_ps();

    for (gsize tile = 0; tile < part->n; tile++) {
        gsize n, y, x;
        tile_place(part, tile, &n, &y, &x);
        gsize n_y = MIN(4, size->out[0] - y), n_x = MIN(4, size->out[1] - x);
        for (gsize c = 0; c < channels; c += LANES) {
            const float *from = part->products + tile * channels + c;
            Vec m[36], half[24], result[16], bias = _mm256_loadu_ps(part->winograd->bias + c);
            for (int p = 0; p < N_POINTS; p++)
                m[p] = _mm256_loadu_ps(from + (gsize) p * TILES * channels);
            for (int k = 0; k < 6; k++)
                transform_back(m + k, 6, half + k, 6);
            for (int i = 0; i < 4; i++)
                transform_back(half + 6 * i, 1, result + 4 * i, 1);
            float *to =
                out + (n * channels + c) / LANES * plane_size + (y * size->out[1] + x) * LANES;
            for (gsize i = 0; i < n_y; i++)
                for (gsize k = 0; k < n_x; k++) {
                    Vec value = result[4 * i + k] + bias;
                    value = _mm256_max_ps(value, zero) + slope * _mm256_min_ps(value, zero);
                    _mm256_storeu_ps(to + (i * size->out[1] + k) * LANES, value);
                }
        }
    }
}

void
bg_nn_winograd_run(const BgNnWinograd *winograd, const BgNnWinogradSize *size, const float *in,
                   float *out, float *scratch)
{
    gsize tiles_x = (size->out[1] + 3) / 4, tiles_y = (size->out[0] + 3) / 4;
    gsize n_tiles = size->n * tiles_y * tiles_x, n_threads = (gsize) omp_get_max_threads();
    gsize n_rounds = (n_tiles + n_threads * TILES - 1) / (n_threads * TILES);
    gsize each = (n_tiles + n_threads * n_rounds - 1) / (n_threads * n_rounds);
    gsize n_parts, points_size = (gsize) N_POINTS * TILES * winograd->in_channels;
    gsize products_size = (gsize) N_POINTS * TILES * winograd->out_channels;

    each = MIN((each + ROWS - 1) / ROWS * ROWS, TILES);
    n_parts = (n_tiles + each - 1) / each;
#pragma omp parallel for schedule(dynamic)
    for (gsize i = 0; i < n_parts; i++) {
        float *own = scratch + (gsize) omp_get_thread_num() * (points_size + products_size);
        Part part = { winograd, size,
                      tiles_x,  tiles_y,
                      i * each, MIN(each, n_tiles - i * each),
                      own,      own + points_size };
        transform_in(&part, in);
        multiply_part(&part);
        transform_out(&part, out);
    }
}

#else

void
bg_nn_winograd_run(const BgNnWinograd *winograd, const BgNnWinogradSize *size, const float *in,
                   float *out, float *scratch)
{
    g_assert_not_reached(); // bg_nn_winograd_can() says no
}

#endif
