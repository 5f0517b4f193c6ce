// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-render.h"

#include "core/base/bg-buffer.h"

#define S2_DISTANCE 2.5        // diagonals
#define S2_VIEW_ANGLE_DEG 30.0 // of VTK, over the picture's height
#define S2_START_DEG 85.0      // the data sets start at Elevation(-85)

static double
radians(double degrees)
{
    return degrees * G_PI / 180.0;
}

// @axis: unit length
static BgVec3
rotate(BgVec3 v, BgVec3 axis, double angle)
{
    BgVec3 along = bg_vec3_scale(axis, bg_vec3_dot(v, axis));
    BgVec3 across = bg_vec3_sub(v, along);

    return bg_vec3_add(along, bg_vec3_along(bg_vec3_scale(across, cos(angle)), sin(angle),
                                            bg_vec3_cross(axis, across)));
}

BgCamera
bg_cli_camera_s2(const double view[4], const BgGeometry *geometry, int width, int height)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgVec3 centre = bg_geometry_centre_mm(geometry), spacing = bg_geometry_spacing_mm(geometry);
    double diagonal =
        bg_vec3_length(bg_vec3(spacing.x * geometry->dims[0], spacing.y * geometry->dims[1],
                               spacing.z * geometry->dims[2]));
    double elevation = radians(view[0] - S2_START_DEG), azimuth = radians(view[1]);
    BgCamera camera = { .width = width, .height = height };

    // From the focal point to the camera, and the view up (+y), in RAS; then in LPS.
    BgVec3 outwards =
        bg_vec3(cos(elevation) * sin(azimuth), sin(elevation), cos(elevation) * cos(azimuth));
    BgVec3 forwards = bg_affine_apply_vector(&flip, bg_vec3_scale(outwards, -1.0));
    BgVec3 up = bg_affine_apply_vector(&flip, bg_vec3(0, 1, 0));

    up = rotate(up, forwards, radians(view[2]));
    BgVec3 right = bg_vec3_normalize(bg_vec3_cross(forwards, up));
    BgVec3 down = bg_vec3_cross(forwards, right);
    BgVec3 eye = bg_vec3_along(centre, -S2_DISTANCE * diagonal, forwards);
    const BgVec3 rows[3] = { right, down, forwards };
    for (int row = 0; row < 3; row++) {
        camera.camera_from_patient.m[row][0] = rows[row].x;
        camera.camera_from_patient.m[row][1] = rows[row].y;
        camera.camera_from_patient.m[row][2] = rows[row].z;
        camera.camera_from_patient.m[row][3] = -bg_vec3_dot(rows[row], eye);
    }
    double focal = 0.5 * height / tan(radians(0.5 * S2_VIEW_ANGLE_DEG / view[3]));
    camera.k[0] = camera.k[4] = focal;
    camera.k[2] = 0.5 * (width - 1);
    camera.k[5] = 0.5 * (height - 1);
    camera.k[8] = 1.0;
    return camera;
}

BgImage *
bg_cli_drop_alpha(BgImage *rgba, GError **error)
{
    BgImageFormat format = *bg_image_get_format(rgba);
    gsize n = (gsize) format.width * (gsize) format.height;
    const guint8 *from = bg_image_get_pixels(rgba);
    guint8 *rgb = bg_buffer_alloc_items(n, 3, error);

    if (rgb == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[3 * i + (gsize) c] = from[4 * i + (gsize) c];
    format.n_channels = 3;
    return bg_image_new_take(&format, rgb, error);
}
