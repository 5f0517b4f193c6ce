// SPDX-License-Identifier: Apache-2.0
// The patient in a photograph: what a camera with a pose is for.
//
// From the scan to the photograph, step by step:
//
//   1. Intrinsics: bg_chessboard_find() in each photograph of a board, then bg_calibrate(); or
//      bg_lens_from_exif() and bg_camera_from_lens(); or neither, and BgPoseParams.estimate_focal.
//   2. Points of the same names in volume and photograph (BgLandmarks of both spaces; pixels are of
//      the photograph as it was taken, bent by the lens and maybe mirrored). bg_pose_from_landmarks()
//      gives a BgPoseResult: camera, covariance, residuals in px and mm. Show result.has_second and
//      result.mirror_unclear. %BG_ERROR_MISMATCH: it is mirrored: ask, then set BgPoseParams.mirrored.
//   3. The brain's surface: bg_label_surface() of its mask, bg_cortex_new() with the T1 with contrast,
//      1.0 mm outside and 1.5 mm inside. bg_pose_refine() with the result of step 2 (a second to
//      some: in a thread). When refined.trusted, or the person says so after refined.doubt and both
//      pictures were shown, bg_pose_take_camera() puts it in the result's place.
//   4. Showing: bg_photo_render() lies on the photograph as it is; bg_photo_straighten() makes the
//      photograph lie on any picture of a pinhole: a renderer's with the same camera.
//      bg_photo_project() for points, bg_photo_contours() for lines, bg_photo_outline() for labels.
//   5. A plane and a crop need the volume alone: bg_landmark_plane_fit() (or _three()),
//      bg_landmark_plane_turn_into(), bg_landmark_plane_find_surface() for O1, bg_prism_new() with the
//      depth of O2, bg_prism_to_mesh() for its preview, bg_prism_mask() and bg_prism_crop() for voxels,
//      bg_plane_contours() for lines of a mesh with values. All of it is fast but the last four.
//   6. Thermal with optical: bg_point_fit() with 2 axes, or bg_picture_register();
//      bg_picture_move() shows one where the other is.
//
// In all of it a mirrored photograph has the camera of its mirror image: u becomes width - 1 - u.
#pragma once

#include "core/model/bg-slice-frame.h"
#include "core/register/bg-cortex.h"

G_BEGIN_DECLS

/**
 * bg_photo_project:
 * @camera, @mirrored: as of BgPoseResult or BgPhotoCamera
 * @u, @v: (out): where the photograph as it was taken shows @patient_mm
 * @depth_mm: (out): along the camera's z axis. A pixel there is bg_camera_mm_per_pixel() wide
 *
 * Returns: %FALSE behind the camera, and where the lens model has folded over. Pixels off the picture
 *   are no failure
 */
gboolean bg_photo_project(const BgCamera *camera, gboolean mirrored, BgVec3 patient_mm, double *u,
                          double *v, double *depth_mm);

/** bg_photo_ray: the line that the photograph's pixel shows, as of bg_camera_ray_lens() */
gboolean bg_photo_ray(const BgCamera *camera, gboolean mirrored, double u, double v,
                      BgVec3 *origin_mm, BgVec3 *direction);

/**
 * bg_photo_contours:
 * @contours: of BgPlaneContour: lines in the patient
 * @surface: (nullable): of bg_cortex_view_new() with @camera: what lies deeper than @slack_mm behind
 *   it is left out
 *
 * Returns: (transfer full): in the photograph's pixels; lines are cut where they leave what is seen
 */
BgContours *bg_photo_contours(const BgCamera *camera, gboolean mirrored, const GPtrArray *contours,
                              const BgCortexView *surface, double slack_mm);

/**
 * bg_photo_outline:
 * @surface: of a label: of bg_label_surface(), values are not needed
 *
 * Returns: (transfer full): its silhouettes, closed lines in the photograph's pixels; empty where it
 *   is not seen. %NULL with %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgContours *bg_photo_outline(const BgCamera *camera, gboolean mirrored, BgCortex *surface,
                             GCancellable *cancellable, GError **error);

/**
 * bg_photo_render:
 *
 * Returns: (transfer full): grey with alpha: the surface as bg_cortex_view_picture(), bent and mirrored
 *   as the photograph is; or %NULL as bg_photo_outline()
 */
BgImage *bg_photo_render(const BgCamera *camera, gboolean mirrored, BgCortex *surface,
                         GCancellable *cancellable, GError **error);

/**
 * bg_photo_straighten:
 *
 * The other way round: the photograph as a pinhole of the same K sees it, and not mirrored.
 *
 * Returns: (transfer full): as of bg_image_undistort()
 */
BgImage *bg_photo_straighten(BgImage *photograph, const BgCamera *camera, gboolean mirrored,
                             GCancellable *cancellable, GError **error);

G_END_DECLS
