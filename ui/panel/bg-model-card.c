// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-model-card.h"

#include "core/base/bg-i18n.h"

#include <string.h>

// A card's text, number or list under @key, as a line.
static void
tell(GString *text, const BgJson *card, const char *key, const char *heading)
{
    const BgJson *value = card != NULL ? bg_json_get(card, key) : NULL;

    if (value == NULL)
        return;
    g_autofree char *printed = bg_json_print(value, FALSE);
    g_strstrip(printed);
    gsize length = strlen(printed);
    if (length >= 2 && printed[0] == '"') { // a text
        printed[length - 1] = '\0';
        g_string_append_printf(text, "\n%s: %s", heading, printed + 1);
    } else {
        g_string_append_printf(text, "\n%s: %s", heading, printed);
    }
}

char *
bg_model_card_tell(const BgModel *model)
{
    static const struct {
        const char *key, *heading;
    } lines[] = {
        { "title", N_("Network") },
        { "task", N_("Task") },
        { "source", N_("Imported from") },
        { "phantoms", N_("Trained on made-up heads") },
        { "leaves", N_("Made-up pairs of edges and textures") },
        { "cases", N_("Cases") },
        { "spacing_mm", N_("Grid in mm") },
        { "epochs", N_("Epochs") },
        { "validation_loss", N_("Loss on heads kept back") },
        { "unseen", N_("On unseen cases") },
        { "limits", N_("Limits") },
    };
    GString *text = g_string_new(NULL);

    if (model->fault != NULL)
        g_string_append(text, _("This file has no card"));
    else
        // Translators: numbers of a network, and the beginning of its hash
        g_string_append_printf(text, _("%zu numbers, SHA-256 %.12s…"), model->n_values,
                               model->sha256);
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        tell(text, model->card, lines[i].key, _(lines[i].heading));
    return g_string_free(text, FALSE);
}
