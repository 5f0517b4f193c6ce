// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-geometry.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define MIN_SPACING_MM 1e-9
#define MAX_SPACING_MM 1e6
#define MAX_PLACE_MM 1e9

BgGeometry
bg_geometry_new_regular(const int dims[3], BgVec3 spacing_mm)
{
    BgGeometry geometry = { .dims = { dims[0], dims[1], dims[2] } };
    BgVec3 origin =
        bg_vec3(-0.5 * (dims[0] - 1) * spacing_mm.x, -0.5 * (dims[1] - 1) * spacing_mm.y,
                -0.5 * (dims[2] - 1) * spacing_mm.z);

    geometry.patient_from_voxel =
        bg_affine_from_columns(bg_vec3(spacing_mm.x, 0, 0), bg_vec3(0, spacing_mm.y, 0),
                               bg_vec3(0, 0, spacing_mm.z), origin);
    return geometry;
}

// Far beyond what scanners and microscopes see: what follows would be not-a-number somewhere.
static gboolean
check_lengths(const BgGeometry *geometry, GError **error)
{
    const BgAffine *a = &geometry->patient_from_voxel;

    for (int axis = 0; axis < 3; axis++) {
        double spacing_mm = bg_vec3_length(bg_affine_column(a, axis));
        if (spacing_mm < MIN_SPACING_MM || spacing_mm > MAX_SPACING_MM) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The image's voxels are %g mm apart, which no scanner sees"), spacing_mm);
            return FALSE;
        }
        if (fabs(a->m[axis][3]) > MAX_PLACE_MM) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The image lies %g mm from the scanner's centre, where none is"),
                        a->m[axis][3]);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
bg_geometry_check(const BgGeometry *geometry, GError **error)
{
    BgAffine inverse;

    for (int axis = 0; axis < 3; axis++) {
        if (geometry->dims[axis] < 1 || geometry->dims[axis] > BG_VOLUME_MAX_DIM) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The image would be %d × %d × %d voxels; each must be 1 to %d"),
                        geometry->dims[0], geometry->dims[1], geometry->dims[2], BG_VOLUME_MAX_DIM);
            return FALSE;
        }
    }

    if (!bg_affine_invert(&geometry->patient_from_voxel, &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The image's orientation is degenerate: two of its axes "
                              "are parallel, or a voxel has no size"));
        return FALSE;
    }
    return check_lengths(geometry, error);
}

gsize
bg_geometry_count_voxels(const BgGeometry *geometry)
{
    gsize n = 1;

    for (int axis = 0; axis < 3; axis++)
        if (geometry->dims[axis] < 1 || !g_size_checked_mul(&n, n, (gsize) geometry->dims[axis]))
            return 0;
    return n;
}

BgVec3
bg_geometry_spacing_mm(const BgGeometry *geometry)
{
    const BgAffine *a = &geometry->patient_from_voxel;

    return bg_vec3(bg_vec3_length(bg_affine_column(a, 0)), bg_vec3_length(bg_affine_column(a, 1)),
                   bg_vec3_length(bg_affine_column(a, 2)));
}

BgVec3
bg_geometry_direction(const BgGeometry *geometry, int axis)
{
    return bg_vec3_normalize(bg_affine_column(&geometry->patient_from_voxel, axis));
}

BgVec3
bg_geometry_origin_mm(const BgGeometry *geometry)
{
    return bg_affine_column(&geometry->patient_from_voxel, 3);
}

BgVec3
bg_geometry_centre_mm(const BgGeometry *geometry)
{
    const int *dims = geometry->dims;

    return bg_affine_apply(&geometry->patient_from_voxel,
                           bg_vec3(0.5 * (dims[0] - 1), 0.5 * (dims[1] - 1), 0.5 * (dims[2] - 1)));
}

BgAffine
bg_geometry_voxel_from_patient(const BgGeometry *geometry)
{
    BgAffine inverse = bg_affine_identity();
    gboolean invertible = bg_affine_invert(&geometry->patient_from_voxel, &inverse);

    g_assert(invertible);
    return inverse;
}

void
bg_geometry_axes(const BgGeometry *geometry, int patient_axis[3], int sign[3])
{
    static const int permutations[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                            { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    BgVec3 directions[3];
    int best = 0;
    double best_sum = -1.0;

    for (int axis = 0; axis < 3; axis++)
        directions[axis] = bg_geometry_direction(geometry, axis);

    for (int p = 0; p < 6; p++) {
        double sum = 0.0;
        for (int axis = 0; axis < 3; axis++)
            sum += fabs(bg_vec3_get(directions[axis], permutations[p][axis]));
        if (sum > best_sum + 1e-9) { // on a tie the first: 45 degrees has one answer
            best_sum = sum;
            best = p;
        }
    }

    for (int axis = 0; axis < 3; axis++) {
        patient_axis[axis] = permutations[best][axis];
        sign[axis] = bg_vec3_get(directions[axis], patient_axis[axis]) < 0.0 ? -1 : 1;
    }
}

void
bg_geometry_axis_code(const BgGeometry *geometry, char code[4])
{
    int patient_axis[3], sign[3];

    bg_geometry_axes(geometry, patient_axis, sign);
    for (int axis = 0; axis < 3; axis++)
        code[axis] = (sign[axis] > 0 ? "LPS" : "RAI")[patient_axis[axis]];
    code[3] = '\0';
}

double
bg_geometry_voxel_volume_mm3(const BgGeometry *geometry)
{
    return fabs(bg_affine_determinant(&geometry->patient_from_voxel));
}

void
bg_geometry_bounds_mm(const BgGeometry *geometry, BgVec3 *low, BgVec3 *high)
{
    const int *dims = geometry->dims;

    *low = bg_vec3(INFINITY, INFINITY, INFINITY);
    *high = bg_vec3(-INFINITY, -INFINITY, -INFINITY);
    for (int corner = 0; corner < 8; corner++) {
        BgVec3 voxel =
            bg_vec3((corner & 1) ? dims[0] - 0.5 : -0.5, (corner & 2) ? dims[1] - 0.5 : -0.5,
                    (corner & 4) ? dims[2] - 0.5 : -0.5);
        BgVec3 p = bg_affine_apply(&geometry->patient_from_voxel, voxel);
        *low = bg_vec3(fmin(low->x, p.x), fmin(low->y, p.y), fmin(low->z, p.z));
        *high = bg_vec3(fmax(high->x, p.x), fmax(high->y, p.y), fmax(high->z, p.z));
    }
}

double
bg_geometry_shear_deg(const BgGeometry *geometry)
{
    double most = 0.0;

    for (int axis = 0; axis < 3; axis++) {
        double cosine = bg_vec3_dot(bg_geometry_direction(geometry, axis),
                                    bg_geometry_direction(geometry, (axis + 1) % 3));
        most = fmax(most, fabs(asin(CLAMP(cosine, -1.0, 1.0))));
    }
    return most * 180.0 / G_PI;
}

double
bg_geometry_obliquity_deg(const BgGeometry *geometry)
{
    int patient_axis[3], sign[3];
    double most = 0.0;

    bg_geometry_axes(geometry, patient_axis, sign);
    for (int axis = 0; axis < 3; axis++) {
        BgVec3 direction = bg_geometry_direction(geometry, axis);
        double cosine = fabs(bg_vec3_get(direction, patient_axis[axis]));
        most = fmax(most, acos(fmin(cosine, 1.0)));
    }
    return most * 180.0 / G_PI;
}

// Whether the box around @geometry in the voxels of @other touches @other.
static gboolean
may_meet(const BgGeometry *geometry, const BgAffine *other_from_voxel, const int other_dims[3])
{
    BgVec3 low = bg_vec3(INFINITY, INFINITY, INFINITY), high = bg_vec3_scale(low, -1.0);

    for (int corner = 0; corner < 8; corner++) {
        BgVec3 voxel = bg_vec3((corner & 1) ? geometry->dims[0] - 0.5 : -0.5,
                               (corner & 2) ? geometry->dims[1] - 0.5 : -0.5,
                               (corner & 4) ? geometry->dims[2] - 0.5 : -0.5);
        BgVec3 at = bg_affine_apply(other_from_voxel, voxel);
        low = bg_vec3(fmin(low.x, at.x), fmin(low.y, at.y), fmin(low.z, at.z));
        high = bg_vec3(fmax(high.x, at.x), fmax(high.y, at.y), fmax(high.z, at.z));
    }
    for (int axis = 0; axis < 3; axis++)
        if (bg_vec3_get(high, axis) <= -0.5 || bg_vec3_get(low, axis) >= other_dims[axis] - 0.5)
            return FALSE;
    return TRUE;
}

double
bg_geometry_share_within(const BgGeometry *geometry, const BgGeometry *other)
{
    const int *dims = geometry->dims, *within = other->dims;
    int n[3] = { MIN(dims[0], 32), MIN(dims[1], 32), MIN(dims[2], 32) };
    BgAffine inverse = bg_geometry_voxel_from_patient(other);
    BgAffine other_from_voxel = bg_affine_multiply(&inverse, &geometry->patient_from_voxel);
    gsize n_points = 0, n_within = 0;

    if (!may_meet(geometry, &other_from_voxel, within))
        return 0.0;
    for (int k = 0; k < n[2]; k++)
        for (int j = 0; j < n[1]; j++)
            for (int i = 0; i < n[0]; i++) {
                BgVec3 voxel =
                    bg_vec3((i + 0.5) * dims[0] / n[0] - 0.5, (j + 0.5) * dims[1] / n[1] - 0.5,
                            (k + 0.5) * dims[2] / n[2] - 0.5);
                BgVec3 at = bg_affine_apply(&other_from_voxel, voxel);
                n_points++;
                n_within += at.x >= -0.5 && at.x <= within[0] - 0.5 && at.y >= -0.5 &&
                            at.y <= within[1] - 0.5 && at.z >= -0.5 && at.z <= within[2] - 0.5;
            }
    // Less than a point of the lattice is something still.
    return fmax((double) n_within, 0.5) / (double) n_points;
}

gboolean
bg_geometry_equal(const BgGeometry *a, const BgGeometry *b, double tolerance_mm)
{
    const int *dims = a->dims;

    for (int axis = 0; axis < 3; axis++)
        if (a->dims[axis] != b->dims[axis])
            return FALSE;

    for (int corner = 0; corner < 8; corner++) {
        BgVec3 voxel = bg_vec3((corner & 1) ? dims[0] - 1 : 0, (corner & 2) ? dims[1] - 1 : 0,
                               (corner & 4) ? dims[2] - 1 : 0);
        double distance_mm = bg_vec3_distance(bg_affine_apply(&a->patient_from_voxel, voxel),
                                              bg_affine_apply(&b->patient_from_voxel, voxel));
        if (!(distance_mm <= tolerance_mm))
            return FALSE;
    }
    return TRUE;
}
