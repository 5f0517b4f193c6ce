// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-dicom-pixels.h"
#include "bg-dicom-series-private.h"

G_BEGIN_DECLS

/**
 * bg_dcm_load_volume:
 * @params: frame and component are used
 *
 * Returns: (transfer full): of opened->stack->geometry
 */
BgVolume *bg_dcm_load_volume(const BgDcmStack *stack, const BgLoadParams *params,
                             const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_dcm_load_image: a colour picture: RGB, 8 or 16 bits, calibrated where the file is */
BgImage *bg_dcm_load_image(const BgDcmStack *stack, int frame, GError **error);

/** bg_dcm_load_seg: @geometry: (nullable): of the result; the file's own when NULL */
BgLoaded *bg_dcm_load_seg(const BgDcmImage *image, const BgGeometry *geometry, BgFileInfo *info,
                          const BgProgress *progress, GCancellable *cancellable, GError **error);

BgLabelMap *bg_dcm_load_rtstruct(const BgDcmImage *image, const BgGeometry *geometry,
                                 BgFileInfo *info, GCancellable *cancellable, GError **error);

/** bg_dcm_load_mesh: Encapsulated STL */
BgMesh *bg_dcm_load_mesh(const BgDcmImage *image, GError **error);

/**
 * BgDcmPalette: of PALETTE COLOR: entry i is the colour of the stored value first + i
 */
typedef struct {
    int first;
    int n_entries;
    guint16 *rgb[3]; // owned, over the full 16 bits
} BgDcmPalette;

gboolean bg_dcm_palette_read(BgDcmPalette *palette, const BgDcmData *data, GError **error);
void bg_dcm_palette_clear(BgDcmPalette *palette);

/**
 * BgDcmLut: a modality or VOI LUT: entry i is the output of the stored value first + i
 */
typedef struct {
    int first;
    int n_entries;
    int bits;
    guint16 *entry; // owned
} BgDcmLut;

gboolean bg_dcm_lut_read(BgDcmLut *lut, BgDcmSet set, guint32 sequence, gboolean is_signed,
                         GError **error);
void bg_dcm_lut_clear(BgDcmLut *lut);

static inline guint16
bg_dcm_lut_get(const BgDcmLut *lut, int value)
{
    int i = value - lut->first;

    return lut->entry[CLAMP(i, 0, lut->n_entries - 1)];
}

/** bg_dcm_sample: one sample of a frame that was read, as a number */
double bg_dcm_sample(const BgDcmPixels *pixels, const guint8 *samples, gsize index);

G_END_DECLS
