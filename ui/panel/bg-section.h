// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_SECTION (bg_section_get_type())

/**
 * BgSection:
 *
 * A part of the inspector about the selected layer. Hidden where it does not apply; shown a moment after it does,
 * one section after the other. Main thread only.
 */
G_DECLARE_DERIVABLE_TYPE(BgSection, bg_section, BG, SECTION, GtkBox)

/**
 * BgSectionClass:
 * @applies: whether there is anything to show; @layer: (nullable): the selected one
 * @update: shows what the session says; called only while it applies, with
 *   bg_section_is_updating() true, so that handlers of widgets can tell their user from this
 */
struct _BgSectionClass {
    GtkBoxClass parent_class;

    gboolean (*applies)(BgSection *self, const BgLayer *layer);
    void (*update)(BgSection *self, const BgLayer *layer, BgChange changes);
};

/** bg_section_set_session: once, after construction */
void bg_section_set_session(BgSection *self, BgSession *session);

/** bg_section_get_session: (transfer none) (nullable): %NULL after dispose */
BgSession *bg_section_get_session(BgSection *self);

/** bg_section_get_layer: (transfer none) (nullable): the selected one */
const BgLayer *bg_section_get_layer(BgSection *self);

/** bg_section_is_updating: widgets are being set by the program, not by the user */
gboolean bg_section_is_updating(BgSection *self);

/** bg_section_do: @command: (transfer full): done unless the widgets are being set by the program */
void bg_section_do(BgSection *self, BgCommand *command);

/**
 * bg_section_group_drags:
 * @widget: a scale or the like
 *
 * What a press of the button on @widget and its release enclose becomes one step of undo.
 */
void bg_section_group_drags(BgSection *self, GtkWidget *widget);

G_END_DECLS
