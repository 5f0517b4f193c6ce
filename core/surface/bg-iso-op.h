// SPDX-License-Identifier: Apache-2.0
// Marching cubes by rows of the padded grid, as bg-iso-extract.c does it, for devices that do thousands of
// rows at once. Compiled as CUDA by nvcc and as C++ by the host build of the same kernels. So: no
// GLib, no state. Voxel i of a row is bit i + 1, row j is row j + 1, slice k is slice k + 1.
#pragma once

#include "core/base/bg-hostdev.h"
#include "core/base/bg-sample.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// BgMarchingCase, under another name where there is no GLib.
typedef struct {
    uint16_t crossed;
    uint8_t n_triangles;
    uint8_t edges[15];
} BgIsoOpCase;

// Of a row: how many vertices on its edges along i, to the next row, to the next slice, and how many
// triangles of the cells between it and its neighbours; then, summed, the numbers of the first of them.
typedef struct {
    uint32_t x, y, z, triangle;
} BgIsoOpStart;

// @first: of the part that is looked at, in samples from the volume's first; @row, @slice: distances.
// Inside is (sample > bound) != flip; for float32 sample <= level_sample where at_most, else >=.
typedef struct {
    BgSampleType type;
    bool flip, at_most;
    int64_t bound;
    float level_sample;
    double level, margin; // as BgIsoField's
    size_t first, row, slice;
    int dims[3], low[3];
    double patient_from_voxel[3][4];
    int n_words, n_rows, n_slices;
    int first_cell, last_cell, first_voxel, last_voxel; // bits: inclusive
    int first_row, last_row, first_slice, last_slice;   // inclusive
} BgIsoOp;

BG_HOSTDEV int
bg_iso_op_lowest(uint64_t x)
{
#ifdef __CUDA_ARCH__
    return __ffsll((long long) x) - 1;
#else
    return __builtin_ctzll(x);
#endif
}

BG_HOSTDEV uint32_t
bg_iso_op_count(uint64_t x)
{
#ifdef __CUDA_ARCH__
    return (uint32_t) __popcll(x);
#else
    return (uint32_t) __builtin_popcountll(x);
#endif
}

BG_HOSTDEV bool
bg_iso_op_is_padding(const BgIsoOp *op, int j, int k)
{
    return j <= 0 || k <= 0 || j >= op->n_rows - 1 || k >= op->n_slices - 1;
}

// The part of word @w that lies in first..last.
BG_HOSTDEV uint64_t
bg_iso_op_range(int w, int first, int last)
{
    int from = first - 64 * w > 0 ? first - 64 * w : 0;
    int to = last - 64 * w < 63 ? last - 64 * w : 63;

    return from > to ? 0 : (~(uint64_t) 0 << from) & (~(uint64_t) 0 >> (63 - to));
}

// Bits p and p + 1 side by side: the other end of each edge along i.
BG_HOSTDEV uint64_t
bg_iso_op_shifted(const uint64_t *row, int w)
{
    return row[w] >> 1 | row[w + 1] << 63;
}

// Crossed edges of word @w along @axis; @next: the row at their other end, for axes 1 and 2.
BG_HOSTDEV uint64_t
bg_iso_op_crossed(const BgIsoOp *op, int axis, const uint64_t *row, const uint64_t *next, int w)
{
    if (axis == 0)
        return (row[w] ^ bg_iso_op_shifted(row, w)) &
               bg_iso_op_range(w, op->first_cell, op->last_cell);
    return (row[w] ^ next[w]) & bg_iso_op_range(w, op->first_voxel, op->last_voxel);
}

// Whether a row has edges along @axis.
BG_HOSTDEV bool
bg_iso_op_has(const BgIsoOp *op, int axis, int j, int k)
{
    int last_row = op->last_row + (axis == 1 ? 0 : 1);
    int last_slice = op->last_slice + (axis == 2 ? 0 : 1);

    return j >= op->first_row && j <= last_row && k >= op->first_slice && k <= last_slice;
}

BG_HOSTDEV bool
bg_iso_op_has_cells(const BgIsoOp *op, int j, int k)
{
    return bg_iso_op_has(op, 1, j, k) && bg_iso_op_has(op, 2, j, k);
}

// Four rows round a row of cells: (j, k), (j + 1, k), (j, k + 1), (j + 1, k + 1).
typedef struct {
    const uint64_t *row[4];
} BgIsoOpCells;

BG_HOSTDEV BgIsoOpCells
bg_iso_op_cells(const BgIsoOp *op, const uint64_t *bits, int j, int k)
{
    const uint64_t *row =
        bits + (size_t) op->n_words * ((size_t) j + (size_t) op->n_rows * (size_t) k);
    const uint64_t *above = row + (size_t) op->n_words * (size_t) op->n_rows;
    BgIsoOpCells cells = { { row, row + op->n_words, above, above + op->n_words } };

    return cells;
}

// The cells of word @w whose corners are not all alike.
BG_HOSTDEV uint64_t
bg_iso_op_active(const BgIsoOp *op, const BgIsoOpCells *cells, int w)
{
    uint64_t any = 0, all = ~(uint64_t) 0;

    for (int r = 0; r < 4; r++) {
        uint64_t at = cells->row[r][w], next = bg_iso_op_shifted(cells->row[r], w);
        any |= at | next;
        all &= at & next;
    }
    return any & ~all & bg_iso_op_range(w, op->first_cell, op->last_cell);
}

BG_HOSTDEV unsigned
bg_iso_op_case(const BgIsoOpCells *cells, int w, int bit)
{
    unsigned number = 0;

    for (int r = 0; r < 4; r++) {
        uint64_t at = cells->row[r][w] >> bit & 1;
        uint64_t next = bg_iso_op_shifted(cells->row[r], w) >> bit & 1;
        number |= (unsigned) (at | next << 1) << (2 * r);
    }
    return number;
}

// Where the crossing is between two samples; in the middle next to infinities and not-a-numbers.
BG_HOSTDEV double
bg_iso_op_between(const BgIsoOp *op, float a, float b)
{
    double step = (double) b - (double) a, t = (op->level - (double) a) / step;

    t = t > op->margin ? t : op->margin;
    t = t < 1.0 - op->margin ? t : 1.0 - op->margin;
    return fabs(step) <= DBL_MAX ? t : 0.5;
}
