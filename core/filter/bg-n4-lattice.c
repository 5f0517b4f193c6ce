// SPDX-License-Identifier: Apache-2.0
#include "bg-n4-private.h"

#include <math.h>
#include <string.h>

// Along one axis of a block of before x n x after: c'(2m) and c'(2m - 1) of the cubic B-spline's
// subdivision.
static void
refine_axis(const double *in, double *out, int n, int before, int after)
{
    int wide = 2 * (n - 3) + 3;

    for (int a = 0; a < after; a++) {
        for (int q = 0; q < wide; q++) {
            for (int b = 0; b < before; b++) {
                const double *c = in + (gsize) before * (gsize) (a * n) + b;
                double *to = out + (gsize) before * (gsize) (a * wide + q) + b;
                int m = (q + 1) / 2;
                if (q % 2 == 0)
                    *to = 0.5 * (c[before * m] + c[before * (m + 1)]);
                else
                    *to = (c[before * (m - 1)] + 6.0 * c[before * m] + c[before * (m + 1)]) / 8.0;
            }
        }
    }
}

void
bg_lattice_refine(BgLattice *lattice)
{
    int n = bg_lattice_side(lattice), wide = 2 * lattice->cells + 3;
    double *x = g_new(double, (gsize) wide *(gsize) n *(gsize) n);
    double *y = g_new(double, (gsize) wide *(gsize) wide *(gsize) n);
    double *z = g_new(double, (gsize) wide *(gsize) wide *(gsize) wide);

    refine_axis(lattice->points, x, n, 1, n * n);
    refine_axis(x, y, n, wide, n);
    refine_axis(y, z, n, wide * wide, 1);
    g_free(x);
    g_free(y);
    g_free(lattice->points);
    lattice->points = z;
    lattice->cells *= 2;
}

void
bg_spline_axis_init(BgSplineAxis *axis, int n, double offset, double step, int cells)
{
    *axis = (BgSplineAxis){ .n = n,
                            .first = g_new(int, n),
                            .w = g_malloc_n((gsize) n, sizeof *axis->w),
                            .w2 = g_malloc_n((gsize) n, sizeof *axis->w2),
                            .w3 = g_malloc_n((gsize) n, sizeof *axis->w3) };
    for (int p = 0; p < n; p++) {
        double at = CLAMP((offset + p * step) * cells, 0.0, (double) cells);
        int cell = MIN((int) floor(at), cells - 1);
        double t = at - cell, r = 1.0 - t, squares = 0.0;
        double w[4] = { r * r * r / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
                        (3.0 * r * r * r - 6.0 * r * r + 4.0) / 6.0, t * t * t / 6.0 };
        axis->first[p] = cell;
        for (int c = 0; c < 4; c++)
            squares += w[c] * w[c];
        for (int c = 0; c < 4; c++) {
            axis->w[p][c] = (float) w[c];
            axis->w2[p][c] = (float) (w[c] * w[c]);
            axis->w3[p][c] = (float) (w[c] * w[c] * w[c] / squares);
        }
    }
}

void
bg_spline_axis_clear(BgSplineAxis *axis)
{
    g_clear_pointer(&axis->first, g_free);
    g_clear_pointer(&axis->w, g_free);
    g_clear_pointer(&axis->w2, g_free);
    g_clear_pointer(&axis->w3, g_free);
}

void
bg_lattice_slice(const BgLattice *lattice, const BgSplineAxis *axis, int k, double *slice)
{
    gsize n = (gsize) bg_lattice_side(lattice), n2 = n * n;
    const double *c = lattice->points + (gsize) axis->first[k] * n2;
    const float *w = axis->w[k];

    for (gsize i = 0; i < n2; i++)
        slice[i] = c[i] * (double) w[0] + c[i + n2] * (double) w[1] +
                   c[i + 2 * n2] * (double) w[2] + c[i + 3 * n2] * (double) w[3];
}

void
bg_lattice_row(const BgLattice *lattice, const BgSplineAxis *axis, int j, const double *slice,
               float *row)
{
    gsize n = (gsize) bg_lattice_side(lattice);
    const double *c = slice + (gsize) axis->first[j] * n;
    const float *w = axis->w[j];

    for (gsize i = 0; i < n; i++)
        row[i] = (float) (c[i] * (double) w[0] + c[i + n] * (double) w[1] +
                          c[i + 2 * n] * (double) w[2] + c[i + 3 * n] * (double) w[3]);
}
