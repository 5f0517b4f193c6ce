// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-slice-frame.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define MAX_PICTURE_DIM 65535 // of BgImage

static const char *const plane_names[] = { "axial", "coronal", "sagittal" };

// #F34A33, #6EB04B, #EDD54C
static const double plane_colours[][3] = {
    { 0xF3 / 255.0, 0x4A / 255.0, 0x33 / 255.0 },
    { 0x6E / 255.0, 0xB0 / 255.0, 0x4B / 255.0 },
    { 0xED / 255.0, 0xD5 / 255.0, 0x4C / 255.0 },
};

// The patient axis that a plane lies across.
// Beyond this cosine to a patient axis a plane is oblique.
#define MOST_TILTED 0.8

static const int plane_patient_axis[] = { 2, 1, 0 };

const char *
bg_plane_name(BgPlane plane)
{
    return plane_names[plane];
}

const char *
bg_geometry_plane_name(const BgGeometry *geometry)
{
    BgVec3 normal = bg_vec3_normalize(
        bg_vec3_cross(bg_geometry_direction(geometry, 0), bg_geometry_direction(geometry, 1)));

    for (guint i = 0; i < G_N_ELEMENTS(plane_names); i++) {
        if (fabs(bg_vec3_get(normal, plane_patient_axis[i])) > MOST_TILTED)
            return plane_names[i];
    }
    return "oblique";
}

gboolean
bg_plane_parse(const char *name, BgPlane *plane)
{
    for (guint i = 0; i < G_N_ELEMENTS(plane_names); i++) {
        if (g_strcmp0(name, plane_names[i]) == 0) {
            *plane = (BgPlane) i;
            return TRUE;
        }
    }
    return FALSE;
}

void
bg_plane_rgb(BgPlane plane, double rgb[3])
{
    for (int c = 0; c < 3; c++)
        rgb[c] = plane_colours[plane][c];
}

const char *
bg_convention_name(BgConvention convention)
{
    return convention == BG_CONVENTION_NEUROLOGICAL ? _("Neurological") : _("Radiological");
}

void
bg_plane_axes(BgPlane plane, BgConvention convention, BgVec3 *u, BgVec3 *v)
{
    double left = convention == BG_CONVENTION_NEUROLOGICAL ? -1.0 : 1.0;

    *u = plane == BG_PLANE_SAGITTAL ? bg_vec3(0, 1, 0) : bg_vec3(left, 0, 0);
    *v = plane == BG_PLANE_AXIAL ? bg_vec3(0, 1, 0) : bg_vec3(0, 0, -1);
}

// Of the grid's planes that voxel axis @axis counts.
static BgVec3
grid_normal(const BgGeometry *geometry, int axis)
{
    return bg_vec3_normalize(bg_vec3_cross(bg_geometry_direction(geometry, (axis + 1) % 3),
                                           bg_geometry_direction(geometry, (axis + 2) % 3)));
}

int
bg_slice_axis_for_plane(const BgGeometry *geometry, BgPlane plane)
{
    int wanted = plane_patient_axis[plane];
    int patient_axis[3], sign[3], best = 0;
    double best_cosine = -1.0;

    // On a tie the axis that the grid's code names.
    bg_geometry_axes(geometry, patient_axis, sign);
    for (int axis = 0; axis < 3; axis++) {
        double cosine = fabs(bg_vec3_get(grid_normal(geometry, axis), wanted));
        double bonus = patient_axis[axis] == wanted ? 1e-9 : 0.0;
        if (cosine + bonus > best_cosine) {
            best_cosine = cosine + bonus;
            best = axis;
        }
    }
    return best;
}

// Of the two voxel axes in the plane, with signs, those that run closest to the patient's @u and @v.
static void
choose_axes(const BgGeometry *geometry, int across, BgVec3 u, BgVec3 v, int axes[2], int signs[2])
{
    int a = (across + 1) % 3, b = (across + 2) % 3;
    BgVec3 da = bg_geometry_direction(geometry, a), db = bg_geometry_direction(geometry, b);
    double straight = fabs(bg_vec3_dot(da, u)) + fabs(bg_vec3_dot(db, v));
    double crossed = fabs(bg_vec3_dot(db, u)) + fabs(bg_vec3_dot(da, v));

    axes[0] = straight >= crossed ? a : b;
    axes[1] = straight >= crossed ? b : a;
    signs[0] = bg_vec3_dot(bg_geometry_direction(geometry, axes[0]), u) < 0.0 ? -1 : 1;
    signs[1] = bg_vec3_dot(bg_geometry_direction(geometry, axes[1]), v) < 0.0 ? -1 : 1;
}

// Gives @frame the pixels that cover low..high (mm along u and v from the frame's origin), as whole
// ones, the rest shared by both sides.
static gboolean
cover(BgSliceFrame *frame, const double low[2], const double high[2], GError **error)
{
    int size[2];
    double first[2];

    for (int axis = 0; axis < 2; axis++) {
        double n = fmax(1.0, floor((high[axis] - low[axis]) / frame->spacing_mm + 0.5));
        if (!(n <= MAX_PICTURE_DIM)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("The picture would be %.0f pixels long; it may be %d. Ask for a coarser "
                          "spacing"),
                        n, MAX_PICTURE_DIM);
            return FALSE;
        }
        size[axis] = (int) n;
        first[axis] = 0.5 * (low[axis] + high[axis]) - 0.5 * (n - 1.0) * frame->spacing_mm;
    }
    frame->width = size[0];
    frame->height = size[1];
    frame->origin_mm =
        bg_vec3_along(bg_vec3_along(frame->origin_mm, first[0], frame->u), first[1], frame->v);
    return TRUE;
}

gboolean
bg_slice_frame_for_volume(const BgGeometry *geometry, BgPlane plane, int index,
                          BgConvention convention, BgSliceFrame *frame, GError **error)
{
    int across = bg_slice_axis_for_plane(geometry, plane);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry), u, v;
    BgSliceFrame result = { 0 };
    int axes[2], signs[2];

    if (index < 0 || index >= geometry->dims[across]) {
        // Translators: the first %s is "axial", "coronal" or "sagittal"
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID, _("There is no %s slice %d: 0 to %d exist"),
                    bg_plane_name(plane), index, geometry->dims[across] - 1);
        return FALSE;
    }

    bg_plane_axes(plane, convention, &u, &v);
    choose_axes(geometry, across, u, v, axes, signs);
    u = bg_vec3_scale(bg_geometry_direction(geometry, axes[0]), signs[0]);
    v = bg_vec3_scale(bg_geometry_direction(geometry, axes[1]), signs[1]);
    v = bg_vec3_normalize(bg_vec3_along(v, -bg_vec3_dot(v, u), u));

    BgVec3 voxel = bg_vec3(0, 0, 0);
    bg_vec3_set(&voxel, across, index);
    result.origin_mm = bg_affine_apply(&geometry->patient_from_voxel, voxel);
    result.u = u;
    result.v = v;
    result.normal = bg_vec3_cross(u, v);
    result.spacing_mm = fmin(bg_vec3_get(spacing, axes[0]), bg_vec3_get(spacing, axes[1]));

    double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
    for (int corner = 0; corner < 4; corner++) {
        bg_vec3_set(&voxel, axes[0], (corner & 1) ? geometry->dims[axes[0]] - 0.5 : -0.5);
        bg_vec3_set(&voxel, axes[1], (corner & 2) ? geometry->dims[axes[1]] - 0.5 : -0.5);
        BgVec3 offset =
            bg_vec3_sub(bg_affine_apply(&geometry->patient_from_voxel, voxel), result.origin_mm);
        double at[2] = { bg_vec3_dot(offset, u), bg_vec3_dot(offset, v) };
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = fmin(low[axis], at[axis]);
            high[axis] = fmax(high[axis], at[axis]);
        }
    }
    if (!cover(&result, low, high, error))
        return FALSE;
    *frame = result;
    return TRUE;
}

int
bg_slice_index_at(const BgGeometry *geometry, BgPlane plane, BgVec3 patient_mm)
{
    int across = bg_slice_axis_for_plane(geometry, plane);
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    double at = bg_vec3_get(bg_affine_apply(&voxel_from_patient, patient_mm), across);

    return (int) CLAMP(floor(at + 0.5), 0.0, geometry->dims[across] - 1.0);
}

BgSliceFrame
bg_slice_frame_for_pane(const BgSlicePane *pane)
{
    BgSliceFrame frame = { .spacing_mm = pane->spacing_mm,
                           .width = MAX(pane->width, 1),
                           .height = MAX(pane->height, 1) };
    double half_u = 0.5 * (frame.width - 1) * pane->spacing_mm;
    double half_v = 0.5 * (frame.height - 1) * pane->spacing_mm;

    bg_plane_axes(pane->plane, pane->convention, &frame.u, &frame.v);
    frame.normal = bg_vec3_cross(frame.u, frame.v);
    BgVec3 centre = bg_vec3_along(
        pane->centre_mm, bg_vec3_dot(bg_vec3_sub(pane->through_mm, pane->centre_mm), frame.normal),
        frame.normal);
    frame.origin_mm = bg_vec3_along(bg_vec3_along(centre, -half_u, frame.u), -half_v, frame.v);
    return frame;
}

double
bg_slice_fit_spacing_mm(const BgGeometry *geometry, BgPlane plane, int width, int height)
{
    BgVec3 low, high, u, v;

    bg_geometry_bounds_mm(geometry, &low, &high);
    bg_plane_axes(plane, BG_CONVENTION_RADIOLOGICAL, &u, &v);
    BgVec3 size = bg_vec3_sub(high, low);
    return fmax(fabs(bg_vec3_dot(size, u)) / MAX(width, 1),
                fabs(bg_vec3_dot(size, v)) / MAX(height, 1));
}

static gboolean
oblique_axes(const BgObliquePlane *plane, BgSliceFrame *frame, GError **error)
{
    static const double cos_30_deg = 0.86602540378443864676;
    BgVec3 normal = bg_vec3_normalize(plane->normal), up = bg_vec3_normalize(plane->up);

    if (!bg_vec3_is_finite(normal) || !(bg_vec3_length(normal) > 0.5)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The plane's normal is %g, %g, %g, which is no direction. Give one that is "
                      "not zero"),
                    plane->normal.x, plane->normal.y, plane->normal.z);
        return FALSE;
    }
    if (!(bg_vec3_length(up) > 0.5))
        up = fabs(normal.z) > cos_30_deg ? bg_vec3(0, -1, 0) : bg_vec3(0, 0, 1);

    up = bg_vec3_along(up, -bg_vec3_dot(up, normal), normal);
    if (!(bg_vec3_length(up) > 1e-6)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The direction up is %g, %g, %g, which lies along the plane's normal. Give "
                      "another"),
                    plane->up.x, plane->up.y, plane->up.z);
        return FALSE;
    }
    frame->normal = normal;
    frame->v = bg_vec3_scale(bg_vec3_normalize(up), -1.0);
    frame->u = bg_vec3_cross(frame->v, normal);
    return TRUE;
}

// The rectangle around the cut of the grid's box with the plane, in mm from the frame's origin.
static gboolean
cut_box(const BgGeometry *geometry, const BgSliceFrame *frame, double low[2], double high[2])
{
    BgVec3 corners[8];
    double side[8];

    for (int c = 0; c < 8; c++) {
        BgVec3 voxel = bg_vec3((c & 1) ? geometry->dims[0] - 0.5 : -0.5,
                               (c & 2) ? geometry->dims[1] - 0.5 : -0.5,
                               (c & 4) ? geometry->dims[2] - 0.5 : -0.5);
        corners[c] =
            bg_vec3_sub(bg_affine_apply(&geometry->patient_from_voxel, voxel), frame->origin_mm);
        side[c] = bg_vec3_dot(corners[c], frame->normal);
    }
    low[0] = low[1] = INFINITY;
    high[0] = high[1] = -INFINITY;
    for (int c = 0; c < 8; c++) {
        for (int axis = 0; axis < 3; axis++) {
            int other = c | (1 << axis);
            if (other == c || (side[c] < 0.0) == (side[other] < 0.0))
                continue;
            double t = side[c] / (side[c] - side[other]);
            BgVec3 p = bg_vec3_along(corners[c], t, bg_vec3_sub(corners[other], corners[c]));
            double at[2] = { bg_vec3_dot(p, frame->u), bg_vec3_dot(p, frame->v) };
            for (int i = 0; i < 2; i++) {
                low[i] = fmin(low[i], at[i]);
                high[i] = fmax(high[i], at[i]);
            }
        }
    }
    return low[0] < high[0] && low[1] < high[1];
}

gboolean
bg_slice_frame_oblique(const BgObliquePlane *plane, const BgGeometry *geometry, BgSliceFrame *frame,
                       GError **error)
{
    BgSliceFrame result = { .origin_mm = plane->point_mm, .spacing_mm = plane->spacing_mm };
    double low[2], high[2];

    if (!(plane->spacing_mm > 0.0) || !isfinite(plane->spacing_mm)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A pixel spacing of %g mm is not possible. Give one above 0"),
                    plane->spacing_mm);
        return FALSE;
    }
    if (!bg_vec3_is_finite(plane->point_mm) || plane->width < 0 || plane->height < 0 ||
        plane->width > MAX_PICTURE_DIM || plane->height > MAX_PICTURE_DIM) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A picture of %d × %d pixels around %g, %g, %g mm is not possible"),
                    plane->width, plane->height, plane->point_mm.x, plane->point_mm.y,
                    plane->point_mm.z);
        return FALSE;
    }
    if (!oblique_axes(plane, &result, error))
        return FALSE;

    if (plane->width > 0 && plane->height > 0) {
        high[0] = 0.5 * plane->width * plane->spacing_mm;
        high[1] = 0.5 * plane->height * plane->spacing_mm;
        low[0] = -high[0];
        low[1] = -high[1];
    } else if (geometry == NULL || !cut_box(geometry, &result, low, high)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The plane through %g, %g, %g mm does not go through the image. Choose a "
                      "point inside of it"),
                    plane->point_mm.x, plane->point_mm.y, plane->point_mm.z);
        return FALSE;
    }
    if (!cover(&result, low, high, error))
        return FALSE;
    *frame = result;
    return TRUE;
}

double
bg_slice_frame_project(const BgSliceFrame *frame, BgVec3 patient_mm, double *x, double *y)
{
    BgVec3 offset = bg_vec3_sub(patient_mm, frame->origin_mm);

    *x = bg_vec3_dot(offset, frame->u) / frame->spacing_mm;
    *y = bg_vec3_dot(offset, frame->v) / frame->spacing_mm;
    return bg_vec3_dot(offset, frame->normal);
}

BgContours *
bg_contours_new(void)
{
    BgContours *contours = g_new0(BgContours, 1);

    contours->points = g_array_new(FALSE, FALSE, sizeof(BgContourPoint));
    contours->starts = g_array_new(FALSE, FALSE, sizeof(gsize));
    return contours;
}

void
bg_contours_free(BgContours *contours)
{
    if (contours == NULL)
        return;
    g_array_unref(contours->points);
    g_array_unref(contours->starts);
    g_free(contours);
}
