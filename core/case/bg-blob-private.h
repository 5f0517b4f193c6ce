// SPDX-License-Identifier: Apache-2.0
// Computed contents of layers as groups in HDF5 files, and the folder where they wait.
#pragma once

#include "core/case/bg-layer.h"
#include "core/io/bg-h5.h"

G_BEGIN_DECLS

/**
 * bg_blob_write:
 * @group: "/blobs/…", made here
 *
 * Everything that it takes to get an equal payload back: samples in their type, geometry, scale.
 */
gboolean bg_blob_write(BgH5 *h5, const char *group, const BgPayload *payload,
                       const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * bg_blob_read:
 * @payload: (out): untouched on failure
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_blob_read(BgH5 *h5, const char *group, BgPayload *payload, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);

/**
 * BgBlobStore:
 *
 * A folder of computed contents, one file each, written by a thread of its own. Any thread;
 * reference counted.
 */
typedef struct _BgBlobStore BgBlobStore;

/** bg_blob_store_new: @folder: made when first needed, removed with the last reference unless kept */
BgBlobStore *bg_blob_store_new(const char *folder);
BgBlobStore *bg_blob_store_ref(BgBlobStore *store);
void bg_blob_store_unref(BgBlobStore *store);

/** bg_blob_store_put: queues the writing, if @id is not there; the payload is held until it is done */
void bg_blob_store_put(BgBlobStore *store, const char *id, const BgPayload *payload);
void bg_blob_store_remove(BgBlobStore *store, const char *id);

/** bg_blob_store_wait: until all that was put is on the disk */
void bg_blob_store_wait(BgBlobStore *store);

/** bg_blob_store_adopt: takes over the files of the folder that a dead session left */
void bg_blob_store_adopt(BgBlobStore *store, const char *folder);

/** bg_blob_store_get: %G_IO_ERROR_NOT_FOUND when it was never put, or the writing failed */
gboolean bg_blob_store_get(BgBlobStore *store, const char *id, BgPayload *payload,
                           const BgProgress *progress, GCancellable *cancellable, GError **error);

/** bg_blob_id_ok: whether it can be a file's name: hex digits and dashes */
gboolean bg_blob_id_ok(const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgBlobStore, bg_blob_store_unref)

G_END_DECLS
