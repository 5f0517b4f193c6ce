// SPDX-License-Identifier: Apache-2.0
// What the files of the pose estimate share.
#pragma once

#include "core/register/bg-pose.h"

G_BEGIN_DECLS

/** BgRigid: x_camera = r x_patient + t */
typedef struct {
    double r[9], t[3];
} BgRigid;

/**
 * BgPoseData:
 * @x: 3 n: patient, mm
 * @uv: 2 n: pixels as taken
 * @xy: 2 n: on the plane at distance 1, without distortion
 * @k, @d: intrinsics and lens
 *
 * The points of one fit, gathered. Arrays are borrowed.
 */
typedef struct {
    int n;
    const double *x, *uv, *xy;
    double k[9], d[5];
    gboolean lens; // d is not 0
} BgPoseData;

#define BG_POSE_OUTLIER_SIGMAS 3.5 // of a Gaussian error in two directions 0.2 % lie beyond
#define BG_POSE_MAX_STARTS 16

/**
 * bg_pose_starts:
 *
 * Returns: how many of @starts were filled: poses worth refining, of all points
 */
int bg_pose_starts(const BgPoseData *data, BgRigid starts[BG_POSE_MAX_STARTS]);

/** bg_pose_p3p: @which: three points; Returns: how many of up to 4 poses */
int bg_pose_p3p(const BgPoseData *data, const int which[3], BgRigid poses[4]);

/** bg_pose_other: the pose that shows a flat layout the same from afar: tilted the other way */
BgRigid bg_pose_other(const BgPoseData *data, const BgRigid *pose);

/**
 * bg_pose_axes:
 * @mean: (out): the points' middle
 * @axes: (out): rows, rising spread
 * @spread: (out): root mean square along each
 */
void bg_pose_axes(const double *x, int n, double mean[3], double axes[9], double spread[3]);

/**
 * bg_pose_minimise:
 * @focal: (inout) (nullable): factor on K's focal lengths: a seventh parameter
 * @information: (out) (nullable): J^T J at the end, 6 x 6 or 7 x 7
 *
 * Levenberg-Marquardt over turn and shift. Returns: the sum of squares in px^2; infinite when a point
 * is behind the camera
 */
double bg_pose_minimise(const BgPoseData *data, BgRigid *pose, double *focal, int max_steps,
                        double *information);

/** bg_pose_minimise_to: ends when a step lowers the sum by less than @tolerance of it */
double bg_pose_minimise_to(const BgPoseData *data, BgRigid *pose, double *focal, int max_steps,
                           double tolerance, double *information);

/** bg_pose_error2: squared distance in px^2 of point @i; infinite behind the camera */
double bg_pose_error2(const BgPoseData *data, const BgRigid *pose, double focal, int i);

/** bg_pose_stricter: skip before check before fit */
BgLandmarkUse bg_pose_stricter(BgLandmarkUse a, BgLandmarkUse b);

G_END_DECLS
