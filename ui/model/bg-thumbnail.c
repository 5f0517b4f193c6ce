// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-thumbnail.h"

#include "core/base/bg-buffer.h"
#include "core/cast/bg-cast.h"
#include "core/cast/bg-slice.h"
#include "core/io/bg-image-io.h"

#include <glib/gstdio.h>

#define PROBES 48 // a label map is looked at in so many places along each axis

struct _BgThumbnail {
    BgPayload payload; // references of its own
    BgLabelTable *labels;
    double window_centre, window_width;
    double rgb[3];
};

BgThumbnail *
bg_thumbnail_new(const BgLayer *layer)
{
    if (bg_payload_is_empty(&layer->payload))
        return NULL;

    BgThumbnail *self = g_new0(BgThumbnail, 1);
    bg_payload_copy(&layer->payload, &self->payload);
    self->labels = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
    self->window_centre = layer->window_centre;
    self->window_width = layer->window_width;
    memcpy(self->rgb, layer->mesh_rgb, sizeof self->rgb);
    return self;
}

void
bg_thumbnail_free(BgThumbnail *self)
{
    bg_payload_clear(&self->payload);
    g_clear_pointer(&self->labels, bg_label_table_unref);
    g_free(self);
}

// The axial slice with the most labels, by samples.
static BgVec3
fullest(const BgLabelMap *labels)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgVec3 low, high, best = bg_geometry_centre_mm(geometry);
    guint most = 0;

    bg_geometry_bounds_mm(geometry, &low, &high);
    BgVec3 size = bg_vec3_sub(high, low);
    for (int k = 0; k < PROBES; k++) {
        guint n = 0;
        BgVec3 at = { 0.0, 0.0, low.z + size.z * (k + 0.5) / PROBES };
        for (int j = 0; j < PROBES; j++) {
            at.y = low.y + size.y * (j + 0.5) / PROBES;
            for (int i = 0; i < PROBES; i++) {
                at.x = low.x + size.x * (i + 0.5) / PROBES;
                n += bg_label_map_sample_nearest(labels, at) != 0;
            }
        }
        if (n > most) {
            most = n;
            best.z = at.z;
        }
    }

    return best;
}

static BgImage *
draw_slice(const BgThumbnail *self, GCancellable *cancellable, GError **error)
{
    gboolean volume = self->payload.volume != NULL;
    const BgGeometry *geometry = volume ? bg_volume_get_geometry(self->payload.volume)
                                        : bg_label_map_get_geometry(self->payload.labels);
    BgSlicePane pane = { .plane = BG_PLANE_AXIAL,
                         .convention = BG_CONVENTION_RADIOLOGICAL,
                         .width = BG_THUMBNAIL_PX,
                         .height = BG_THUMBNAIL_PX };
    pane.centre_mm = bg_geometry_centre_mm(geometry);
    pane.through_mm = volume ? pane.centre_mm : fullest(self->payload.labels);
    pane.spacing_mm =
        bg_slice_fit_spacing_mm(geometry, pane.plane, BG_THUMBNAIL_PX, BG_THUMBNAIL_PX);

    BgSliceFrame frame = bg_slice_frame_for_pane(&pane);
    BgSliceLayer layer = volume ? bg_slice_layer_for_volume(self->payload.volume,
                                                            self->window_centre, self->window_width)
                                : bg_slice_layer_for_labels(self->payload.labels, self->labels);
    if (!volume)
        layer.fill_opacity = 1.0;

    gsize n = (gsize) frame.width * (gsize) frame.height;
    bg_auto_buffer guint32 *pixels = bg_buffer_alloc_items(n, sizeof *pixels, error);
    if (pixels == NULL || !bg_slice_compose(&frame, &layer, 1, pixels, cancellable, error))
        return NULL;

    return bg_slice_image_from_argb(pixels, &frame, error);
}

typedef struct {
    float low, high; // of a picture of floats
} Range;

static Range
range_of(BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);
    Range range = { 0.0f, 1.0f };

    if (format->type != BG_PIXEL_FLOAT32)
        return range;

    const float *values = bg_image_get_pixels(image);
    gsize n = bg_image_get_n_bytes(image) / sizeof *values, step = (gsize) format->n_channels;
    gboolean alpha = step % 2 == 0;
    range = (Range){ INFINITY, -INFINITY };
    for (gsize i = 0; i < n; i++) {
        gsize last = i - i % step + step - 1; // of the pixel: its alpha channel, where it has one
        if (!isfinite(values[i]) || (alpha && (i == last || values[last] <= 0.0f)))
            continue;
        range.low = MIN(range.low, values[i]);
        range.high = MAX(range.high, values[i]);
    }
    if (!(range.high > range.low))
        range = (Range){ 0.0f, 1.0f };
    return range;
}

static guint8
grey_of(float value, Range range)
{
    if (!isfinite(value))
        return 0;

    return (guint8) CLAMP(255.0f * (value - range.low) / (range.high - range.low), 0.0f, 255.0f);
}

// @out: (out): three bytes of a pixel of any picture
static void
rgb_at(BgImage *image, int x, int y, Range range, guint8 *out)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize at = ((gsize) y * (gsize) format->width + (gsize) x) * (gsize) format->n_channels;

    for (int c = 0; c < 3; c++) {
        gsize i = at + (gsize) (format->n_channels >= 3 ? c : 0);
        if (format->type == BG_PIXEL_UINT8)
            out[c] = ((const guint8 *) bg_image_get_pixels(image))[i];
        else if (format->type == BG_PIXEL_UINT16)
            out[c] = (guint8) (((const guint16 *) bg_image_get_pixels(image))[i] >> 8);
        else
            out[c] = grey_of(((const float *) bg_image_get_pixels(image))[i], range);
    }
}

BgImage *
bg_thumbnail_flatten(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    const BgImageFormat flat = { format->width, format->height, 3, BG_PIXEL_UINT8 };
    gsize n = (gsize) format->width * (gsize) format->height;

    if (format->n_channels == 3 && format->type == BG_PIXEL_UINT8)
        return bg_image_ref(image);

    guint8 *rgb = bg_buffer_alloc_items(n, 3, error);
    if (rgb == NULL)
        return NULL;
    Range range = range_of(image);
    for (int y = 0; y < format->height; y++)
        for (int x = 0; x < format->width; x++)
            rgb_at(image, x, y, range, rgb + 3 * ((gsize) y * (gsize) format->width + (gsize) x));
    return bg_image_new_take(&flat, rgb, error);
}

static guint8
alpha_of(BgImage *image, gsize pixel)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize at = (pixel + 1) * (gsize) format->n_channels - 1;
    gconstpointer pixels = bg_image_get_pixels(image);

    switch (format->type) {
    case BG_PIXEL_UINT8:
        return ((const guint8 *) pixels)[at];
    case BG_PIXEL_UINT16:
        return (guint8) (((const guint16 *) pixels)[at] >> 8);
    case BG_PIXEL_FLOAT32:
        break;
    }
    return grey_of(((const float *) pixels)[at], (Range){ 0.0f, 1.0f });
}

BgImage *
bg_thumbnail_flatten_keeping_alpha(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    const BgImageFormat whole = { format->width, format->height, 4, BG_PIXEL_UINT8 };
    gsize n = (gsize) format->width * (gsize) format->height;
    g_autoptr(BgImage) flat = bg_thumbnail_flatten(image, error);

    if (flat == NULL || format->n_channels % 2 == 1)
        return g_steal_pointer(&flat);
    guint8 *rgba = bg_buffer_alloc_items(n, 4, error);
    if (rgba == NULL)
        return NULL;
    const guint8 *rgb = bg_image_get_pixels(flat);
    for (gsize i = 0; i < n; i++) {
        memcpy(rgba + 4 * i, rgb + 3 * i, 3);
        rgba[4 * i + 3] = alpha_of(image, i);
    }
    return bg_image_new_take(&whole, rgba, error);
}

static BgImage *
shrink(BgImage *image, GError **error)
{
    const BgImageFormat square = { BG_THUMBNAIL_PX, BG_THUMBNAIL_PX, 3, BG_PIXEL_UINT8 };
    const BgImageFormat *format = bg_image_get_format(image);
    guint8 *rgb = bg_buffer_alloc_items((gsize) BG_THUMBNAIL_PX * BG_THUMBNAIL_PX, 3, error);
    Range range = range_of(image);
    double step = MAX(format->width, format->height) / (double) BG_THUMBNAIL_PX;

    if (rgb == NULL)
        return NULL;

    memset(rgb, 0, (gsize) BG_THUMBNAIL_PX * BG_THUMBNAIL_PX * 3);
    for (int v = 0; v < BG_THUMBNAIL_PX; v++)
        for (int u = 0; u < BG_THUMBNAIL_PX; u++) {
            int x = (int) floor((u + 0.5 - BG_THUMBNAIL_PX / 2.0) * step + format->width / 2.0);
            int y = (int) floor((v + 0.5 - BG_THUMBNAIL_PX / 2.0) * step + format->height / 2.0);
            if (x >= 0 && y >= 0 && x < format->width && y < format->height)
                rgb_at(image, x, y, range, rgb + 3 * ((gsize) v * BG_THUMBNAIL_PX + (gsize) u));
        }

    return bg_image_new_take(&square, rgb, error);
}

static BgImage *
draw_mesh(const BgThumbnail *self, GCancellable *cancellable, GError **error)
{
    BgCastMesh mesh = { .mesh = self->payload.mesh, .opacity = 1.0, .visible = TRUE };
    BgView view = bg_view_default();
    BgVec3 centre_mm;
    double radius_mm;
    BgCastParams params;

    memcpy(mesh.rgb, self->rgb, sizeof mesh.rgb);
    bg_cast_fit(NULL, &mesh, 1, &centre_mm, &radius_mm);
    bg_cast_params_init(&params);
    params.camera =
        bg_camera_from_view(&view, centre_mm, radius_mm, BG_THUMBNAIL_PX, BG_THUMBNAIL_PX);
    params.meshes = &mesh;
    params.n_meshes = 1;
    BgCastImage *cast = bg_cast(NULL, &params, NULL, cancellable, error);
    if (cast == NULL)
        return NULL;

    BgImage *image = shrink(cast->colour, error);
    bg_cast_image_free(cast);
    return image;
}

BgImage *
bg_thumbnail_draw(const BgThumbnail *self, GCancellable *cancellable, GError **error)
{
    if (self->payload.mesh != NULL)
        return draw_mesh(self, cancellable, error);
    if (self->payload.image != NULL)
        return shrink(self->payload.image, error);

    return draw_slice(self, cancellable, error);
}

static char *
cache_folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "bregma", "recent", NULL);
}

static char *
cache_path(const char *path)
{
    g_autofree char *folder = cache_folder();
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
    g_autofree char *name = g_strconcat(hash, ".png", NULL);

    return g_build_filename(folder, name, NULL);
}

void
bg_recent_keep(const char *path, BgImage *image)
{
    const BgPngParams params = { .force = TRUE };
    g_autofree char *folder = cache_folder();
    g_autofree char *to = cache_path(path);
    g_autoptr(GError) error = NULL;

    // Pictures of patients: for nobody else's eyes.
    if (g_mkdir_with_parents(folder, 0700) != 0 || !bg_png_save(image, to, &params, &error))
        g_debug("no picture of a recent file is kept: %s", error != NULL ? error->message : folder);
}

void
bg_recent_copy(const char *from, const char *to)
{
    g_autofree char *from_path = cache_path(from);
    g_autoptr(BgImage) image = bg_png_load(from_path, NULL);

    if (image != NULL)
        bg_recent_keep(to, image);
}

BgImage *
bg_recent_load(const char *path)
{
    g_autofree char *from = cache_path(path);

    return bg_png_load(from, NULL);
}

void
bg_recent_forget(void)
{
    g_autofree char *folder = cache_folder();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
}
