// SPDX-License-Identifier: Apache-2.0
// A training from its settings to the file of weights: what the command line and the window share.
#pragma once

#include "bg-networks.h"
#include "core/nn/bg-nn-train.h"

G_BEGIN_DECLS

/**
 * BgTrainRecipe:
 * @network: its name
 * @data: (nullable): owned: a folder of cases or pairs
 * @n_phantoms, @phantom_size: so many made-up heads, of so many voxels along a side
 * @n_leaves: fusion: so many made-up pairs of edges and textures
 * @crop: side of a sample in pixels; @per_case: samples of a case or pair in an epoch
 * @spacing_mm: of the grid that tumour networks work on
 * @structure: fusion: share of structure in the loss, the rest is values
 * @patience: epochs without a better one until it stops; 0: never
 * @entropy: patch networks: of ten patches that with most to see
 * @varied: tumour networks: the made-up heads' tumours differ as patients' do
 *
 * All that decides which numbers come out, so that a run can go on later as it began.
 */
typedef struct {
    const char *network;
    char *data;
    int n_phantoms, phantom_size, n_leaves, crop, per_case, n_epochs, batch, patience;
    double spacing_mm, rate, structure;
    gboolean entropy, varied;
    guint64 seed;
} BgTrainRecipe;

void bg_train_recipe_clear(BgTrainRecipe *recipe);

/** bg_train_recipe_copy: @to: overwritten, what it held is not freed */
void bg_train_recipe_copy(const BgTrainRecipe *from, BgTrainRecipe *to);

/**
 * BgTrainSetup:
 * @kept: (nullable): the part of @network that is written; %NULL: all of it
 * @data: where samples come from; @samples is what it stands on, freed by @free_samples
 * @card: owned: what the model's card says before it is trained
 * @folder: owned: of checkpoints and the log; config.folder is the same
 * @notes: owned, nullable: for people: what the data lacks
 *
 * A recipe made ready: the cases read, the losses chosen. Made by bg_tumour_train_setup() and
 * bg_fusion_train_setup().
 */
typedef struct {
    const BgNetwork *network, *kept;
    BgNnTrainConfig config;
    BgNnData data;
    BgJson *card;
    char *folder, *notes;
    gpointer samples;
    GDestroyNotify free_samples;
} BgTrainSetup;

void bg_train_setup_clear(BgTrainSetup *setup);

/** bg_train_setup_folder: makes the folder beside @out; errors: %BG_ERROR_INVALID */
gboolean bg_train_setup_folder(BgTrainSetup *setup, const char *out, GError **error);

/** bg_train_setup_begin: what all trainings have in common: @config but losses and shapes, and the folder, which is made. Errors: %G_IO_ERROR */
gboolean bg_train_setup_begin(BgTrainSetup *setup, const BgTrainRecipe *recipe, const char *out,
                              GError **error);

/** bg_train_folder: (transfer full): OUT.training: where checkpoints, the log and the recipe of @out lie */
char *bg_train_folder(const char *out);

/** bg_train_recipe_save: into the folder of @out, which is there; errors of files */
gboolean bg_train_recipe_save(const BgTrainRecipe *recipe, const char *out, GError **error);

/**
 * bg_train_recipe_load:
 * @recipe: (out caller-allocates): to be cleared
 *
 * Returns: %FALSE with %G_IO_ERROR_NOT_FOUND: nothing to go on with at @out; %BG_ERROR_CORRUPT
 */
gboolean bg_train_recipe_load(const char *out, BgTrainRecipe *recipe, GError **error);

/**
 * BgTrained:
 * @history: of BgNnEpoch
 * @least: the best loss: of validation, where samples were kept for that
 * @seconds: that it took
 * @card: of the model that was written
 */
typedef struct {
    GArray *history;
    double least, seconds;
    BgJson *card;
} BgTrained;

void bg_trained_clear(BgTrained *trained);

/**
 * bg_train_run:
 * @recipe: (nullable): kept beside the checkpoints, where the window finds it
 * @replace: a file that is at @out
 * @trained: (out caller-allocates)
 *
 * Trains, and writes the best epoch's weights to @out. Recipe, checkpoints and log lie beside it.
 *
 * Returns: %FALSE with the errors of bg_nn_train() and bg_nn_weights_save()
 */
gboolean bg_train_run(const BgTrainSetup *setup, const BgTrainRecipe *recipe, const char *out,
                      gboolean replace, BgTrained *trained, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgTrainRecipe, bg_train_recipe_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgTrainSetup, bg_train_setup_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgTrained, bg_trained_clear)

G_END_DECLS
