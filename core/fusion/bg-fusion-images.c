// SPDX-License-Identifier: Apache-2.0
// Pictures in colour, and volumes.
#include "bg-fusion-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/volume/bg-statistics.h"

#include <math.h>
#include <string.h>

#define GRID_WITHIN_MM 1e-2

typedef struct {
    int n; // 1 or 3
    BgChannel *channels[3];
} Picture;

static void
picture_clear(Picture *picture)
{
    for (int c = 0; c < 3; c++)
        g_clear_pointer(&picture->channels[c], bg_channel_free);
    picture->n = 0;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Picture, picture_clear)

// The colours, transparent pixels on white.
static gboolean
read_picture(BgImage *image, Picture *picture, GError **error)
{
    int n_channels = bg_image_get_format(image)->n_channels;
    gboolean has_alpha = n_channels == 2 || n_channels == 4;
    g_autoptr(BgChannel) alpha = has_alpha ? bg_channel_read(image, n_channels - 1, error) : NULL;

    if (has_alpha && alpha == NULL)
        return FALSE;
    picture->n = n_channels < 3 ? 1 : 3;
    for (int c = 0; c < picture->n; c++) {
        BgChannel *channel = picture->channels[c] = bg_channel_read(image, c, error);
        if (channel == NULL)
            return FALSE;
        for (gsize i = 0; has_alpha && i < bg_channel_count(channel); i++)
            channel->values[i] = 1.0f - alpha->values[i] * (1.0f - channel->values[i]);
    }
    return TRUE;
}

static BgChannel *
brightness(const Picture *picture, BgFusionColour colour, GError **error)
{
    BgChannel *out = bg_channel_copy(picture->channels[0], error);

    if (out == NULL || picture->n == 1)
        return out;
    for (gsize i = 0; i < bg_channel_count(out); i++) {
        float r = picture->channels[0]->values[i], g = picture->channels[1]->values[i];
        float b = picture->channels[2]->values[i];
        out->values[i] =
            colour == BG_FUSION_HSV ? MAX(r, MAX(g, b)) : 0.299f * r + 0.587f * g + 0.114f * b;
    }
    return out;
}

// The picture with another brightness, in place. In YUV each channel moves as far as Y; in HSV all
// are multiplied alike.
static void
set_brightness(Picture *picture, const BgChannel *old, const BgChannel *wanted,
               BgFusionColour colour)
{
    for (gsize i = 0; i < bg_channel_count(old); i++) {
        float from = old->values[i], to = wanted->values[i];
        for (int c = 0; c < 3; c++) {
            float *v = &picture->channels[c]->values[i];
            if (colour == BG_FUSION_YUV)
                *v += to - from;
            else
                *v = from > 0.0f ? *v * to / from : to;
        }
    }
}

static gboolean
is_wide(BgImage *const *images, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (bg_image_get_format(images[i])->type != BG_PIXEL_UINT8)
            return TRUE;
    }
    return FALSE;
}

BgImage *
bg_fuse_images(BgImage *const *images, gsize n_images, const BgFusionParams *params,
               BgFusionColour colour, BgFusionModel *model, BgFusionResult *result,
               GPtrArray **sources, const BgProgress *progress, GCancellable *cancellable,
               GError **error)
{
    g_return_val_if_fail(n_images >= 2 && n_images <= BG_FUSION_MAX_SOURCES, NULL);

    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);
    g_auto(Picture) coloured = { 0 };
    g_auto(BgFusionResult) made = { 0 };
    gsize of_coloured = 0;

    for (gsize s = 0; s < n_images; s++) {
        g_auto(Picture) picture = { 0 };
        BgChannel *plane =
            read_picture(images[s], &picture, error) ? brightness(&picture, colour, error) : NULL;
        if (plane == NULL)
            return NULL;
        g_ptr_array_add(planes, plane);
        if (picture.n == 3 && colour != BG_FUSION_GREY) {
            picture_clear(&coloured);
            coloured = picture;
            picture = (Picture){ 0 };
            of_coloured = s;
        }
    }
    if (!bg_fuse((const BgChannel *const *) planes->pdata, n_images, params, model, &made, progress,
                 cancellable, error))
        return NULL;
    const BgChannel *grey[1] = { made.fused };
    if (coloured.n == 3)
        set_brightness(&coloured, planes->pdata[of_coloured], made.fused, colour);
    BgImage *fused = bg_image_from_channels(
        coloured.n == 3 ? (const BgChannel *const *) coloured.channels : grey,
        coloured.n == 3 ? 3 : 1, is_wide(images, n_images) ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8,
        error);
    if (fused == NULL)
        return NULL;
    if (result != NULL) {
        *result = made;
        made = (BgFusionResult){ 0 };
    }
    if (sources != NULL)
        *sources = g_steal_pointer(&planes);
    return fused;
}

// Least value and one over the range.
static gboolean
find_scale(BgVolume *volume, float *low, float *scale, GCancellable *cancellable, GError **error)
{
    BgStatistics statistics;

    if (!bg_volume_statistics(volume, &statistics, cancellable, error))
        return FALSE;
    if (statistics.n == 0 || !(statistics.max > statistics.min)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A volume whose values are all equal cannot be fused; choose another"));
        return FALSE;
    }
    *low = (float) statistics.min;
    *scale = (float) (1.0 / (statistics.max - statistics.min));
    return TRUE;
}

static BgChannel *
read_slice(BgVolume *volume, int k, float low, float scale, GError **error)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    BgChannel *slice = bg_channel_new(dims[0], dims[1], error);

    for (int j = 0; slice != NULL && j < dims[1]; j++)
        bg_volume_read_row(volume, j, k, slice->values + (gsize) j * (gsize) dims[0]);
    for (gsize i = 0; slice != NULL && i < bg_channel_count(slice); i++) {
        float v = slice->values[i];
        slice->values[i] = isfinite(v) ? (v - low) * scale : 0.0f;
    }
    return slice;
}

static gboolean
fuse_slice(BgVolume *const *volumes, gsize n, int k, const float *lows, const float *scales,
           const BgFusionParams *params, BgFusionModel *model, float *out,
           GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);
    g_auto(BgFusionResult) result = { 0 };

    for (gsize s = 0; s < n; s++) {
        BgChannel *plane = read_slice(volumes[s], k, lows[s], scales[s], error);
        if (plane == NULL)
            return FALSE;
        g_ptr_array_add(planes, plane);
    }
    if (!bg_fuse((const BgChannel *const *) planes->pdata, n, params, model, &result, NULL,
                 cancellable, error))
        return FALSE;
    memcpy(out, result.fused->values, bg_channel_count(result.fused) * sizeof(float));
    return TRUE;
}

BgVolume *
bg_fuse_volumes(BgVolume *const *volumes, gsize n_volumes, const BgFusionParams *params,
                BgFusionModel *model, const BgProgress *progress, GCancellable *cancellable,
                GError **error)
{
    g_return_val_if_fail(n_volumes >= 2 && n_volumes <= BG_FUSION_MAX_SOURCES, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volumes[0]);
    float lows[BG_FUSION_MAX_SOURCES], scales[BG_FUSION_MAX_SOURCES];
    gsize slice = (gsize) geometry->dims[0] * (gsize) geometry->dims[1];

    for (gsize s = 0; s < n_volumes; s++) {
        if (!bg_geometry_equal(bg_volume_get_geometry(volumes[s]), geometry, GRID_WITHIN_MM)) {
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        _("Volumes on different grids cannot be fused; resample them onto one"));
            return NULL;
        }
        if (!find_scale(volumes[s], &lows[s], &scales[s], cancellable, error))
            return NULL;
    }
    float *values = bg_voxels_alloc(geometry, sizeof(float), error);
    for (int k = 0; values != NULL && k < geometry->dims[2]; k++) {
        if (!fuse_slice(volumes, n_volumes, k, lows, scales, params, model,
                        values + slice * (gsize) k, cancellable, error)) {
            bg_voxels_free(values);
            return NULL;
        }
        bg_progress_report(progress, (double) (k + 1) / geometry->dims[2]);
    }
    return values == NULL ? NULL
                          : bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32),
                                               values, error);
}

// The slices that hold more than the least value, scaled.
static GPtrArray *
read_slices(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);
    float low, scale;

    if (!find_scale(volume, &low, &scale, cancellable, error))
        return NULL;
    for (int k = 0; k < bg_volume_get_geometry(volume)->dims[2]; k++) {
        BgChannel *plane = read_slice(volume, k, low, scale, error);
        gboolean empty = TRUE;
        if (plane == NULL)
            return NULL;
        for (gsize i = 0; empty && i < bg_channel_count(plane); i++)
            empty = !(plane->values[i] > 0.0f);
        if (empty)
            bg_channel_free(plane);
        else
            g_ptr_array_add(planes, plane);
    }
    return g_steal_pointer(&planes);
}

BgChannel *
bg_fuse_slices(BgVolume *volume, const BgFusionParams *params, BgFusionModel *model,
               const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL && params != NULL, NULL);

    g_autoptr(GPtrArray) planes = read_slices(volume, cancellable, error);
    guint n_all = planes != NULL ? planes->len : 0;

    while (planes != NULL && planes->len > 1) {
        g_autoptr(GPtrArray) next =
            g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);
        for (guint p = 0; p + 1 < planes->len; p += 2) {
            BgFusionResult result;
            if (!bg_fuse((const BgChannel *const *) planes->pdata + p, 2, params, model, &result,
                         NULL, cancellable, error))
                return NULL;
            g_ptr_array_add(next, g_steal_pointer(&result.fused));
            bg_fusion_result_clear(&result);
        }
        if (planes->len % 2 == 1)
            g_ptr_array_add(next, g_steal_pointer(&planes->pdata[planes->len - 1]));
        g_ptr_array_unref(planes);
        planes = g_steal_pointer(&next);
        bg_progress_report(progress, 1.0 - (double) (planes->len - 1) / MAX(n_all, 1));
    }
    return planes != NULL ? g_steal_pointer(&planes->pdata[0]) : NULL;
}
