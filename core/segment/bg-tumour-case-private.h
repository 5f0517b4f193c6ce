// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-tumour-case.h"

G_BEGIN_DECLS

/**
 * bg_tumour_covered:
 * @own: the grid of another volume, @moving_from_fixed: where a place of the mask's patient lies in that volume's
 *
 * Returns: which share of the mask's voxels lies within that grid: 0..1; 1 when the mask is empty
 */
double bg_tumour_covered(const BgLabelMap *mask, const BgGeometry *own,
                         const BgAffine *moving_from_fixed);

G_END_DECLS
