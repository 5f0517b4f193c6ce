// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-label-table.h"

#include "core/base/bg-i18n.h"

struct _BgLabelTable {
    gatomicrefcount ref_count;
    GArray *entries; // of BgLabelEntry, ascending
};

G_DEFINE_BOXED_TYPE(BgLabelTable, bg_label_table, bg_label_table_ref, bg_label_table_unref)

// Okabe and Ito's set without black, then lighter and darker relatives: told apart with any of the
// common kinds of colour blindness.
static const guint32 palette[] = {
    0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7, 0xA6761D,
    0x88CCEE, 0x44AA99, 0xDDCC77, 0x332288, 0xAA4499, 0x117733, 0x882255, 0xCCCCCC,
};

static const BgLabelEntry brats_entries[] = {
    { 1, N_("Necrotic core"), { 0xD1 / 255.0f, 0x49 / 255.0f, 0x5B / 255.0f }, TRUE },
    { 2, N_("Oedema"), { 0x66 / 255.0f, 0xA1 / 255.0f, 0x82 / 255.0f }, TRUE },
    { 3, N_("Non-enhancing tumour"), { 0x5B / 255.0f, 0x8D / 255.0f, 0xB8 / 255.0f }, TRUE },
    { 4, N_("Enhancing tumour"), { 0xED / 255.0f, 0xAE / 255.0f, 0x49 / 255.0f }, TRUE },
};

static int
compare_entries(gconstpointer a, gconstpointer b)
{
    guint32 first = ((const BgLabelEntry *) a)->label, second = ((const BgLabelEntry *) b)->label;

    return first < second ? -1 : first > second;
}

BgLabelTable *
bg_label_table_new(const GArray *entries)
{
    g_return_val_if_fail(entries != NULL, NULL);

    BgLabelTable *self = g_new0(BgLabelTable, 1);
    g_atomic_ref_count_init(&self->ref_count);
    self->entries = g_array_copy((GArray *) entries);
    g_array_sort(self->entries, compare_entries); // stable: the first of equals stays first

    for (guint i = 1; i < self->entries->len;) {
        if (g_array_index(self->entries, BgLabelEntry, i).label ==
            g_array_index(self->entries, BgLabelEntry, i - 1).label)
            g_array_remove_index(self->entries, i);
        else
            i++;
    }
    return self;
}

static BgLabelEntry
default_entry(guint32 label, gboolean brats)
{
    guint32 rgb = palette[(label - 1) % G_N_ELEMENTS(palette)];
    BgLabelEntry entry = { .label = label,
                           .rgb = { (float) (rgb >> 16) / 255.0f,
                                    (float) (rgb >> 8 & 0xFF) / 255.0f,
                                    (float) (rgb & 0xFF) / 255.0f },
                           .visible = TRUE };

    if (brats && label >= 1 && label <= G_N_ELEMENTS(brats_entries)) {
        entry = brats_entries[label - 1];
        g_strlcpy(entry.name, _(brats_entries[label - 1].name), sizeof entry.name);
    } else {
        // Translators: the name of a label that has none; %u is its number
        g_snprintf(entry.name, sizeof entry.name, _("Label %u"), label);
    }
    return entry;
}

BgLabelTable *
bg_label_table_new_default(const guint32 *labels, gsize n_labels, gboolean brats)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));

    for (gsize i = 0; i < n_labels; i++) {
        if (labels[i] == 0)
            continue;
        BgLabelEntry entry = default_entry(labels[i], brats);
        g_array_append_val(entries, entry);
    }
    return bg_label_table_new(entries);
}

gboolean
bg_labels_are_brats(const guint32 *labels, gsize n_labels)
{
    gboolean seen[G_N_ELEMENTS(brats_entries) + 1] = { FALSE };

    for (gsize i = 0; i < n_labels; i++) {
        if (labels[i] > G_N_ELEMENTS(brats_entries))
            return FALSE;
        seen[labels[i]] = TRUE;
    }
    return seen[4] && (seen[1] || seen[2]);
}

BgLabelTable *
bg_label_table_ref(BgLabelTable *table)
{
    g_return_val_if_fail(table != NULL, NULL);

    g_atomic_ref_count_inc(&table->ref_count);
    return table;
}

void
bg_label_table_unref(BgLabelTable *table)
{
    g_return_if_fail(table != NULL);

    if (!g_atomic_ref_count_dec(&table->ref_count))
        return;
    g_array_unref(table->entries);
    g_free(table);
}

gsize
bg_label_table_count(const BgLabelTable *table)
{
    return table->entries->len;
}

const BgLabelEntry *
bg_label_table_get(const BgLabelTable *table, gsize index)
{
    g_return_val_if_fail(index < table->entries->len, NULL);

    return &g_array_index(table->entries, BgLabelEntry, index);
}

const BgLabelEntry *
bg_label_table_find(const BgLabelTable *table, guint32 label)
{
    BgLabelEntry wanted = { .label = label };
    guint index;

    return g_array_binary_search(table->entries, &wanted, compare_entries, &index)
               ? &g_array_index(table->entries, BgLabelEntry, index)
               : NULL;
}

BgLabelTable *
bg_label_table_with(const BgLabelTable *table, const BgLabelEntry *entry)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));

    g_array_append_val(entries, *entry); // first, so it wins
    g_array_append_vals(entries, table->entries->data, table->entries->len);
    return bg_label_table_new(entries);
}
