// SPDX-License-Identifier: Apache-2.0
// Inline messages over the panes: what happened, to which file, what to do.
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_BANNER_BOX (bg_banner_box_get_type())
G_DECLARE_FINAL_TYPE(BgBannerBox, bg_banner_box, BG, BANNER_BOX, GtkWidget)

GtkWidget *bg_banner_box_new(void);

/**
 * bg_banner_box_tell:
 * @css_class: "error", "caution" or "info"
 * @details: (nullable): shown when asked for
 * @action_label, @action: (nullable): a detailed action; pressing it closes the banner
 *
 * Messages of one class without an action share a banner: it counts them and lists them all, so
 * that none is lost to a later one. Those with an action stand alone, and replace an earlier one
 * with the same action.
 */
void bg_banner_box_tell(BgBannerBox *self, const char *css_class, const char *message,
                        const char *details, const char *action_label, const char *action);

G_END_DECLS
