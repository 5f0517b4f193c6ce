// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-distance-section.h"

#include "core/base/bg-i18n.h"
#include "core/surface/bg-mesh-distance.h"
#include "ui/model/bg-distance-job.h"

struct _BgDistanceSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkWidget *asking, *shown;
    GtkDropDown *to;
    GtkWidget *colour;
    GtkLabel *state, *numbers;
    GtkSpinButton *range;

    char *listed;   // owned, nullable: ids and names in the list
    guint64 spread; // serial of the mesh whose numbers are shown
};

G_DEFINE_FINAL_TYPE(BgDistanceSection, bg_distance_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    return layer != NULL && layer->payload.mesh != NULL;
}

// The list leaves the selected layer and maps out; its first row is "none".
static const BgLayer *
other_of(BgDistanceSection *self)
{
    const BgLayer *selected = bg_section_get_layer(BG_SECTION(self));
    const GPtrArray *layers =
        bg_session_get_state(bg_section_get_session(BG_SECTION(self)))->layers;
    guint position = gtk_drop_down_get_selected(self->to);

    for (guint i = 0; position > 0 && i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.mesh != NULL && layer != selected && !bg_distance_job_is_map(layer) &&
            --position == 0)
            return layer;
    }
    return NULL;
}

static gpointer
find_spread(gpointer data, GCancellable *cancellable, GError **error)
{
    BgMeshSpread *spread = g_new0(BgMeshSpread, 1);

    if (bg_mesh_spread(data, spread, error))
        return spread;
    g_free(spread);
    return NULL;
}

static void
on_spread(gpointer owner, gpointer result, const GError *error)
{
    BgDistanceSection *self = owner;
    g_autofree BgMeshSpread *s = result;
    const BgLayer *layer = bg_section_get_layer(BG_SECTION(self));

    if (s == NULL || layer == NULL || !bg_distance_job_is_map(layer))
        return;
    g_autofree char *to = bg_distance_job_to(layer);
    g_autofree char *words = g_strdup_printf(
        // Translators: a surface's name, then distances to it with their sign, negative inside
        _("To %s: %+.1f to %+.1f mm, mean %+.2f mm\n"
          "Without sign: mean %.2f mm, 95 %% of the surface within %.1f mm"),
        to != NULL ? to : _("another surface"), s->low_mm, s->high_mm, s->mean_mm, s->mean_abs_mm,
        s->p95_abs_mm);
    gtk_label_set_text(self->numbers, words);
}

static void
ask_spread(BgDistanceSection *self, BgMesh *mesh)
{
    if (self->spread == bg_mesh_get_serial(mesh))
        return;
    self->spread = bg_mesh_get_serial(mesh);
    gtk_label_set_text(self->numbers, _("Measuring…"));
    BgWork work = { .owner = G_OBJECT(self),
                    .yields = TRUE,
                    .func = find_spread,
                    .request = bg_mesh_ref(mesh),
                    .free_request = (GDestroyNotify) bg_mesh_unref,
                    .done = on_spread,
                    .free_result = g_free };
    bg_worker_post(bg_session_get_idle_worker(bg_section_get_session(BG_SECTION(self))), &work);
}

static void
list_others(BgDistanceSection *self, const BgLayer *layer)
{
    const GPtrArray *layers =
        bg_session_get_state(bg_section_get_session(BG_SECTION(self)))->layers;
    GtkStringList *names = gtk_string_list_new(NULL);
    g_autoptr(GString) all = g_string_new(layer->id);

    gtk_string_list_append(names, _("None"));
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *other = layers->pdata[i];
        if (other->payload.mesh == NULL || other == layer || bg_distance_job_is_map(other))
            continue;
        gtk_string_list_append(names, other->name);
        g_string_append_printf(all, "\t%s\t%s", other->id, other->name);
    }
    if (g_strcmp0(self->listed, all->str) != 0) {
        gtk_drop_down_set_model(self->to, G_LIST_MODEL(names));
        gtk_drop_down_set_selected(self->to, 0);
        g_free(self->listed);
        self->listed = g_strdup(all->str);
    }
    g_object_unref(names);
}

static void
show_state(BgDistanceSection *self)
{
    gboolean any = g_list_model_get_n_items(gtk_drop_down_get_model(self->to)) > 1;

    gtk_widget_set_sensitive(self->colour, other_of(self) != NULL);
    gtk_label_set_text(self->state, any ? _("Outside of the other surface is red, inside is blue")
                                        : _("There is no other mesh to measure to"));
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgDistanceSection *self = BG_DISTANCE_SECTION(section);
    gboolean is_map = bg_distance_job_is_map(layer);

    gtk_widget_set_visible(self->asking, !is_map);
    gtk_widget_set_visible(self->shown, is_map);
    list_others(self, layer);
    show_state(self);
    if (!is_map)
        return;
    gtk_spin_button_set_value(self->range, bg_distance_job_range_mm(layer));
    ask_spread(self, layer->payload.mesh);
}

static void
on_to(GtkDropDown *list, GParamSpec *pspec, gpointer user_data)
{
    if (!bg_section_is_updating(user_data))
        show_state(user_data);
}

static void
on_colour(GtkButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data), *to = other_of(user_data);

    if (layer != NULL && layer->payload.mesh != NULL && to != NULL)
        bg_distance_job_meshes(bg_section_get_session(user_data), layer, to);
}

static void
on_range(GtkSpinButton *button, gpointer user_data)
{
    const BgLayer *layer = bg_section_get_layer(user_data);

    if (layer != NULL && !bg_section_is_updating(user_data))
        bg_section_do(user_data, bg_command_set_window(layer->id, 0.0,
                                                       2.0 * gtk_spin_button_get_value(button)));
}

static void
bg_distance_section_finalize(GObject *object)
{
    g_free(BG_DISTANCE_SECTION(object)->listed);

    G_OBJECT_CLASS(bg_distance_section_parent_class)->finalize(object);
}

static void
bg_distance_section_class_init(BgDistanceSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_distance_section_finalize;
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-distance-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, asking);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, shown);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, to);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, colour);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, numbers);
    gtk_widget_class_bind_template_child(widget_class, BgDistanceSection, range);
    gtk_widget_class_bind_template_callback(widget_class, on_to);
    gtk_widget_class_bind_template_callback(widget_class, on_colour);
    gtk_widget_class_bind_template_callback(widget_class, on_range);
}

static void
bg_distance_section_init(BgDistanceSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
}
