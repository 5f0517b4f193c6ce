// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-section.h"

#include "ui/panel/bg-form.h"

#define SHOW_EVERY_MS 20

typedef struct {
    BgSession *session; // owned
    gulong changed_id;
    gboolean updating;
    gboolean grouping; // a gesture of the case is open
} BgSectionPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(BgSection, bg_section, GTK_TYPE_BOX)

static BgSectionPrivate *
get_private(BgSection *self)
{
    return bg_section_get_instance_private(self);
}

// Sections that shall be shown: one after the other, as the widgets of all at once hold the window up for longer
// than a person does not notice.
static GQueue waiting = G_QUEUE_INIT;
static guint waiting_id;

static void
fill(BgSection *self, const BgLayer *layer, BgChange changes)
{
    BgSectionPrivate *private = get_private(self);

    private->updating = TRUE;
    BG_SECTION_GET_CLASS(self)->update(self, layer, changes);
    private->updating = FALSE;
}

static gboolean
show_next(gpointer user_data)
{
    BgSection *self = g_queue_pop_head(&waiting);

    if (self != NULL) {
        gtk_widget_set_visible(GTK_WIDGET(self), TRUE);
        fill(self, bg_session_get_selected(get_private(self)->session), BG_CHANGE_ALL);
    }
    if (!g_queue_is_empty(&waiting))
        return G_SOURCE_CONTINUE;
    waiting_id = 0;
    return G_SOURCE_REMOVE;
}

static void
wait_to_be_shown(BgSection *self)
{
    if (g_queue_find(&waiting, self) == NULL)
        g_queue_push_tail(&waiting, self);
    if (waiting_id == 0)
        waiting_id = g_timeout_add(SHOW_EVERY_MS, show_next, NULL);
}

static void
update(BgSection *self, BgChange changes)
{
    const BgLayer *layer = bg_session_get_selected(get_private(self)->session);

    if (!BG_SECTION_GET_CLASS(self)->applies(self, layer)) {
        g_queue_remove(&waiting, self);
        gtk_widget_set_visible(GTK_WIDGET(self), FALSE);
    } else if (gtk_widget_get_visible(GTK_WIDGET(self))) {
        fill(self, layer, changes);
    } else {
        wait_to_be_shown(self);
    }
}

static void
on_changed(BgSession *session, guint changes, gpointer user_data)
{
    update(user_data, (BgChange) changes);
}

void
bg_section_set_session(BgSection *self, BgSession *session)
{
    BgSectionPrivate *private = get_private(self);

    g_return_if_fail(BG_IS_SECTION(self));
    g_return_if_fail(private->session == NULL);

    bg_form_name_inside(GTK_WIDGET(self));
    private->session = g_object_ref(session);
    private->changed_id = g_signal_connect(session, "changed", G_CALLBACK(on_changed), self);
    gtk_widget_set_visible(GTK_WIDGET(self), FALSE);
    update(self, BG_CHANGE_ALL);
}

BgSession *
bg_section_get_session(BgSection *self)
{
    g_return_val_if_fail(BG_IS_SECTION(self), NULL);

    return get_private(self)->session;
}

const BgLayer *
bg_section_get_layer(BgSection *self)
{
    BgSession *session = bg_section_get_session(self);

    return session != NULL ? bg_session_get_selected(session) : NULL;
}

gboolean
bg_section_is_updating(BgSection *self)
{
    BgSectionPrivate *private = get_private(self);

    return private->updating || private->session == NULL;
}

void
bg_section_do(BgSection *self, BgCommand *command)
{
    if (bg_section_is_updating(self))
        bg_command_unref(command);
    else
        bg_session_do(get_private(self)->session, command);
}

static void
end_group(BgSection *self)
{
    BgSectionPrivate *private = get_private(self);

    if (!private->grouping)
        return;
    private->grouping = FALSE;
    bg_case_end_gesture(bg_session_get_case(private->session));
}

static gboolean
on_event(GtkEventControllerLegacy *controller, GdkEvent *event, gpointer user_data)
{
    BgSection *self = user_data;
    BgSectionPrivate *private = get_private(self);

    if (private->session == NULL)
        return FALSE;
    switch (gdk_event_get_event_type(event)) {
    case GDK_BUTTON_PRESS:
        if (!private->grouping) {
            private->grouping = TRUE;
            bg_case_begin_gesture(bg_session_get_case(private->session), NULL);
        }
        break;
    case GDK_BUTTON_RELEASE:
    case GDK_GRAB_BROKEN:
        end_group(self);
        break;
    default:
        break;
    }
    return FALSE;
}

void
bg_section_group_drags(BgSection *self, GtkWidget *widget)
{
    // Gestures would be denied when the widget's own one claims the drag: look at the bare events.
    GtkEventController *controller = gtk_event_controller_legacy_new();

    gtk_event_controller_set_propagation_phase(controller, GTK_PHASE_CAPTURE);
    g_signal_connect(controller, "event", G_CALLBACK(on_event), self);
    gtk_widget_add_controller(widget, controller);
}

static void
bg_section_dispose(GObject *object)
{
    BgSection *self = BG_SECTION(object);
    BgSectionPrivate *private = get_private(self);

    g_queue_remove(&waiting, self);
    if (private->session != NULL) {
        end_group(self);
        g_clear_signal_handler(&private->changed_id, private->session);
    }
    g_clear_object(&private->session);

    G_OBJECT_CLASS(bg_section_parent_class)->dispose(object);
}

static void
bg_section_class_init(BgSectionClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_section_dispose;
}

static void
bg_section_init(BgSection *self)
{
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
}
