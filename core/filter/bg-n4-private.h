// SPDX-License-Identifier: Apache-2.0
// The parts of N4: the histogram's sharpening, and cubic B-splines over a grid.
#pragma once

#include "bg-n4.h"

G_BEGIN_DECLS

/**
 * bg_n4_sharpen:
 * @counts: @n_bins, of values from @low in steps of @step
 * @sharp: (out): @n_bins: for each bin the value that is expected without the field
 */
void bg_n4_sharpen(const double *counts, int n_bins, double low, double step,
                   const BgN4Params *params, double *sharp);

#define BG_LATTICE_MAX_CELLS (1 << (BG_N4_MAX_LEVELS - 1))
#define BG_LATTICE_MAX (BG_LATTICE_MAX_CELLS + 3)

/**
 * BgLattice: control points of cubic B-splines over a grid, @cells along each axis
 * @points: owned: (cells + 3)^3, x fastest
 */
typedef struct {
    int cells;
    double *points;
} BgLattice;

static inline int
bg_lattice_side(const BgLattice *lattice)
{
    return lattice->cells + 3;
}

/** bg_lattice_refine: twice the cells, the same function */
void bg_lattice_refine(BgLattice *lattice);

/**
 * BgSplineAxis: the four splines at each of @n places of an axis
 * @first: the first control point
 * @w: their weights; @w2: squared; @w3: cubed, over the sum of squares
 */
typedef struct {
    int n;
    int *first;               // owned
    float (*w)[4];            // owned
    float (*w2)[4], (*w3)[4]; // owned
} BgSplineAxis;

/** bg_spline_axis_init: place p is at @offset + p * @step of 0..1 over the axis */
void bg_spline_axis_init(BgSplineAxis *axis, int n, double offset, double step, int cells);
void bg_spline_axis_clear(BgSplineAxis *axis);

/**
 * bg_lattice_rows: the lattice's part along k and j: @rows: (out): a side of numbers
 * @k, @j: places of their axes; @slice: scratch of side^2, of place k, made by bg_lattice_slice()
 */
void bg_lattice_slice(const BgLattice *lattice, const BgSplineAxis *axis, int k, double *slice);
void bg_lattice_row(const BgLattice *lattice, const BgSplineAxis *axis, int j, const double *slice,
                    float *row);

static inline float
bg_lattice_value(const BgSplineAxis *axis, int i, const float *row)
{
    const float *c = row + axis->first[i], *w = axis->w[i];

    return c[0] * w[0] + c[1] * w[1] + c[2] * w[2] + c[3] * w[3];
}

G_END_DECLS
