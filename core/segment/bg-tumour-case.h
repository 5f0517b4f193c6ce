// SPDX-License-Identifier: Apache-2.0
// The contrasts of one MRI examination of a brain tumour, made ready for a network.
#pragma once

#include "core/base/bg-progress.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/** BgContrast: in the order of the network's channels */
typedef enum {
    BG_CONTRAST_T1,
    BG_CONTRAST_T1CE,
    BG_CONTRAST_T2,
    BG_CONTRAST_FLAIR,
    BG_N_CONTRASTS,
} BgContrast;

/** bg_contrast_name: "t1", "t1ce", "t2", "flair" */
const char *bg_contrast_name(BgContrast contrast);

/**
 * BgTumourAlign:
 * @BG_TUMOUR_ALIGN_AUTO: contrasts whose grid is not the first one's are registered to it, rigidly
 * @BG_TUMOUR_ALIGN_NEVER: grids are brought together as they lie in the patient
 * @BG_TUMOUR_ALIGN_ALWAYS: all are registered
 */
typedef enum {
    BG_TUMOUR_ALIGN_AUTO,
    BG_TUMOUR_ALIGN_NEVER,
    BG_TUMOUR_ALIGN_ALWAYS,
} BgTumourAlign;

/**
 * BgTumourParams:
 * @brain: (nullable): voxels that are not 0 are brain; its grid may be another
 * @spacing_mm: of the network's grid; 0: 1 mm
 * @n4: take the shading of each contrast away first
 * @as_given: do not judge whether the contrasts are what they are said to be
 */
typedef struct {
    BgTumourAlign align;
    BgLabelMap *brain;
    double spacing_mm;
    gboolean n4;
    gboolean as_given;
    guint64 seed; // of registrations
} BgTumourParams;

/**
 * BgTumourCase:
 * @grid: of @planes: LPS order, of the spacing asked for, cut to what is not background
 * @planes: owned: contrast by contrast, each as many float32 as @grid has voxels: z-scores within the
 *   foreground after the values were cut at the 0.5 and 99.5 percentile; 0 outside, and where a
 *   contrast is missing
 * @present: which contrasts there are
 * @reference: the contrast whose frame it is: the first there of T1CE, T1, FLAIR, T2
 * @stripped: the background was constant: the skull was taken away before
 * @registered: which contrasts were moved; @moving_from_fixed: where to
 * @warnings: owned: char *, translated
 */
typedef struct {
    BgGeometry grid;
    float *planes;
    gboolean present[BG_N_CONTRASTS];
    BgContrast reference;
    gboolean stripped;
    gboolean registered[BG_N_CONTRASTS];
    BgAffine moving_from_fixed[BG_N_CONTRASTS];
    GPtrArray *warnings;
} BgTumourCase;

/**
 * bg_tumour_case_new:
 * @contrasts: (nullable each): at least one
 *
 * Brings all onto one grid (smoothed first where that is coarser), finds the foreground (all that is not the constant background; else
 * over Otsu's threshold), normalises each contrast within it.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID (no contrast; one without values),
 *   %BG_ERROR_MISMATCH (contrasts do not overlap; they seem to be in another order than said, unless
 *   that is not to be judged), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgTumourCase *bg_tumour_case_new(BgVolume *const contrasts[BG_N_CONTRASTS],
                                 const BgTumourParams *params, const BgProgress *progress,
                                 GCancellable *cancellable, GError **error);
void bg_tumour_case_free(BgTumourCase *tumour_case);

/**
 * bg_tumour_guess_order:
 * @order: (out): which contrast each given one seems to be
 *
 * By relations that hold whatever the scanner: T1 with and without contrast medium rise and fall
 * together, T2 falls where they rise; fluid, dark in both, is brightest in T2 and not in FLAIR;
 * contrast medium only adds.
 *
 * Returns: by how much @order fits better than the one given, 0 or more; over
 *   %BG_TUMOUR_ORDER_SURE it should be believed
 */
double bg_tumour_guess_order(const BgTumourCase *tumour_case, BgContrast order[BG_N_CONTRASTS]);

#define BG_TUMOUR_ORDER_SURE 0.3

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTumourCase, bg_tumour_case_free)

G_END_DECLS
