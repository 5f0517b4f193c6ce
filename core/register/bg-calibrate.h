// SPDX-License-Identifier: Apache-2.0
// A camera's intrinsics and lens from photographs of a chessboard.
#pragma once

#include "core/model/bg-camera.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_CALIBRATE_MIN_VIEWS 3
#define BG_CALIBRATE_INTRINSICS 9 // fx, fy, cx, cy, k1, k2, p1, p2, k3

/**
 * BgCalibrateParams:
 * @columns, @rows: inner corners of the board
 * @square_mm: side of its squares; above 0
 * @width, @height: of every photograph, in pixels
 *
 * A plain value.
 */
typedef struct {
    int columns, rows;
    double square_mm;
    int width, height;
} BgCalibrateParams;

/**
 * BgCalibration:
 * @camera: K, distortion and size; its pose is the origin's
 * @rms_px: root mean square of the corners' distances, all views
 * @sd: one standard deviation of fx, fy, cx, cy (px), k1, k2, p1, p2, k3
 * @covariance: 9 x 9, row-major, of the same
 * @views: where each view's camera stood against the board (x along its columns, y along its rows, mm)
 * @view_rms_px: as @rms_px, each view's
 * @n_views: of both
 */
typedef struct {
    BgCamera camera;
    double rms_px;
    double sd[BG_CALIBRATE_INTRINSICS];
    double covariance[BG_CALIBRATE_INTRINSICS * BG_CALIBRATE_INTRINSICS];
    BgAffine *views;
    double *view_rms_px;
    gsize n_views;
} BgCalibration;

/**
 * bg_calibrate:
 * @corners: @n_views arrays of 2 columns rows numbers, as of bg_chessboard_find()
 * @cancellable: (nullable)
 *
 * Focal lengths and middle from the homographies of the views (Zhang 2000, "A flexible new technique
 * for camera calibration"), then all parameters of camera, lens and views at once by
 * Levenberg-Marquardt, the views eliminated by their Schur complement.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when there are fewer than 3 views, corners
 *   that are no picture of the board, or views too alike to tell the focal length from distance;
 *   %G_IO_ERROR_CANCELLED
 */
BgCalibration *bg_calibrate(const double *const *corners, gsize n_views,
                            const BgCalibrateParams *params, GCancellable *cancellable,
                            GError **error);
void bg_calibration_free(BgCalibration *calibration);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCalibration, bg_calibration_free)

G_END_DECLS
