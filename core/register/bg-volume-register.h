// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-transform.h"
#include "core/register/bg-point-fit.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgRegisterStart:
 * @BG_REGISTER_START_AUTO: the best of the three that follow
 * @BG_REGISTER_START_GEOMETRY: as the files lie
 * @BG_REGISTER_START_CENTRES: the middles of both grids on each other
 * @BG_REGISTER_START_MOMENTS: the centres of mass of the values on each other
 * @BG_REGISTER_START_GIVEN: from landmarks, by hand, or another registration; no search around it
 *
 * Around each of the first four turns of up to 30 degrees are tried.
 */
typedef enum {
    BG_REGISTER_START_AUTO,
    BG_REGISTER_START_GEOMETRY,
    BG_REGISTER_START_CENTRES,
    BG_REGISTER_START_MOMENTS,
    BG_REGISTER_START_GIVEN,
} BgRegisterStart;

/** bg_register_start_name: "auto", "geometry", "centres", "moments", "given" */
const char *bg_register_start_name(BgRegisterStart start);
gboolean bg_register_start_parse(const char *name, BgRegisterStart *start);

/**
 * BgVolumeRegisterParams:
 * @model: rigid or affine
 * @fixed_from_moving: LPS mm; only of %BG_REGISTER_START_GIVEN
 * @mask: (nullable): borrowed: where of the fixed volume it counts, label not 0; its own grid
 * @normalized: normalised mutual information instead of Mattes'
 * @allow_mirror: take a mirrored volume's reflection instead of refusing it
 * @n_samples: at the finest level; 0: as many as are enough
 * @seed: of the samples' places
 */
typedef struct {
    BgTransformModel model;
    BgRegisterStart start;
    BgAffine fixed_from_moving;
    BgLabelMap *mask;
    gboolean normalized;
    gboolean allow_mirror;
    gsize n_samples;
    guint64 seed;
} BgVolumeRegisterParams;

/** bg_volume_register_params: Returns: rigid, auto, no mask */
BgVolumeRegisterParams bg_volume_register_params(BgTransformModel model);

/**
 * BgVolumeRegistration:
 * @transform: owned: fixed_from_moving
 * @metric_before: of the frames as they lie (or as given), at the finest level; larger is better;
 *   NaN where they hardly overlap
 * @metric_after: at the same samples
 * @mirror: whether the moving volume is the mirror image: judged by registering its reflection too
 * @metric_mirror, @metric_proper: of both, at the same coarse samples
 * @overlap: share of the fixed samples that the moving volume covers
 * @start: which one won
 * @n_evaluations: of the metric
 * @warnings: owned: char *, translated
 */
typedef struct {
    BgTransform *transform;
    double metric_before, metric_after;
    BgMirror mirror;
    double metric_mirror, metric_proper;
    double overlap;
    BgRegisterStart start;
    guint n_evaluations;
    GPtrArray *warnings;
} BgVolumeRegistration;

/**
 * bg_volume_register:
 *
 * By mutual information, coarse to fine: many starts at the coarsest level, the best of them followed
 * uphill (BFGS) at finer ones. The result does not hang on the number of threads. Any thread.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: a volume of less than 4 voxels along
 *   an axis, one without contrast, a mask that covers too little, another model;
 *   %BG_ERROR_MISMATCH: the moving volume is the mirror image, unless that is allowed;
 *   %BG_ERROR_NO_MEMORY; %G_IO_ERROR_CANCELLED
 */
BgVolumeRegistration *bg_volume_register(BgVolume *fixed, BgVolume *moving,
                                         const BgVolumeRegisterParams *params,
                                         const BgProgress *progress, GCancellable *cancellable,
                                         GError **error);
void bg_volume_registration_free(BgVolumeRegistration *registration);

/**
 * BgPointRefinement:
 * @moving_mm: where the point lies in the moving frame
 * @moved_mm: how far it went from where the transform had put it
 */
typedef struct {
    BgVec3 moving_mm;
    double moved_mm;
    double metric_before, metric_after;
} BgPointRefinement;

/** bg_volume_refine_from: shifts @moving_from_fixed so that it takes @fixed_mm to @moving_mm: where it was placed */
static inline void
bg_volume_refine_from(BgAffine *moving_from_fixed, BgVec3 fixed_mm, BgVec3 moving_mm)
{
    BgVec3 off = bg_vec3_sub(moving_mm, bg_affine_apply(moving_from_fixed, fixed_mm));

    for (int i = 0; i < 3; i++)
        moving_from_fixed->m[i][3] += bg_vec3_get(off, i);
}

/**
 * bg_volume_refine_point:
 * @fixed_mm: LPS, in the fixed frame
 * @moving_from_fixed: where it is believed to lie
 * @radius_mm: of the ball about it that is compared; it moves by half of that at most
 * @refinement: (out)
 *
 * Shifts one landmark so that its surroundings agree best (mutual information, shift only).
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: the ball lies outside of a volume, or has no contrast;
 *   else as bg_volume_register()
 */
gboolean bg_volume_refine_point(BgVolume *fixed, BgVolume *moving, BgVec3 fixed_mm,
                                const BgAffine *moving_from_fixed, double radius_mm, guint64 seed,
                                BgPointRefinement *refinement, GCancellable *cancellable,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgVolumeRegistration, bg_volume_registration_free)

G_END_DECLS
