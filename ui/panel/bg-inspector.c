// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-inspector.h"

#include "core/base/bg-i18n.h"
#include "ui/panel/bg-camera-section.h"
#include "ui/panel/bg-clip-section.h"
#include "ui/panel/bg-compare-section.h"
#include "ui/panel/bg-display-section.h"
#include "ui/panel/bg-distance-section.h"
#include "ui/panel/bg-doubts-section.h"
#include "ui/panel/bg-edit-section.h"
#include "ui/panel/bg-error-section.h"
#include "ui/panel/bg-fusion-section.h"
#include "ui/panel/bg-guide-section.h"
#include "ui/panel/bg-kept-section.h"
#include "ui/panel/bg-labels-section.h"
#include "ui/panel/bg-manual-section.h"
#include "ui/panel/bg-measure-section.h"
#include "ui/panel/bg-mesh-section.h"
#include "ui/panel/bg-plan-section.h"
#include "ui/panel/bg-points-section.h"
#include "ui/panel/bg-prepare-section.h"
#include "ui/panel/bg-provenance-section.h"
#include "ui/panel/bg-segment-section.h"
#include "ui/panel/bg-sizes-section.h"
#include "ui/panel/bg-transfer-section.h"

struct _BgInspector {
    GtkWidget parent_instance;

    GtkWidget *root; // of the template, unparented in dispose
    GtkLabel *title; // of the template, borrowed
    // likewise
    BgSection *display, *labels, *transfer, *mesh, *clip, *measure, *points, *camera, *provenance;
    BgSection *doubts, *fusion, *guide, *plan, *segment, *error, *manual, *edit, *compare, *prepare,
        *sizes, *distance, *kept;

    BgSession *session; // owned, nullable
    gulong changed_id;
};

G_DEFINE_FINAL_TYPE(BgInspector, bg_inspector, GTK_TYPE_WIDGET)

static void
update_title(BgInspector *self)
{
    const BgLayer *layer = bg_session_get_selected(self->session);

    gtk_label_set_text(self->title, layer != NULL ? layer->name : _("Nothing is selected"));
}

static void
on_changed(BgSession *session, guint changes, gpointer user_data)
{
    if (changes & (BG_CHANGE_SELECTION | BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_CASE))
        update_title(user_data);
}

void
bg_inspector_set_session(BgInspector *self, BgSession *session)
{
    BgSection *const sections[] = { self->display,    self->camera,  self->labels,  self->transfer,
                                    self->mesh,       self->clip,    self->measure, self->points,
                                    self->provenance, self->doubts,  self->fusion,  self->guide,
                                    self->plan,       self->segment, self->error,   self->manual,
                                    self->edit,       self->compare, self->prepare, self->sizes,
                                    self->distance,   self->kept };

    g_return_if_fail(BG_IS_INSPECTOR(self));
    g_return_if_fail(self->session == NULL);

    self->session = g_object_ref(session);
    self->changed_id = g_signal_connect(session, "changed", G_CALLBACK(on_changed), self);
    for (guint i = 0; i < G_N_ELEMENTS(sections); i++)
        bg_section_set_session(sections[i], session);
    update_title(self);
}

GtkWidget *
bg_inspector_new(BgSession *session)
{
    GtkWidget *self = g_object_new(BG_TYPE_INSPECTOR, NULL);

    bg_inspector_set_session(BG_INSPECTOR(self), session);
    return self;
}

static void
bg_inspector_dispose(GObject *object)
{
    BgInspector *self = BG_INSPECTOR(object);

    if (self->session != NULL)
        g_clear_signal_handler(&self->changed_id, self->session);
    g_clear_object(&self->session);
    g_clear_pointer(&self->root, gtk_widget_unparent);

    G_OBJECT_CLASS(bg_inspector_parent_class)->dispose(object);
}

static void
bg_inspector_class_init(BgInspectorClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = bg_inspector_dispose;

    g_type_ensure(BG_TYPE_CAMERA_SECTION);
    g_type_ensure(BG_TYPE_CLIP_SECTION);
    g_type_ensure(BG_TYPE_DOUBTS_SECTION);
    g_type_ensure(BG_TYPE_DISPLAY_SECTION);
    g_type_ensure(BG_TYPE_DISTANCE_SECTION);
    g_type_ensure(BG_TYPE_ERROR_SECTION);
    g_type_ensure(BG_TYPE_FUSION_SECTION);
    g_type_ensure(BG_TYPE_GUIDE_SECTION);
    g_type_ensure(BG_TYPE_KEPT_SECTION);
    g_type_ensure(BG_TYPE_LABELS_SECTION);
    g_type_ensure(BG_TYPE_MANUAL_SECTION);
    g_type_ensure(BG_TYPE_MEASURE_SECTION);
    g_type_ensure(BG_TYPE_MESH_SECTION);
    g_type_ensure(BG_TYPE_PLAN_SECTION);
    g_type_ensure(BG_TYPE_POINTS_SECTION);
    g_type_ensure(BG_TYPE_PROVENANCE_SECTION);
    g_type_ensure(BG_TYPE_EDIT_SECTION);
    g_type_ensure(BG_TYPE_COMPARE_SECTION);
    g_type_ensure(BG_TYPE_PREPARE_SECTION);
    g_type_ensure(BG_TYPE_SIZES_SECTION);
    g_type_ensure(BG_TYPE_SEGMENT_SECTION);
    g_type_ensure(BG_TYPE_TRANSFER_SECTION);
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_css_name(widget_class, "inspector");
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-inspector.ui");
    gtk_widget_class_bind_template_child(widget_class, BgInspector, root);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, title);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, display);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, guide);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, kept);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, labels);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, transfer);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, mesh);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, distance);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, camera);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, clip);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, doubts);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, fusion);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, error);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, manual);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, measure);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, plan);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, points);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, provenance);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, segment);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, sizes);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, prepare);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, compare);
    gtk_widget_class_bind_template_child(widget_class, BgInspector, edit);
}

static void
bg_inspector_init(BgInspector *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
}
