// SPDX-License-Identifier: Apache-2.0
// Mattes et al., IEEE Trans. Med. Imaging 22(1), 2003: fixed values in plain bins, moving ones
// through a cubic B-spline window, so that the histogram has a gradient. Normalised: Studholme, Hill
// and Hawkes, Pattern Recognition 32(1), 1999.
#include "core/register/bg-mutual-information-private.h"

#include "core/base/bg-cpu.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define N_CELLS (BG_MI_BINS * BG_MI_COLUMNS)
#define MIN_OVERLAP 0.1 // of the samples: below, the histogram says nothing

struct _BgMi {
    BgMiKind kind;
    const BgMiSamples *samples;   // borrowed
    const BgPyramidLevel *moving; // borrowed
    BgMiView view;
    gboolean use_avx2;
    gsize n_real;      // without the repeated ones
    float *column;     // owned
    float *slopes;     // owned: three after each other
    float *histograms; // owned: of each chunk
    double sums[BG_MI_CHUNKS][12];
    float table[N_CELLS];
};

BgMi *
bg_mi_new(BgMiKind kind, const BgMiSamples *samples, const BgPyramid *moving, int level)
{
    BgMi *mi = g_new0(BgMi, 1);
    const BgPyramidLevel *grid = &moving->levels[level];
    float range = moving->high - moving->low;

    mi->kind = kind;
    mi->samples = samples;
    mi->moving = grid;
    mi->use_avx2 = bg_cpu_has_avx2();
    mi->column = g_new(float, samples->n);
    mi->slopes = g_new(float, 3 * samples->n);
    mi->histograms = g_new(float, BG_MI_CHUNKS *N_CELLS);
    for (gsize i = 0; i < samples->n; i++)
        mi->n_real += samples->bin[i] >= 0;
    mi->view = (BgMiView){ .x = samples->x,
                           .y = samples->y,
                           .z = samples->z,
                           .bin = samples->bin,
                           .values = grid->values,
                           .column = mi->column,
                           .table = mi->table };
    memcpy(mi->view.dims, grid->geometry.dims, sizeof mi->view.dims);
    for (int axis = 0; axis < 3; axis++)
        mi->view.slope[axis] = mi->slopes + (gsize) axis * samples->n;
    mi->view.bin_scale = range > 0.0f ? (float) (BG_MI_BINS - 1) / range : 0.0f;
    mi->view.bin_offset = 2.0f - moving->low * mi->view.bin_scale;
    return mi;
}

void
bg_mi_free(BgMi *mi)
{
    g_free(mi->column);
    g_free(mi->slopes);
    g_free(mi->histograms);
    g_free(mi);
}

static void
chunk_range(const BgMi *mi, gsize chunk, gsize *first, gsize *last)
{
    gsize n = mi->samples->n / 8;

    *first = 8 * (n * chunk / BG_MI_CHUNKS);
    *last = 8 * (n * (chunk + 1) / BG_MI_CHUNKS);
}

static void
fill_histograms(gsize first, gsize last, guint worker, gpointer user_data)
{
    BgMi *mi = user_data;

    for (gsize chunk = first; chunk < last; chunk++) {
        float *histogram = mi->histograms + chunk * N_CELLS;
        gsize from, to;
        chunk_range(mi, chunk, &from, &to);
        memset(histogram, 0, N_CELLS * sizeof(float));
        if (mi->use_avx2)
            bg_mi_histogram_avx2(&mi->view, from, to, histogram);
        else
            bg_mi_histogram_plain(&mi->view, from, to, histogram);
    }
}

static void
sum_gradients(gsize first, gsize last, guint worker, gpointer user_data)
{
    BgMi *mi = user_data;

    for (gsize chunk = first; chunk < last; chunk++) {
        gsize from, to;
        chunk_range(mi, chunk, &from, &to);
        memset(mi->sums[chunk], 0, sizeof mi->sums[chunk]);
        if (mi->use_avx2)
            bg_mi_gradient_avx2(&mi->view, from, to, mi->sums[chunk]);
        else
            bg_mi_gradient_plain(&mi->view, from, to, mi->sums[chunk]);
    }
}

typedef struct {
    double joint[BG_MI_BINS][BG_MI_COLUMNS];
    double fixed[BG_MI_BINS];
    double moving[BG_MI_COLUMNS];
    double total;
} Density;

static void
find_density(const BgMi *mi, Density *d)
{
    memset(d, 0, sizeof *d);
    for (gsize chunk = 0; chunk < BG_MI_CHUNKS; chunk++)
        for (gsize cell = 0; cell < N_CELLS; cell++)
            d->joint[cell / BG_MI_COLUMNS][cell % BG_MI_COLUMNS] +=
                (double) mi->histograms[chunk * N_CELLS + cell];
    for (int k = 0; k < BG_MI_BINS; k++)
        for (int l = 0; l < BG_MI_COLUMNS; l++)
            d->total += d->joint[k][l];
    for (int k = 0; k < BG_MI_BINS; k++) {
        for (int l = 0; l < BG_MI_COLUMNS; l++) {
            d->joint[k][l] /= fmax(d->total, 1.0);
            d->fixed[k] += d->joint[k][l];
            d->moving[l] += d->joint[k][l];
        }
    }
}

static double
entropy(const double *p, int n)
{
    double sum = 0.0;

    for (int i = 0; i < n; i++)
        if (p[i] > 0.0)
            sum -= p[i] * log(p[i]);
    return sum;
}

// d value / d joint[k][l], but for what is constant along a row: the window's slopes sum to 0.
static double
find_value(BgMi *mi, const Density *d, gboolean with_table)
{
    double hf = entropy(d->fixed, BG_MI_BINS), hm = entropy(d->moving, BG_MI_COLUMNS);
    double hj = entropy(&d->joint[0][0], N_CELLS);
    gboolean normalized = mi->kind == BG_MI_NORMALIZED && hj > 0.0;

    for (int k = 0; with_table && k < BG_MI_BINS; k++) {
        for (int l = 0; l < BG_MI_COLUMNS; l++) {
            double p = d->joint[k][l], lj = p > 0.0 ? log(p) : -30.0;
            double lm = d->moving[l] > 0.0 ? log(d->moving[l]) : -30.0;
            mi->table[k * BG_MI_COLUMNS + l] =
                (float) (normalized ? ((hf + hm) * lj - hj * lm) / (hj * hj) : lj - lm);
        }
    }
    return normalized ? (hf + hm) / hj : hf + hm - hj;
}

// From sums over voxel slopes and centred fixed positions to mm of the moving patient.
static void
take_gradient(const BgMi *mi, const BgAffine *moving_from_fixed, const BgAffine *voxel,
              BgMiResult *result)
{
    double sums[12] = { 0 }, half[3][3], scale;

    for (int chunk = 0; chunk < BG_MI_CHUNKS; chunk++)
        for (int i = 0; i < 12; i++)
            sums[i] += mi->sums[chunk][i];
    scale = (double) mi->view.bin_scale / fmax(result->overlap * (double) mi->n_real, 1.0);
    for (int a = 0; a < 3; a++) {
        result->shift[a] = 0.0;
        for (int b = 0; b < 3; b++) {
            result->shift[a] += scale * voxel->m[b][a] * sums[b];
            half[a][b] = 0.0;
            for (int c = 0; c < 3; c++)
                half[a][b] += scale * voxel->m[c][a] * sums[3 + 3 * c + b];
        }
    }
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            result->stretch[a][b] = 0.0;
            for (int c = 0; c < 3; c++)
                result->stretch[a][b] += half[a][c] * moving_from_fixed->m[b][c];
        }
    }
}

void
bg_mi_evaluate(BgMi *mi, const BgAffine *moving_from_fixed, gboolean with_gradient,
               BgMiResult *result)
{
    BgAffine voxel = bg_geometry_voxel_from_patient(&mi->moving->geometry);
    BgAffine map = bg_affine_multiply(&voxel, moving_from_fixed);
    BgVec3 centre = bg_affine_apply(&map, mi->samples->centre);
    Density density;

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++)
            mi->view.map[row][column] = (float) map.m[row][column];
        mi->view.map[row][3] = (float) bg_vec3_get(centre, row);
    }
    memset(result, 0, sizeof *result);
    bg_parallel_for(BG_MI_CHUNKS, 4, fill_histograms, mi, NULL);
    find_density(mi, &density);
    result->overlap = density.total / (double) mi->n_real;
    if (result->overlap < MIN_OVERLAP) {
        result->value = -1.0;
        return;
    }
    result->value = find_value(mi, &density, with_gradient);
    if (!with_gradient)
        return;
    bg_parallel_for(BG_MI_CHUNKS, 4, sum_gradients, mi, NULL);
    take_gradient(mi, moving_from_fixed, &voxel, result);
}

// The four values of the cubic B-spline around @t, and its slopes; columns floor(t) - 1 .. + 2.
static inline void
window_at(float f, float w[4])
{
    float g = 1.0f - f;

    w[0] = g * g * g * (1.0f / 6.0f);
    w[1] = (4.0f - 3.0f * f * f * (2.0f - f)) * (1.0f / 6.0f);
    w[2] = (4.0f - 3.0f * g * g * (2.0f - g)) * (1.0f / 6.0f);
    w[3] = f * f * f * (1.0f / 6.0f);
}

void
bg_mi_histogram_plain(const BgMiView *view, gsize first, gsize last, float *histogram)
{
    const int *dims = view->dims;
    gsize row = (gsize) dims[0], slice = row * (gsize) dims[1];

    for (gsize i = first; i < last; i++) {
        float p[3], f[3];
        int at[3];
        gboolean inside = view->bin[i] >= 0;
        for (int axis = 0; axis < 3; axis++) {
            const float *m = view->map[axis];
            p[axis] = m[0] * view->x[i] + (m[1] * view->y[i] + (m[2] * view->z[i] + m[3]));
            inside = inside && p[axis] >= 0.0f && p[axis] < (float) (dims[axis] - 1);
        }
        view->column[i] = -1.0f;
        if (!inside)
            continue;
        for (int axis = 0; axis < 3; axis++) {
            at[axis] = (int) p[axis];
            f[axis] = p[axis] - (float) at[axis];
        }
        const float *v = view->values + (gsize) at[0] + row * (gsize) at[1] + slice * (gsize) at[2];
        float x00 = v[0] + f[0] * (v[1] - v[0]);
        float x10 = v[row] + f[0] * (v[row + 1] - v[row]);
        float x01 = v[slice] + f[0] * (v[slice + 1] - v[slice]);
        float x11 = v[slice + row] + f[0] * (v[slice + row + 1] - v[slice + row]);
        float d0 = (v[1] - v[0]) + f[1] * ((v[row + 1] - v[row]) - (v[1] - v[0]));
        float d1 = (v[slice + 1] - v[slice]) +
                   f[1] * ((v[slice + row + 1] - v[slice + row]) - (v[slice + 1] - v[slice]));
        float y0 = x00 + f[1] * (x10 - x00), y1 = x01 + f[1] * (x11 - x01);
        float value = y0 + f[2] * (y1 - y0);
        view->slope[0][i] = d0 + f[2] * (d1 - d0);
        view->slope[1][i] = (x10 - x00) + f[2] * ((x11 - x01) - (x10 - x00));
        view->slope[2][i] = y1 - y0;

        float t = value * view->bin_scale + view->bin_offset, w[4];
        t = CLAMP(t, 1.0f, (float) BG_MI_COLUMNS - 2.001f);
        view->column[i] = t;
        window_at(t - floorf(t), w);
        float *cell = histogram + view->bin[i] * BG_MI_COLUMNS + (int) t - 1;
        for (int c = 0; c < 4; c++)
            cell[c] += w[c];
    }
}

void
bg_mi_gradient_plain(const BgMiView *view, gsize first, gsize last, double sums[12])
{
    for (gsize i = first; i < last; i++) {
        float t = view->column[i];
        // At a clamped end the value does not change with the position.
        if (!(t > 1.0f) || t >= (float) BG_MI_COLUMNS - 2.001f)
            continue;
        float f = t - floorf(t), g = 1.0f - f;
        const float *cell = view->table + view->bin[i] * BG_MI_COLUMNS + (int) t - 1;
        double s = (double) (cell[0] * -0.5f * g * g + cell[1] * f * (1.5f * f - 2.0f) -
                             cell[2] * g * (1.5f * g - 2.0f) + cell[3] * 0.5f * f * f);
        for (int axis = 0; axis < 3; axis++) {
            double weighted = s * (double) view->slope[axis][i];
            sums[axis] += weighted;
            sums[3 + 3 * axis] += weighted * (double) view->x[i];
            sums[4 + 3 * axis] += weighted * (double) view->y[i];
            sums[5 + 3 * axis] += weighted * (double) view->z[i];
        }
    }
}
