// SPDX-License-Identifier: Apache-2.0
#include "bg-journal.h"

#include "bg-journal-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void
bg_recovery_free(BgRecovery *recovery)
{
    if (recovery == NULL)
        return;
    if (recovery->fd >= 0)
        close(recovery->fd); // and lets the lock go
    g_clear_pointer(&recovery->state, g_variant_unref);
    g_free(recovery->path);
    g_free(recovery->project_path);
    g_free(recovery->patient);
    g_free(recovery->layers);
    g_free(recovery);
}

static void
free_recovery(gpointer recovery)
{
    bg_recovery_free(recovery);
}

static char *
blobs_of(const BgRecovery *self)
{
    g_autofree char *stem = g_strndup(self->path, strlen(self->path) - strlen(BG_JOURNAL_SUFFIX));

    return g_strconcat(stem, BG_JOURNAL_BLOBS, NULL);
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

void
bg_recovery_discard(BgRecovery *recovery)
{
    g_return_if_fail(recovery != NULL);

    g_autofree char *blobs = blobs_of(recovery);
    g_unlink(recovery->path);
    remove_folder(blobs);
}

static gboolean
replay_snapshot(BgRecovery *self, BgCase *replay, GVariant *args)
{
    g_autoptr(GVariant) state = NULL;
    g_autofree char *project = NULL;
    gboolean saved;
    gint64 time_s;
    g_variant_get(args, "(^ayxb@a{sv})", &project, &time_s, &saved, &state);

    if (!bg_case_set_from_variant(replay, state, NULL))
        return FALSE;
    g_free(self->project_path);
    self->project_path = g_steal_pointer(&project);
    self->time_s = time_s;
    self->n_actions = saved ? 0 : self->n_actions + 1;
    return TRUE;
}

static void
free_inverse(gpointer command)
{
    bg_command_unref(command);
}

// All of them or none: they were one action.
static gboolean
replay_commands(BgRecovery *self, BgCase *replay, GVariant *args)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GPtrArray) inverses = g_ptr_array_new_with_free_func(free_inverse);
    gboolean edits = FALSE, fits = TRUE;
    gint64 time_s;
    g_variant_get(args, "(x@a(sv))", &time_s, &list);

    for (gsize i = 0; fits && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(list, i);
        g_autoptr(BgCommand) command = bg_command_from_variant(child, NULL);
        BgCommand *inverse = command != NULL ? bg_case_apply(replay, command, NULL) : NULL;

        fits = inverse != NULL;
        if (fits) {
            g_ptr_array_add(inverses, inverse);
            edits = edits || !bg_command_is_view(command);
        }
    }
    for (guint i = inverses->len; !fits && i > 0; i--) {
        g_autoptr(BgCommand) back = bg_case_apply(replay, g_ptr_array_index(inverses, i - 1), NULL);
        g_assert(back != NULL);
    }
    if (fits) {
        self->time_s = time_s;
        self->n_actions += edits ? 1 : 0;
    }
    return fits;
}

static char *
join_names(const GPtrArray *layers)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(layers, i);
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", layer->name);
    }
    return g_string_free(names, FALSE);
}

// Goes through the records as far as they are whole and fit.
static void
replay_all(BgRecovery *self, const char *data, gsize length)
{
    BgJournalReader reader;
    BgRecordKind kind;
    GVariant *record;
    g_autoptr(BgCase) replay = bg_case_new();
    gboolean started = FALSE, goes_on = bg_journal_reader_init(&reader, data, length);

    while (goes_on && bg_journal_reader_next(&reader, &kind, &record)) {
        g_autoptr(GVariant) args = record;

        if (kind == BG_RECORD_SNAPSHOT)
            goes_on = replay_snapshot(self, replay, args);
        else
            goes_on = started && replay_commands(self, replay, args);
        started = started || goes_on;
    }
    if (started) {
        self->state = bg_case_to_variant_with_edits(replay);
        const BgPatient *patient = &bg_case_get_state(replay)->patient;
        self->patient = bg_patient_is_known(patient) ? bg_patient_describe(patient) : g_strdup("");
        self->layers = join_names(bg_case_get_state(replay)->layers);
    }
}

// NULL when the session lives, or there is nothing to recover.
static BgRecovery *
recover(const char *path)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    g_autofree char *data = NULL;
    gsize length;

    if (fd < 0)
        return NULL;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return NULL;
    }

    g_autoptr(BgRecovery) self = g_new0(BgRecovery, 1);
    self->fd = fd;
    self->path = g_strdup(path);
    self->project_path = g_strdup("");
    if (g_file_get_contents(path, &data, &length, NULL))
        replay_all(self, data, length);
    if (self->state == NULL || self->n_actions == 0) {
        bg_recovery_discard(self);
        return NULL;
    }
    return g_steal_pointer(&self);
}

static int
compare_time(gconstpointer a, gconstpointer b)
{
    const BgRecovery *first = *(BgRecovery *const *) a, *second = *(BgRecovery *const *) b;

    return first->time_s < second->time_s ? 1 : first->time_s > second->time_s ? -1 : 0;
}

GPtrArray *
bg_recovery_list(const char *folder)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(free_recovery);
    g_autofree char *where = bg_journal_folder(folder);
    g_autoptr(GDir) dir = g_dir_open(where, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(where, name, NULL);
        BgRecovery *item = g_str_has_suffix(name, BG_JOURNAL_SUFFIX) ? recover(path) : NULL;
        if (item != NULL)
            g_ptr_array_add(found, item);
    }
    g_ptr_array_sort(found, compare_time);
    return found;
}

gboolean
bg_recovery_open(BgRecovery *recovery, BgCase *the_case, GError **error)
{
    g_return_val_if_fail(recovery != NULL && BG_IS_CASE(the_case), FALSE);

    g_autofree char *blobs = blobs_of(recovery);
    g_autofree char *before = g_strdup(the_case->project_path);
    const char *project = *recovery->project_path != '\0' ? recovery->project_path : NULL;

    bg_case_get_blobs(the_case);
    bg_blob_store_adopt(the_case->blobs, blobs);
    bg_case_set_project_path(the_case, project);
    if (!bg_case_set_from_variant(the_case, recovery->state, error)) {
        bg_case_set_project_path(the_case, before);
        return FALSE;
    }
    the_case->revision = ++the_case->next_revision; // nothing of it is saved
    bg_case_begin_review(the_case);
    bg_case_write_snapshot(the_case);
    if (the_case->journal != NULL) {
        bg_journal_flush(the_case->journal);
        g_unlink(recovery->path);
    }
    return TRUE;
}
