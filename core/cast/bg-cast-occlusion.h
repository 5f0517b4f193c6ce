// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-cast-private.h"

G_BEGIN_DECLS

/**
 * bg_cast_occlusion_init:
 *
 * Fills the scene's openness, on a grid of cells that are about cubes and at most 128 along a side.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
gboolean bg_cast_occlusion_init(BgCastScene *scene, const BgGeometry *geometry,
                                GCancellable *cancellable, GError **error);

G_END_DECLS
