// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-structures.h"

#include "core/base/bg-i18n.h"

typedef void (*EachStructure)(const BgLayer *layer, const BgLabelEntry *entry, gpointer user_data);

static void
each_structure(BgSession *session, EachStructure func, gpointer user_data)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        gsize n = layer->payload.labels != NULL && layer->labels != NULL
                      ? bg_label_table_count(layer->labels)
                      : 0;
        for (gsize l = 0; l < n; l++) {
            const BgLabelEntry *entry = bg_label_table_get(layer->labels, l);
            if (entry->label != 0)
                func(layer, entry, user_data);
        }
    }
}

typedef struct {
    GPtrArray *names;
    GString *key;
} Listing;

static void
list(const BgLayer *layer, const BgLabelEntry *entry, gpointer user_data)
{
    const Listing *listing = user_data;
    // Translators: a label, and the label map that it is in
    char *name = g_strdup_printf(_("%s in %s"), entry->name, layer->name);

    g_ptr_array_add(listing->names, name);
    g_string_append_printf(listing->key, "%s\t%s\n", layer->id, name);
}

char **
bg_structures_list(BgSession *session, char **key)
{
    Listing listing = { g_ptr_array_new(), g_string_new(NULL) };

    each_structure(session, list, &listing);
    g_ptr_array_add(listing.names, NULL);
    if (key != NULL)
        *key = g_strdup(listing.key->str);
    g_string_free(listing.key, TRUE);
    return (char **) g_ptr_array_free(listing.names, FALSE);
}

typedef struct {
    guint left;
    const BgLayer *layer;
    guint32 label;
} Search;

static void
search(const BgLayer *layer, const BgLabelEntry *entry, gpointer user_data)
{
    Search *one = user_data;

    if (one->layer == NULL && one->left-- == 0) {
        one->layer = layer;
        one->label = entry->label;
    }
}

const BgLayer *
bg_structures_get(BgSession *session, guint position, guint32 *label)
{
    Search one = { .left = position };

    each_structure(session, search, &one);
    *label = one.label;
    return one.layer;
}
