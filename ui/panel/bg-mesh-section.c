// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-mesh-section.h"

#include "core/base/bg-i18n.h"
#include "core/surface/bg-mesh-measures.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-mesh-job.h"

// Of a new mesh of a volume: bone white with a breath of yellow.
static const double new_mesh_rgb[3] = { 0.90, 0.86, 0.76 };

struct _BgMeshSection {
    BgSection parent_instance;

    // Of the template, borrowed.
    GtkWidget *making, *style;
    GtkLabel *iso_label, *measures, *stale, *findings;
    GtkSpinButton *iso, *smooth, *keep;
    GtkAdjustment *iso_adjustment, *opacity_adjustment;
    GtkCheckButton *largest;
    GtkButton *make, *export, *again, *check, *repair;
    GtkColorButton *colour;
    GtkScale *opacity;

    char *iso_of;     // id of the layer whose value was proposed
    guint64 measured; // serial of the mesh that is measured or shown
    guint64 checked;  // serial of the mesh that was checked last
    gboolean checking;
    BgPrintCheck found; // of that one
};

G_DEFINE_FINAL_TYPE(BgMeshSection, bg_mesh_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && (layer->payload.volume != NULL || layer->payload.labels != NULL ||
                             layer->payload.mesh != NULL);
}

// Where the window's lower third begins: skin on MR, bone on CT.
static void
propose_iso(BgMeshSection *self, const BgLayer *layer)
{
    gboolean hounsfield = g_str_equal(layer->unit, "HU");
    double low, high;

    if (g_strcmp0(self->iso_of, layer->id) == 0)
        return;
    g_free(self->iso_of);
    self->iso_of = g_strdup(layer->id);
    if (!bg_session_get_value_range(bg_section_get_session(BG_SECTION(self)), layer, &low, &high)) {
        low = layer->window_centre - layer->window_width / 2.0;
        high = layer->window_centre + layer->window_width / 2.0;
    }
    gtk_adjustment_set_value(self->iso_adjustment, hounsfield ? 300.0 : low + 0.2 * (high - low));
    gtk_spin_button_set_digits(self->iso, high - low >= 100.0 ? 0 : 3);
}

static gpointer
measure(gpointer data, GCancellable *cancellable, GError **error)
{
    BgMeshMeasures *measures = g_new0(BgMeshMeasures, 1);

    if (bg_mesh_measure(data, measures, error))
        return measures;
    g_free(measures);
    return NULL;
}

static void
on_measured(gpointer owner, gpointer result, const GError *error)
{
    BgMeshSection *self = owner;
    g_autofree BgMeshMeasures *m = result;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (m == NULL || layer == NULL || layer->payload.mesh == NULL)
        return;
    BgVec3 size_mm = bg_vec3_sub(m->high_mm, m->low_mm);
    g_autofree char *text = g_strdup_printf(
        // Translators: what a mesh measures
        _("%zu triangles, %s, %zu parts\nVolume %.2f ml, surface %.1f cm²\n"
          "%.1f × %.1f × %.1f mm, LPS mm"),
        bg_mesh_get_data(layer->payload.mesh)->n_triangles,
        m->closed ? _("closed") : _("not closed"), m->n_components, m->volume_ml, m->area_cm2,
        size_mm.x, size_mm.y, size_mm.z);
    gtk_label_set_text(self->measures, text);
}

static void
ask_measures(BgMeshSection *self, BgMesh *mesh)
{
    if (self->measured == bg_mesh_get_serial(mesh))
        return;
    self->measured = bg_mesh_get_serial(mesh);
    gtk_label_set_text(self->measures, _("Measuring…"));
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = measure,
                    .request = bg_mesh_ref(mesh),
                    .free_request = (GDestroyNotify) bg_mesh_unref,
                    .done = on_measured,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(self))), &work);
}

static void
show_source(BgMeshSection *self, const BgLayer *layer)
{
    gboolean stale;
    const BgLayer *source =
        bg_mesh_job_source(bg_section_get_session(BG_SECTION(self)), layer, &stale);
    g_autofree char *words =
        source != NULL
            // Translators: the name of a label map
            ? g_strdup_printf(_("“%s” was corrected since: this mesh shows what it was"),
                              source->name)
            : NULL;

    gtk_widget_set_visible(GTK_WIDGET(self->stale), stale);
    gtk_widget_set_visible(GTK_WIDGET(self->again), stale);
    if (stale)
        gtk_label_set_text(self->stale, words);
}

static char *
tell_findings(const BgPrintCheck *check)
{
    const BgPrintParams params = bg_print_params();
    g_autoptr(GPtrArray) words = bg_print_check_words(check, &params);

    if (words->len == 0)
        // Translators: a mesh; mm
        return g_strdup_printf(_("Ready to print: closed, and no wall under %g mm was found"),
                               params.least_wall_mm);
    GString *text = g_string_new(words->pdata[0]);
    for (guint i = 1; i < words->len; i++)
        g_string_append_printf(text, "\n%s", (const char *) words->pdata[i]);
    return g_string_free(text, FALSE);
}

static void
show_check(BgMeshSection *self, const BgLayer *layer)
{
    gboolean known = self->checked == bg_mesh_get_serial(layer->payload.mesh);
    g_autofree char *text = known ? tell_findings(&self->found) : NULL;

    gtk_widget_set_sensitive(GTK_WIDGET(self->check), !self->checking);
    gtk_widget_set_sensitive(GTK_WIDGET(self->repair), !self->checking);
    gtk_widget_set_visible(GTK_WIDGET(self->findings), known);
    gtk_widget_set_visible(GTK_WIDGET(self->repair),
                           known && bg_print_check_can_repair(&self->found));
    if (!known)
        return;
    gtk_label_set_text(self->findings, text);
    gtk_widget_remove_css_class(GTK_WIDGET(self->findings),
                                self->found.printable ? "caution-text" : "ok-text");
    gtk_widget_add_css_class(GTK_WIDGET(self->findings),
                             self->found.printable ? "ok-text" : "caution-text");
}

static void
on_checked(gpointer owner, BgMesh *mesh, const BgPrintCheck *check)
{
    BgMeshSection *self = owner;
    const BgLayer *layer = bg_section_get_session(BG_SECTION(self)) != NULL
                               ? bg_section_get_layer(BG_SECTION(self))
                               : NULL;

    self->checking = FALSE;
    if (check != NULL) {
        self->checked = bg_mesh_get_serial(mesh);
        self->found = *check;
    }
    if (layer != NULL && layer->payload.mesh != NULL)
        show_check(self, layer);
}

static void
print(BgMeshSection *self, gboolean repair)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (layer == NULL || layer->payload.mesh == NULL || self->checking)
        return;
    self->checking = TRUE;
    if (repair)
        bg_mesh_job_repair(session, layer, G_OBJECT(self), on_checked);
    else
        bg_mesh_job_check(session, layer, G_OBJECT(self), on_checked);
    show_check(self, layer);
}

static void
on_check(GtkButton *button, gpointer user_data)
{
    print(user_data, FALSE);
}

static void
on_repair(GtkButton *button, gpointer user_data)
{
    print(user_data, TRUE);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgMeshSection *self = BG_MESH_SECTION(section);
    gboolean is_mesh = layer->payload.mesh != NULL;

    gtk_widget_set_visible(self->making, !is_mesh);
    gtk_widget_set_visible(self->style, is_mesh);
    gtk_widget_set_visible(GTK_WIDGET(self->iso), layer->payload.volume != NULL);
    gtk_widget_set_visible(GTK_WIDGET(self->iso_label), layer->payload.volume != NULL);
    if (layer->payload.volume != NULL)
        propose_iso(self, layer);
    if (!is_mesh)
        return;

    GdkRGBA rgba = { (float) layer->mesh_rgb[0], (float) layer->mesh_rgb[1],
                     (float) layer->mesh_rgb[2], 1.0f };
    gtk_color_chooser_set_rgba(GTK_COLOR_CHOOSER(self->colour), &rgba);
    gtk_adjustment_set_value(self->opacity_adjustment, 100.0 * layer->opacity);
    ask_measures(self, layer->payload.mesh);
    show_source(self, layer);
    show_check(self, layer);
}

static void
on_again(GtkButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);

    if (layer != NULL && layer->payload.mesh != NULL)
        bg_mesh_job_again(bg_section_get_session(user_data), layer);
}

// Labels that are shown; their common colour when there is one.
static GArray *
list_labels(const BgLayer *layer, double rgb[3])
{
    GArray *labels = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (gsize i = 0; layer->labels != NULL && i < bg_label_table_count(layer->labels); i++) {
        const BgLabelEntry *entry = bg_label_table_get(layer->labels, i);
        if (!entry->visible)
            continue;
        g_array_append_val(labels, entry->label);
        for (int c = 0; c < 3; c++)
            rgb[c] = (double) entry->rgb[c];
    }
    return labels;
}

static void
on_make(GtkButton *button, gpointer user_data)
{
    BgMeshSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));
    g_autoptr(GArray) labels = NULL;
    BgMeshCut cut = { .iso = gtk_spin_button_get_value(self->iso),
                      .n_smooth = (guint) gtk_spin_button_get_value_as_int(self->smooth),
                      .keep = gtk_spin_button_get_value(self->keep) / 100.0,
                      .largest = gtk_check_button_get_active(self->largest) };

    if (layer == NULL || (layer->payload.volume == NULL && layer->payload.labels == NULL))
        return;
    for (int c = 0; c < 3; c++)
        cut.rgb[c] = new_mesh_rgb[c];
    if (layer->payload.labels != NULL) {
        labels = list_labels(layer, cut.rgb);
        cut.labels = (const guint32 *) (gpointer) labels->data;
        cut.n_labels = labels->len;
        if (labels->len == 0) {
            g_autoptr(GError) error =
                g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                    _("No label is shown. Tick those that the mesh is made of"));
            bg_session_fail(session, NULL, error);
            return;
        }
    }
    bg_mesh_job_cut(session, layer, &cut);
}

static void
on_colour_set(GtkColorButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);
    GdkRGBA rgba;

    if (layer == NULL)
        return;
    gtk_color_chooser_get_rgba(GTK_COLOR_CHOOSER(button), &rgba);
    double rgb[3] = { (double) rgba.red, (double) rgba.green, (double) rgba.blue };
    bg_section_do(user_data, bg_command_set_mesh_style(layer->id, rgb, layer->mesh_wireframe));
}

static void
on_opacity_changed(GtkRange *range, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);

    if (layer != NULL && !bg_section_is_updating(user_data))
        bg_section_do(user_data,
                      bg_command_set_opacity(layer->id, gtk_range_get_value(range) / 100.0));
}

static void
save_to(GtkWidget *asker, const char *path)
{
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(asker));

    if (layer != NULL && layer->payload.mesh != NULL)
        bg_mesh_job_save(bg_section_get_session(BG_SECTION(asker)), layer, path);
}

static void
on_export(GtkButton *button, gpointer user_data)
{
    BgFileChoice choice = { .title = _("Export the mesh: STL, PLY, OBJ, GLB or VTK, LPS mm"),
                            .accept = _("_Export"),
                            .suggested_name = "mesh.stl",
                            .filter_name = _("Meshes"),
                            .patterns = "*.stl *.ply *.obj *.glb *.vtk",
                            .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static void
bg_mesh_section_finalize(GObject *object)
{
    g_free(BG_MESH_SECTION(object)->iso_of);

    G_OBJECT_CLASS(bg_mesh_section_parent_class)->finalize(object);
}

static void
bg_mesh_section_class_init(BgMeshSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_mesh_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-mesh-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, making);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, style);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, iso_label);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, measures);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, stale);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, again);
    gtk_widget_class_bind_template_callback(widget_class, on_again);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, check);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, findings);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, repair);
    gtk_widget_class_bind_template_callback(widget_class, on_check);
    gtk_widget_class_bind_template_callback(widget_class, on_repair);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, iso);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, smooth);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, keep);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, iso_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, opacity_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, largest);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, make);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, export);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, colour);
    gtk_widget_class_bind_template_child(widget_class, BgMeshSection, opacity);
    gtk_widget_class_bind_template_callback(widget_class, on_make);
    gtk_widget_class_bind_template_callback(widget_class, on_colour_set);
    gtk_widget_class_bind_template_callback(widget_class, on_opacity_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_export);
}

static void
bg_mesh_section_init(BgMeshSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->opacity));
}
