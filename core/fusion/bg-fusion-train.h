// SPDX-License-Identifier: Apache-2.0
// The training of the network that makes one picture of two: how it is set up.
#pragma once

#include "core/image/bg-image.h"
#include "core/learn/bg-train.h"

G_BEGIN_DECLS

/** bg_fusion_train_recipe: 10 epochs of batches of 4, samples of 48 pixels, 2 a pair, no pairs yet */
BgTrainRecipe bg_fusion_train_recipe(void);

/**
 * bg_fusion_train_setup: as bg_tumour_train_setup()
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: no pairs, a crop under 16; the errors of bg_fusion_data_add_folder()
 */
gboolean bg_fusion_train_setup(const BgTrainRecipe *recipe, const char *out, BgTrainSetup *setup,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

/** bg_fusion_train_weigh: how much there is to see in a check: pixels of the first that are not black */
gsize bg_fusion_train_weigh(const BgNnCheck *check);

/** bg_fusion_train_pictures: (out) (transfer full): the two that went in side by side, and the fused one; errors: %BG_ERROR_NO_MEMORY */
gboolean bg_fusion_train_pictures(const BgNnCheck *check, BgImage **sources, BgImage **fused,
                                  GError **error);

G_END_DECLS
