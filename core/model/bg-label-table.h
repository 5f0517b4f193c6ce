// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * BgLabelEntry:
 * @rgb: sRGB, 0..1
 */
typedef struct {
    guint32 label;
    char name[64];
    float rgb[3];
    gboolean visible;
} BgLabelEntry;

/**
 * BgLabelTable:
 *
 * Names and colours of labels, ascending by number. A reference-counted value: to change one,
 * copy it.
 */
typedef struct _BgLabelTable BgLabelTable;

#define BG_TYPE_LABEL_TABLE (bg_label_table_get_type())
GType bg_label_table_get_type(void);

/** bg_label_table_new: @entries: GArray of BgLabelEntry, copied and sorted; the first of equals wins */
BgLabelTable *bg_label_table_new(const GArray *entries);

/**
 * bg_label_table_new_default:
 * @labels: those that occur, any order
 * @brats: use the names and colours of the BraTS tumour regions for 1, 2, 4 (and 3)
 *
 * Colours that colour-blind people can tell apart, the same for the same number every time.
 */
BgLabelTable *bg_label_table_new_default(const guint32 *labels, gsize n_labels, gboolean brats);

/**
 * bg_labels_are_brats:
 * @labels: those that occur, any order, 0 or not
 *
 * Numbers say nothing of what they mean: a brain mask is 1 and three tissues are 1, 2, 3. Only the set of BraTS
 * is its own: 4 and others below it, as 3 was given up (1, 2, 4; before 2014 1 to 4).
 */
gboolean bg_labels_are_brats(const guint32 *labels, gsize n_labels);

BgLabelTable *bg_label_table_ref(BgLabelTable *table);
void bg_label_table_unref(BgLabelTable *table);

gsize bg_label_table_count(const BgLabelTable *table);
const BgLabelEntry *bg_label_table_get(const BgLabelTable *table, gsize index);

/** bg_label_table_find: Returns: (transfer none) (nullable) */
const BgLabelEntry *bg_label_table_find(const BgLabelTable *table, guint32 label);

/** bg_label_table_with: (transfer full): a copy with @entry put in or in place of its label's */
BgLabelTable *bg_label_table_with(const BgLabelTable *table, const BgLabelEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLabelTable, bg_label_table_unref)

G_END_DECLS
