// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-save.h"

#include "core/base/bg-output.h"

#include <string.h>

typedef struct {
    char *path, *text, *failure; // owned
} Save;

static void
save_free(gpointer data)
{
    Save *save = data;

    g_free(save->path);
    g_free(save->text);
    g_free(save->failure);
    g_free(save);
}

// The words for a failure come back as the result: errors carry the system's words only.
static gpointer
write_file(gpointer data, GCancellable *cancellable, GError **error)
{
    Save *save = data;

    if (bg_output_replace(save->path, TRUE, save->text, strlen(save->text), error))
        return g_strdup("");
    g_prefix_error(error, "%s: ", save->failure);
    return NULL;
}

static void
on_written(gpointer owner, gpointer result, const GError *error)
{
    if (error != NULL)
        bg_session_fail(owner, NULL, error);
    g_free(result);
}

void
bg_save_text(BgSession *session, const char *path, char *text, const char *failure)
{
    static guint last_slot = 1000; // each file has a slot of its own: none replaces another
    Save *save = g_new0(Save, 1);

    save->path = g_strdup(path);
    save->text = text;
    save->failure = g_strdup(failure);
    BgWork work = { .owner = G_OBJECT(session),
                    .slot = ++last_slot,
                    .func = write_file,
                    .request = save,
                    .free_request = save_free,
                    .done = on_written,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
}
