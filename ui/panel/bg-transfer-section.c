// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-transfer-section.h"

#include "core/base/bg-i18n.h"
#include "core/cast/bg-preset.h"
#include "core/volume/bg-histogram.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-save.h"
#include "ui/panel/bg-preset-gallery.h"
#include "ui/view/bg-tf-editor.h"

#include <math.h>

#define N_BINS 512

enum { SLOT_HISTOGRAM, SLOT_PRESET, SLOT_FILE };

struct _BgTransferSection {
    BgSection parent_instance;

    // Of the template, borrowed.
    BgTfEditor *editor;
    GtkSpinButton *value, *alpha;
    GtkAdjustment *value_adjustment, *alpha_adjustment;
    GtkColorButton *colour;
    GtkButton *remove;
    GtkToggleButton *logarithmic;
    GtkDropDown *technique;
    GtkCheckButton *shade;
    BgPresetGallery *gallery;

    guint64 histogram_of; // serial of the volume whose histogram is shown or asked for
};

G_DEFINE_FINAL_TYPE(BgTransferSection, bg_transfer_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_VOLUME && layer->payload.volume != NULL;
}

typedef struct {
    BgVolume *volume; // owned
    double low, high;
    char *preset;   // owned, nullable
    char *layer_id; // owned
} Request;

static Request *
request_new(const BgLayer *layer)
{
    Request *request = g_new0(Request, 1);

    request->volume = bg_volume_ref(layer->payload.volume);
    request->layer_id = g_strdup(layer->id);
    return request;
}

static void
request_free(gpointer data)
{
    Request *request = data;

    bg_volume_unref(request->volume);
    g_free(request->preset);
    g_free(request->layer_id);
    g_free(request);
}

// As many whole steps of an integer volume in each bin: else some hold one value more than others, and the
// picture has gaps that are not in the values. Returns: the number of bins.
static guint
align_bins(BgVolume *volume, double *low, double *high)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    double step = fabs(format.slope), n_steps = step > 0.0 ? rint((*high - *low) / step) + 1.0 : 0;

    if (format.type == BG_SAMPLE_FLOAT32 || !(n_steps >= 1.0))
        return N_BINS;
    double steps_per_bin = ceil(n_steps / N_BINS), n_bins = ceil(n_steps / steps_per_bin);
    *low = format.intercept + step * (rint((*low - format.intercept) / step) - 0.5);
    *high = *low + n_bins * steps_per_bin * step;
    return (guint) n_bins;
}

static gpointer
count_values(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;

    if (!(request->low < request->high) &&
        !bg_preset_range(request->volume, &request->low, &request->high, error))
        return NULL;
    guint n_bins = align_bins(request->volume, &request->low, &request->high);
    return bg_histogram_new(request->volume, n_bins, request->low, request->high, cancellable,
                            error);
}

static void
on_counted(gpointer owner, gpointer result, const GError *error)
{
    bg_tf_editor_set_histogram(BG_TRANSFER_SECTION(owner)->editor, result);
}

static void
ask_histogram(BgTransferSection *self, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (self->histogram_of == bg_volume_get_serial(layer->payload.volume))
        return;
    self->histogram_of = bg_volume_get_serial(layer->payload.volume);

    Request *request = request_new(layer);
    bg_session_get_value_range(session, layer, &request->low, &request->high);
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = SLOT_HISTOGRAM,
                    .yields = TRUE,
                    .func = count_values,
                    .request = request,
                    .free_request = request_free,
                    .done = on_counted,
                    .free_result = (GDestroyNotify) bg_histogram_free };
    bg_worker_post(bg_session_get_idle_worker(session), &work);
}

static void
show_selected(BgTransferSection *self)
{
    BgTransferFunction *tf = bg_tf_editor_get_transfer_function(self->editor);
    BgTfHandle handle = bg_tf_editor_get_selected(self->editor);
    gboolean selected = tf != NULL && bg_tf_handle_exists(tf, handle);

    gtk_widget_set_sensitive(GTK_WIDGET(self->value), selected);
    gtk_widget_set_sensitive(GTK_WIDGET(self->remove), selected);
    gtk_widget_set_sensitive(GTK_WIDGET(self->alpha),
                             selected && handle.part == BG_TF_OPACITY_POINT);
    gtk_widget_set_sensitive(GTK_WIDGET(self->colour),
                             selected && handle.part == BG_TF_COLOUR_STOP);
    if (!selected)
        return;

    double value = bg_tf_handle_value(tf, handle);
    gtk_spin_button_set_digits(self->value, fabs(value) >= 100.0 ? 0 : 3);
    gtk_adjustment_set_value(self->value_adjustment, value);
    gtk_adjustment_set_value(self->alpha_adjustment, bg_tf_handle_alpha(tf, handle));
    if (handle.part == BG_TF_COLOUR_STOP) {
        double rgb[3];
        bg_transfer_function_colour_at(tf, value, rgb);
        GdkRGBA rgba = { (float) rgb[0], (float) rgb[1], (float) rgb[2], 1.0f };
        gtk_color_chooser_set_rgba(GTK_COLOR_CHOOSER(self->colour), &rgba);
    }
}

// Presets for CT are in Hounsfield units: they mean nothing where the unit is another one.
static const char *
preset_modality(const BgLayer *layer)
{
    if (layer->modality[0] != '\0')
        return layer->modality;
    return g_str_equal(layer->unit, "HU") ? "CT" : "MR";
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgTransferSection *self = BG_TRANSFER_SECTION(section);

    ask_histogram(self, layer);
    bg_preset_gallery_set_volume(self->gallery, bg_section_get_session(section),
                                 layer->payload.volume, preset_modality(layer));
    bg_tf_editor_set_unit(self->editor, layer->unit);
    bg_tf_editor_set_transfer_function(self->editor, layer->transfer_function);
    if (layer->transfer_function != NULL) {
        const BgTransferFunctionData *data =
            bg_transfer_function_get_data(layer->transfer_function);
        gtk_drop_down_set_selected(self->technique, data->technique);
        gtk_check_button_set_active(self->shade, data->shade);
    }
    show_selected(self);
}

// @tf: (transfer full)
static void
take(BgTransferSection *self, BgTransferFunction *tf)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer != NULL)
        bg_section_do(BG_SECTION(self), bg_command_set_transfer_function(layer->id, tf));
    bg_transfer_function_unref(tf);
}

static void
on_editor_changed(BgTfEditor *editor, gpointer user_data)
{
    take(user_data, bg_transfer_function_ref(bg_tf_editor_get_transfer_function(editor)));
}

static BgCase *
get_case(gpointer section)
{
    return bg_session_get_case(bg_section_get_session(section));
}

static void
on_gesture_begin(BgTfEditor *editor, gpointer user_data)
{
    bg_case_begin_gesture(get_case(user_data), NULL);
    bg_session_set_dragging(bg_section_get_session(user_data), TRUE);
}

static void
on_gesture_end(BgTfEditor *editor, gpointer user_data)
{
    bg_case_end_gesture(get_case(user_data));
    bg_session_set_dragging(bg_section_get_session(user_data), FALSE);
}

static void
on_gesture_cancel(BgTfEditor *editor, gpointer user_data)
{
    bg_case_cancel_gesture(get_case(user_data));
    bg_session_set_dragging(bg_section_get_session(user_data), FALSE);
}

static void
on_selected(BgTfEditor *editor, GParamSpec *pspec, gpointer user_data)
{
    show_selected(user_data);
}

static void
on_colour_wanted(BgTfEditor *editor, gpointer user_data)
{
    gtk_widget_activate(GTK_WIDGET(BG_TRANSFER_SECTION(user_data)->colour));
}

static void
on_value_changed(GtkSpinButton *spin, gpointer user_data)
{
    BgTransferSection *self = user_data;

    if (gtk_widget_has_focus(GTK_WIDGET(spin)) || gtk_widget_is_focus(GTK_WIDGET(spin)) ||
        gtk_widget_get_focus_child(GTK_WIDGET(spin)) != NULL)
        bg_tf_editor_set_selected_value(self->editor, gtk_spin_button_get_value(spin));
}

static void
on_alpha_changed(GtkSpinButton *spin, gpointer user_data)
{
    BgTransferSection *self = user_data;

    if (gtk_widget_is_focus(GTK_WIDGET(spin)) ||
        gtk_widget_get_focus_child(GTK_WIDGET(spin)) != NULL)
        bg_tf_editor_set_selected_alpha(self->editor, gtk_spin_button_get_value(spin));
}

static void
on_colour_set(GtkColorButton *button, gpointer user_data)
{
    BgTransferSection *self = user_data;
    GdkRGBA rgba;

    gtk_color_chooser_get_rgba(GTK_COLOR_CHOOSER(button), &rgba);
    double rgb[3] = { (double) rgba.red, (double) rgba.green, (double) rgba.blue };
    bg_tf_editor_set_selected_colour(self->editor, rgb);
}

static void
on_remove(GtkButton *button, gpointer user_data)
{
    bg_tf_editor_remove_selected(BG_TRANSFER_SECTION(user_data)->editor);
}

static void
on_logarithmic_toggled(GtkToggleButton *button, gpointer user_data)
{
    bg_tf_editor_set_logarithmic(BG_TRANSFER_SECTION(user_data)->editor,
                                 gtk_toggle_button_get_active(button));
}

static void
change_look(BgTransferSection *self)
{
    BgTransferFunction *tf = bg_tf_editor_get_transfer_function(self->editor);
    guint technique = gtk_drop_down_get_selected(self->technique);
    BgTransferFunctionData data;

    if (tf == NULL || bg_section_is_updating(BG_SECTION(self)) || technique > BG_TECHNIQUE_ISO)
        return;
    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    data.technique = (BgTechnique) technique;
    data.shade = gtk_check_button_get_active(self->shade);
    BgTransferFunction *next = bg_transfer_function_new(&data, NULL);
    bg_transfer_function_data_clear(&data);
    if (next != NULL)
        take(self, next);
}

static void
on_look_changed(GtkDropDown *drop_down, GParamSpec *pspec, gpointer user_data)
{
    change_look(user_data);
}

static void
on_shade_toggled(GtkCheckButton *button, gpointer user_data)
{
    change_look(user_data);
}

static gpointer
load_preset(gpointer data, GCancellable *cancellable, GError **error)
{
    Request *request = data;

    return bg_preset_load(request->preset, request->volume, error);
}

static void
on_preset_loaded(gpointer owner, gpointer result, const GError *error)
{
    if (result != NULL)
        take(owner, result);
    else
        bg_session_fail(bg_section_get_session(owner), _("The preset cannot be used"), error);
}

static void
on_preset_chosen(BgPresetGallery *gallery, const char *id, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);

    if (layer == NULL || layer->payload.volume == NULL)
        return;
    Request *request = request_new(layer);
    request->preset = g_strdup(id);
    BgWork work = { .owner = G_OBJECT(user_data),
                    .slot = SLOT_PRESET,
                    .yields = TRUE,
                    .func = load_preset,
                    .request = request,
                    .free_request = request_free,
                    .done = on_preset_loaded,
                    .free_result = (GDestroyNotify) bg_transfer_function_unref };
    bg_worker_post(bg_session_get_volume_worker(bg_section_get_session(user_data)), &work);
}

static gpointer
read_file(gpointer data, GCancellable *cancellable, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents(data, &text, &length, error))
        return NULL;
    BgTransferFunction *tf = bg_transfer_function_parse(text, (gssize) length, error);
    if (tf == NULL)
        g_prefix_error(error, "%s: ", (const char *) data);
    return tf;
}

static void
on_file_read(gpointer owner, gpointer result, const GError *error)
{
    if (result != NULL)
        take(owner, result);
    else
        bg_session_fail(bg_section_get_session(owner), _("The transfer function cannot be read"),
                        error);
}

static void
read_from(GtkWidget *asker, const char *path)
{
    BgWork work = { .owner = G_OBJECT(asker),
                    .slot = SLOT_FILE,
                    .func = read_file,
                    .request = g_strdup(path),
                    .free_request = g_free,
                    .done = on_file_read,
                    .free_result = (GDestroyNotify) bg_transfer_function_unref };

    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(asker))), &work);
}

static void
on_read(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Read a transfer function"),
                            .accept = _("_Read"),
                            .filter_name = _("Transfer functions"),
                            .patterns = "*.json" };

    bg_file_dialog_ask(user_data, &choice, read_from);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    BgTransferSection *self = BG_TRANSFER_SECTION(asker);
    BgTransferFunction *tf = bg_tf_editor_get_transfer_function(self->editor);

    if (tf != NULL)
        bg_save_text(bg_section_get_session(BG_SECTION(self)), path, bg_transfer_function_print(tf),
                     _("The transfer function is not saved"));
}

static void
on_save(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Save the transfer function"),
                            .accept = _("_Save"),
                            .suggested_name = "transfer-function.json",
                            .filter_name = _("Transfer functions"),
                            .patterns = "*.json",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static void
bg_transfer_section_class_init(BgTransferSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    g_type_ensure(BG_TYPE_TF_EDITOR);
    g_type_ensure(BG_TYPE_PRESET_GALLERY);
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-transfer-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, editor);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, value);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, alpha);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, value_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, alpha_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, colour);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, remove);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, logarithmic);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, technique);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, shade);
    gtk_widget_class_bind_template_child(widget_class, BgTransferSection, gallery);
    gtk_widget_class_bind_template_callback(widget_class, on_editor_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_gesture_begin);
    gtk_widget_class_bind_template_callback(widget_class, on_gesture_end);
    gtk_widget_class_bind_template_callback(widget_class, on_gesture_cancel);
    gtk_widget_class_bind_template_callback(widget_class, on_colour_wanted);
    gtk_widget_class_bind_template_callback(widget_class, on_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_value_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_alpha_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_colour_set);
    gtk_widget_class_bind_template_callback(widget_class, on_remove);
    gtk_widget_class_bind_template_callback(widget_class, on_logarithmic_toggled);
    gtk_widget_class_bind_template_callback(widget_class, on_look_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_shade_toggled);
    gtk_widget_class_bind_template_callback(widget_class, on_preset_chosen);
    gtk_widget_class_bind_template_callback(widget_class, on_read);
    gtk_widget_class_bind_template_callback(widget_class, on_save);
}

static void
bg_transfer_section_init(BgTransferSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
