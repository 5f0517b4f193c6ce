// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-sample.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

/**
 * BgLabelMap:
 *
 * Label numbers (0 = background) on a regular grid: order, space and rules as BgVolume, but
 * uint8, uint16 or uint32, never float and without a scale. Immutable, reference counted.
 */
typedef struct _BgLabelMap BgLabelMap;

#define BG_TYPE_LABEL_MAP (bg_label_map_get_type())
GType bg_label_map_get_type(void);

/**
 * bg_label_map_new_take:
 * @labels: (transfer full): nx*ny*nz of @type, from bg_voxels_alloc(); freed on failure too
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT as bg_volume_new_take()
 */
BgLabelMap *bg_label_map_new_take(const BgGeometry *geometry, BgLabelType type, gpointer labels,
                                  GError **error);

/**
 * bg_label_map_new_bytes:
 * @bytes: whose data are the labels: at least nx*ny*nz of @type, and aligned to it; referenced
 *
 * As bg_label_map_new_take(); %BG_ERROR_CORRUPT also when @bytes is too short or misaligned.
 */
BgLabelMap *bg_label_map_new_bytes(const BgGeometry *geometry, BgLabelType type, GBytes *bytes,
                                   GError **error);

/**
 * bg_label_map_new_at:
 *
 * Returns: (transfer full): the same labels, shared, on another grid of equal dims; or %NULL with
 *   %BG_ERROR_INVALID when the dims differ, %BG_ERROR_CORRUPT for a singular affine
 */
BgLabelMap *bg_label_map_new_at(BgLabelMap *labels, const BgGeometry *geometry, GError **error);

/**
 * bg_label_map_new_from_volume:
 *
 * Values are rounded to whole numbers, which they must be within 1e-3 of.
 *
 * Returns: (transfer full): in the narrowest type that holds the largest label; or %NULL with
 *   %BG_ERROR_INVALID when a value is negative, over 2^32 - 1, not finite or not whole, and
 *   %BG_ERROR_NO_MEMORY
 */
BgLabelMap *bg_label_map_new_from_volume(BgVolume *volume, GError **error);

/** bg_label_map_to_volume: (transfer full): uint8 and uint16 shared as they are, uint32 as float32 */
BgVolume *bg_label_map_to_volume(BgLabelMap *labels, GError **error);

BgLabelMap *bg_label_map_ref(BgLabelMap *labels);
void bg_label_map_unref(BgLabelMap *labels);

const BgGeometry *bg_label_map_get_geometry(const BgLabelMap *labels);
BgLabelType bg_label_map_get_label_type(const BgLabelMap *labels);
gconstpointer bg_label_map_get_labels(const BgLabelMap *labels);
gsize bg_label_map_get_n_bytes(const BgLabelMap *labels);

/** bg_label_map_get_serial: never 0, never given twice, apart from volumes' numbers */
guint64 bg_label_map_get_serial(const BgLabelMap *labels);

/** bg_label_map_read_row: @row: (out caller-allocates): nx labels */
void bg_label_map_read_row(const BgLabelMap *labels, int j, int k, guint32 *row);

/** bg_label_map_get_label: one voxel; i, j, k inside. Not for loops */
guint32 bg_label_map_get_label(const BgLabelMap *labels, int i, int j, int k);

/** bg_label_map_sample_nearest: @patient_mm: LPS; Returns: 0 outside */
guint32 bg_label_map_sample_nearest(const BgLabelMap *labels, BgVec3 patient_mm);

/**
 * BgLabelCount: a label that occurs, and in how many voxels
 */
typedef struct {
    guint32 label;
    gsize n_voxels;
} BgLabelCount;

/** bg_label_map_count: (transfer full): GArray of BgLabelCount, ascending, background left out */
GArray *bg_label_map_count(const BgLabelMap *labels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLabelMap, bg_label_map_unref)

G_END_DECLS
