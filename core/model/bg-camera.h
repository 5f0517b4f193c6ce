// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgCamera:
 * @width, @height: of the picture in pixels; pixel centres at integers, u right, v down
 * @parallel: no perspective: K is not used
 * @k: perspective: row-major 3x3 intrinsics, OpenCV's convention
 * @distortion: k1, k2, p1, p2, k3 (Brown-Conrady); zeros for none. Renderers ignore it
 * @camera_from_patient: R and t: x_camera = R x_patient (LPS mm) + t; x right, y down, z forwards.
 *   For a parallel camera t puts the picture's centre on the z axis
 * @height_mm: parallel: what the picture's height shows
 *
 * From where a picture is taken. A plain value.
 */
typedef struct {
    int width, height;
    gboolean parallel;
    double k[9];
    double distortion[5];
    BgAffine camera_from_patient;
    double height_mm;
} BgCamera;

/**
 * BgView:
 * @elevation_deg, @azimuth_deg, @roll_deg: 0, 0, 0 looks from anterior with superior up; azimuth
 *   turns the camera towards the patient's left, elevation towards superior (applied after
 *   azimuth), roll turns the camera about its axis, counter-clockwise picture
 * @zoom: 1 fits the sphere around the volume; above 0
 * @pan: shifts the target in the picture plane, in units of the sphere's radius: x right, y up
 * @parallel: parallel projection instead of a 30 degree perspective
 *
 * How a user turns a 3D picture.
 */
typedef struct {
    double elevation_deg, azimuth_deg, roll_deg;
    double zoom;
    double pan_x, pan_y;
    gboolean parallel;
} BgView;

static inline BgView
bg_view_default(void)
{
    return (BgView){ .zoom = 1.0 };
}

/**
 * bg_camera_from_view:
 * @centre_mm, @radius_mm: the sphere to fit, LPS; radius above 0
 * @width, @height: of the picture, at least 1
 *
 * The field of 30 degrees is across the shorter side. Zoom lengthens the focal length: the camera
 * stays where it is, outside of the sphere.
 */
BgCamera bg_camera_from_view(const BgView *view, BgVec3 centre_mm, double radius_mm, int width,
                             int height);

/**
 * bg_camera_ray:
 * @u, @v: pixel coordinates, centres at integers
 * @origin_mm: (out): on the camera's centre (perspective) or its z = 0 plane (parallel), LPS
 * @direction: (out): unit length, LPS
 *
 * A perspective camera sees what is in front of it, a parallel one its whole line: a file may put
 * the z = 0 plane into the middle of the patient.
 */
void bg_camera_ray(const BgCamera *camera, double u, double v, BgVec3 *origin_mm,
                   BgVec3 *direction);

/**
 * bg_camera_project:
 * @u, @v: (out): pixel; distortion not applied
 * @depth_mm: (out): along the camera's z axis
 *
 * Returns: %FALSE behind a perspective camera
 */
gboolean bg_camera_project(const BgCamera *camera, BgVec3 patient_mm, double *u, double *v,
                           double *depth_mm);

/** bg_camera_mm_per_pixel: at @patient_mm's depth, across the line of sight */
double bg_camera_mm_per_pixel(const BgCamera *camera, BgVec3 patient_mm);

/** bg_camera_resized: the same view in a picture of another size: the height's extent is kept */
BgCamera bg_camera_resized(const BgCamera *camera, int width, int height);

/**
 * bg_camera_parse:
 * @length: in bytes, or -1 for NUL-terminated
 * @camera: (out): untouched on failure
 *
 * The JSON of docs/formats.md, both forms.
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT (not JSON, no object) or %BG_ERROR_INVALID, naming the
 *   field: missing, of the wrong kind or size, R no rotation (a mirror would swap the sides), K no
 *   intrinsics, no pose at all, another schema
 */
gboolean bg_camera_parse(const char *json, gssize length, BgCamera *camera, GError **error);

/**
 * bg_camera_parse_intrinsics:
 *
 * As bg_camera_parse(), of what a calibration writes: K, distortion and size of a perspective camera.
 * The pose may be missing; it is then the origin's.
 */
gboolean bg_camera_parse_intrinsics(const char *json, gssize length, BgCamera *camera,
                                    GError **error);

/** bg_camera_print: (transfer full): that JSON */
char *bg_camera_print(const BgCamera *camera);

G_END_DECLS
