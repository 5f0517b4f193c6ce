// SPDX-License-Identifier: Apache-2.0
#include "ui/panel/bg-clip-section.h"

#include "core/base/bg-i18n.h"

#define N_LIMITS 6 // low and high of x, y, z

struct _BgClipSection {
    BgSection parent_instance;

    GtkCheckButton *enabled;         // of the template, borrowed
    GtkAdjustment *limits[N_LIMITS]; // likewise
    GtkSpinButton *spins[N_LIMITS];  // likewise
};

G_DEFINE_FINAL_TYPE(BgClipSection, bg_clip_section, BG_TYPE_SECTION)

static gboolean
applies(BgSection *section, const BgLayer *layer)
{
    BgSession *session = bg_section_get_session(section);

    return layer != NULL && session != NULL && bg_session_get_geometry(session) != NULL;
}

static gboolean
is_unset(const BgClip *clip)
{
    return bg_vec3_distance(clip->low_mm, clip->high_mm) == 0.0;
}

static BgClip
get_clip(BgClipSection *self)
{
    BgSession *session = bg_section_get_session(BG_SECTION(self));
    BgClip clip = bg_session_get_state(session)->clip;

    if (is_unset(&clip))
        bg_geometry_bounds_mm(bg_session_get_geometry(session), &clip.low_mm, &clip.high_mm);
    return clip;
}

static void
update(BgSection *section, const BgLayer *layer, BgChange changes)
{
    BgClipSection *self = BG_CLIP_SECTION(section);
    BgClip clip = get_clip(self);

    gtk_check_button_set_active(self->enabled, clip.enabled);
    for (int axis = 0; axis < 3; axis++) {
        gtk_adjustment_set_value(self->limits[2 * axis], bg_vec3_get(clip.low_mm, axis));
        gtk_adjustment_set_value(self->limits[2 * axis + 1], bg_vec3_get(clip.high_mm, axis));
    }
    for (int i = 0; i < N_LIMITS; i++)
        gtk_widget_set_sensitive(GTK_WIDGET(self->spins[i]), clip.enabled);
}

static void
on_enabled_toggled(GtkCheckButton *button, gpointer user_data)
{
    BgClipSection *self = user_data;

    if (bg_section_is_updating(BG_SECTION(self)))
        return;
    BgClip clip = get_clip(self);
    bg_section_do(BG_SECTION(self), bg_command_set_clip(gtk_check_button_get_active(button),
                                                        clip.low_mm, clip.high_mm));
}

// A face stops at the one opposite.
static void
on_limit_changed(GtkAdjustment *adjustment, gpointer user_data)
{
    BgClipSection *self = user_data;

    if (bg_section_is_updating(BG_SECTION(self)))
        return;
    BgClip clip = get_clip(self);
    for (int axis = 0; axis < 3; axis++) {
        double low = gtk_adjustment_get_value(self->limits[2 * axis]);
        double high = gtk_adjustment_get_value(self->limits[2 * axis + 1]);
        if (adjustment == self->limits[2 * axis])
            low = MIN(low, high);
        else
            high = MAX(low, high);
        bg_vec3_set(&clip.low_mm, axis, low);
        bg_vec3_set(&clip.high_mm, axis, high);
    }
    bg_section_do(BG_SECTION(self), bg_command_set_clip(clip.enabled, clip.low_mm, clip.high_mm));
}

static void
on_whole(GtkButton *button, gpointer user_data)
{
    BgSession *session = bg_section_get_session(user_data);
    BgVec3 low_mm, high_mm;

    bg_geometry_bounds_mm(bg_session_get_geometry(session), &low_mm, &high_mm);
    bg_section_do(user_data, bg_command_set_clip(bg_session_get_state(session)->clip.enabled,
                                                 low_mm, high_mm));
}

static void
bg_clip_section_class_init(BgClipSectionClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    BG_SECTION_CLASS(klass)->applies = applies;
    BG_SECTION_CLASS(klass)->update = update;

    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/bregma/Bregma/ui/bg-clip-section.ui");
    gtk_widget_class_bind_template_child(widget_class, BgClipSection, enabled);
    for (int i = 0; i < N_LIMITS; i++) {
        g_autofree char *limit = g_strdup_printf("limit%d", i);
        g_autofree char *spin = g_strdup_printf("spin%d", i);
        gtk_widget_class_bind_template_child_full(
            widget_class, limit, FALSE,
            (gssize) (G_STRUCT_OFFSET(BgClipSection, limits) + (gsize) i * sizeof(gpointer)));
        gtk_widget_class_bind_template_child_full(
            widget_class, spin, FALSE,
            (gssize) (G_STRUCT_OFFSET(BgClipSection, spins) + (gsize) i * sizeof(gpointer)));
    }
    gtk_widget_class_bind_template_callback(widget_class, on_enabled_toggled);
    gtk_widget_class_bind_template_callback(widget_class, on_limit_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_whole);
}

static void
bg_clip_section_init(BgClipSection *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    for (int i = 0; i < N_LIMITS; i++)
        bg_section_group_drags(BG_SECTION(self), GTK_WIDGET(self->spins[i]));
}
