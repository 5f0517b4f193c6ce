// SPDX-License-Identifier: Apache-2.0
// What a writer of volumes is given, whatever it was made from.
#pragma once

#include "bg-h5.h"
#include "bg-io-raw.h"
#include "bg-io-sink.h"

G_BEGIN_DECLS

/**
 * BgGrid:
 * @frames: @n_frames pointers to all voxels of a frame; borrowed
 * @params: never %NULL
 */
typedef struct {
    BgGeometry geometry;
    BgRawType type;
    double slope, intercept;
    gsize n_frames;
    gconstpointer *frames;
    const BgSaveParams *params;
} BgGrid;

/** BgGridWriter: writes the whole file; @grid has been checked */
typedef gboolean (*BgGridWriter)(const BgGrid *grid, const char *path, const BgProgress *progress,
                                 GCancellable *cancellable, GError **error);

gboolean bg_grid_write_nifti(const BgGrid *grid, const char *path, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);
gboolean bg_grid_write_nrrd(const BgGrid *grid, const char *path, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);
gboolean bg_grid_write_metaimage(const BgGrid *grid, const char *path, const BgProgress *progress,
                                 GCancellable *cancellable, GError **error);
gboolean bg_grid_write_hdf5(const BgGrid *grid, const char *path, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

gboolean bg_grid_write_minc2(const BgGrid *grid, const char *path, const BgProgress *progress,
                             GCancellable *cancellable, GError **error);

gboolean bg_grid_write_npy(const BgGrid *grid, const char *path, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

gboolean bg_grid_write_raw(const BgGrid *grid, const char *path, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);
gboolean bg_grid_write_tiff(const BgGrid *grid, const char *path, const BgProgress *progress,
                            GCancellable *cancellable, GError **error);

/** bg_grid_write_png: NAME-0000.png and so on, or as a %d in the name says */
gboolean bg_grid_write_png(const BgGrid *grid, const char *path, const BgProgress *progress,
                           GCancellable *cancellable, GError **error);

/** bg_grid_write_h5_array: [k, j, i], or [frame, k, j, i] */
gboolean bg_grid_write_h5_array(const BgGrid *grid, BgH5 *h5, const char *array,
                                const BgProgress *progress, GCancellable *cancellable,
                                GError **error);

gsize bg_grid_count_frame_bytes(const BgGrid *grid);

/** bg_grid_write_frames: all voxels */
gboolean bg_grid_write_frames(const BgGrid *grid, BgSink *sink, const BgProgress *progress,
                              GCancellable *cancellable, GError **error);

G_END_DECLS
