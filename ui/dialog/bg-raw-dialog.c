// SPDX-License-Identifier: Apache-2.0
#include "ui/dialog/bg-raw-dialog.h"

#include "core/base/bg-i18n.h"
#include "core/io/bg-raw-file.h"
#include "ui/dialog/bg-dialog.h"
#include "ui/model/bg-raw-job.h"
#include "ui/model/bg-texture.h"
#include "ui/model/bg-thumbnail.h"

#define MAX_GUESSES 8

struct _BgRawDialog {
    GtkWindow parent_instance;

    GtkDropDown *guess, *type, *order; // of the template, borrowed
    GtkSpinButton *columns, *rows, *slices, *header;
    GtkSpinButton *spacing_x, *spacing_y, *spacing_z;
    GtkLabel *state;
    GtkWidget *open;
    GtkImage *picture;

    BgSession *session; // owned
    char *path;
    guint64 n_file; // bytes of it; 0 while not known
    BgRawGuess guesses[MAX_GUESSES];
    int n_guesses;
    gboolean updating;
};

G_DEFINE_FINAL_TYPE(BgRawDialog, bg_raw_dialog, GTK_TYPE_WINDOW)

static BgRawDescription
description_of(BgRawDialog *self)
{
    return (BgRawDescription){
        .header_bytes = (guint64) gtk_spin_button_get_value(self->header),
        .dims = { gtk_spin_button_get_value_as_int(self->columns),
                  gtk_spin_button_get_value_as_int(self->rows),
                  gtk_spin_button_get_value_as_int(self->slices) },
        .n_frames = 1,
        .n_components = 1,
        .type = (BgRawType) gtk_drop_down_get_selected(self->type),
        .big_endian = gtk_drop_down_get_selected(self->order) == 1,
        .spacing_mm = { gtk_spin_button_get_value(self->spacing_x),
                        gtk_spin_button_get_value(self->spacing_y),
                        gtk_spin_button_get_value(self->spacing_z) },
    };
}

// The middle slice, live.

typedef struct {
    char *path;
    BgRawDescription slice;
} Preview;

static void
preview_free(gpointer data)
{
    g_free(((Preview *) data)->path);
    g_free(data);
}

static gpointer
draw_preview(gpointer data, GCancellable *cancellable, GError **error)
{
    const Preview *preview = data;
    g_autoptr(BgLoaded) loaded = bg_raw_load_file(
        preview->path, &preview->slice, &(BgLoadParams){ .component = -1, .as = BG_LOAD_VOLUME },
        NULL, cancellable, error);

    if (loaded == NULL)
        return NULL;

    g_autoptr(BgLayer) layer = bg_layer_new_for_loaded(loaded, preview->path, NULL);
    layer->payload.volume = bg_volume_ref(loaded->volume);
    g_autoptr(BgThumbnail) thumbnail = bg_thumbnail_new(layer);
    return bg_thumbnail_draw(thumbnail, cancellable, error);
}

static void
on_preview(gpointer owner, gpointer result, const GError *error)
{
    BgRawDialog *self = owner;
    g_autoptr(BgImage) image = result;

    if (image == NULL) {
        gtk_image_clear(self->picture);
        return;
    }
    g_autoptr(GdkTexture) texture = bg_texture_from_rgb(image);
    gtk_image_set_from_paintable(self->picture, GDK_PAINTABLE(texture));
}

static void
ask_for_preview(BgRawDialog *self, const BgRawDescription *description)
{
    Preview *preview = g_new0(Preview, 1);
    guint64 n_slice = (guint64) description->dims[0] * (guint64) description->dims[1] *
                      bg_raw_type_size(description->type);

    preview->path = g_strdup(self->path);
    preview->slice = *description;
    preview->slice.header_bytes += n_slice * (guint64) (description->dims[2] / 2);
    preview->slice.dims[2] = 1;
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = draw_preview,
                    .request = preview,
                    .free_request = preview_free,
                    .done = on_preview,
                    .free_result = (GDestroyNotify) bg_image_unref };
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);
}

static void
update(BgRawDialog *self)
{
    BgRawDescription description = description_of(self);
    g_autoptr(GError) error = NULL;
    gboolean fits = self->n_file > 0 && bg_raw_describe_check(&description, self->n_file, &error);
    guint64 n_used = description.header_bytes +
                     (guint64) description.dims[0] * (guint64) description.dims[1] *
                         (guint64) description.dims[2] * bg_raw_type_size(description.type);

    gtk_widget_set_sensitive(self->open, fits);
    if (!fits) {
        gtk_label_set_text(self->state, error != NULL ? error->message : "");
        gtk_image_clear(self->picture);
        return;
    }
    g_autofree char *text = n_used == self->n_file
                                ? g_strdup(_("All bytes of the file are used."))
                                : g_strdup_printf(
                                      // Translators: bytes of a file
                                      _("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                        " bytes are used: the rest at the end is left out."),
                                      n_used, self->n_file);
    gtk_label_set_text(self->state, text);
    ask_for_preview(self, &description);
}

static void
on_changed(GtkSpinButton *spin, gpointer user_data)
{
    BgRawDialog *self = user_data;

    if (!self->updating)
        update(self);
}

static void
on_choice(GObject *drop_down, GParamSpec *pspec, gpointer user_data)
{
    on_changed(NULL, user_data);
}

static void
show_guess(BgRawDialog *self, guint which)
{
    const BgRawDescription *guess = &self->guesses[which].description;

    self->updating = TRUE;
    gtk_spin_button_set_value(self->columns, guess->dims[0]);
    gtk_spin_button_set_value(self->rows, guess->dims[1]);
    gtk_spin_button_set_value(self->slices, guess->dims[2]);
    gtk_spin_button_set_value(self->header, (double) guess->header_bytes);
    gtk_drop_down_set_selected(self->type, guess->type);
    gtk_drop_down_set_selected(self->order, guess->big_endian ? 1 : 0);
    self->updating = FALSE;
    update(self);
}

static void
on_guess(GObject *drop_down, GParamSpec *pspec, gpointer user_data)
{
    BgRawDialog *self = user_data;
    guint which = gtk_drop_down_get_selected(self->guess);

    if (!self->updating && which < (guint) self->n_guesses)
        show_guess(self, which);
}

typedef struct {
    BgRawGuess guesses[MAX_GUESSES];
    int n;
    guint64 n_file;
} Guessed;

static gpointer
guess_on_worker(gpointer path, GCancellable *cancellable, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInfo) info = g_file_query_info(file, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                                                  G_FILE_QUERY_INFO_NONE, cancellable, error);
    if (info == NULL)
        return NULL;

    g_autofree Guessed *guessed = g_new0(Guessed, 1);
    guessed->n_file = (guint64) g_file_info_get_size(info);
    guessed->n = bg_raw_guess(path, guessed->guesses, MAX_GUESSES, cancellable, error);
    return guessed->n >= 0 ? g_steal_pointer(&guessed) : NULL;
}

static void
on_guessed(gpointer owner, gpointer result, const GError *error)
{
    BgRawDialog *self = owner;
    g_autofree Guessed *guessed = result;
    g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);

    if (guessed == NULL) {
        gtk_label_set_text(self->state, error != NULL ? error->message : "");
        return;
    }
    self->n_file = guessed->n_file;
    self->n_guesses = guessed->n;
    memcpy(self->guesses, guessed->guesses, sizeof self->guesses);
    for (int i = 0; i < guessed->n; i++) {
        const BgRawDescription *guess = &guessed->guesses[i].description;
        g_autofree char *name =
            g_strdup_printf("%d × %d × %d  %s  %s", guess->dims[0], guess->dims[1], guess->dims[2],
                            bg_raw_type_name(guess->type),
                            guess->big_endian ? _("big endian") : _("little endian"));
        gtk_string_list_append(names, name);
    }
    self->updating = TRUE;
    gtk_drop_down_set_model(self->guess, G_LIST_MODEL(names));
    self->updating = FALSE;
    show_guess(self, 0);
}

static void
on_open(GtkButton *button, gpointer user_data)
{
    BgRawDialog *self = user_data;
    BgRawDescription description = description_of(self);

    bg_raw_job_open(self->session, self->path, &description);
    gtk_window_destroy(GTK_WINDOW(self));
}

void
bg_raw_dialog_present(GtkWindow *parent, BgSession *session, const char *path)
{
    BgRawDialog *self = g_object_new(BG_TYPE_RAW_DIALOG, "transient-for", parent,
                                     "destroy-with-parent", TRUE, NULL);

    self->session = g_object_ref(session);
    self->path = g_strdup(path);
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = 1,
                    .func = guess_on_worker,
                    .request = g_strdup(path),
                    .free_request = g_free,
                    .done = on_guessed,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
    update(self);
    gtk_window_present(GTK_WINDOW(self));
}

static void
bg_raw_dialog_dispose(GObject *object)
{
    BgRawDialog *self = BG_RAW_DIALOG(object);

    g_clear_object(&self->session);
    g_clear_pointer(&self->path, g_free);

    G_OBJECT_CLASS(bg_raw_dialog_parent_class)->dispose(object);
}

static void
bg_raw_dialog_class_init(BgRawDialogClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_raw_dialog_dispose;
    bg_dialog_class_set_template(widget_class, "bg-raw-dialog.ui");
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, guess);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, type);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, order);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, columns);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, rows);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, slices);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, header);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, spacing_x);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, spacing_y);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, spacing_z);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, state);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, open);
    gtk_widget_class_bind_template_child(widget_class, BgRawDialog, picture);
    gtk_widget_class_bind_template_callback(widget_class, on_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_choice);
    gtk_widget_class_bind_template_callback(widget_class, on_guess);
    gtk_widget_class_bind_template_callback(widget_class, on_open);
}

static void
bg_raw_dialog_init(BgRawDialog *self)
{
    bg_dialog_init_template(GTK_WIDGET(self), &self->updating);
}
