// SPDX-License-Identifier: Apache-2.0
#include "core/cast/bg-slice-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#define ROW_GRAIN 8
#define MAX_OUTLINE_PX 8.0

static const char *const map_names[BG_N_COLOUR_MAPS] = { "grey",    "inverted", "hot",   "cool",
                                                         "viridis", "red",      "green", "blue" };

// Each five colours at equal distances; in between linear in sRGB.
static const guint8 map_stops[BG_N_COLOUR_MAPS][5][3] = {
    { { 0, 0, 0 }, { 64, 64, 64 }, { 128, 128, 128 }, { 191, 191, 191 }, { 255, 255, 255 } },
    { { 255, 255, 255 }, { 191, 191, 191 }, { 128, 128, 128 }, { 64, 64, 64 }, { 0, 0, 0 } },
    { { 0, 0, 0 }, { 153, 0, 0 }, { 255, 77, 0 }, { 255, 204, 0 }, { 255, 255, 255 } },
    { { 0, 0, 0 }, { 0, 51, 128 }, { 0, 128, 204 }, { 77, 217, 230 }, { 255, 255, 255 } },
    { { 68, 1, 84 }, { 59, 82, 139 }, { 33, 145, 140 }, { 94, 201, 98 }, { 253, 231, 37 } },
    { { 0, 0, 0 }, { 64, 0, 0 }, { 128, 0, 0 }, { 191, 0, 0 }, { 255, 0, 0 } },
    { { 0, 0, 0 }, { 0, 64, 0 }, { 0, 128, 0 }, { 0, 191, 0 }, { 0, 255, 0 } },
    { { 0, 0, 0 }, { 0, 0, 64 }, { 0, 0, 128 }, { 0, 0, 191 }, { 0, 0, 255 } },
};

const char *
bg_colour_map_name(BgColourMap map)
{
    return map_names[map];
}

gboolean
bg_colour_map_parse(const char *name, BgColourMap *map)
{
    for (int i = 0; i < BG_N_COLOUR_MAPS; i++) {
        if (g_strcmp0(name, map_names[i]) == 0) {
            *map = (BgColourMap) i;
            return TRUE;
        }
    }
    return FALSE;
}

void
bg_colour_map_at(BgColourMap map, double at, guint8 rgb[3])
{
    double t = at > 0.0 ? fmin(at, 1.0) : 0.0;

    if (map == BG_COLOUR_MAP_GREY || map == BG_COLOUR_MAP_INVERTED) { // exact, without stops
        rgb[0] = rgb[1] = rgb[2] =
            (guint8) (255.0 * (map == BG_COLOUR_MAP_GREY ? t : 1.0 - t) + 0.5);
        return;
    }
    int stop = MIN((int) (t * 4.0), 3);
    double share = t * 4.0 - stop;
    for (int c = 0; c < 3; c++)
        rgb[c] = (guint8) (map_stops[map][stop][c] * (1.0 - share) +
                           map_stops[map][stop + 1][c] * share + 0.5);
}

BgSliceLayer
bg_slice_layer_for_volume(BgVolume *volume, double window_centre, double window_width)
{
    return (BgSliceLayer){ .volume = volume,
                           .sampling = { .interpolation = BG_INTERPOLATION_LINEAR },
                           .window_centre = window_centre,
                           .window_width = window_width,
                           .opacity = 1.0 };
}

BgSliceLayer
bg_slice_layer_for_labels(BgLabelMap *labels, BgLabelTable *table)
{
    return (BgSliceLayer){
        .labels = labels, .table = table, .opacity = 1.0, .fill_opacity = 0.4, .outline_px = 1.5
    };
}

// @alpha: 0..256
static inline guint32
mix(guint32 below, guint32 above, guint32 alpha)
{
    guint32 rest = 256 - alpha;
    guint32 red_blue = (((below & 0xFF00FF) * rest + (above & 0xFF00FF) * alpha + 0x800080) >> 8);
    guint32 green = (((below & 0x00FF00) * rest + (above & 0x00FF00) * alpha + 0x008000) >> 8);

    return 0xFF000000 | (red_blue & 0xFF00FF) | (green & 0x00FF00);
}

static guint32
alpha_256(double opacity)
{
    return (guint32) (256.0 * CLAMP(opacity, 0.0, 1.0) + 0.5);
}

typedef struct {
    BgSliceSampler sampler;
    float low, scale; // level = (value - low) * scale + 0.5, 0..255
    guint32 alpha;
    gboolean transparent_below;
    guint32 colours[256];
    guint32 *pixels;
} VolumeJob;

static void
blend_row(const VolumeJob *job, const float *values, guint32 *pixels)
{
    for (int x = 0; x < job->sampler.walk.width; x++) {
        float level = (values[x] - job->low) * job->scale + 0.5f;
        if (!(level >= 1.0f)) { // not-a-number too
            if (isnan(level) || job->transparent_below)
                continue;
            level = 0.0f;
        }
        guint32 colour = job->colours[level < 255.0f ? (int) level : 255];
        pixels[x] = job->alpha == 256 ? colour : mix(pixels[x], colour, job->alpha);
    }
}

static void
blend_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const VolumeJob *job = user_data;
    gsize width = (gsize) job->sampler.walk.width;
    g_autofree float *scratch = g_new(float, 3 * width);

    for (gsize y = first; y < last; y++) {
        bg_slice_sampler_row(&job->sampler, (int) y, scratch, scratch + width);
        blend_row(job, scratch, job->pixels + y * width);
    }
}

static gboolean
blend_volume(const BgSliceFrame *frame, const BgSliceLayer *layer, guint32 *pixels,
             GCancellable *cancellable, GError **error)
{
    VolumeJob job = { .pixels = pixels,
                      .alpha = alpha_256(layer->opacity),
                      .transparent_below = layer->transparent_below };

    if (!(layer->window_width > 0.0) || !isfinite(layer->window_centre + layer->window_width)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A window of centre %g and width %g is not possible. The width must be above "
                      "0"),
                    layer->window_centre, layer->window_width);
        return FALSE;
    }
    job.low = (float) (layer->window_centre - 0.5 * layer->window_width);
    job.scale = (float) (255.0 / layer->window_width);
    for (int i = 0; i < 256; i++) {
        guint8 rgb[3];
        bg_colour_map_at(layer->map, i / 255.0, rgb);
        job.colours[i] =
            0xFF000000 | (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | (guint32) rgb[2];
    }
    bg_slice_sampler_init(&job.sampler, layer->volume, frame, &layer->sampling);
    if (!bg_parallel_for((gsize) frame->height, ROW_GRAIN, blend_rows, &job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    return TRUE;
}

typedef struct {
    const guint32 *labels; // with a margin on all sides
    int width, height, margin;
    BgLabelTable *table; // borrowed
    guint32 fill, line;  // alphas
    int n_offsets;
    gssize offsets[(2 * (int) MAX_OUTLINE_PX + 1) * (2 * (int) MAX_OUTLINE_PX + 1)];
    guint32 *pixels;
} LabelJob;

static void
blend_label_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const LabelJob *job = user_data;
    gsize stride = (gsize) (job->width + 2 * job->margin);
    guint32 known = 0, colour = 0;
    gboolean visible = FALSE;

    for (gsize y = first; y < last; y++) {
        const guint32 *row = job->labels + (y + (gsize) job->margin) * stride + job->margin;
        guint32 *pixels = job->pixels + y * (gsize) job->width;
        for (int x = 0; x < job->width; x++) {
            guint32 label = row[x];
            if (label == 0)
                continue;
            if (label != known) {
                const BgLabelEntry *entry = bg_label_table_find(job->table, label);
                known = label;
                visible = entry != NULL && entry->visible;
                colour = 0xFF000000;
                for (int c = 0; visible && c < 3; c++)
                    colour |= (guint32) (255.0f * CLAMP(entry->rgb[c], 0.0f, 1.0f) + 0.5f)
                              << (16 - 8 * c);
            }
            if (!visible)
                continue;
            gboolean edge = FALSE;
            for (int n = 0; n < job->n_offsets && !edge; n++)
                edge = row[x + job->offsets[n]] != label;
            pixels[x] = mix(pixels[x], colour, edge ? job->line : job->fill);
        }
    }
}

static BgLabelTable *
table_of_picture(const guint32 *labels, gsize n)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint32 last = 0;

    for (gsize i = 0; i < n; i++) {
        if (labels[i] == last || labels[i] == 0)
            continue;
        last = labels[i];
        if (g_hash_table_add(seen, GUINT_TO_POINTER(last)))
            g_array_append_val(found, last);
    }
    return bg_label_table_new_default((const guint32 *) (gpointer) found->data, found->len, FALSE);
}

static gboolean
blend_labels(const BgSliceFrame *frame, const BgSliceLayer *layer, guint32 *pixels,
             GCancellable *cancellable, GError **error)
{
    double radius = CLAMP(layer->outline_px, 0.0, MAX_OUTLINE_PX);
    int margin = (int) radius;
    BgSliceFrame wider = *frame;
    LabelJob job = { .width = frame->width,
                     .height = frame->height,
                     .margin = margin,
                     .fill = alpha_256(layer->opacity * layer->fill_opacity),
                     .line = alpha_256(layer->opacity),
                     .pixels = pixels };

    // Sampled beyond the picture, so that its border makes no outline.
    wider.width += 2 * margin;
    wider.height += 2 * margin;
    wider.origin_mm = bg_slice_frame_point(frame, -margin, -margin);
    gsize n = (gsize) wider.width * (gsize) wider.height;
    bg_auto_buffer guint32 *labels = bg_buffer_alloc_items(n, sizeof(guint32), error);
    if (labels == NULL)
        return FALSE;
    if (!bg_slice_sample_labels(layer->labels, &wider, labels, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    g_autoptr(BgLabelTable) table =
        layer->table != NULL ? bg_label_table_ref(layer->table) : table_of_picture(labels, n);

    for (int dy = -margin; dy <= margin; dy++)
        for (int dx = -margin; dx <= margin; dx++)
            if ((dx != 0 || dy != 0) && dx * dx + dy * dy <= radius * radius)
                job.offsets[job.n_offsets++] = dx + (gssize) dy * wider.width;
    job.labels = labels;
    job.table = table;
    if (!bg_parallel_for((gsize) frame->height, 32, blend_label_rows, &job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    return TRUE;
}

gboolean
bg_slice_compose(const BgSliceFrame *frame, const BgSliceLayer *layers, gsize n_layers,
                 guint32 *pixels, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(frame != NULL && frame->width > 0 && frame->height > 0, FALSE);
    g_return_val_if_fail(pixels != NULL, FALSE);

    gsize n = (gsize) frame->width * (gsize) frame->height;
    for (gsize i = 0; i < n; i++)
        pixels[i] = 0xFF000000;

    for (gsize i = 0; i < n_layers; i++) {
        const BgSliceLayer *layer = &layers[i];
        if (layer->opacity <= 0.0)
            continue;
        if (layer->volume != NULL) {
            if (!blend_volume(frame, layer, pixels, cancellable, error))
                return FALSE;
        } else if (layer->labels != NULL) {
            if (!blend_labels(frame, layer, pixels, cancellable, error))
                return FALSE;
        }
    }
    return TRUE;
}

BgImage *
bg_slice_image_from_argb(const guint32 *pixels, const BgSliceFrame *frame, GError **error)
{
    gsize n = (gsize) frame->width * (gsize) frame->height;
    BgImageFormat format = {
        .width = frame->width, .height = frame->height, .n_channels = 3, .type = BG_PIXEL_UINT8
    };
    double spacing_mm[2] = { frame->spacing_mm, frame->spacing_mm };
    guint8 *rgb = bg_buffer_alloc_items(n, 3, error);

    if (rgb == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++) {
        rgb[3 * i] = (guint8) (pixels[i] >> 16);
        rgb[3 * i + 1] = (guint8) (pixels[i] >> 8);
        rgb[3 * i + 2] = (guint8) pixels[i];
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, rgb, error);
    return image != NULL ? bg_image_new_calibrated(image, spacing_mm) : NULL;
}
