// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-mask.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2

static gboolean
is_kept(guint32 label, const guint32 *labels, gsize n_labels)
{
    for (gsize n = 0; n < n_labels; n++) {
        if (labels[n] == label)
            return TRUE;
    }
    return n_labels == 0 && label != 0;
}

// The nearest sample of the type; its bytes at @sample.
static void
sample_of(BgSampleFormat format, double value, gpointer sample)
{
    double stored = (value - format.intercept) / format.slope;

    switch (format.type) {
    case BG_SAMPLE_UINT8:
        *(guint8 *) sample = (guint8) CLAMP(floor(stored + 0.5), 0.0, 255.0);
        break;
    case BG_SAMPLE_INT8:
        *(gint8 *) sample = (gint8) CLAMP(floor(stored + 0.5), -128.0, 127.0);
        break;
    case BG_SAMPLE_INT16:
        *(gint16 *) sample = (gint16) CLAMP(floor(stored + 0.5), -32768.0, 32767.0);
        break;
    case BG_SAMPLE_UINT16:
        *(guint16 *) sample = (guint16) CLAMP(floor(stored + 0.5), 0.0, 65535.0);
        break;
    case BG_SAMPLE_FLOAT32:
        *(float *) sample = (float) stored;
        break;
    }
}

BgVolume *
bg_volume_mask(BgVolume *volume, BgLabelMap *mask, const guint32 *labels, gsize n_labels,
               double outside, GError **error)
{
    g_return_val_if_fail(volume != NULL && mask != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    gsize size = bg_sample_type_size(format.type), nx = (gsize) geometry->dims[0];
    float sample;

    if (!bg_geometry_equal(bg_label_map_get_geometry(mask), geometry, GRID_WITHIN_MM)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The mask's grid is not the volume's; resample it onto the volume first"));
        return NULL;
    }
    if (!isfinite(outside) && format.type != BG_SAMPLE_FLOAT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Voxels outside of the mask cannot become %g: the samples are whole numbers; "
                      "give a finite value"),
                    outside);
        return NULL;
    }
    guint8 *samples = bg_voxels_alloc(geometry, size, error);
    if (samples == NULL)
        return NULL;
    g_autofree guint32 *row = g_new(guint32, nx);
    sample_of(format, outside, &sample);
    memcpy(samples, bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume));
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            guint8 *out = samples + size * nx * ((gsize) j + (gsize) geometry->dims[1] * (gsize) k);
            bg_label_map_read_row(mask, j, k, row);
            for (gsize i = 0; i < nx; i++) {
                if (!is_kept(row[i], labels, n_labels))
                    memcpy(out + size * i, &sample, size);
            }
        }
    }
    return bg_volume_new_take(geometry, format, samples, error);
}
