// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-job-bar.h"

#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "ui/panel/bg-form.h"

#define SHOW_AFTER_MS 300 // shorter jobs are no news
#define MEMORY_EVERY_S 2

struct _BgJobBar {
    GtkWidget parent_instance;

    BgSession *session; // owned
    GtkWidget *box, *title, *bar, *left, *cancel, *more, *status;
    GtkWidget *list; // of all running jobs, in the popover of more
    BgJob *job;      // owned, nullable: the one that is shown
    guint show_id, memory_id;
};

G_DEFINE_FINAL_TYPE(BgJobBar, bg_job_bar, GTK_TYPE_WIDGET)

static void
update_fraction(BgJobBar *self)
{
    double left = bg_job_get_seconds_left(self->job);
    int percent = (int) (bg_job_get_fraction(self->job) * 100.0);
    g_autofree char *text = NULL;

    if (left >= 0.0)
        // Translators: how far a job is, and how long it will take still
        text = g_strdup_printf(_("%d %%, %.0f s left"), percent, ceil(left));
    else
        // Translators: how far a job is
        text = g_strdup_printf(_("%d %%"), percent);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->bar), bg_job_get_fraction(self->job));
    gtk_label_set_text(GTK_LABEL(self->left), text);
}

static void
on_fraction(BgJob *job, GParamSpec *pspec, gpointer user_data)
{
    update_fraction(user_data);
}

static void
show_parts(BgJobBar *self, gboolean busy)
{
    gtk_widget_set_visible(self->title, busy);
    gtk_widget_set_visible(self->bar, busy);
    gtk_widget_set_visible(self->left, busy);
    gtk_widget_set_visible(self->cancel, busy);
}

static gboolean
on_show(gpointer user_data)
{
    BgJobBar *self = user_data;

    self->show_id = 0;
    show_parts(self, self->job != NULL);
    return G_SOURCE_REMOVE;
}

static void
on_jobs_changed(GListModel *jobs, guint position, guint removed, guint added, gpointer user_data)
{
    BgJobBar *self = user_data;
    guint n = g_list_model_get_n_items(jobs);
    g_autoptr(BgJob) job = n > 0 ? g_list_model_get_item(jobs, 0) : NULL;

    if (self->job != NULL && self->job != job)
        g_signal_handlers_disconnect_by_data(self->job, self);
    if (self->job != job && job != NULL) {
        gtk_label_set_text(GTK_LABEL(self->title), bg_job_get_title(job));
        g_signal_connect(job, "notify::fraction", G_CALLBACK(on_fraction), self);
    }
    g_set_object(&self->job, job);

    g_autofree char *more =
        n > 1 ? g_strdup_printf(ngettext("and %u more", "and %u more", n - 1), n - 1) : NULL;
    gtk_menu_button_set_label(GTK_MENU_BUTTON(self->more), more != NULL ? more : "");
    gtk_widget_set_visible(self->more, n > 1);
    if (job == NULL) {
        g_clear_handle_id(&self->show_id, g_source_remove);
        show_parts(self, FALSE);
        return;
    }
    update_fraction(self);
    if (self->show_id == 0 && !gtk_widget_get_visible(self->title))
        self->show_id = g_timeout_add(SHOW_AFTER_MS, on_show, self);
}

static void
on_cancel(GtkButton *button, gpointer user_data)
{
    BgJobBar *self = user_data;

    if (self->job != NULL)
        bg_job_cancel(self->job);
}

static void
on_cancel_row(GtkButton *button, gpointer user_data)
{
    bg_job_cancel(user_data);
}

static gboolean
to_percent(GBinding *binding, const GValue *from, GValue *to, gpointer user_data)
{
    // Translators: how far a job is
    g_value_take_string(to, g_strdup_printf(_("%d %%"), (int) (g_value_get_double(from) * 100.0)));
    return TRUE;
}

static GtkWidget *
new_job_row(gpointer item, gpointer user_data)
{
    BgJob *job = item;
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    GtkWidget *title = gtk_label_new(bg_job_get_title(job));
    GtkWidget *bar = gtk_progress_bar_new(), *percent = gtk_label_new(NULL);
    GtkWidget *cancel = gtk_button_new_with_label(_("Cancel"));
    // Translators: %s is the title of a job
    g_autofree char *cancel_name = g_strdup_printf(_("Cancel: %s"), bg_job_get_title(job));

    gtk_label_set_xalign(GTK_LABEL(title), 0.0f);
    gtk_label_set_ellipsize(GTK_LABEL(title), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_width_chars(GTK_LABEL(title), 24);
    gtk_widget_set_hexpand(title, TRUE);
    gtk_widget_set_valign(bar, GTK_ALIGN_CENTER);
    bg_form_name(bar, bg_job_get_title(job));
    bg_form_name(cancel, cancel_name);
    gtk_label_set_width_chars(GTK_LABEL(percent), 5);
    gtk_label_set_xalign(GTK_LABEL(percent), 1.0f);
    gtk_widget_add_css_class(percent, "numeric");
    gtk_widget_set_tooltip_text(title, bg_job_get_title(job));
    g_object_bind_property(job, "fraction", bar, "fraction", G_BINDING_SYNC_CREATE);
    g_object_bind_property_full(job, "fraction", percent, "label", G_BINDING_SYNC_CREATE,
                                to_percent, NULL, NULL, NULL);
    g_signal_connect_object(cancel, "clicked", G_CALLBACK(on_cancel_row), job, 0);
    gtk_box_append(GTK_BOX(box), title);
    gtk_box_append(GTK_BOX(box), bar);
    gtk_box_append(GTK_BOX(box), percent);
    gtk_box_append(GTK_BOX(box), cancel);
    return box;
}

static GtkWidget *
new_more(BgJobBar *self)
{
    GtkWidget *more = gtk_menu_button_new();
    GtkWidget *popover = gtk_popover_new();

    self->list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->list), GTK_SELECTION_NONE);
    bg_form_name(self->list, _("Running jobs"));
    gtk_popover_set_child(GTK_POPOVER(popover), self->list);
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(more), popover);
    gtk_menu_button_set_direction(GTK_MENU_BUTTON(more), GTK_ARROW_UP);
    gtk_widget_set_tooltip_text(more, _("All running jobs"));
    bg_form_name(more, _("All running jobs"));
    gtk_widget_set_valign(more, GTK_ALIGN_CENTER);
    gtk_widget_set_visible(more, FALSE);
    return more;
}

static gboolean
on_memory(gpointer user_data)
{
    BgJobBar *self = user_data;
    g_autofree char *statm = NULL;
    guint n_threads = bg_parallel_count_threads();
    double gb = 0.0;

    if (g_file_get_contents("/proc/self/statm", &statm, NULL, NULL)) { // no disk: the kernel's
        const char *resident = strchr(statm, ' ');
        gb = resident != NULL ? g_ascii_strtod(resident, NULL) * 4096.0 / 1e9 : 0.0;
    }
    // Translators: threads that compute, and memory in use
    g_autofree char *text = g_strdup_printf(
        ngettext("CPU  ·  %u thread  ·  %.1f GB", "CPU  ·  %u threads  ·  %.1f GB", n_threads),
        n_threads, gb);
    gtk_label_set_text(GTK_LABEL(self->status), text);
    return G_SOURCE_CONTINUE;
}

static void
bg_job_bar_dispose(GObject *object)
{
    BgJobBar *self = BG_JOB_BAR(object);

    g_clear_handle_id(&self->show_id, g_source_remove);
    g_clear_handle_id(&self->memory_id, g_source_remove);
    if (self->job != NULL)
        g_signal_handlers_disconnect_by_data(self->job, self);
    g_clear_object(&self->job);
    if (self->list != NULL)
        gtk_list_box_bind_model(GTK_LIST_BOX(self->list), NULL, NULL, NULL, NULL);
    self->list = NULL;
    if (self->session != NULL)
        g_signal_handlers_disconnect_by_data(bg_session_get_jobs(self->session), self);
    g_clear_object(&self->session);
    g_clear_pointer(&self->box, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_job_bar_parent_class)->dispose(object);
}

static void
bg_job_bar_class_init(BgJobBarClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_job_bar_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass), GTK_TYPE_BIN_LAYOUT);
}

static void
bg_job_bar_init(BgJobBar *self)
{
    self->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
    gtk_widget_add_css_class(self->box, "job-bar");
    gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
    gtk_widget_set_parent(self->box, GTK_WIDGET(self));
    self->title = gtk_label_new(NULL);
    self->bar = gtk_progress_bar_new();
    self->left = gtk_label_new(NULL);
    self->cancel = gtk_button_new_with_label(_("Cancel"));
    self->more = new_more(self);
    GtkWidget *space = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    self->status = gtk_label_new(NULL);
    gtk_widget_set_valign(self->bar, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(self->cancel, GTK_ALIGN_CENTER);
    gtk_widget_set_size_request(self->bar, 160, -1);
    bg_form_name(self->bar, _("Progress"));
    gtk_widget_add_css_class(self->left, "numeric");
    gtk_widget_add_css_class(self->status, "dim");
    gtk_widget_add_css_class(self->status, "numeric");
    gtk_widget_set_hexpand(space, TRUE);
    g_signal_connect(self->cancel, "clicked", G_CALLBACK(on_cancel), self);

    GtkWidget *parts[] = { self->title, self->bar, self->left,  self->cancel,
                           self->more,  space,     self->status };
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        gtk_box_append(GTK_BOX(self->box), parts[i]);
    show_parts(self, FALSE);
    self->memory_id = g_timeout_add_seconds(MEMORY_EVERY_S, on_memory, self);
    on_memory(self);
}

GtkWidget *
bg_job_bar_new(BgSession *session)
{
    BgJobBar *self = g_object_new(BG_TYPE_JOB_BAR, NULL);

    self->session = g_object_ref(session);
    gtk_list_box_bind_model(GTK_LIST_BOX(self->list), bg_session_get_jobs(session), new_job_row,
                            NULL, NULL);
    g_signal_connect(bg_session_get_jobs(session), "items-changed", G_CALLBACK(on_jobs_changed),
                     self);
    return GTK_WIDGET(self);
}
