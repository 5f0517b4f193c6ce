// SPDX-License-Identifier: Apache-2.0
// Small pictures of layers, and those of recent files that are kept in the cache folder.
#pragma once

#include "core/case/bg-layer.h"

G_BEGIN_DECLS

#define BG_THUMBNAIL_PX 96 // shown smaller, sharp on screens with two pixels a pixel

/** BgThumbnail: what the picture of a layer is made of; drawn on a worker */
typedef struct _BgThumbnail BgThumbnail;

/** bg_thumbnail_new: (transfer full): or %NULL for a layer without content. Main thread */
BgThumbnail *bg_thumbnail_new(const BgLayer *layer);
void bg_thumbnail_free(BgThumbnail *self);

/**
 * bg_thumbnail_draw:
 *
 * A square of RGB: the middle axial slice of a volume, the fullest of a label map, a mesh from the
 * front, a picture as it is. Any thread.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR_CANCELLED or %BG_ERROR_NO_MEMORY
 */
BgImage *bg_thumbnail_draw(const BgThumbnail *self, GCancellable *cancellable, GError **error);

/**
 * bg_thumbnail_flatten:
 *
 * Returns: (transfer full): @image as 8 bit RGB, whole; floats from their lowest to their highest value.
 *   Or %NULL with %BG_ERROR_NO_MEMORY. Any thread
 */
BgImage *bg_thumbnail_flatten(BgImage *image, GError **error);

/** bg_thumbnail_flatten_keeping_alpha: the same as RGBA where the picture has an alpha channel */
BgImage *bg_thumbnail_flatten_keeping_alpha(BgImage *image, GError **error);

/** bg_recent_keep: puts @image into the cache as the picture of the file @path; failures are silent */
void bg_recent_keep(const char *path, BgImage *image);

/** bg_recent_copy: @from's picture is @to's too: of a case, that of a volume in it */
void bg_recent_copy(const char *from, const char *to);

/** bg_recent_load: (transfer full) (nullable): the picture of the file @path, if there is one */
BgImage *bg_recent_load(const char *path);

/** bg_recent_forget: removes all pictures. For a worker, like those above */
void bg_recent_forget(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgThumbnail, bg_thumbnail_free)

G_END_DECLS
