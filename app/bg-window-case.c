// SPDX-License-Identifier: Apache-2.0
// The case in the window: new, saved, recovered; what must not be lost or mixed up.
#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-journal.h"
#include "core/case/bg-project.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-settings.h"

#define CHECK_AFTER_S 5 // of opening: the pictures come first

static void
save_to(GtkWidget *window, const char *path)
{
    g_autofree char *whole = g_str_has_suffix(path, BG_PROJECT_SUFFIX)
                                 ? g_strdup(path)
                                 : g_strconcat(path, BG_PROJECT_SUFFIX, NULL);

    bg_session_save_case(BG_WINDOW(window)->session, whole);
}

static void
ask_where_to_save(BgWindow *self)
{
    const BgFileChoice choice = { .title = _("Save Case"),
                                  .accept = _("_Save"),
                                  .suggested_name = "case.bregma",
                                  .filter_name = _("bregma cases"),
                                  .patterns = "*.bregma",
                                  .save = TRUE };

    bg_file_dialog_ask(GTK_WIDGET(self), &choice, save_to);
}

static void
on_save_as(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;

    self->after_question = BG_AFTER_NOTHING; // of a question whose file dialog was given up
    ask_where_to_save(self);
}

static void
save(BgWindow *self)
{
    const char *path = bg_case_get_project_path(bg_session_get_case(self->session));

    if (path != NULL && path[0] != '\0')
        bg_session_save_case(self->session, path);
    else
        ask_where_to_save(self);
}

static void
on_save(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;

    self->after_question = BG_AFTER_NOTHING;
    save(self);
}

static void
on_save_to(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    save_to(user_data, g_variant_get_string(parameter, NULL));
}

enum {
    RESPONSE_DISCARD = 1,
    RESPONSE_SAVE = 2,
};

static void recover(BgWindow *self);

// What to go on with when the question about unsaved changes is answered.
static void
go_on(BgWindow *self)
{
    BgAfterQuestion after = self->after_question;

    self->after_question = BG_AFTER_NOTHING;
    switch (after) {
    case BG_AFTER_NOTHING:
        break;
    case BG_AFTER_CLOSE:
        self->may_close = TRUE;
        gtk_window_close(GTK_WINDOW(self));
        break;
    case BG_AFTER_NEW:
        bg_session_reset(self->session);
        break;
    case BG_AFTER_OPEN:
        if (bg_session_has_unsaved(self->session)) // which were to be discarded
            bg_session_reset(self->session);
        bg_session_open_case(self->session, self->wanted_case);
        break;
    case BG_AFTER_RECOVER:
        recover(self);
        break;
    }
}

static void
on_question(GtkDialog *dialog, int response, gpointer user_data)
{
    BgWindow *self = user_data;

    self->question = NULL;
    gtk_window_destroy(GTK_WINDOW(dialog));
    if (response == RESPONSE_DISCARD)
        go_on(self);
    else if (response == RESPONSE_SAVE)
        save(self); // on_saved() goes on
    else
        self->after_question = BG_AFTER_NOTHING;
}

static void
on_saved(BgSession *session, gboolean done, gpointer user_data)
{
    BgWindow *self = user_data;

    if (done)
        go_on(self);
    else
        self->after_question = BG_AFTER_NOTHING;
}

// Returns: whether there is nothing to lose; else the user is asked, once.
static gboolean
nothing_to_lose(BgWindow *self, BgAfterQuestion after)
{
    if (!bg_session_has_unsaved(self->session))
        return TRUE;

    if (self->question != NULL) { // one answer for both
        if (after == BG_AFTER_CLOSE)
            self->after_question = after;
        gtk_window_present(self->question);
        return FALSE;
    }
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(self), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, "%s", _("Save the case before it is closed?"));
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog), "%s",
        _("Measurements, windows and other changes that are not saved will be lost."));
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Discard"),
                           RESPONSE_DISCARD, _("_Save"), RESPONSE_SAVE, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), RESPONSE_SAVE);
    self->after_question = after;
    self->question = GTK_WINDOW(dialog);
    g_signal_connect(dialog, "response", G_CALLBACK(on_question), self);
    gtk_window_present(GTK_WINDOW(dialog));
    return FALSE;
}

static gboolean
on_close_request(GtkWindow *window, gpointer user_data)
{
    BgWindow *self = BG_WINDOW(window);

    return !self->may_close && !nothing_to_lose(self, BG_AFTER_CLOSE);
}

static void
on_new(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;

    if (nothing_to_lose(self, BG_AFTER_NEW))
        bg_session_reset(self->session);
}

static void
on_unsaved(BgSession *session, const char *path, gpointer user_data)
{
    BgWindow *self = user_data;

    if (self->question == NULL) {
        g_free(self->wanted_case);
        self->wanted_case = g_strdup(path);
    }
    nothing_to_lose(self, BG_AFTER_OPEN);
}

static void
locate(GtkWidget *window, const char *path)
{
    BgWindow *self = BG_WINDOW(window);

    if (self->locating != NULL &&
        bg_session_do(self->session, bg_command_locate_layer(self->locating, path, NULL)))
        bg_session_check_sources(self->session);
    g_clear_pointer(&self->locating, g_free);
}

static void
on_retry(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_session_retry(BG_WINDOW(user_data)->session, g_variant_get_string(parameter, NULL));
}

static void
on_locate(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;
    const BgFileChoice choice = { .title = _("Locate the File"), .accept = _("_Open") };

    g_free(self->locating);
    self->locating = g_variant_dup_string(parameter, NULL);
    bg_file_dialog_ask(GTK_WIDGET(self), &choice, locate);
}

// Two patients: a hard stop, and a reason that a person types.

static void
on_conflict_response(GtkDialog *dialog, int response, gpointer user_data)
{
    BgWindow *self = user_data;
    GtkEditable *entry = g_object_get_data(G_OBJECT(dialog), "entry");
    const char *path = g_object_get_data(G_OBJECT(dialog), "path");

    if (response == GTK_RESPONSE_ACCEPT)
        bg_session_open_override(self->session, path, gtk_editable_get_text(entry));
    gtk_window_destroy(GTK_WINDOW(dialog));
}

static void
on_reason_changed(GtkEditable *entry, gpointer user_data)
{
    g_autofree char *reason = g_strstrip(g_strdup(gtk_editable_get_text(entry)));

    gtk_dialog_set_response_sensitive(user_data, GTK_RESPONSE_ACCEPT,
                                      g_utf8_strlen(reason, -1) >= 3);
}

static void
on_conflict(BgSession *session, const char *path, const char *reason, gpointer user_data)
{
    BgWindow *self = user_data;
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(self), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_WARNING,
        GTK_BUTTONS_NONE, "%s", _("This file is of another patient"));
    GtkWidget *entry = gtk_entry_new();
    GtkWidget *area = gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog));

    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", reason);
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), _("Why both belong together"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Reason for opening another patient's file"), -1);
    gtk_box_append(GTK_BOX(area), entry);
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Do Not Open"), GTK_RESPONSE_CANCEL,
                           _("Open _Anyway"), GTK_RESPONSE_ACCEPT, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT, FALSE);
    g_object_set_data(G_OBJECT(dialog), "entry", entry);
    g_object_set_data_full(G_OBJECT(dialog), "path", g_strdup(path), g_free);
    g_signal_connect(entry, "changed", G_CALLBACK(on_reason_changed), dialog);
    g_signal_connect(dialog, "response", G_CALLBACK(on_conflict_response), self);
    gtk_window_present(GTK_WINDOW(dialog));
}

// After a crash.

static gpointer
list_recoveries(gpointer request, GCancellable *cancellable, GError **error)
{
    return bg_recovery_list(NULL);
}

static void
on_recoveries(gpointer owner, gpointer result, const GError *error)
{
    BgWindow *self = owner;

    g_clear_pointer(&self->recoveries, g_ptr_array_unref);
    self->recoveries = result;
    if (self->recoveries == NULL || self->recoveries->len == 0)
        return;

    const BgRecovery *latest = self->recoveries->pdata[0];
    g_autofree char *message = g_strdup_printf(
        // Translators: number, layers, patient
        ngettext("bregma ended unexpectedly. %u action on “%s” (%s) was not saved and can be "
                 "brought back.",
                 "bregma ended unexpectedly. %u actions on “%s” (%s) were not saved and can be "
                 "brought back.",
                 latest->n_actions),
        latest->n_actions, latest->layers,
        latest->patient[0] != '\0' ? latest->patient : _("patient not in the files"));
    bg_window_tell(self, "caution", message, latest->project_path, _("Review"), "win.recover");
}

static void
show_review(BgWindow *self)
{
    BgCase *bg_case = bg_session_get_case(self->session);
    g_autoptr(GPtrArray) items = bg_case_get_review_items(bg_case);
    GString *text = g_string_new(_("Restored after a crash. Check before you go on:"));

    for (guint i = 0; i < items->len; i++)
        g_string_append_printf(text, "\n•  %s", (const char *) items->pdata[i]);
    bg_window_tell(self, "caution", text->str, NULL, _("Checked"), "win.confirm-review");
    g_string_free(text, TRUE);
}

static void
recover(BgWindow *self)
{
    g_autoptr(BgCase) bg_case = bg_case_new();
    g_autoptr(GError) error = NULL;

    if (self->recoveries == NULL || self->recoveries->len == 0)
        return;

    if (!bg_case_start_journal(bg_case, NULL, &error))
        g_clear_error(&error); // said already for the first case
    if (!bg_recovery_open(self->recoveries->pdata[0], bg_case, &error)) {
        bg_session_fail(self->session, _("What was not saved cannot be brought back"), error);
        return;
    }
    g_ptr_array_remove_index(self->recoveries, 0);
    bg_session_take_case(self->session, g_steal_pointer(&bg_case));
    show_review(self);
}

static void
on_recover(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    BgWindow *self = user_data;

    if (nothing_to_lose(self, BG_AFTER_RECOVER))
        recover(self);
}

static void
on_confirm_review(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
    bg_case_confirm_review(bg_session_get_case(BG_WINDOW(user_data)->session));
}

static gboolean
on_check_sources(gpointer user_data)
{
    BgWindow *self = user_data;

    self->check_id = 0;
    bg_session_check_sources(self->session);
    return G_SOURCE_REMOVE;
}

static void
on_layers(BgSession *session, guint changes, gpointer user_data)
{
    BgWindow *self = user_data;

    if ((changes & BG_CHANGE_LAYERS) && self->check_id == 0 && !bg_session_is_empty(session) &&
        self->n_checked != bg_session_get_state(session)->layers->len) {
        self->n_checked = bg_session_get_state(session)->layers->len;
        self->check_id = g_timeout_add_seconds(CHECK_AFTER_S, on_check_sources, self);
    }
}

void
bg_window_clear_case(BgWindow *self)
{
    g_clear_handle_id(&self->check_id, g_source_remove);
    g_clear_pointer(&self->recoveries, g_ptr_array_unref);
    g_clear_pointer(&self->locating, g_free);
    g_clear_pointer(&self->wanted_case, g_free);
}

void
bg_window_init_case_actions(BgWindow *self)
{
    static const GActionEntry entries[] = {
        { "new", on_new, NULL, NULL, NULL },
        { "save", on_save, NULL, NULL, NULL },
        { "save-as", on_save_as, NULL, NULL, NULL },
        { "save-to", on_save_to, "s", NULL, NULL },
        { "locate", on_locate, "s", NULL, NULL },
        { "retry", on_retry, "s", NULL, NULL },
        { "recover", on_recover, NULL, NULL, NULL },
        { "confirm-review", on_confirm_review, NULL, NULL, NULL },
    };
    BgWork work = { .owner = G_OBJECT(self),
                    .func = list_recoveries,
                    .done = on_recoveries,
                    .free_result = (GDestroyNotify) g_ptr_array_unref };

    g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
    g_signal_connect(self, "close-request", G_CALLBACK(on_close_request), NULL);
    g_signal_connect(self->session, "saved", G_CALLBACK(on_saved), self);
    g_signal_connect(self->session, "patient-conflict", G_CALLBACK(on_conflict), self);
    g_signal_connect(self->session, "unsaved", G_CALLBACK(on_unsaved), self);
    g_signal_connect(self->session, "changed", G_CALLBACK(on_layers), self);
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);
}
