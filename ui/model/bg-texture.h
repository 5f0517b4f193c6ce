// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdk/gdk.h>

#include "core/image/bg-image.h"

G_BEGIN_DECLS

/** bg_texture_from_rgb: (transfer full): @image: RGB or RGBA, uint8; its pixels are shared, not copied */
GdkTexture *bg_texture_from_rgb(BgImage *image);

G_END_DECLS
