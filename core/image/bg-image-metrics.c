// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-image-metrics.h"

#include "bg-emd.h"
#include "bg-ssim.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define MAX_COLOURS 3

// Channels without alpha, and grey; all owned.
typedef struct {
    int n;
    BgChannel *channels[MAX_COLOURS];
    BgChannel *grey;
} Picture;

static void
picture_clear(Picture *picture)
{
    for (int c = 0; c < MAX_COLOURS; c++)
        g_clear_pointer(&picture->channels[c], bg_channel_free);
    g_clear_pointer(&picture->grey, bg_channel_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Picture, picture_clear)

int
bg_image_count_colours(BgImage *image)
{
    return bg_image_get_format(image)->n_channels < 3 ? 1 : 3;
}

static gboolean
picture_init(Picture *picture, BgImage *image, GError **error)
{
    picture->n = bg_image_count_colours(image);
    for (int c = 0; c < picture->n; c++) {
        picture->channels[c] = bg_channel_read(image, c, error);
        if (picture->channels[c] == NULL)
            return FALSE;
        for (gsize i = 0; i < bg_channel_count(picture->channels[c]); i++) {
            if (!isfinite(picture->channels[c]->values[i])) {
                g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The pictures cannot be compared: a pixel is not a number; replace "
                              "it, or leave it out by a mask"));
                return FALSE;
            }
        }
    }
    picture->grey = bg_channel_luma(image, error);
    return picture->grey != NULL;
}

static gboolean
check(BgImage *a, BgImage *b, GError **error)
{
    const BgImageFormat *fa = bg_image_get_format(a), *fb = bg_image_get_format(b);

    if (fa->width == fb->width && fa->height == fb->height &&
        bg_image_count_colours(a) == bg_image_count_colours(b))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("Pictures of %d × %d pixels in %d colours and %d × %d in %d cannot be compared; "
                  "bring them to one form"),
                fa->width, fa->height, bg_image_count_colours(a), fb->width, fb->height,
                bg_image_count_colours(b));
    return FALSE;
}

static void
measure_differences(const Picture *a, const Picture *b, const BgChannel *mask, double range,
                    BgImageMetrics *m)
{
    double squares = 0.0, absolute = 0.0, norm = 0.0;

    m->n_pixels = 0;
    for (gsize i = 0; i < bg_channel_count(a->grey); i++) {
        if (mask != NULL && !(mask->values[i] > 0.5f))
            continue;
        m->n_pixels++;
        for (int c = 0; c < a->n; c++) {
            double truth = (double) b->channels[c]->values[i];
            double d = (double) a->channels[c]->values[i] - truth;
            squares += d * d;
            absolute += fabs(d);
            norm += truth * truth;
        }
    }
    double n = (double) m->n_pixels * a->n;
    m->rmse = sqrt(squares / n);
    m->mae = absolute / n;
    m->relative = norm > 0.0 ? sqrt(squares / norm) : (double) NAN;
    m->psnr = squares > 0.0 ? 20.0 * log10(range / m->rmse) : (double) INFINITY;
}

// The mean of the map over the windows whose centre is in the mask; NaN when there is none.
static double
mean_in_mask(const BgChannel *map, const BgChannel *mask)
{
    gsize n = 0, edge = BG_SSIM_WINDOW / 2;
    double sum = 0.0;

    for (gsize v = 0; v < (gsize) map->height; v++) {
        const float *row = mask->values + (v + edge) * (gsize) mask->width + edge;
        for (gsize u = 0; u < (gsize) map->width; u++) {
            if (row[u] > 0.5f) {
                sum += (double) map->values[v * (gsize) map->width + u];
                n++;
            }
        }
    }
    return n > 0 ? sum / (double) n : (double) NAN;
}

static gboolean
measure_ssim(const BgChannel *a, const BgChannel *b, const BgChannel *mask, double range,
             double *ssim, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgChannel) map = NULL;

    if (!bg_ssim(a, b, range, ssim, mask != NULL ? &map : NULL, cancellable, error))
        return FALSE;
    if (mask != NULL)
        *ssim = mean_in_mask(map, mask);
    return TRUE;
}

static gboolean
measure_structure(const Picture *a, const Picture *b, const BgChannel *mask, double range,
                  BgImageMetrics *m, GCancellable *cancellable, GError **error)
{
    int smallest = MIN(a->grey->width, a->grey->height);

    if (smallest >= BG_SSIM_WINDOW) {
        if (!measure_ssim(a->grey, b->grey, mask, range, &m->ssim, cancellable, error))
            return FALSE;
        m->ssim_channels = 0.0;
        for (int c = 0; c < a->n; c++) {
            double one;
            if (!measure_ssim(a->channels[c], b->channels[c], mask, range, &one, cancellable,
                              error))
                return FALSE;
            m->ssim_channels += one / a->n;
        }
    }
    if (smallest >= BG_MS_SSIM_SMALLEST && mask == NULL)
        return bg_ms_ssim(a->grey, b->grey, range, &m->ms_ssim, cancellable, error);
    return TRUE;
}

gboolean
bg_image_metrics(BgImage *a, BgImage *b, const BgChannel *mask, double range,
                 BgImageMetrics *metrics, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(a != NULL && b != NULL && metrics != NULL, FALSE);
    g_return_val_if_fail(range > 0.0, FALSE);

    g_auto(Picture) pa = { 0 };
    g_auto(Picture) pb = { 0 };
    gboolean coded = bg_image_get_format(a)->type != BG_PIXEL_FLOAT32 &&
                     bg_image_get_format(b)->type != BG_PIXEL_FLOAT32;

    *metrics = (BgImageMetrics){ .ssim = NAN, .ssim_channels = NAN, .ms_ssim = NAN, .emd = NAN };
    if (!check(a, b, error) || !picture_init(&pa, a, error) || !picture_init(&pb, b, error))
        return FALSE;
    if (mask != NULL && (mask->width != pa.grey->width || mask->height != pa.grey->height)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A mask of %d × %d pixels does not fit pictures of %d × %d; bring it to "
                      "their size"),
                    mask->width, mask->height, pa.grey->width, pa.grey->height);
        return FALSE;
    }
    measure_differences(&pa, &pb, mask, range, metrics);
    if (metrics->n_pixels == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The mask leaves no pixel to compare; give one that is not empty"));
        return FALSE;
    }
    return measure_structure(&pa, &pb, mask, range, metrics, cancellable, error) &&
           (!coded || bg_emd_colours((const BgChannel *const *) pa.channels,
                                     (const BgChannel *const *) pb.channels, pa.n, mask,
                                     &metrics->emd, cancellable, error));
}
