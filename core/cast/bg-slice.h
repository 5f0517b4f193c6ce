// SPDX-License-Identifier: Apache-2.0
// Flat pictures of volumes: the values on a plane, and what the panes, the screenshots and the
// command line show of them.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-mesh.h"
#include "core/model/bg-slice-frame.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/**
 * BgInterpolation:
 * @BG_INTERPOLATION_CUBIC: Catmull-Rom: goes through the samples, may overshoot between them
 */
typedef enum {
    BG_INTERPOLATION_NEAREST,
    BG_INTERPOLATION_LINEAR,
    BG_INTERPOLATION_CUBIC,
} BgInterpolation;

/** bg_interpolation_name: "nearest", "linear", "cubic" */
const char *bg_interpolation_name(BgInterpolation interpolation);
gboolean bg_interpolation_parse(const char *name, BgInterpolation *interpolation);

typedef enum {
    BG_SLAB_MIP,
    BG_SLAB_MINIP,
    BG_SLAB_MEAN,
} BgSlabMode;

/** bg_slab_mode_name: "mip", "minip", "mean" */
const char *bg_slab_mode_name(BgSlabMode mode);
gboolean bg_slab_mode_parse(const char *name, BgSlabMode *mode);

/**
 * BgSliceSampling:
 * @slab_mm: thickness along the normal, half of it on each side; 0 for a plane. Slices are taken
 *   in steps of a voxel from the plane on (half a voxel where the plane is oblique), those whose
 *   centres lie inside the slab
 * @mode: how the slab becomes one value; what lies outside of the volume does not count
 *
 * Zeros with %BG_INTERPOLATION_LINEAR are the default.
 */
typedef struct {
    BgInterpolation interpolation;
    double slab_mm;
    BgSlabMode mode;
} BgSliceSampling;

/**
 * bg_slice_sample:
 * @sampling: (nullable): linear, no slab
 *
 * Values on a plane: after slope and intercept. Voxels are whole: within half a voxel outside the
 * outer centres the outer value holds; further outside is not-a-number.
 *
 * Returns: (transfer full): one channel of float32 of the frame's size, calibrated; or %NULL with
 *   %BG_ERROR_NO_MEMORY, %BG_ERROR_CORRUPT when the frame's size is out of range, or
 *   %G_IO_ERROR_CANCELLED
 */
BgImage *bg_slice_sample(BgVolume *volume, const BgSliceFrame *frame,
                         const BgSliceSampling *sampling, GCancellable *cancellable,
                         GError **error);

/**
 * bg_slice_sample_labels:
 * @labels_out: (out caller-allocates): width*height of the frame, row by row from the top; the
 *   label of the nearest voxel, 0 outside
 *
 * Returns: %FALSE when cancelled
 */
gboolean bg_slice_sample_labels(const BgLabelMap *labels, const BgSliceFrame *frame,
                                guint32 *labels_out, GCancellable *cancellable);

/** BgColourMap: from black (or the first colour) at the window's low end to its high end */
typedef enum {
    BG_COLOUR_MAP_GREY,
    BG_COLOUR_MAP_INVERTED,
    BG_COLOUR_MAP_HOT,
    BG_COLOUR_MAP_COOL,
    BG_COLOUR_MAP_VIRIDIS,
    BG_COLOUR_MAP_RED,
    BG_COLOUR_MAP_GREEN,
    BG_COLOUR_MAP_BLUE,
} BgColourMap;

#define BG_N_COLOUR_MAPS 8

/** bg_colour_map_name: "grey", "inverted", ... */
const char *bg_colour_map_name(BgColourMap map);
gboolean bg_colour_map_parse(const char *name, BgColourMap *map);

/** bg_colour_map_at: @at: 0..1, held; @rgb: (out): sRGB, 0..255 */
void bg_colour_map_at(BgColourMap map, double at, guint8 rgb[3]);

/**
 * BgSliceLayer:
 * @volume: (nullable): intensities; else @labels
 * @sampling, @map: of @volume
 * @window_centre, @window_width: of @volume, in its unit; the width above 0. The grey of a value
 *   is 255 * (value - (centre - width / 2)) / width, rounded, held within 0..255
 * @opacity: 0..1, of the layer as a whole
 * @transparent_below: of @volume: pixels at or under the window's low end let the layers under
 *   it through: for overlays
 * @labels: (nullable)
 * @table: (nullable): names and colours of @labels; what is not in it, or not visible, is not
 *   drawn. %NULL: default colours
 * @fill_opacity: 0..1, of @labels
 * @outline_px: the width of a label's outline, inside its border; 0 for none
 *
 * One layer of a picture. All borrowed.
 */
typedef struct {
    BgVolume *volume;
    BgSliceSampling sampling;
    double window_centre, window_width;
    BgColourMap map;
    double opacity;
    gboolean transparent_below;
    BgLabelMap *labels;
    BgLabelTable *table;
    double fill_opacity;
    double outline_px;
} BgSliceLayer;

/** bg_slice_layer_for_volume: grey, linear, opacity 1 */
BgSliceLayer bg_slice_layer_for_volume(BgVolume *volume, double window_centre, double window_width);

/** bg_slice_layer_for_labels: fill 40 %, outline 1.5 px */
BgSliceLayer bg_slice_layer_for_labels(BgLabelMap *labels, BgLabelTable *table);

/**
 * bg_slice_compose:
 * @layers: from the bottom up
 * @pixels: (out caller-allocates): width*height of the frame, rows from the top without padding;
 *   0xAARRGGBB in the machine's order: CAIRO_FORMAT_ARGB32, GDK_MEMORY_DEFAULT; opaque, black
 *   where no layer is
 *
 * The picture of a pane, without annotations. On all threads.
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED, %BG_ERROR_NO_MEMORY, or %BG_ERROR_INVALID when a
 *   window's width is not above 0
 */
gboolean bg_slice_compose(const BgSliceFrame *frame, const BgSliceLayer *layers, gsize n_layers,
                          guint32 *pixels, GCancellable *cancellable, GError **error);

/** bg_slice_image_from_argb: (transfer full): RGB uint8 of opaque pixels as above, or NO_MEMORY */
BgImage *bg_slice_image_from_argb(const guint32 *pixels, const BgSliceFrame *frame, GError **error);

/**
 * bg_slice_mesh_contour:
 *
 * Where @mesh goes through the plane: joined into lines; a closed one ends with its first point.
 * Parts outside of the picture are left out.
 *
 * Returns: (transfer full): maybe empty
 */
BgContours *bg_slice_mesh_contour(const BgMesh *mesh, const BgSliceFrame *frame);

G_END_DECLS
