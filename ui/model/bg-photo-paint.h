// SPDX-License-Identifier: Apache-2.0
// How a photograph becomes colours: as it is, or, of temperatures, by a window and a colour map.
#pragma once

#include "core/annotate/bg-annotations.h"
#include "core/case/bg-layer.h"

G_BEGIN_DECLS

/** BgPhotoPaint: taken out of a layer, so that a worker can draw it. Immutable, reference counted */
typedef struct _BgPhotoPaint BgPhotoPaint;

/** bg_photo_paint_new: (transfer full): @layer: with an image */
BgPhotoPaint *bg_photo_paint_new(const BgLayer *layer);
BgPhotoPaint *bg_photo_paint_ref(BgPhotoPaint *paint);
void bg_photo_paint_unref(BgPhotoPaint *paint);

/** bg_photo_paint_equal: whether they draw the same; (nullable) both */
gboolean bg_photo_paint_equal(const BgPhotoPaint *a, const BgPhotoPaint *b);

/** bg_photo_has_values: whether @layer's pixels are values with a unit: degrees Celsius, as a rule */
gboolean bg_photo_has_values(const BgLayer *layer);

/**
 * bg_photo_paint_draw:
 * @keep_alpha: RGBA where the picture has an alpha channel; else RGB
 *
 * Returns: (transfer full): 8 bit; values through the window and the colour map, not-a-number black;
 *   other pictures as bg_thumbnail_flatten(). Or %NULL with %BG_ERROR_NO_MEMORY. Any thread
 */
BgImage *bg_photo_paint_draw(const BgPhotoPaint *paint, gboolean keep_alpha, GError **error);

/** bg_photo_paint_is_grey: whether brightness alone tells the values */
gboolean bg_photo_paint_is_grey(const BgPhotoPaint *paint);

/** bg_photo_paint_get_values: (out): what its colours mean; FALSE of other pictures. Its strings live for ever */
gboolean bg_photo_paint_get_values(const BgPhotoPaint *paint, BgAnnotateValues *values);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPhotoPaint, bg_photo_paint_unref)

G_END_DECLS
