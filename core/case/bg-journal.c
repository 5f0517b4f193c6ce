// SPDX-License-Identifier: Apache-2.0
#include "bg-journal.h"

#include "bg-journal-private.h"

#include <string.h>

static GVariant *
snapshot(BgCase *self)
{
    g_autoptr(GVariant) state = bg_case_to_variant_with_edits(self);
    const char *project = self->project_path != NULL ? self->project_path : "";

    return g_variant_new("(^ayxb@a{sv})", project, g_get_real_time() / G_USEC_PER_SEC,
                         !bg_case_is_modified(self), state);
}

void
bg_case_write_snapshot(BgCase *self)
{
    if (self->journal != NULL)
        bg_journal_write(self->journal, BG_RECORD_SNAPSHOT, snapshot(self));
}

void
bg_case_write_journal(BgCase *self, const GPtrArray *commands)
{
    if (self->journal == NULL || commands->len == 0)
        return;

    BgCommand *first = g_ptr_array_index(commands, 0);
    gboolean setting = (first->kind->flags & BG_COMMAND_SETTING) != 0;
    if (commands->len == 1 && setting && (bg_command_is_view(first) || self->gesture_depth > 0)) {
        bg_journal_write_soon(self->journal, first);
        return;
    }

    GVariantBuilder list;
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(sv)"));
    for (guint i = 0; i < commands->len; i++) {
        const BgCommand *command = g_ptr_array_index(commands, i);
        g_variant_builder_add(&list, "(sv)", command->kind->name, command->args);
    }
    bg_journal_write(self->journal, BG_RECORD_COMMANDS,
                     g_variant_new("(xa(sv))", g_get_real_time() / G_USEC_PER_SEC, &list));
}

void
bg_case_write_waiting(BgCase *self)
{
    if (self->journal != NULL)
        bg_journal_write_waiting(self->journal);
}

gboolean
bg_case_start_journal(BgCase *the_case, const char *folder, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(the_case) && the_case->journal == NULL, FALSE);

    g_autofree char *where = bg_journal_folder(folder);
    BgJournal *journal = bg_journal_new(where, error);
    if (journal == NULL)
        return FALSE;

    // Results that are computed from now on wait beside the journal.
    const char *path = bg_journal_get_path(journal);
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(BG_JOURNAL_SUFFIX));
    g_autofree char *blobs = g_strconcat(stem, BG_JOURNAL_BLOBS, NULL);
    g_clear_pointer(&the_case->blobs, bg_blob_store_unref);
    the_case->blobs = bg_blob_store_new(blobs);
    the_case->journal = journal;
    bg_case_put_blobs(the_case);
    bg_case_write_snapshot(the_case);
    return TRUE;
}

const char *
bg_case_get_journal_path(BgCase *the_case)
{
    return the_case->journal != NULL ? bg_journal_get_path(the_case->journal) : NULL;
}

const char *
bg_case_get_journal_problem(BgCase *the_case)
{
    if (the_case->journal == NULL)
        return NULL;
    if (the_case->journal_problem == NULL)
        the_case->journal_problem = bg_journal_get_problem(the_case->journal);
    return the_case->journal_problem;
}

void
bg_case_flush_journal(BgCase *the_case)
{
    g_return_if_fail(BG_IS_CASE(the_case));

    if (the_case->blobs != NULL)
        bg_blob_store_wait(the_case->blobs);
    if (the_case->journal != NULL)
        bg_journal_flush(the_case->journal);
}

void
bg_case_close_journal(BgCase *the_case)
{
    g_return_if_fail(BG_IS_CASE(the_case));

    bg_journal_close(the_case->journal, FALSE);
    the_case->journal = NULL;
}
