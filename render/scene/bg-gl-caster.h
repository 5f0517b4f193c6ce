// SPDX-License-Identifier: Apache-2.0
// The graphics card's ray caster: the same picture as core/cast/bg-cast.h.
#pragma once

#include "core/cast/bg-cast.h"

G_BEGIN_DECLS

/**
 * BgGlCaster:
 *
 * Draws volumes and meshes by OpenGL in a context of its own, without a window, so that it runs on a
 * worker and no driver ever stalls the main thread. Keeps volumes on the card between pictures, within
 * a budget, and drops those that are freed. Any thread, one at a time: callers queue.
 */
typedef struct _BgGlCaster BgGlCaster;

/**
 * bg_gl_caster_new:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_UNSUPPORTED: there is no OpenGL 3.3
 */
BgGlCaster *bg_gl_caster_new(GError **error);
void bg_gl_caster_free(BgGlCaster *self);

/** bg_gl_caster_is_software: the CPU's own caster is faster than this OpenGL */
gboolean bg_gl_caster_is_software(const BgGlCaster *self);

/** bg_gl_caster_get_renderer: the driver's name of itself */
const char *bg_gl_caster_get_renderer(const BgGlCaster *self);

/** bg_gl_caster_set_budget: bytes of volumes kept on the card; 1 GiB at the start */
void bg_gl_caster_set_budget(BgGlCaster *self, gsize n_bytes);

/**
 * bg_gl_caster_cast:
 *
 * As bg_cast(), with these limits: walls of meshes behind the eighth are left out, edges of meshes
 * have one sample a pixel, and a label map's colours are not drawn: with @params->labels
 * it refuses.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_UNSUPPORTED (labels; a volume larger than the
 *   driver's textures), %BG_ERROR_INVALID, %BG_ERROR_NO_MEMORY, %BG_ERROR_DEVICE, %G_IO_ERROR_CANCELLED: the
 *   CPU's bg_cast() can take over
 */
BgCastImage *bg_gl_caster_cast(BgGlCaster *self, BgVolume *volume, const BgCastParams *params,
                               GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgGlCaster, bg_gl_caster_free)

G_END_DECLS
