// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-landmark-plane.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-linear.h"
#include "core/cast/bg-slice.h"

#define MIN_EXTENT 1e-6 // mm
#define MIN_RATIO 1e-3  // of the second extent to the first: below, the points lie on a line
#define SURFACE_STEPS_A_VOXEL 4

static gboolean
refuse(const char *text, GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, text);
    return FALSE;
}

static BgVec3
mean_of(const BgVec3 *points, gsize n)
{
    BgVec3 mean = { 0, 0, 0 };

    for (gsize i = 0; i < n; i++)
        mean = bg_vec3_along(mean, 1.0 / (double) n, points[i]);
    return mean;
}

// Twice the area vector of the closed polygon (Newell): its side is that of the points' order.
static BgVec3
area_vector(const BgVec3 *points, gsize n, BgVec3 centre)
{
    BgVec3 sum = { 0, 0, 0 };

    for (gsize i = 0; i < n; i++)
        sum = bg_vec3_add(sum, bg_vec3_cross(bg_vec3_sub(points[i], centre),
                                             bg_vec3_sub(points[(i + 1) % n], centre)));
    return sum;
}

gboolean
bg_landmark_plane_fit(const BgVec3 *points, gsize n_points, BgLandmarkPlane *plane, GError **error)
{
    double c[9] = { 0 }, values[3], w[9];
    BgLandmarkPlane fit = { .condition = 1.0 };

    if (n_points < 3)
        return refuse(_("There is no plane: it takes at least 3 points. Place more"), error);
    fit.centroid_mm = mean_of(points, n_points);
    if (!bg_vec3_is_finite(fit.centroid_mm))
        return refuse(_("There is no plane: the place of a point is no number. Place it again"),
                      error);
    for (gsize i = 0; i < n_points; i++) {
        BgVec3 d = bg_vec3_sub(points[i], fit.centroid_mm);
        for (int k = 0; k < 9; k++)
            c[k] += bg_vec3_get(d, k / 3) * bg_vec3_get(d, k % 3) / (double) n_points;
    }
    bg_linear_eigen_symmetric(c, 3, values, w);
    double first = sqrt(fmax(values[0], 0.0)), second = sqrt(fmax(values[1], 0.0));
    if (!(first > MIN_EXTENT) || second < MIN_RATIO * first)
        return refuse(_("There is no one plane: the points lie in one place or on one line. Place "
                        "one off the line"),
                      error);
    fit.u = bg_vec3(w[0], w[3], w[6]);
    fit.normal = bg_vec3(w[2], w[5], w[8]);
    fit.rms_mm = sqrt(fmax(values[2], 0.0));
    fit.condition = first / second;
    // A fixed side for u too: the largest part is positive.
    double most = fabs(fit.u.x) >= fabs(fit.u.y) && fabs(fit.u.x) >= fabs(fit.u.z) ? fit.u.x
                  : fabs(fit.u.y) >= fabs(fit.u.z)                                 ? fit.u.y
                                                                                   : fit.u.z;
    if (most < 0.0)
        fit.u = bg_vec3_scale(fit.u, -1.0);
    if (bg_vec3_dot(fit.normal, area_vector(points, n_points, fit.centroid_mm)) < 0.0)
        fit.normal = bg_vec3_scale(fit.normal, -1.0);
    fit.v = bg_vec3_cross(fit.normal, fit.u);
    *plane = fit;
    return TRUE;
}

gboolean
bg_landmark_plane_three(BgVec3 a, BgVec3 b, BgVec3 c, BgLandmarkPlane *plane, GError **error)
{
    BgVec3 points[3] = { a, b, c };

    return bg_landmark_plane_fit(points, 3, plane, error);
}

void
bg_landmark_plane_turn(BgLandmarkPlane *plane, BgVec3 inside_mm)
{
    if (bg_vec3_dot(plane->normal, bg_vec3_sub(inside_mm, plane->centroid_mm)) >= 0.0)
        return;
    plane->normal = bg_vec3_scale(plane->normal, -1.0);
    plane->v = bg_vec3_scale(plane->v, -1.0);
}

void
bg_landmark_plane_turn_into(BgLandmarkPlane *plane, BgVolume *volume)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    const int *dims = geometry->dims;
    g_autofree float *row = g_new(float, (gsize) dims[0]);
    double low = INFINITY, sum = 0.0;
    BgVec3 moment = { 0, 0, 0 };

    // Twice over every second row: the least value, then the values above it as weights.
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < dims[2]; k++) {
            for (int j = 0; j < dims[1]; j += 2) {
                bg_volume_read_row(volume, j, k, row);
                for (int i = 0; i < dims[0]; i++) {
                    double value = (double) row[i];
                    if (!isfinite(value))
                        continue;
                    if (pass == 0) {
                        low = fmin(low, value);
                    } else {
                        sum += value - low;
                        moment = bg_vec3_along(moment, value - low, bg_vec3(i, j, k));
                    }
                }
            }
        }
    }
    BgVec3 middle = bg_vec3(0.5 * (dims[0] - 1), 0.5 * (dims[1] - 1), 0.5 * (dims[2] - 1));
    BgVec3 centre = sum > 0.0 ? bg_vec3_scale(moment, 1.0 / sum) : middle;
    bg_landmark_plane_turn(plane, bg_affine_apply(&geometry->patient_from_voxel, centre));
}

gboolean
bg_landmark_plane_find_surface(const BgLandmarkPlane *plane, BgVolume *volume, double iso,
                               double reach_mm, BgVec3 *surface_mm, GError **error)
{
    BgVec3 spacing = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));
    double step = fmin(spacing.x, fmin(spacing.y, spacing.z)) / SURFACE_STEPS_A_VOXEL;
    double before = NAN;
    int n = (int) ceil(2.0 * reach_mm / step);

    for (int i = 0; i <= n; i++) {
        double at = -reach_mm + i * step, value;
        BgVec3 p = bg_vec3_along(plane->centroid_mm, at, plane->normal);
        if (!bg_volume_sample_linear(volume, p, &value))
            value = -INFINITY; // the air around the volume
        if (value >= iso && before < iso) {
            double part = isfinite(before) ? (iso - before) / (value - before) : 1.0;
            *surface_mm =
                bg_vec3_along(plane->centroid_mm, at - (1.0 - part) * step, plane->normal);
            return TRUE;
        }
        before = value;
    }
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: a value of the volume, then a length in mm
                _("There is no surface at the value %g within %g mm of the landmarks. Choose "
                  "another value"),
                iso, reach_mm);
    return FALSE;
}

gboolean
bg_landmark_plane_meet(const BgLandmarkPlane *plane, const BgMesh *mesh, double reach_mm,
                       BgVec3 *surface_mm, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    double nearest = INFINITY;

    // Along the normal, so only the triangle's shadow on the plane counts (u, v, depth).
    for (gsize t = 0; t < data->n_triangles; t++) {
        double u[3], v[3], w[3];
        for (int i = 0; i < 3; i++) {
            const float *at = data->positions + 3 * (gsize) data->triangles[3 * t + (gsize) i];
            BgVec3 d = bg_vec3_sub(bg_vec3((double) at[0], (double) at[1], (double) at[2]),
                                   plane->centroid_mm);
            u[i] = bg_vec3_dot(d, plane->u);
            v[i] = bg_vec3_dot(d, plane->v);
            w[i] = bg_vec3_dot(d, plane->normal);
        }
        double a = u[1] * v[2] - u[2] * v[1], b = u[2] * v[0] - u[0] * v[2];
        double c = u[0] * v[1] - u[1] * v[0], area = a + b + c;
        // Outside looks against the normal where the line goes in.
        if (!(area < 0.0) || a > 0.0 || b > 0.0 || c > 0.0)
            continue;
        double depth = (a * w[0] + b * w[1] + c * w[2]) / area;
        if (fabs(depth) <= reach_mm && fabs(depth) < fabs(nearest))
            nearest = depth;
    }
    if (!isfinite(nearest)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: a length in mm
                    _("The line through the middle of the landmarks does not enter the surface "
                      "within %g mm of them. Show the surface that they lie on"),
                    reach_mm);
        return FALSE;
    }
    *surface_mm = bg_vec3_along(plane->centroid_mm, nearest, plane->normal);
    return TRUE;
}

void
bg_plane_contour_free(BgPlaneContour *contour)
{
    g_array_unref(contour->points);
    g_clear_pointer(&contour->values, g_array_unref);
    g_free(contour);
}

// A picture that holds the whole mesh, in millimetres, so that nothing is left out.
static gboolean
frame_for(const BgMesh *mesh, BgVec3 point, BgVec3 normal, BgSliceFrame *frame)
{
    BgVec3 low, high;

    bg_mesh_get_bounds_mm(mesh, &low, &high);
    BgVec3 middle = bg_vec3_scale(bg_vec3_add(low, high), 0.5);
    double diagonal = bg_vec3_distance(low, high);
    BgVec3 n = bg_vec3_normalize(normal);
    double off = bg_vec3_dot(bg_vec3_sub(point, middle), n);
    BgObliquePlane plane = { .point_mm = bg_vec3_along(middle, off, n),
                             .normal = normal,
                             .spacing_mm = fmax(diagonal, 1e-3) / 1000.0,
                             .width = 1100,
                             .height = 1100 };

    return bg_slice_frame_oblique(&plane, NULL, frame, NULL);
}

GPtrArray *
bg_plane_contours(const BgMesh *mesh, BgVec3 point_mm, BgVec3 normal, BgVolume *volume)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify) bg_plane_contour_free);
    BgSliceFrame frame;

    if (!frame_for(mesh, point_mm, normal, &frame))
        return lines;
    g_autoptr(BgContours) flat = bg_slice_mesh_contour(mesh, &frame);
    for (guint line = 0; line < flat->starts->len; line++) {
        gsize first = g_array_index(flat->starts, gsize, line);
        gsize last = line + 1 < flat->starts->len ? g_array_index(flat->starts, gsize, line + 1)
                                                  : flat->points->len;
        BgPlaneContour *contour = g_new0(BgPlaneContour, 1);
        contour->points = g_array_new(FALSE, FALSE, sizeof(BgVec3));
        contour->values = volume != NULL ? g_array_new(FALSE, FALSE, sizeof(double)) : NULL;
        for (gsize i = first; i < last; i++) {
            const BgContourPoint *p = &g_array_index(flat->points, BgContourPoint, i);
            BgVec3 at = bg_slice_frame_point(&frame, p->x, p->y);
            double value = NAN;
            g_array_append_val(contour->points, at);
            if (volume != NULL && !bg_volume_sample_linear(volume, at, &value))
                value = NAN;
            if (volume != NULL)
                g_array_append_val(contour->values, value);
        }
        g_ptr_array_add(lines, contour);
    }
    return lines;
}
