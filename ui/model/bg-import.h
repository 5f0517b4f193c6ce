// SPDX-License-Identifier: Apache-2.0
// What was dropped or chosen, looked at before any of it is loaded.
#pragma once

#include "core/io/bg-series.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgImportItem:
 *
 * One thing that can be opened: a file, or a series of a folder, a CD or an archive. Main thread
 * only. Property: changed (boolean): notified when anything below is another.
 */
#define BG_TYPE_IMPORT_ITEM (bg_import_item_get_type())
G_DECLARE_FINAL_TYPE(BgImportItem, bg_import_item, BG, IMPORT_ITEM, GObject)

const char *bg_import_item_get_path(BgImportItem *self);

/** bg_import_item_get_name: by content and file name: "T1 contrast", "FLAIR", "Labels", or the file's */
const char *bg_import_item_get_name(BgImportItem *self);
void bg_import_item_set_name(BgImportItem *self, const char *name);

/** bg_import_item_get_group: patient, study and date in a line; "" for a file that does not say */
const char *bg_import_item_get_group(BgImportItem *self);
const char *bg_import_item_get_modality(BgImportItem *self);

/** bg_import_item_dup_summary: (transfer full): size, spacing, frames, date in a line */
char *bg_import_item_dup_summary(BgImportItem *self);

/** bg_import_item_get_n_bytes: of memory when its part is loaded; 0 when that is not known */
guint64 bg_import_item_get_n_bytes(BgImportItem *self);

/** bg_import_item_get_badges, bg_import_item_get_warnings: (transfer none): of char *, maybe empty */
GPtrArray *bg_import_item_get_badges(BgImportItem *self);
GPtrArray *bg_import_item_get_warnings(BgImportItem *self);

/** bg_import_item_get_problem: (nullable): why it cannot be opened */
const char *bg_import_item_get_problem(BgImportItem *self);

/** bg_import_item_is_raw: whether nothing knows these bytes, so that they may be raw voxels */
gboolean bg_import_item_is_raw(BgImportItem *self);

gboolean bg_import_item_get_chosen(BgImportItem *self);
void bg_import_item_set_chosen(BgImportItem *self, gboolean chosen);

/** bg_import_item_get_picture: (transfer none) (nullable): not before it was drawn */
BgImage *bg_import_item_get_picture(BgImportItem *self);

/** bg_import_item_has_parts: whether it is a grid of which a part can be opened */
gboolean bg_import_item_has_parts(BgImportItem *self);

/** bg_import_item_get_dims: (transfer none): three: of the whole grid */
const int *bg_import_item_get_dims(BgImportItem *self);

/** bg_import_item_get_part, bg_import_item_set_part: what of the grid is opened; kept inside it */
BgLoadPart bg_import_item_get_part(BgImportItem *self);
void bg_import_item_set_part(BgImportItem *self, const BgLoadPart *part);

/** bg_import_item_count_frames, bg_import_item_get_frame: which of a 4D file is opened, from 0 */
int bg_import_item_count_frames(BgImportItem *self);
int bg_import_item_get_frame(BgImportItem *self);
void bg_import_item_set_frame(BgImportItem *self, int frame);

/**
 * BgImport:
 *
 * A GListModel of BgImportItem that grows while the files are looked at, on a worker, as a job of
 * the session. Main thread only. Signals:
 * ::progress (guint64 n_done, guint64 n_known): files
 * ::done (): all were looked at, or it was cancelled
 */
#define BG_TYPE_IMPORT (bg_import_get_type())
G_DECLARE_FINAL_TYPE(BgImport, bg_import, BG, IMPORT, GObject)

/** bg_import_new: begins at once with @paths: files, folders and archives in any mixture */
BgImport *bg_import_new(BgSession *session, const char *const *paths);

GListModel *bg_import_get_items(BgImport *self);
gboolean bg_import_is_running(BgImport *self);
void bg_import_cancel(BgImport *self);

/** bg_import_open: loads the chosen ones into the case, each as a job; Returns: how many */
guint bg_import_open(BgImport *self);

/** bg_import_count_bytes: of all that is chosen */
guint64 bg_import_count_bytes(BgImport *self);

/** bg_import_bytes_of: of memory, when a frame of it is loaded; 0 when that is not known */
guint64 bg_import_bytes_of(const BgFileInfo *info);

/**
 * bg_import_available_bytes:
 *
 * Returns: what the system could give without swapping, less a tenth, and not more than the
 *   environment's BREGMA_MEMORY_LIMIT (bytes); 0 unknown
 */
guint64 bg_import_available_bytes(void);

/**
 * bg_import_make_fit:
 * @n_bytes: of memory for all
 *
 * Of whichever chosen grid takes most, every second voxel only (then every third, ...), until all
 * that is chosen fits. Returns: whether it does
 */
gboolean bg_import_make_fit(BgImport *self, guint64 n_bytes);

/**
 * bg_import_guess_name:
 * @text: a file's name, or a series' description
 *
 * Returns: (nullable): static: the kind of picture that the words in it say: "T1 contrast" for
 *   t1ce, t1gd, t1c, t1+c; "T1"; "T2"; "FLAIR"; "Labels" for seg, label, mask; ...
 */
const char *bg_import_guess_name(const char *text);

G_END_DECLS
