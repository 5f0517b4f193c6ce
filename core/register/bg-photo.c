// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-photo.h"

#include "core/model/bg-distortion.h"
#include "core/register/bg-landmark-plane.h"

#include <math.h>

gboolean
bg_photo_project(const BgCamera *camera, gboolean mirrored, BgVec3 patient_mm, double *u, double *v,
                 double *depth_mm)
{
    if (!bg_camera_project_lens(camera, patient_mm, u, v, depth_mm))
        return FALSE;
    if (mirrored)
        *u = camera->width - 1 - *u;
    return TRUE;
}

gboolean
bg_photo_ray(const BgCamera *camera, gboolean mirrored, double u, double v, BgVec3 *origin_mm,
             BgVec3 *direction)
{
    return bg_camera_ray_lens(camera, mirrored ? camera->width - 1 - u : u, v, origin_mm,
                              direction);
}

static gboolean
is_hidden(const BgCortexView *surface, BgVec3 patient_mm, double slack_mm)
{
    double u, v, depth_mm;
    int w = surface->camera.width, h = surface->camera.height;

    if (!bg_camera_project(&surface->camera, patient_mm, &u, &v, &depth_mm) || u < -0.5 ||
        v < -0.5 || u >= w - 0.5 || v >= h - 0.5)
        return FALSE;
    gsize at = (gsize) lrint(MAX(v, 0.0)) * (gsize) w + (gsize) lrint(MAX(u, 0.0));
    return depth_mm > (double) surface->depth_mm[at] + slack_mm;
}

BgContours *
bg_photo_contours(const BgCamera *camera, gboolean mirrored, const GPtrArray *contours,
                  const BgCortexView *surface, double slack_mm)
{
    BgContours *to = bg_contours_new();

    for (guint i = 0; i < contours->len; i++) {
        const BgPlaneContour *line = contours->pdata[i];
        gboolean is_open = FALSE;
        for (guint k = 0; k < line->points->len; k++) {
            BgVec3 p = g_array_index(line->points, BgVec3, k);
            BgContourPoint seen;
            double depth_mm;
            if (!bg_photo_project(camera, mirrored, p, &seen.x, &seen.y, &depth_mm) ||
                (surface != NULL && is_hidden(surface, p, slack_mm))) {
                is_open = FALSE;
                continue;
            }
            if (!is_open) {
                gsize first = to->points->len;
                g_array_append_val(to->starts, first);
            }
            is_open = TRUE;
            g_array_append_val(to->points, seen);
        }
    }
    return to;
}

// What is drawn, with a border of nothing: pixel (-1, -1) is the first.
typedef struct {
    int width, height;
    const BgCortexView *view;
    guint8 *done; // of the edges between a pixel and the one to its right
} Mask;

static gboolean
is_seen(const Mask *mask, int u, int v)
{
    int w = mask->view->camera.width, h = mask->view->camera.height;

    return u >= 0 && v >= 0 && u < w && v < h &&
           isfinite(mask->view->depth_mm[(gsize) v * (gsize) w + (gsize) u]);
}

static guint8 *
edge_at(const Mask *mask, int u, int v)
{
    return &mask->done[(gsize) (v + 1) * (gsize) mask->width + (gsize) (u + 1)];
}

// Along the boundary with what is seen on the right hand, from the edge between (u, v) and (u + 1, v);
// through the middles of the edges. Corners that touch are not joined.
static void
trace(const Mask *mask, int u, int v, GArray *points)
{
    static const int ways[4][2] = { { 0, -1 }, { 1, 0 }, { 0, 1 }, { -1, 0 } }; // up, right, ...
    int way = is_seen(mask, u + 1, v) ? 0 : 2;
    // The pixel on the right hand and the one on the left.
    int in[2] = { way == 0 ? u + 1 : u, v }, out[2] = { way == 0 ? u : u + 1, v };
    int first_in[2] = { in[0], in[1] }, first_out[2] = { out[0], out[1] };

    do {
        BgContourPoint p = { 0.5 * (in[0] + out[0]), 0.5 * (in[1] + out[1]) };
        g_array_append_val(points, p);
        if (in[1] == out[1])
            *edge_at(mask, MIN(in[0], out[0]), in[1]) = 1;
        const int *ahead = ways[way];
        int in_ahead[2] = { in[0] + ahead[0], in[1] + ahead[1] };
        int out_ahead[2] = { out[0] + ahead[0], out[1] + ahead[1] };
        if (!is_seen(mask, in_ahead[0], in_ahead[1])) { // turns to the right
            out[0] = in_ahead[0];
            out[1] = in_ahead[1];
            way = (way + 1) % 4;
        } else if (is_seen(mask, out_ahead[0], out_ahead[1])) { // to the left
            in[0] = out_ahead[0];
            in[1] = out_ahead[1];
            way = (way + 3) % 4;
        } else {
            in[0] = in_ahead[0];
            in[1] = in_ahead[1];
            out[0] = out_ahead[0];
            out[1] = out_ahead[1];
        }
    } while (in[0] != first_in[0] || in[1] != first_in[1] || out[0] != first_out[0] ||
             out[1] != first_out[1]);
    BgContourPoint first = g_array_index(points, BgContourPoint, 0);
    g_array_append_val(points, first);
}

BgContours *
bg_photo_outline(const BgCamera *camera, gboolean mirrored, BgCortex *surface,
                 GCancellable *cancellable, GError **error)
{
    g_autoptr(BgCortexView) view = bg_cortex_view_new(surface, camera, cancellable, error);
    g_autoptr(GArray) line = g_array_new(FALSE, FALSE, sizeof(BgContourPoint));

    if (view == NULL)
        return NULL;
    Mask mask = { camera->width + 2, camera->height + 2, view, NULL };
    g_autofree guint8 *done = g_malloc0((gsize) mask.width * (gsize) mask.height);
    mask.done = done;
    BgContours *to = bg_contours_new();
    for (int v = 0; v < camera->height; v++) {
        for (int u = -1; u < camera->width; u++) {
            if (is_seen(&mask, u, v) == is_seen(&mask, u + 1, v) || *edge_at(&mask, u, v) != 0)
                continue;
            gsize first = to->points->len;
            g_array_set_size(line, 0);
            trace(&mask, u, v, line);
            g_array_append_val(to->starts, first);
            for (guint i = 0; i < line->len; i++) {
                BgContourPoint p = g_array_index(line, BgContourPoint, i);
                bg_camera_distort_pixel(camera, &p.x, &p.y);
                if (mirrored)
                    p.x = camera->width - 1 - p.x;
                g_array_append_val(to->points, p);
            }
        }
    }
    return to;
}

BgImage *
bg_photo_render(const BgCamera *camera, gboolean mirrored, BgCortex *surface,
                GCancellable *cancellable, GError **error)
{
    g_autoptr(BgCortexView) view = bg_cortex_view_new(surface, camera, cancellable, error);
    g_autoptr(BgImage) straight = view != NULL ? bg_cortex_view_picture(view, error) : NULL;

    if (straight == NULL)
        return NULL;
    g_autoptr(BgImage) bent = bg_camera_has_distortion(camera)
                                  ? bg_image_distort(straight, camera, cancellable, error)
                                  : bg_image_ref(straight);
    if (bent == NULL || !mirrored)
        return g_steal_pointer(&bent);
    return bg_image_mirrored(bent, error);
}

BgImage *
bg_photo_straighten(BgImage *photograph, const BgCamera *camera, gboolean mirrored,
                    GCancellable *cancellable, GError **error)
{
    g_autoptr(BgImage) turned =
        mirrored ? bg_image_mirrored(photograph, error) : bg_image_ref(photograph);

    return turned != NULL ? bg_image_undistort(turned, camera, cancellable, error) : NULL;
}
