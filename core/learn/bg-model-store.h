// SPDX-License-Identifier: Apache-2.0
// Weights on this computer: those that were installed with the program, and those that were imported.
#pragma once

#include "bg-networks.h"

G_BEGIN_DECLS

/**
 * BgModel:
 * @name: the file's, without ".h5"
 * @network: (nullable): which network it is for
 * @sha256: of the file
 * @fault: (nullable): why it cannot be used; the rest may then be %NULL
 * @card: (nullable): what it was made of: "source", "source_sha256", ...
 */
typedef struct {
    char *name, *path, *network, *sha256, *fault;
    gboolean installed; // with the program
    gsize n_values;
    BgJson *card;
} BgModel;

void bg_model_free(BgModel *model);

/** bg_model_store_get_folder: (transfer full): where imported models are: BREGMA_MODEL_DIR, or the user's data */
char *bg_model_store_get_folder(void);

/**
 * bg_model_store_list:
 * @verify: read every number and compare hashes, which takes its time; else only the heads
 *
 * Returns: (transfer full) (element-type BgModel): by name; imported ones hide installed ones of
 *   the same name
 */
GPtrArray *bg_model_store_list(gboolean verify, GCancellable *cancellable);

/** bg_model_read: (transfer full): a file of ours, wherever it is: its head; of another one @fault says why not */
BgModel *bg_model_read(const char *path, GCancellable *cancellable);

/** bg_model_store_find: (transfer full): the path of model @name; or %NULL with %G_IO_ERROR_NOT_FOUND and what to do */
char *bg_model_store_find(const char *name, GError **error);

/** bg_model_store_resolve: the same of what a person gave, which may be a file, too */
char *bg_model_store_resolve(const char *given, GError **error);

/**
 * bg_model_store_import:
 * @name: a network (bg_network_find()), which is the model's name, too
 * @force: replace what is there
 *
 * Checks shapes and numbers, and keeps a file of ours with a card that says where it came from. A
 * model that was there stays when this fails.
 *
 * Returns: (transfer full): or %NULL, errors as bg_nn_weights_load() and bg_nn_weights_save()
 */
BgModel *bg_model_store_import(const char *name, const char *path, gboolean force,
                               const BgProgress *progress, GCancellable *cancellable,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgModel, bg_model_free)

G_END_DECLS
