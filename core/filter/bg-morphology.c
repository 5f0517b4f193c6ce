// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-morphology.h"

#include "bg-distance-map.h"
#include "bg-otsu.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define WITHIN 1e-4 // of the squared radius, so that a centre at the radius is inside
#define BRAIN_EXTRA 1.25

static gsize
count(const int dims[3])
{
    return (gsize) dims[0] * (gsize) dims[1] * (gsize) dims[2];
}

// Voxels within the radius of one whose value is @seed become @seed.
static gboolean
grow(guint8 *mask, guint8 seed, const int dims[3], const double spacing_mm[3], double radius_mm,
     GCancellable *cancellable, GError **error)
{
    gsize n = count(dims);
    bg_auto_buffer float *squares = bg_buffer_alloc_items(n, sizeof(float), error);
    float most = (float) (radius_mm * radius_mm * (1.0 + WITHIN));

    if (squares == NULL)
        return FALSE;
    for (gsize v = 0; v < n; v++)
        squares[v] = mask[v] == seed ? 0.0f : HUGE_VALF;
    if (!bg_squared_distances_float(squares, dims, spacing_mm, NULL, cancellable, error))
        return FALSE;
    for (gsize v = 0; v < n; v++) {
        if (squares[v] <= most)
            mask[v] = seed;
    }
    return TRUE;
}

gboolean
bg_ball_dilate(guint8 *mask, const int dims[3], const double spacing_mm[3], double radius_mm,
               GCancellable *cancellable, GError **error)
{
    return grow(mask, 1, dims, spacing_mm, radius_mm, cancellable, error);
}

gboolean
bg_ball_erode(guint8 *mask, const int dims[3], const double spacing_mm[3], double radius_mm,
              GCancellable *cancellable, GError **error)
{
    return grow(mask, 0, dims, spacing_mm, radius_mm, cancellable, error);
}

static guint8 *
read_mask(BgLabelMap *labels, guint32 label, GError **error)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    const int *dims = geometry->dims;
    guint8 *mask = bg_voxels_alloc(geometry, 1, error);
    g_autofree guint32 *row = g_new(guint32, dims[0]);

    for (int k = 0; mask != NULL && k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            guint8 *out = mask + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
            bg_label_map_read_row(labels, j, k, row);
            for (int i = 0; i < dims[0]; i++)
                out[i] = label == 0 ? row[i] != 0 : row[i] == label;
        }
    }
    return mask;
}

static gboolean
change(guint8 *mask, const int dims[3], const double spacing_mm[3], BgMorphologyKind kind,
       double radius_mm, GCancellable *cancellable, GError **error)
{
    switch (kind) {
    case BG_MORPHOLOGY_ERODE:
        return bg_ball_erode(mask, dims, spacing_mm, radius_mm, cancellable, error);
    case BG_MORPHOLOGY_DILATE:
        return bg_ball_dilate(mask, dims, spacing_mm, radius_mm, cancellable, error);
    case BG_MORPHOLOGY_OPEN:
        return bg_ball_erode(mask, dims, spacing_mm, radius_mm, cancellable, error) &&
               bg_ball_dilate(mask, dims, spacing_mm, radius_mm, cancellable, error);
    case BG_MORPHOLOGY_CLOSE:
        return bg_ball_dilate(mask, dims, spacing_mm, radius_mm, cancellable, error) &&
               bg_ball_erode(mask, dims, spacing_mm, radius_mm, cancellable, error);
    case BG_MORPHOLOGY_FILL:
        return bg_fill_holes(mask, dims, cancellable, error);
    case BG_MORPHOLOGY_LARGEST:
        return bg_keep_largest(mask, dims, BG_CONNECT_26, 1, cancellable, error);
    }
    return TRUE;
}

static gboolean
check_radius(double radius_mm, GError **error)
{
    if (isfinite(radius_mm) && radius_mm >= 0.0)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("A ball of %g mm cannot be used; give a radius of 0 or more"), radius_mm);
    return FALSE;
}

BgLabelMap *
bg_morphology(BgLabelMap *labels, guint32 label, BgMorphologyKind kind, double radius_mm,
              const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(labels != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double spacing_mm[3] = { spacing.x, spacing.y, spacing.z };

    if (!check_radius(radius_mm, error) || !bg_geometry_check_right_angles(geometry, error))
        return NULL;
    guint8 *mask = read_mask(labels, label, error);
    if (mask == NULL)
        return NULL;
    if (!change(mask, geometry->dims, spacing_mm, kind, radius_mm, cancellable, error)) {
        bg_voxels_free(mask);
        return NULL;
    }
    bg_progress_report(progress, 1.0);
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, mask, error);
}

BgLabelMap *
bg_brain_mask(BgVolume *volume, double radius_mm, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    const int *dims = geometry->dims;
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double spacing_mm[3] = { spacing.x, spacing.y, spacing.z };

    if (!check_radius(radius_mm, error) || !bg_geometry_check_right_angles(geometry, error))
        return NULL;
    g_autoptr(BgLabelMap) over = bg_otsu_mask(volume, cancellable, error);
    guint8 *mask = over != NULL ? read_mask(over, 0, error) : NULL;
    if (mask == NULL)
        return NULL;
    bg_progress_report(progress, 0.2);
    if (!bg_ball_erode(mask, dims, spacing_mm, radius_mm, cancellable, error) ||
        !bg_keep_largest(mask, dims, BG_CONNECT_6, 1, cancellable, error) ||
        !bg_ball_dilate(mask, dims, spacing_mm, radius_mm * BRAIN_EXTRA, cancellable, error) ||
        !bg_fill_holes(mask, dims, cancellable, error)) {
        bg_voxels_free(mask);
        return NULL;
    }
    bg_progress_report(progress, 1.0);
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, mask, error);
}
