// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-provenance-section.h"

#include "core/base/bg-i18n.h"

struct _BgProvenanceSection {
    BgSection parent_instance;

    GtkLabel *text; // of the template, borrowed
};

G_DEFINE_FINAL_TYPE(BgProvenanceSection, bg_provenance_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL;
}

static void
tell_geometry(GString *text, const BgGeometry *geometry)
{
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);
    double oblique_deg = bg_geometry_obliquity_deg(geometry);
    double shear_deg = bg_geometry_shear_deg(geometry);
    char code[4];

    bg_geometry_axis_code(geometry, code);
    // Translators: numbers of voxels along three axes, and the distances between them
    g_string_append_printf(text, _("%d × %d × %d voxels of %.4g × %.4g × %.4g mm"),
                           geometry->dims[0], geometry->dims[1], geometry->dims[2], spacing_mm.x,
                           spacing_mm.y, spacing_mm.z);
    // Translators: three letters such as LPS
    g_string_append_printf(text, _("\nAxes %s"), code);
    if (oblique_deg > 0.05)
        g_string_append_printf(text, _(", oblique by %.1f°"), oblique_deg);
    if (shear_deg > 0.05)
        g_string_append_printf(text, _(", sheared by %.1f°"), shear_deg);
    g_string_append_c(text, '\n');
}

static void
tell_content(GString *text, const BgPayload *payload)
{
    if (payload->volume != NULL) {
        tell_geometry(text, bg_volume_get_geometry(payload->volume));
        g_string_append_printf(text, "%s\n",
                               bg_sample_type_name(bg_volume_get_format(payload->volume).type));
    } else if (payload->labels != NULL) {
        tell_geometry(text, bg_label_map_get_geometry(payload->labels));
        g_string_append_printf(text, "%s\n",
                               bg_label_type_name(bg_label_map_get_label_type(payload->labels)));
    } else if (payload->mesh != NULL) {
        const BgMeshData *data = bg_mesh_get_data(payload->mesh);
        // Translators: a mesh's triangles and vertices
        g_string_append_printf(text, _("%zu triangles, %zu vertices, LPS mm\n"), data->n_triangles,
                               data->n_vertices);
    }
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgProvenanceSection *self = BG_PROVENANCE_SECTION(section);
    GString *text = g_string_new(NULL);

    tell_content(text, &layer->payload);
    if (layer->source.path[0] != '\0')
        g_string_append_printf(text, "%s\n", layer->source.path);
    if (layer->source.sha256[0] != '\0')
        g_string_append_printf(text, "SHA-256 %s\n", layer->source.sha256);
    if (layer->generated_by[0] != '\0')
        // Translators: the name of the operation that made a layer
        g_string_append_printf(text, _("Computed by %s\n%s\n"), layer->generated_by,
                               layer->parameters);
    if (bg_case_layer_lacks_identity(bg_session_get_case(bg_section_get_session(section)), layer))
        g_string_append(text, _("The file does not say whose it is\n"));
    if (layer->override_reason[0] != '\0')
        // Translators: what a person typed to let another patient's layer in
        g_string_append_printf(text, _("Of another patient, let in because: %s\n"),
                               layer->override_reason);
    if (text->len > 0)
        g_string_truncate(text, text->len - 1);
    gtk_label_set_text(self->text, text->str);
    g_string_free(text, TRUE);
}

static void
bg_provenance_section_class_init(BgProvenanceSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-provenance-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgProvenanceSection, text);
}

static void
bg_provenance_section_init(BgProvenanceSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
