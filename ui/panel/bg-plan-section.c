// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-plan-section.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-i18n.h"
#include "ui/dialog/bg-file-dialog.h"
#include "ui/model/bg-kept.h"
#include "ui/model/bg-plan.h"
#include "ui/model/bg-points.h"
#include "ui/view/bg-oblique-view.h"

#define PREVIEW_OUT_MM 40.0
#define SLICE_MARGIN_MM 16.0 // seen around what is cropped

struct _BgPlanSection {
    BgSection parent_instance;

    // of the template, borrowed
    GtkLabel *state;
    GtkAdjustment *depth_adjustment, *margin_adjustment, *slice_adjustment;
    GtkDropDown *shape;
    GtkCheckButton *preview, *on_surface;
    GtkWidget *crop, *keep, *slices;
    BgObliqueView *oblique;
};

G_DEFINE_FINAL_TYPE(BgPlanSection, bg_plan_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);
    const BgLayer *volume = bg_session_get_volume(session);

    return volume != NULL && bg_points_of_layer(session, volume->id) != NULL;
}

static BgPlan
plan_of(BgPlanSection *self)
{
    return (BgPlan){ .depth_mm = gtk_adjustment_get_value(self->depth_adjustment),
                     .margin_mm = gtk_adjustment_get_value(self->margin_adjustment),
                     .on_surface = gtk_check_button_get_active(self->on_surface),
                     .shape = gtk_drop_down_get_selected(self->shape) == 1 ? BG_PRISM_CYLINDER
                                                                           : BG_PRISM_POLYGON };
}

// The slice at the depth that is looked at, as wide as what is cropped.
static void
show_slice(BgPlanSection *self, const BgPrism *prism)
{
    double depth_mm = gtk_adjustment_get_value(self->slice_adjustment), reach_mm = prism->radius_mm;

    for (guint i = 0; prism->outline != NULL && i < prism->outline->len; i++) {
        const BgContourPoint *p = &g_array_index(prism->outline, BgContourPoint, i);
        reach_mm = fmax(reach_mm, hypot(p->x, p->y));
    }
    const BgObliqueLook look = { .middle_mm =
                                     bg_vec3_along(prism->origin_mm, depth_mm, prism->normal),
                                 .normal = prism->normal,
                                 .extent_mm = 2.0 * reach_mm + SLICE_MARGIN_MM,
                                 .depth_mm = depth_mm };
    bg_oblique_view_show(self->oblique, bg_section_get_session(BG_SECTION(self)), &look);
}

static void
show(BgPlanSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgPlan plan = plan_of(self);
    g_autoptr(GError) error = NULL;
    BgLandmarkPlane plane;
    g_autoptr(BgPrism) prism = bg_plan_prism(session, &plan, &plane, &error);
    g_autoptr(BgMesh) mesh = NULL;

    gtk_widget_set_sensitive(self->crop, prism != NULL);
    gtk_widget_set_sensitive(self->keep, prism != NULL);
    gtk_widget_set_sensitive(self->slices, prism != NULL);
    gtk_widget_set_sensitive(GTK_WIDGET(self->on_surface), bg_plan_has_surface(session));
    gtk_adjustment_set_upper(self->slice_adjustment, plan.depth_mm);
    if (prism == NULL) {
        gtk_label_set_text(self->state, error->message);
        bg_oblique_view_show(self->oblique, NULL, NULL);
    } else {
        show_slice(self, prism);
        BgVec3 bottom_mm = bg_prism_get_bottom(prism);
        g_autofree char *from = bg_format_position(prism->origin_mm);
        g_autofree char *to = bg_format_position(bottom_mm);
        g_autofree char *words =
            // Translators: two positions, and a length
            g_strdup_printf(_("From %s to %s. Points lie %.1f mm off their plane (root mean "
                              "square)."),
                            from, to, plane.rms_mm);
        gtk_label_set_text(self->state, words);
        if (gtk_check_button_get_active(self->preview)) {
            // It reaches out of the head, or an opaque skin would hide it.
            prism->origin_mm = bg_vec3_along(prism->origin_mm, -PREVIEW_OUT_MM, prism->normal);
            prism->depth_mm += PREVIEW_OUT_MM;
            mesh = bg_prism_to_mesh(prism, NULL);
        }
    }
    bg_session_set_preview(session, mesh);
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    if (changes & (BG_CHANGE_LANDMARKS | BG_CHANGE_CASE | BG_CHANGE_LAYERS | BG_CHANGE_SELECTION |
                   BG_CHANGE_LOOK))
        show(BG_PLAN_SECTION(section));
}

static void
on_changed(BgPlanSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));

    if (session != NULL && applies(BG_SECTION(self), NULL))
        show(self);
}

static void
on_crop(GtkButton *button, gpointer user_data)
{
    BgPlanSection *self = user_data;
    const BgPlan plan = plan_of(self);

    bg_plan_crop(bg_section_get_session(BG_SECTION(self)), &plan);
    gtk_check_button_set_active(self->preview, FALSE);
}

static void
on_keep(GtkButton *button, gpointer user_data)
{
    BgPlanSection *self = user_data;
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    const BgPlan plan = plan_of(self);
    BgLandmarkPlane plane;
    g_autoptr(BgPrism) prism = bg_plan_prism(session, &plan, &plane, NULL);

    if (prism != NULL)
        bg_kept_cut(session, bg_session_get_volume(session), prism, plan.margin_mm, plane.rms_mm);
}

static void
save_to(GtkWidget *asker, const char *path)
{
    const BgPlan plan = plan_of(BG_PLAN_SECTION(asker));

    bg_plan_save_slices(bg_section_get_session(BG_SECTION(asker)), &plan, path);
}

static void
on_slices(GtkButton *button, gpointer user_data)
{
    const BgFileChoice choice = { .title = _("Save slices"),
                                  .accept = _("_Save"),
                                  .suggested_name = "slices.h5",
                                  .filter_name = _("Slices"),
                                  .patterns = "*.h5",
                                  .save = TRUE };

    bg_file_dialog_ask(user_data, &choice, save_to);
}

static void
bg_plan_section_class_init(BgPlanSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    g_type_ensure(BG_TYPE_OBLIQUE_VIEW);
    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-plan-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, state);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, depth_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, margin_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, shape);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, preview);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, crop);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, slice_adjustment);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, on_surface);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, oblique);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, slices);
    gtk_widget_class_bind_template_child(widget_class, BgPlanSection, keep);
    gtk_widget_class_bind_template_callback(widget_class, on_keep);
    gtk_widget_class_bind_template_callback(widget_class, on_crop);
    gtk_widget_class_bind_template_callback(widget_class, on_slices);
}

static void
bg_plan_section_init(BgPlanSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->depth_adjustment, "value-changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->margin_adjustment, "value-changed", G_CALLBACK(on_changed),
                             self);
    g_signal_connect_swapped(self->shape, "notify::selected", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->slice_adjustment, "value-changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->on_surface, "toggled", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->preview, "toggled", G_CALLBACK(on_changed), self);
}
