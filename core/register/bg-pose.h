// SPDX-License-Identifier: Apache-2.0
// Where a photograph was taken from: the pose of the camera from points seen in volume and picture.
#pragma once

#include "core/model/bg-camera.h"
#include "core/model/bg-landmarks.h"

G_BEGIN_DECLS

#define BG_POSE_MIN_POINTS 4
#define BG_POSE_MAX_PARAMETERS 7

/**
 * BgPosePoint:
 * @patient_mm: LPS
 * @u, @v: where the photograph, as it was taken, shows it; pixel centres at integers
 */
typedef struct {
    BgVec3 patient_mm;
    double u, v;
} BgPosePoint;

/**
 * BgPoseParams:
 * @camera: K, distortion and size; its pose is not looked at
 * @estimate_focal: K's focal lengths are unknown but for their ratio (then K's are not looked at)
 * @noise_px: how well points are placed in the photograph: one standard deviation an axis. 0: 2 px,
 *   or a 500th of the longer side where that is more. A point farther than 3.5 times that is an outlier
 * @robust: look for outliers; %FALSE uses every point
 * @mirrored: the photograph shows left and right swapped: fit its mirror image
 * @has_inside, @inside_mm: a point inside of the head (LPS). Surfaces are seen from outside, and that
 *   alone tells a mirrored photograph when perspective is weak
 * @seed: of the random choices when there are too many points to try all
 *
 * A plain value; zeros and a camera are sensible.
 */
typedef struct {
    BgCamera camera;
    gboolean estimate_focal;
    double noise_px;
    gboolean robust;
    gboolean mirrored;
    gboolean has_inside;
    BgVec3 inside_mm;
    guint64 seed;
} BgPoseParams;

/**
 * BgPoseResult:
 * @camera: with the pose and, when it was estimated, the focal length. Of a mirrored photograph: the
 *   camera of its mirror image (u becomes width - 1 - u)
 * @rms_px: root of the mean squared distance of the used points
 * @n_used: points that the fit rests on
 * @mirrored: as in the parameters
 * @n_parameters: 6, or 7 with the focal length
 * @covariance: n_parameters squared, row-major: turn about the camera's x, y, z (rad), t (mm), and the
 *   relative change of the focal length
 * @sigma_px: the localisation error that it rests on: the residuals' where there are many, @noise_px
 *   where there are few (as if four more degrees of freedom had shown that)
 * @sd_rotation_deg, @sd_t_mm, @sd_focal: square roots of its diagonal; the last relative
 * @has_second: another pose explains the points nearly as well: flat landmarks seen from afar
 * @second_rms_px, @second_angle_deg: of that pose, and how far it is turned against this one
 * @mirror_unclear: the mirrored photograph would fit as well, and nothing tells which it is
 */
typedef struct {
    BgCamera camera;
    double rms_px;
    gsize n_used;
    gboolean mirrored;
    int n_parameters;
    double covariance[BG_POSE_MAX_PARAMETERS * BG_POSE_MAX_PARAMETERS];
    double sigma_px;
    double sd_rotation_deg[3];
    double sd_t_mm[3];
    double sd_focal;
    gboolean has_second;
    double second_rms_px, second_angle_deg;
    gboolean mirror_unclear;
} BgPoseResult;

/**
 * bg_pose_estimate:
 * @points: finite
 * @used: (out) (nullable): @n_points: %FALSE for outliers
 * @result: (out): untouched on failure
 *
 * Minimises the squared distances in the photograph, through the lens, over all poses: starts from
 * the rotations that minimise the object-space error (Terzakis and Lourakis 2020, "A consistently
 * fast and globally optimal solution to the perspective-n-point problem"), for flat layouts from
 * both mirror poses, for few points from every triple (Grunert 1841, in the form of Haralick et al.
 * 1994), each refined by Levenberg-Marquardt. Outliers are found by consensus of triples.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: fewer than four points, on one line, in one place, less
 *   than 60 % of them (of six and more: less than five) in agreement, a layout that leaves the pose or
 *   the focal length open; %BG_ERROR_MISMATCH when the photograph is mirrored and @params does not say so, or the other way round
 */
gboolean bg_pose_estimate(const BgPosePoint *points, gsize n_points, const BgPoseParams *params,
                          gboolean *used, BgPoseResult *result, GError **error);

/**
 * BgPoseResidual:
 * @name: of the landmark; valid as long as the lists
 * @point: where it was placed
 * @use: fit or check
 * @used: the fit rests on it: %FALSE for check points and outliers
 * @u, @v: where the fitted camera shows it, in the photograph as it is (mirrored or not)
 * @error_px: distance to where it was placed; NAN behind the camera
 * @error_mm: the same across the line of sight at the point's depth
 * @expected_px: root mean square of what the pose's covariance predicts there, without the
 *   point's own localisation error
 */
typedef struct {
    const char *name;
    BgPosePoint point;
    BgLandmarkUse use;
    gboolean used;
    double u, v;
    double error_px, error_mm, expected_px;
} BgPoseResidual;

/**
 * bg_pose_from_landmarks:
 * @in_patient, @in_picture: pairs are found by name; what is placed in both counts. A pair is used
 *   as the stricter of its two entries says: skip, check, fit
 * @residuals: (out) (transfer container): of BgPoseResidual, in @in_patient's order
 *
 * As bg_pose_estimate(), and %BG_ERROR_INVALID when a list is of the wrong space.
 */
gboolean bg_pose_from_landmarks(BgLandmarks *in_patient, BgLandmarks *in_picture,
                                const BgPoseParams *params, BgPoseResult *result,
                                GArray **residuals, GError **error);

/**
 * bg_pose_residual:
 *
 * Fills u, v and the errors of one point; the rest of @residual is left alone.
 */
void bg_pose_residual(const BgPoseResult *result, const BgPosePoint *point,
                      BgPoseResidual *residual);

/**
 * BgPoseTargetError:
 * @covariance_px: of where the photograph, as it is, shows a place: u u, u v; v u, v v
 * @rms_px, @rms_mm: root of the expected square of the shift, and the same across the line of sight
 * @major_px, @minor_px, @angle_rad: half axes of the ellipse that holds 95 %, the major one from u to v
 */
typedef struct {
    double covariance_px[2][2];
    double rms_px, rms_mm;
    double major_px, minor_px, angle_rad;
} BgPoseTargetError;

/**
 * BgPoseStated:
 * @camera: a pose that is there, from these or from other points
 * @mirrored: as in BgPoseParams
 * @picture_px: rms distance of a placed point from its true place in the photograph
 * @patient_mm: the same in the volume; its part across the line of sight counts
 */
typedef struct {
    BgCamera camera;
    gboolean mirrored;
    double picture_px, patient_mm;
} BgPoseStated;

/**
 * bg_pose_expect:
 * @in_patient, @in_picture: as bg_pose_from_landmarks(); outliers of @camera do not count
 * @result: (out): @camera with the covariance of its six numbers
 *
 * What stated errors of placing do to a pose from these points, to first order. Never taken from the
 * residuals that the fit has left.
 *
 * Returns: %FALSE: too few points, a layout that leaves the pose open, nothing stated
 */
gboolean bg_pose_expect(BgLandmarks *in_patient, BgLandmarks *in_picture,
                        const BgPoseStated *stated, BgPoseResult *result);

/** bg_pose_target_error: what the result's covariance means at @at_mm (LPS); %FALSE behind the camera */
gboolean bg_pose_target_error(const BgPoseResult *result, BgVec3 at_mm, BgPoseTargetError *error);

/**
 * bg_pose_take_camera:
 * @camera: another pose for the same points: a refined one
 * @residuals: of bg_pose_from_landmarks(): filled again
 *
 * Puts @camera in the place of the result's; the covariance stays the landmarks'.
 */
void bg_pose_take_camera(BgPoseResult *result, const BgCamera *camera, GArray *residuals);

/** bg_pose_mirror_camera: the camera of the mirror image of its photograph: the same pose, K and lens turned round */
BgCamera bg_pose_mirror_camera(const BgCamera *camera);

G_END_DECLS
