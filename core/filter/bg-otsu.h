// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/volume/bg-label-map.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * bg_otsu_bin:
 * @counts: of @n_bins, 2..65536
 *
 * Otsu 1979: Returns: the last bin of the lower class of the two whose variance between is largest,
 *   the middle of those bins that are equally good; 0 when all is in one bin
 */
guint bg_otsu_bin(const guint64 *counts, guint n_bins);

/**
 * bg_otsu_threshold:
 * @threshold: (out): values over it are the upper class; of 256 bins over the range of the finite
 *   values
 *
 * Returns: %FALSE with %BG_ERROR_INVALID when all values are equal, %G_IO_ERROR_CANCELLED
 */
gboolean bg_otsu_threshold(BgVolume *volume, double *threshold, GCancellable *cancellable,
                           GError **error);

/** bg_otsu_mask: (transfer full): uint8, 1 over the threshold; errors as above, and NO_MEMORY */
BgLabelMap *bg_otsu_mask(BgVolume *volume, GCancellable *cancellable, GError **error);

G_END_DECLS
