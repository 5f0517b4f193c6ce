// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_fusion_leaves:
 * @size: pixels along a side, 16 at least
 * @planes: (out caller-allocates): two pictures of @size x @size bytes; the second is often blurred
 *
 * Made-up pictures with edges and textures of every size, for training: the same ones for the same @seed.
 */
void bg_fusion_leaves(guint64 seed, int size, guint8 *const planes[2]);

G_END_DECLS
