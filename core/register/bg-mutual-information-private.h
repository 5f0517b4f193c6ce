// SPDX-License-Identifier: Apache-2.0
// Mutual information of two volumes at a set of samples, and its gradient.
#pragma once

#include "core/register/bg-pyramid-private.h"

G_BEGIN_DECLS

#define BG_MI_BINS 32   // of the fixed values; of the moving ones with two to spare on each side
#define BG_MI_CHUNKS 32 // summed in order, so that the result does not hang on the threads

/**
 * BgMiSamples:
 * @n: a multiple of 8: the last are repeated with @bin -1
 * @x, @y, @z: owned: fixed patient mm about @centre
 * @bin: owned: of the fixed value, 0..BG_MI_BINS - 1
 * @radius_mm: rms distance from @centre
 */
typedef struct {
    gsize n;
    float *x, *y, *z;
    gint32 *bin;
    BgVec3 centre;
    double radius_mm;
} BgMiSamples;

/** BgMiRegion: which patient points count: in a box, and where @mask (nullable, borrowed) is not 0 */
typedef struct {
    BgVec3 low, high;
    const struct _BgLabelMap *mask;
    gboolean is_ball; // about @centre within @radius_mm instead of the box
    BgVec3 centre;
    double radius_mm;
} BgMiRegion;

/**
 * bg_mi_samples_new:
 * @n_wanted: as many or fewer: the region is cut into strata, each of which gives one
 * @seed: of their places
 *
 * Returns: (transfer full): samples that lie off the grid; %NULL when fewer than 64 lie in the region
 */
BgMiSamples *bg_mi_samples_new(const BgPyramid *fixed, int level, const BgMiRegion *region,
                               gsize n_wanted, guint64 seed);
void bg_mi_samples_free(BgMiSamples *samples);

typedef enum {
    BG_MI_MATTES,
    BG_MI_NORMALIZED,
} BgMiKind;

/**
 * BgMi:
 *
 * The metric at one level: borrowed samples and moving level, owned scratch. One thread calls it at a
 * time; it is parallel inside.
 */
typedef struct _BgMi BgMi;

BgMi *bg_mi_new(BgMiKind kind, const BgMiSamples *samples, const BgPyramid *moving, int level);
void bg_mi_free(BgMi *mi);

/**
 * BgMiResult:
 * @value: in nats; normalised: 1..2. Larger is better; -1 when too few samples hit the moving volume
 * @overlap: share of the samples that do
 * @shift: d value / d of a shift of the mapped points, per mm
 * @stretch: d value / d D for mapped points y -> y + D (y - centre), of the mapped centre: [row][column]
 */
typedef struct {
    double value;
    double overlap;
    double shift[3];
    double stretch[3][3];
} BgMiResult;

/**
 * bg_mi_evaluate:
 * @with_gradient: else only @value and @overlap are set
 */
void bg_mi_evaluate(BgMi *mi, const BgAffine *moving_from_fixed, gboolean with_gradient,
                    BgMiResult *result);

// For bg-mutual-information-avx2.c.

#define BG_MI_COLUMNS (BG_MI_BINS + 4)

/** BgMiView: what a kernel needs; all borrowed */
typedef struct {
    const float *x, *y, *z;
    const gint32 *bin;
    const float *values; // of the moving level
    int dims[3];
    float map[3][4];    // moving voxel from centred fixed mm
    float bin_scale;    // bins per value
    float bin_offset;   // so that values at the low end fall on column 2
    float *column;      // (out) where on the columns each sample fell; -1 outside
    float *slope[3];    // (out) of the moving values, per voxel
    const float *table; // second pass: [bin][column]
} BgMiView;

/** bg_mi_histogram_*: samples first..last-1, a multiple of 8; adds to @histogram [bin][column] */
void bg_mi_histogram_plain(const BgMiView *view, gsize first, gsize last, float *histogram);
void bg_mi_histogram_avx2(const BgMiView *view, gsize first, gsize last, float *histogram);

/** bg_mi_gradient_*: @sums: 3 of slope, 9 of slope (row) times position (column): added to */
void bg_mi_gradient_plain(const BgMiView *view, gsize first, gsize last, double sums[12]);
void bg_mi_gradient_avx2(const BgMiView *view, gsize first, gsize last, double sums[12]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgMiSamples, bg_mi_samples_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgMi, bg_mi_free)

G_END_DECLS
