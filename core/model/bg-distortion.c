// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-distortion.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define MAX_NEWTON_STEPS 30
#define UNDISTORT_TOLERANCE 1e-12 // of the plane at distance 1

gboolean
bg_lens_from_exif(double focal_mm, double focal_35mm, const double sensor_mm[2], int width,
                  int height, BgLens *lens)
{
    BgLens to = { .size = { width, height }, .centre_px = { (double) NAN, (double) NAN } };
    double diagonal = hypot(width, height);

    if (width < 1 || height < 1)
        return FALSE;
    if (focal_mm > 0.0 && sensor_mm[0] > 0.0 && sensor_mm[1] > 0.0) {
        gboolean turned = (sensor_mm[0] > sensor_mm[1]) != (width > height) && width != height;
        to.focal_mm = focal_mm;
        to.sensor_mm[0] = sensor_mm[turned ? 1 : 0];
        to.sensor_mm[1] = sensor_mm[turned ? 0 : 1];
    } else if (focal_35mm > 0.0) {
        to.focal_mm = focal_35mm;
        to.sensor_mm[0] = hypot(36.0, 24.0) * width / diagonal;
        to.sensor_mm[1] = hypot(36.0, 24.0) * height / diagonal;
    } else {
        return FALSE;
    }
    *lens = to;
    return TRUE;
}

void
bg_distort(const double d[5], double x, double y, double *xd, double *yd)
{
    double r2 = x * x + y * y, radial = 1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]));

    *xd = x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x);
    *yd = y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y;
}

void
bg_distort_with_derivatives(const double d[5], double x, double y, double p[2], double by_point[4],
                            double *by_d)
{
    double r2 = x * x + y * y, r4 = r2 * r2, r6 = r4 * r2;
    double radial = 1.0 + d[0] * r2 + d[1] * r4 + d[4] * r6;
    double by_r2 = d[0] + 2.0 * d[1] * r2 + 3.0 * d[4] * r4; // of radial

    p[0] = x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x);
    p[1] = y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y;
    by_point[0] = radial + 2.0 * x * x * by_r2 + 2.0 * d[2] * y + 6.0 * d[3] * x;
    by_point[1] = 2.0 * x * y * by_r2 + 2.0 * d[2] * x + 2.0 * d[3] * y;
    by_point[2] = by_point[1];
    by_point[3] = radial + 2.0 * y * y * by_r2 + 6.0 * d[2] * y + 2.0 * d[3] * x;
    if (by_d != NULL) {
        const double rows[10] = {
            x * r2, x * r4, 2.0 * x * y,      r2 + 2.0 * x * x, x * r6,
            y * r2, y * r4, r2 + 2.0 * y * y, 2.0 * x * y,      y * r6,
        };
        memcpy(by_d, rows, sizeof rows);
    }
}

gboolean
bg_undistort(const double d[5], double xd, double yd, double *x, double *y)
{
    double a = xd, b = yd, p[2], j[4];

    if (d[0] == 0.0 && d[1] == 0.0 && d[2] == 0.0 && d[3] == 0.0 && d[4] == 0.0) {
        *x = xd;
        *y = yd;
        return TRUE;
    }
    for (int step = 0; step < MAX_NEWTON_STEPS; step++) {
        bg_distort_with_derivatives(d, a, b, p, j, NULL);
        double du = xd - p[0], dv = yd - p[1], det = j[0] * j[3] - j[1] * j[2];
        if (fabs(du) + fabs(dv) < UNDISTORT_TOLERANCE) {
            *x = a;
            *y = b;
            return j[0] > 0.0 && det > 0.0;
        }
        if (!(det > 1e-6))
            break;
        a += (j[3] * du - j[1] * dv) / det;
        b += (j[0] * dv - j[2] * du) / det;
    }
    *x = a;
    *y = b;
    return FALSE;
}

gboolean
bg_camera_has_distortion(const BgCamera *camera)
{
    for (int i = 0; i < 5; i++) {
        if (camera->distortion[i] != 0.0)
            return TRUE;
    }
    return FALSE;
}

static void
normalise(const BgCamera *camera, double u, double v, double *x, double *y)
{
    const double *k = camera->k;

    *y = (v - k[5]) / k[4];
    *x = (u - k[2] - k[1] * *y) / k[0];
}

static void
to_pixel(const BgCamera *camera, double x, double y, double *u, double *v)
{
    const double *k = camera->k;

    *u = k[0] * x + k[1] * y + k[2];
    *v = k[4] * y + k[5];
}

gboolean
bg_camera_undistort_pixel(const BgCamera *camera, double *u, double *v)
{
    double x, y;

    if (camera->parallel || !bg_camera_has_distortion(camera))
        return TRUE;
    normalise(camera, *u, *v, &x, &y);
    gboolean found = bg_undistort(camera->distortion, x, y, &x, &y);
    to_pixel(camera, x, y, u, v);
    return found;
}

void
bg_camera_distort_pixel(const BgCamera *camera, double *u, double *v)
{
    double x, y;

    if (camera->parallel || !bg_camera_has_distortion(camera))
        return;
    normalise(camera, *u, *v, &x, &y);
    bg_distort(camera->distortion, x, y, &x, &y);
    to_pixel(camera, x, y, u, v);
}

// Whether the radial part still rises from the middle out to the point: beyond its first fold the
// model puts two places onto one pixel.
static gboolean
before_fold(const double d[5], double x, double y)
{
    double r2 = x * x + y * y;

    for (int i = 1; i <= 8; i++) {
        double s = r2 * i * i / 64.0;
        if (1.0 + s * (3.0 * d[0] + s * (5.0 * d[1] + s * 7.0 * d[4])) <= 0.0)
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_camera_project_lens(const BgCamera *camera, BgVec3 patient_mm, double *u, double *v,
                       double *depth_mm)
{
    if (!bg_camera_project(camera, patient_mm, u, v, depth_mm))
        return FALSE;
    if (camera->parallel || !bg_camera_has_distortion(camera))
        return TRUE;

    double x, y;
    normalise(camera, *u, *v, &x, &y);
    gboolean seen = before_fold(camera->distortion, x, y);
    bg_distort(camera->distortion, x, y, &x, &y);
    to_pixel(camera, x, y, u, v);
    return seen;
}

gboolean
bg_camera_ray_lens(const BgCamera *camera, double u, double v, BgVec3 *origin_mm, BgVec3 *direction)
{
    gboolean found = bg_camera_undistort_pixel(camera, &u, &v);

    bg_camera_ray(camera, u, v, origin_mm, direction);
    return found;
}

gboolean
bg_camera_from_lens(const BgLens *lens, BgCamera *camera, GError **error)
{
    const double *sensor = lens->sensor_mm;

    if (!(lens->focal_mm > 0.0) || !(sensor[0] > 0.0) || !(sensor[1] > 0.0) ||
        !isfinite(lens->focal_mm) || !isfinite(sensor[0]) || !isfinite(sensor[1]) ||
        lens->size[0] < 1 || lens->size[1] < 1) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: focal length and the sensor's width and height in millimetres,
                    // the picture's in pixels
                    _("The camera cannot be used: f = %g mm, sensor %g x %g mm, picture %d x %d: "
                      "give numbers above 0"),
                    lens->focal_mm, sensor[0], sensor[1], lens->size[0], lens->size[1]);
        return FALSE;
    }
    *camera = (BgCamera){ .width = lens->size[0],
                          .height = lens->size[1],
                          .camera_from_patient = bg_affine_identity() };
    camera->k[0] = lens->focal_mm * lens->size[0] / sensor[0];
    camera->k[4] = lens->focal_mm * lens->size[1] / sensor[1];
    camera->k[8] = 1.0;
    for (int i = 0; i < 2; i++) {
        gboolean given = isfinite(lens->centre_px[i]);
        camera->k[3 * i + 2] = given ? lens->centre_px[i] : 0.5 * (lens->size[i] - 1);
    }
    return TRUE;
}

typedef struct {
    BgImage *image;         // borrowed
    const BgCamera *camera; // borrowed
    gboolean undistort;
    guint8 *to; // borrowed
} Warp;

static double
read_channel(const BgImageFormat *format, gconstpointer pixels, gsize index)
{
    switch (format->type) {
    case BG_PIXEL_UINT8:
        return ((const guint8 *) pixels)[index];
    case BG_PIXEL_UINT16:
        return ((const guint16 *) pixels)[index];
    case BG_PIXEL_FLOAT32:
        return (double) ((const float *) pixels)[index];
    }
    g_assert_not_reached();
}

static void
write_channel(const BgImageFormat *format, gpointer pixels, gsize index, double value)
{
    switch (format->type) {
    case BG_PIXEL_UINT8:
        ((guint8 *) pixels)[index] = (guint8) lrint(CLAMP(value, 0.0, 255.0));
        return;
    case BG_PIXEL_UINT16:
        ((guint16 *) pixels)[index] = (guint16) lrint(CLAMP(value, 0.0, 65535.0));
        return;
    case BG_PIXEL_FLOAT32:
        ((float *) pixels)[index] = (float) value;
        return;
    }
    g_assert_not_reached();
}

// Linear between the four neighbours; half a pixel beyond the outer centres the edge's value holds.
static void
sample_pixel(const Warp *warp, double u, double v, gsize to)
{
    const BgImageFormat *format = bg_image_get_format(warp->image);
    gconstpointer pixels = bg_image_get_pixels(warp->image);
    int w = format->width, h = format->height, n = format->n_channels;

    if (!(u >= -0.5 && v >= -0.5 && u <= w - 0.5 && v <= h - 0.5))
        return; // stays 0
    double x = CLAMP(u, 0.0, w - 1.0), y = CLAMP(v, 0.0, h - 1.0);
    int i = MIN((int) x, MAX(w - 2, 0)), j = MIN((int) y, MAX(h - 2, 0));
    double fx = x - i, fy = y - j;
    gsize right = w > 1 ? (gsize) n : 0, down = h > 1 ? (gsize) n * (gsize) w : 0;
    gsize at = ((gsize) j * (gsize) w + (gsize) i) * (gsize) n;
    for (int c = 0; c < n; c++, at++) {
        double top = (1.0 - fx) * read_channel(format, pixels, at) +
                     fx * read_channel(format, pixels, at + right);
        double bottom = (1.0 - fx) * read_channel(format, pixels, at + down) +
                        fx * read_channel(format, pixels, at + down + right);
        write_channel(format, warp->to, to + (gsize) c, (1.0 - fy) * top + fy * bottom);
    }
}

static void
warp_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Warp *warp = user_data;
    const BgImageFormat *format = bg_image_get_format(warp->image);

    for (gsize row = first; row < last; row++) {
        for (int column = 0; column < format->width; column++) {
            double u = column, v = (double) row;
            gsize to = (row * (gsize) format->width + (gsize) column) * (gsize) format->n_channels;
            if (warp->undistort)
                bg_camera_distort_pixel(warp->camera, &u, &v);
            else if (!bg_camera_undistort_pixel(warp->camera, &u, &v))
                continue;
            sample_pixel(warp, u, v, to);
        }
    }
}

static BgImage *
warp_image(Warp *warp, GCancellable *cancellable, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(warp->image);
    const BgCamera *camera = warp->camera;

    if (format->width != camera->width || format->height != camera->height) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The picture of %d x %d pixels does not belong to a camera of %d x %d. "
                      "Calibrate the camera with pictures of that size"),
                    format->width, format->height, camera->width, camera->height);
        return NULL;
    }
    gsize n_bytes = bg_image_get_n_bytes(warp->image);
    warp->to = bg_buffer_alloc(n_bytes, error);
    if (warp->to == NULL)
        return NULL;
    memset(warp->to, 0, n_bytes);
    if (!bg_parallel_for((gsize) format->height, 16, warp_rows, warp, cancellable)) {
        bg_buffer_free(warp->to);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return bg_image_new_take(format, warp->to, error);
}

BgImage *
bg_image_undistort(BgImage *image, const BgCamera *camera, GCancellable *cancellable,
                   GError **error)
{
    Warp warp = { image, camera, TRUE, NULL };

    return warp_image(&warp, cancellable, error);
}

BgImage *
bg_image_distort(BgImage *image, const BgCamera *camera, GCancellable *cancellable, GError **error)
{
    Warp warp = { image, camera, FALSE, NULL };

    return warp_image(&warp, cancellable, error);
}

BgImage *
bg_image_mirrored(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n_bytes = bg_image_get_n_bytes(image), w = (gsize) format->width;
    gsize size = (gsize) format->n_channels * bg_pixel_type_size(format->type);
    const guint8 *from = bg_image_get_pixels(image);
    guint8 *to = bg_buffer_alloc(n_bytes, error);

    if (to == NULL)
        return NULL;
    for (gsize row = 0; row < (gsize) format->height; row++) {
        for (gsize column = 0; column < w; column++)
            memcpy(to + (row * w + column) * size, from + (row * w + w - 1 - column) * size, size);
    }
    return bg_image_new_take(format, to, error);
}
