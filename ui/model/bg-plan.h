// SPDX-License-Identifier: Apache-2.0
// The plane through the points of a volume, and what lies between it and a depth.
#pragma once

#include "core/register/bg-landmark-plane.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgPlan:
 * @depth_mm: from the plane inwards
 * @margin_mm: how much wider than the points
 * @shape: along the points' outline, or round
 * @on_surface: from where the normal through the points' middle meets the uppermost visible mesh; else from
 *   that middle
 */
typedef struct {
    double depth_mm, margin_mm;
    BgPrismShape shape;
    gboolean on_surface;
} BgPlan;

/**
 * bg_plan_prism:
 * @plane: (out): its normal goes inwards
 *
 * Through the placed points of the volume that is worked on, skipped ones left out, where they are shown.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: as bg_landmark_plane_fit() and bg_prism_new()
 */
BgPrism *bg_plan_prism(BgSession *session, const BgPlan *plan, BgLandmarkPlane *plane,
                       GError **error);

/** bg_plan_has_surface: whether a mesh is visible */
gboolean bg_plan_has_surface(BgSession *session);

/**
 * bg_plan_save_slices: slices of the volume along the normal, from the top to the depth, a voxel apart, as
 * HDF5; those of the uppermost visible label map beside them, as NAME-label. By a job; files that are there are
 * replaced
 */
void bg_plan_save_slices(BgSession *session, const BgPlan *plan, const char *path);

/** bg_plan_crop: adds what lies inside as a volume of its own, as one step of undo, by a job */
void bg_plan_crop(BgSession *session, const BgPlan *plan);

G_END_DECLS
