// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-sample.h"
#include "core/volume/bg-geometry.h"

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * BgVolume:
 *
 * Scalar samples, in the type of their file, on a regular grid in patient space.
 * Immutable once built, so any number of threads may read it without a lock.
 * Reference counted (atomically); pass a reference, never a copy.
 *
 * Shape and order: (nx, ny, nz), x fastest. Voxel (i, j, k) is at index
 * i + nx * (j + ny * k).
 *
 * Space: LPS, the axes of DICOM (+x to the patient's left, +y posterior, +z superior), in
 * millimetres. Voxel coordinates are of voxel centres.
 */
typedef struct _BgVolume BgVolume;

#define BG_TYPE_VOLUME (bg_volume_get_type())
GType bg_volume_get_type(void);

/**
 * BgSampleFormat:
 * @slope: value = slope * sample + intercept; finite, not 0
 * @intercept: in the modality's unit (Hounsfield for CT); finite
 * @converted: the file's type was wider, and something was lost
 */
typedef struct {
    BgSampleType type;
    double slope;
    double intercept;
    gboolean converted;
} BgSampleFormat;

/** bg_sample_format_plain: slope 1, intercept 0, nothing lost */
static inline BgSampleFormat
bg_sample_format_plain(BgSampleType type)
{
    return (BgSampleFormat){ .type = type, .slope = 1.0, .intercept = 0.0, .converted = FALSE };
}

/**
 * bg_volume_new_take:
 * @samples: (transfer full): nx*ny*nz of @format.type, from bg_voxels_alloc();
 *   freed on failure too
 *
 * Wraps @samples without copying. Any thread.
 *
 * Returns: (transfer full): the volume, or %NULL with %BG_ERROR_CORRUPT when a
 *   dimension is out of range, the affine is singular (|det| <= 1e-12 mm^3), or
 *   the slope is 0 or not finite
 */
BgVolume *bg_volume_new_take(const BgGeometry *geometry, BgSampleFormat format, gpointer samples,
                             GError **error);

/**
 * bg_volume_new_bytes:
 * @bytes: whose data are the samples: for a mapped file. At least nx*ny*nz of @format.type, and
 *   aligned to the type
 *
 * As bg_volume_new_take(), but @bytes is referenced, not taken. %BG_ERROR_CORRUPT also when
 * @bytes is too short or misaligned.
 */
BgVolume *bg_volume_new_bytes(const BgGeometry *geometry, BgSampleFormat format, GBytes *bytes,
                              GError **error);

/**
 * bg_volume_new_at:
 *
 * Returns: (transfer full): the same samples, shared, on another grid of equal dims; errors as
 *   bg_volume_new_take(), and %BG_ERROR_INVALID when the dims differ
 */
BgVolume *bg_volume_new_at(BgVolume *volume, const BgGeometry *geometry, GError **error);

BgVolume *bg_volume_ref(BgVolume *volume);
void bg_volume_unref(BgVolume *volume);

/** bg_volume_get_geometry: Returns: (transfer none): valid as long as @volume */
const BgGeometry *bg_volume_get_geometry(const BgVolume *volume);

BgSampleFormat bg_volume_get_format(const BgVolume *volume);

/** bg_volume_get_samples: Returns: (transfer none): as stored; for kernels made per type */
gconstpointer bg_volume_get_samples(const BgVolume *volume);

/** bg_volume_get_n_bytes: the stored size: what "memory of a volume" means */
gsize bg_volume_get_n_bytes(const BgVolume *volume);

/** bg_volume_get_serial: Returns: never 0, never given twice: the key of device copies */
guint64 bg_volume_get_serial(const BgVolume *volume);

/**
 * bg_volume_read_row:
 * @row: (out caller-allocates): nx values, slope and intercept applied
 *
 * How all code but the hottest reads voxels.
 */
void bg_volume_read_row(const BgVolume *volume, int j, int k, float *row);

/** bg_volume_get_value: one voxel, slope and intercept applied; i, j, k inside. Not for loops */
double bg_volume_get_value(const BgVolume *volume, int i, int j, int k);

/**
 * bg_volume_sample_linear:
 * @patient_mm: LPS
 * @value: (out): trilinear; coordinates within half a voxel outside the outer centres are clamped
 *
 * For the probe and other single points. Not for loops.
 *
 * Returns: %FALSE outside of the volume
 */
gboolean bg_volume_sample_linear(const BgVolume *volume, BgVec3 patient_mm, double *value);

/**
 * bg_volume_watch:
 * @func: gets the serial number of each volume that is freed, on whatever thread
 *   that happens: it may note the number, nothing more
 *
 * Returns: for bg_volume_unwatch(), after which @func is not called again
 */
guint bg_volume_watch(void (*func)(guint64 serial, gpointer user_data), gpointer user_data);
void bg_volume_unwatch(guint id);

/**
 * bg_voxels_alloc:
 * @sample_size: in bytes
 *
 * The only way to allocate a grid of voxels: unlike g_malloc() it does not
 * abort the program when a study is larger than the machine.
 *
 * Returns: (transfer full): 64-byte aligned and uninitialised, on huge pages above
 *   4 MiB, to be freed with bg_voxels_free(); or %NULL with %BG_ERROR_CORRUPT when a
 *   dimension is out of range, or %BG_ERROR_NO_MEMORY, whose message names the size
 */
gpointer bg_voxels_alloc(const BgGeometry *geometry, gsize sample_size, GError **error);
void bg_voxels_free(gpointer voxels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgVolume, bg_volume_unref)

G_END_DECLS
