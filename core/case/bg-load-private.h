// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/case/bg-blob-private.h"
#include "core/case/bg-case-private.h"

G_BEGIN_DECLS

#define BG_PROJECT_BLOBS "/blobs"

/** BgContentPlace: where a layer's content may be found, without the case: for a worker. All owned */
typedef struct {
    BgLayerSource source;
    char *blob_id, *project_path;
    BgBlobStore *blobs;
} BgContentPlace;

void bg_content_place_init(BgContentPlace *place, BgCase *the_case, const BgLayer *layer);
void bg_content_place_clear(BgContentPlace *place);

/** bg_content_read_blob: from the cache folder, else from the project file; NOT_FOUND when in neither */
gboolean bg_content_read_blob(const BgContentPlace *place, BgPayload *payload,
                              const BgProgress *progress, GCancellable *cancellable,
                              GError **error);

/** bg_source_find: (transfer full) (nullable): beside the project file, else where it was */
char *bg_source_find(const char *project_path, const BgLayerSource *source);

G_END_DECLS
