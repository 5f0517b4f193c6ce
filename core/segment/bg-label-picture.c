// SPDX-License-Identifier: Apache-2.0
#include "bg-label-picture.h"

#include "core/base/bg-buffer.h"

#include <string.h>

/** Slice: where pixels are */
typedef struct {
    const BgLabelMap *labels; // nullable
    int dims[3];
    int axis, at, width, height;
} Slice;

// Superior, or anterior, is up.
static void
voxel_at(const Slice *slice, int u, int v, int voxel[3])
{
    voxel[slice->axis] = slice->at;
    voxel[slice->axis == 0 ? 1 : 0] = u;
    if (slice->axis == 2)
        voxel[1] = v;
    else
        voxel[2] = slice->dims[2] - 1 - v;
}

static guint32
label_at(const Slice *slice, int u, int v)
{
    int voxel[3];

    if (slice->labels == NULL || u < 0 || v < 0 || u >= slice->width || v >= slice->height)
        return 0;
    voxel_at(slice, u, v, voxel);
    return bg_label_map_get_label(slice->labels, voxel[0], voxel[1], voxel[2]);
}

static void
paint(const Slice *slice, int u, int v, guint8 *pixel)
{
    static const guint8 colours[5][3] = {
        { 230, 200, 40 }, { 230, 60, 60 }, { 80, 200, 60 }, { 230, 200, 40 }, { 70, 150, 255 },
    };
    guint32 label = label_at(slice, u, v);

    for (int side = 0; label != 0 && side < 4; side++) {
        if (label_at(slice, u + (side == 0) - (side == 1), v + (side == 2) - (side == 3)) !=
            label) {
            memcpy(pixel, colours[label < G_N_ELEMENTS(colours) ? label : 0], 3);
            return;
        }
    }
}

BgImage *
bg_label_picture(const BgVolume *volume, const BgLabelMap *labels, const double window[2], int axis,
                 int slice, GError **error)
{
    const int *d = bg_volume_get_geometry(volume)->dims;
    Slice where = { .labels = labels,
                    .dims = { d[0], d[1], d[2] },
                    .axis = axis,
                    .at = slice,
                    .width = axis == 0 ? d[1] : d[0],
                    .height = axis == 2 ? d[1] : d[2] };
    BgImageFormat format = { where.width, where.height, 3, BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc((gsize) where.width * (gsize) where.height * 3, error);

    if (pixels == NULL)
        return NULL;
    for (int v = 0; v < where.height; v++) {
        for (int u = 0; u < where.width; u++) {
            guint8 *p = pixels + 3 * ((gsize) v * (gsize) where.width + (gsize) u);
            int voxel[3];
            voxel_at(&where, u, v, voxel);
            double value = bg_volume_get_value(volume, voxel[0], voxel[1], voxel[2]);
            double grey = (value - window[0]) / (window[1] - window[0]);
            memset(p, (int) (CLAMP(grey, 0.0, 1.0) * 255.0 + 0.5), 3);
            paint(&where, u, v, p);
        }
    }
    return bg_image_new_take(&format, pixels, error);
}

BgImage *
bg_montage(BgImage *const *pictures, gsize n, int columns, GError **error)
{
    const BgImageFormat *one = bg_image_get_format(pictures[0]);
    int rows = ((int) n + columns - 1) / columns;
    BgImageFormat format = { one->width * columns, one->height * rows, one->n_channels, one->type };
    gsize line = (gsize) one->width * (gsize) one->n_channels, whole = line * (gsize) columns;
    guint8 *pixels = bg_buffer_alloc(whole * (gsize) format.height, error);

    if (pixels == NULL)
        return NULL;
    memset(pixels, 0, whole * (gsize) format.height);
    for (gsize p = 0; p < n; p++) {
        const guint8 *from = bg_image_get_pixels(pictures[p]);
        guint8 *to = pixels + (p / (gsize) columns) * (gsize) one->height * whole +
                     (p % (gsize) columns) * line;
        for (int v = 0; v < one->height; v++)
            memcpy(to + (gsize) v * whole, from + (gsize) v * line, line);
    }
    return bg_image_new_take(&format, pixels, error);
}
