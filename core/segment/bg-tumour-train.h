// SPDX-License-Identifier: Apache-2.0
// Trainings of the networks that find brain tumours: which there are, and how they are set up.
#pragma once

#include "bg-tumour-data.h"
#include "core/image/bg-image.h"
#include "core/learn/bg-train.h"

G_BEGIN_DECLS

/** bg_tumour_train_networks: names, ended by %NULL; the first is what bregma itself uses */
const char *const *bg_tumour_train_networks(void);

/** bg_tumour_train_recipe: 12 epochs of batches of 8, samples of 128 pixels, 24 a case, 1 mm, no cases yet */
BgTrainRecipe bg_tumour_train_recipe(void);

/**
 * bg_tumour_train_setup:
 * @out: the file of weights to be
 * @setup: (out caller-allocates): to be cleared, on failure too
 *
 * Reads and prepares all cases, which takes its time.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: another network, a crop that is no multiple of 16, no cases;
 *   the errors of bg_tumour_data_add_folder()
 */
gboolean bg_tumour_train_setup(const BgTrainRecipe *recipe, const char *out, BgTrainSetup *setup,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

/**
 * bg_tumour_train_weigh: how much there is to see in a check: pixels that are not background; 0 where
 *   @check is of patches
 */
gsize bg_tumour_train_weigh(const BgNnCheck *check);

/**
 * bg_tumour_train_pictures:
 * @truth, @found: (out) (transfer full): axial, patient's right on the left: the last contrast with the
 *   outlines of what is there and of what the network says: core red, oedema green, enhancing blue; of
 *   a block the slice with most of the truth
 *
 * Returns: %FALSE with %BG_ERROR_UNSUPPORTED: of patches; %BG_ERROR_NO_MEMORY
 */
gboolean bg_tumour_train_pictures(const BgNnCheck *check, BgImage **truth, BgImage **found,
                                  GError **error);

G_END_DECLS
