// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-import.h"

G_BEGIN_DECLS

struct _BgImportItem {
    GObject parent_instance;

    char *path, *name, *group, *modality;
    char *problem;    // nullable
    BgSeries *series; // owned, nullable: a file of its own
    BgImage *picture; // owned, nullable
    GPtrArray *badges, *warnings;
    BgKind kind;
    int dims[3], n_frames, frame;
    double spacing_mm[3];
    guint64 n_bytes; // of the whole grid
    BgLoadPart part;
    gboolean chosen, raw;
    gboolean renamed; // by the user: what is found later does not change it
};

/** bg_import_item_new_for_file: @info: (nullable): or @error says why there is none */
BgImportItem *bg_import_item_new_for_file(const char *path, BgFileInfo *info, const GError *error);

/** bg_import_item_new_for_series: @path: of what was scanned */
BgImportItem *bg_import_item_new_for_series(const char *path, BgSeries *series);

/** bg_import_item_take_series: the same series, grown; @series is not taken but referenced */
void bg_import_item_take_series(BgImportItem *self, BgSeries *series);

/** bg_import_item_take_picture: @picture: (transfer full) */
void bg_import_item_take_picture(BgImportItem *self, BgImage *picture);

G_END_DECLS
