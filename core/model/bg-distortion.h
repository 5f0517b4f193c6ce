// SPDX-License-Identifier: Apache-2.0
// The lens: what it bends, and how that is undone. BgCamera's functions know pinholes only.
#pragma once

#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgLens:
 * @focal_mm: focal length
 * @sensor_mm: width and height of the sensor
 * @size: of the picture in pixels
 * @centre_px: (out of NANs for the middle): the principal point
 *
 * What is known of a camera that was never calibrated.
 */
typedef struct {
    double focal_mm;
    double sensor_mm[2];
    int size[2];
    double centre_px[2];
} BgLens;

/**
 * bg_camera_from_lens:
 * @camera: (out): K and size; no distortion, pose at the origin; untouched on failure
 *
 * fx = f w / sensor_w, fy = f h / sensor_h. A principal point that is not a number is put into the
 * middle of the picture, ((w - 1) / 2, (h - 1) / 2).
 *
 * Returns: %FALSE with %BG_ERROR_INVALID for a size that is not above 0
 */
gboolean bg_camera_from_lens(const BgLens *lens, BgCamera *camera, GError **error);

/**
 * bg_lens_from_exif:
 * @focal_mm, @focal_35mm, @sensor_mm: as of BgFileInfo; 0 where the file does not say
 * @width, @height: of the photograph, upright: the sensor's sides are exchanged when they lie the
 *   other way
 * @lens: (out): untouched on failure
 *
 * From focal length and sensor where both are known, else from the equivalent of 35 mm film, whose
 * diagonal is that of 36 x 24 mm. A first guess: zoom and cropping make it wrong.
 *
 * Returns: %FALSE when the file says neither
 */
gboolean bg_lens_from_exif(double focal_mm, double focal_35mm, const double sensor_mm[2], int width,
                           int height, BgLens *lens);

/**
 * bg_distort:
 * @d: k1, k2, p1, p2, k3
 * @x, @y: on the plane at distance 1 in front of the camera
 * @xd, @yd: (out): where the lens puts it, on the same plane
 *
 * Brown 1966 and Conrady 1919 in OpenCV's form: with r^2 = x^2 + y^2,
 * xd = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2),
 * yd = y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y.
 */
void bg_distort(const double d[5], double x, double y, double *xd, double *yd);

/**
 * bg_distort_with_derivatives:
 * @p: (out): xd, yd
 * @by_point: (out): row-major 2x2: by x, y
 * @by_d: (out) (nullable): row-major 2x5: by k1, k2, p1, p2, k3
 */
void bg_distort_with_derivatives(const double d[5], double x, double y, double p[2],
                                 double by_point[4], double *by_d);

/**
 * bg_undistort:
 *
 * The inverse, by Newton's method, to 1e-12.
 *
 * Returns: %FALSE where the lens model folds over (no place is bent to there); @x and @y are then
 *   the best found
 */
gboolean bg_undistort(const double d[5], double xd, double yd, double *x, double *y);

/**
 * bg_camera_project_lens: as bg_camera_project(), through the lens: where the point is in the
 * photograph as it was taken
 *
 * Returns: %FALSE behind the camera, and where the lens model has folded over: there the picture
 *   shows something else
 */
gboolean bg_camera_project_lens(const BgCamera *camera, BgVec3 patient_mm, double *u, double *v,
                                double *depth_mm);

/** bg_camera_ray_lens: as bg_camera_ray(), of a pixel of the photograph as it was taken; %FALSE as of bg_undistort() */
gboolean bg_camera_ray_lens(const BgCamera *camera, double u, double v, BgVec3 *origin_mm,
                            BgVec3 *direction);

/** bg_camera_undistort_pixel: from the photograph as taken to the one without distortion, same K */
gboolean bg_camera_undistort_pixel(const BgCamera *camera, double *u, double *v);

/** bg_camera_distort_pixel: the other way round */
void bg_camera_distort_pixel(const BgCamera *camera, double *u, double *v);

/** bg_camera_has_distortion: whether any coefficient is not 0 */
gboolean bg_camera_has_distortion(const BgCamera *camera);

/**
 * bg_image_undistort:
 * @camera: its size is the image's
 *
 * The photograph as a pinhole of the same K would have taken it; linear between pixels. What the
 * lens did not show is 0 (transparent with an alpha channel).
 *
 * Returns: (transfer full): same format; or %NULL with %BG_ERROR_MISMATCH when the sizes differ,
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgImage *bg_image_undistort(BgImage *image, const BgCamera *camera, GCancellable *cancellable,
                            GError **error);

/** bg_image_distort: the other way round: a pinhole's picture as the lens would have bent it */
BgImage *bg_image_distort(BgImage *image, const BgCamera *camera, GCancellable *cancellable,
                          GError **error);

/** bg_image_mirrored: (transfer full): left and right swapped; or %NULL with %BG_ERROR_NO_MEMORY */
BgImage *bg_image_mirrored(BgImage *image, GError **error);

G_END_DECLS
