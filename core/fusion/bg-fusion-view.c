// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-view.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/image/bg-ssim.h"

#include <math.h>
#include <string.h>

#define SMALLEST 16    // pixels a side: below, no method has anything to look at
#define MOST_SAMPLES 8 // a side, of the photograph in a pixel

void
bg_fusion_view_clear(BgFusionView *view)
{
    g_clear_pointer(&view->image, bg_image_unref);
    g_clear_pointer(&view->whole, bg_image_unref);
    g_clear_pointer(&view->maps, g_ptr_array_unref);
}

typedef struct {
    const guint8 *rendering, *photograph;
    int width, height, photo_width, photo_height;
    BgFusionRect rect;
    int n_samples; // of the photograph, in a pixel and a direction
    guint8 *
        taken; // borrowed: RGB of each pixel of the rendering, and 1 where the photograph has all of it
} Sources;

// Pixel (u, v) of the photograph, bilinearly; FALSE outside of it.
static gboolean
photograph_at(const Sources *s, double u, double v, double rgb[3])
{
    if (!(u >= -0.5 && v >= -0.5 && u <= s->photo_width - 0.5 && v <= s->photo_height - 0.5))
        return FALSE;
    u = CLAMP(u, 0.0, s->photo_width - 1.0);
    v = CLAMP(v, 0.0, s->photo_height - 1.0);
    int i = (int) u, j = (int) v;
    int to_i = MIN(i + 1, s->photo_width - 1), to_j = MIN(j + 1, s->photo_height - 1);
    const int at[4] = { i + s->photo_width * j, to_i + s->photo_width * j,
                        i + s->photo_width * to_j, to_i + s->photo_width * to_j };
    const double weights[4] = { (1.0 - (u - i)) * (1.0 - (v - j)), (u - i) * (1.0 - (v - j)),
                                (1.0 - (u - i)) * (v - j), (u - i) * (v - j) };

    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 4; k++)
            rgb[c] += weights[k] * s->photograph[3 * at[k] + c];
    return TRUE;
}

// The mean over pixel (x, y) of the rendering; FALSE where any of it lies outside of the photograph.
static gboolean
mean_in(const Sources *s, int x, int y, double rgb[3])
{
    int n = s->n_samples;

    rgb[0] = rgb[1] = rgb[2] = 0.0;
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) {
            double u = s->rect.left + (x + (i + 0.5) / n) * s->rect.width / s->width;
            double v = s->rect.top + (y + (j + 0.5) / n) * s->rect.height / s->height;
            if (!photograph_at(s, u, v, rgb))
                return FALSE;
        }
    for (int c = 0; c < 3; c++)
        rgb[c] /= n * n;
    return TRUE;
}

static void
take_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Sources *s = user_data;

    for (gsize y = first; y < last; y++)
        for (int x = 0; x < s->width; x++) {
            guint8 *pixel = s->taken + 4 * ((gsize) x + (gsize) s->width * y);
            double rgb[3];
            pixel[3] = mean_in(s, x, (int) y, rgb);
            for (int c = 0; c < 3; c++)
                pixel[c] = pixel[3] ? (guint8) lround(rgb[c]) : 0;
        }
}

static gboolean
find_box(const Sources *s, int box[4], gsize *n_seen)
{
    int low[2] = { s->width, s->height }, high[2] = { -1, -1 };

    *n_seen = 0;
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            gsize at = 4 * ((gsize) x + (gsize) s->width * (gsize) y) + 3;
            if (s->rendering[at] == 0 || !s->taken[at])
                continue;
            low[0] = MIN(low[0], x);
            low[1] = MIN(low[1], y);
            high[0] = MAX(high[0], x);
            high[1] = MAX(high[1], y);
            ++*n_seen;
        }
    for (int k = 0; k < 2; k++) {
        box[k] = low[k];
        box[2 + k] = high[k] - low[k] + 1;
    }
    return high[0] >= 0;
}

// Of the box: the photograph, and the volume's brightness on it.
static gboolean
make_sources(const Sources *s, const int box[4], BgImage *made[2], GError **error)
{
    gsize n = (gsize) box[2] * (gsize) box[3];
    guint8 *grey = bg_buffer_alloc_items(n, 1, error);
    guint8 *colour = grey != NULL ? bg_buffer_alloc_items(n, 3, error) : NULL;
    const BgImageFormat formats[2] = { { box[2], box[3], 1, BG_PIXEL_UINT8 },
                                       { box[2], box[3], 3, BG_PIXEL_UINT8 } };

    if (colour == NULL) {
        bg_buffer_free(grey);
        return FALSE;
    }
    for (gsize i = 0; i < n; i++) {
        int x = box[0] + (int) (i % (gsize) box[2]), y = box[1] + (int) (i / (gsize) box[2]);
        gsize at = 4 * ((gsize) x + (gsize) s->width * (gsize) y);
        const guint8 *seen = s->rendering + at, *rgb = s->taken + at;
        double alpha = seen[3] / 255.0;
        double below = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        double luma = 0.299 * seen[0] + 0.587 * seen[1] + 0.114 * seen[2];
        grey[i] = (guint8) lround(alpha * luma + (1.0 - alpha) * below);
        for (int c = 0; c < 3; c++)
            colour[3 * i + (gsize) c] = rgb[c];
    }
    made[0] = bg_image_new_take(&formats[0], grey, error);
    made[1] = bg_image_new_take(&formats[1], colour, error);
    return made[0] != NULL && made[1] != NULL;
}

static gboolean
place(const Sources *s, const BgImage *fused, BgFusionView *view, GError **error)
{
    const BgImageFormat formats[2] = { { s->width, s->height, 4, BG_PIXEL_UINT8 },
                                       { s->width, s->height, 3, BG_PIXEL_UINT8 } };
    const guint8 *from = bg_image_get_pixels(fused);
    gsize n_channels = (gsize) bg_image_get_format(fused)->n_channels;
    gsize n = (gsize) s->width * (gsize) s->height;
    guint8 *rgba = bg_buffer_alloc_items(n, 4, error);
    guint8 *whole = rgba != NULL ? bg_buffer_alloc_items(n, 3, error) : NULL;

    if (whole == NULL) {
        bg_buffer_free(rgba);
        return FALSE;
    }
    memset(rgba, 0, 4 * n);
    for (gsize at = 0; at < n; at++) {
        int x = (int) (at % (gsize) s->width), y = (int) (at / (gsize) s->width);
        int i = x - view->box[0], j = y - view->box[1];
        const guint8 *taken = s->taken + 4 * at;
        memcpy(whole + 3 * at, taken, 3);
        if (!taken[3] || s->rendering[4 * at + 3] == 0)
            continue;
        const guint8 *pixel = from + n_channels * (gsize) (i + view->box[2] * j);
        for (gsize c = 0; c < 3; c++)
            whole[3 * at + c] = rgba[4 * at + c] = pixel[n_channels >= 3 ? c : 0];
        rgba[4 * at + 3] = 255;
    }
    view->image = bg_image_new_take(&formats[0], rgba, error);
    view->whole = bg_image_new_take(&formats[1], whole, error);
    return view->image != NULL && view->whole != NULL;
}

static gboolean
measure(const GPtrArray *sources, const BgChannel *fused, BgFusionView *view,
        GCancellable *cancellable, GError **error)
{
    view->ssim[0] = view->ssim[1] = (double) NAN;
    for (guint k = 0; k < 2 && MIN(fused->width, fused->height) >= BG_SSIM_WINDOW; k++)
        if (!bg_ssim(fused, sources->pdata[k], 1.0, &view->ssim[k], NULL, cancellable, error))
            return FALSE;
    return bg_fusion_metrics((const BgChannel *const *) sources->pdata, 2, fused, &view->metrics,
                             cancellable, error);
}

static gboolean
fuse_box(const Sources *s, const BgFusionParams *params, BgFusionModel *model, BgFusionView *view,
         const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgImage *made[2] = { NULL, NULL };
    g_autoptr(GPtrArray) sources = NULL;
    g_autoptr(BgImage) fused = NULL;
    g_auto(BgFusionResult) result = { 0 };

    if (make_sources(s, view->box, made, error))
        fused = bg_fuse_images(made, 2, params, BG_FUSION_YUV, model, &result, &sources, progress,
                               cancellable, error);
    g_clear_pointer(&made[0], bg_image_unref);
    g_clear_pointer(&made[1], bg_image_unref);
    if (fused == NULL || !measure(sources, result.fused, view, cancellable, error))
        return FALSE;
    memcpy(view->levels, result.levels, sizeof view->levels);
    view->maps = g_steal_pointer(&result.maps);
    return place(s, fused, view, error);
}

gboolean
bg_fuse_view(BgImage *rendering, BgImage *photograph, const BgFusionRect *rect,
             const BgFusionParams *params, BgFusionModel *model, BgFusionView *view,
             const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgImageFormat *seen = bg_image_get_format(rendering);
    const BgImageFormat *taken = bg_image_get_format(photograph);
    g_auto(BgFusionView) made = { 0 };

    g_return_val_if_fail(seen->n_channels == 4 && seen->type == BG_PIXEL_UINT8, FALSE);
    g_return_val_if_fail(taken->n_channels == 3 && taken->type == BG_PIXEL_UINT8, FALSE);
    g_return_val_if_fail(rect->width > 0.0 && rect->height > 0.0, FALSE);

    Sources s = { bg_image_get_pixels(rendering),
                  bg_image_get_pixels(photograph),
                  seen->width,
                  seen->height,
                  taken->width,
                  taken->height,
                  *rect,
                  1,
                  NULL };
    s.n_samples =
        CLAMP((int) ceil(MAX(rect->width / s.width, rect->height / s.height)), 1, MOST_SAMPLES);
    bg_auto_buffer guint8 *pixels =
        bg_buffer_alloc_items((gsize) s.width * (gsize) s.height, 4, error);
    if (pixels == NULL)
        return FALSE;
    s.taken = pixels;
    if (!bg_parallel_for((gsize) s.height, 16, take_rows, &s, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    if (!find_box(&s, made.box, &made.n_seen) || MIN(made.box[2], made.box[3]) < SMALLEST) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is nothing to fuse: hardly anything of the volume lies on the part of "
                      "the photograph that is shown. Show more of it, or look after the camera"));
        return FALSE;
    }
    if (!fuse_box(&s, params, model, &made, progress, cancellable, error))
        return FALSE;
    *view = made;
    made = (BgFusionView){ 0 };
    return TRUE;
}
