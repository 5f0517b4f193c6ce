// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/bg-window.h"
#include "ui/view/bg-pane.h"
#include "ui/view/bg-photo-fuse.h"

G_BEGIN_DECLS

#define BG_N_PANES 7

/** BgAfterQuestion: what was wanted when unsaved changes were asked about */
typedef enum {
    BG_AFTER_NOTHING,
    BG_AFTER_CLOSE,
    BG_AFTER_NEW,
    BG_AFTER_OPEN,
    BG_AFTER_RECOVER,
} BgAfterQuestion;

struct _BgWindow {
    GtkApplicationWindow parent_instance;

    BgSession *session; // owned

    // of the template
    GtkWidget *banners;
    GtkWidget *stack;
    GtkWidget *left_box;
    GtkWidget *right_box;
    GtkWidget *panes_grid;
    GtkWidget *job_box;
    GtkWidget *layouts_box;
    GtkWidget *patient_button;
    GtkWidget *patient_label;
    GtkWidget *undo_button;
    GtkWidget *redo_button;
    GtkWidget *empty_box, *import_box;

    GtkWidget *import_page;    // borrowed: in import_box
    gboolean importing;        // the import page is shown
    gboolean was_empty;        // the case, when it was last told of
    guint settle_id;           // a job has ended
    BgPhotoFuse *fuse;         // owned
    BgPane *panes[BG_N_PANES]; // owned: as the layouts name them
    int maximised;             // which pane, or -1
    gboolean patient_hidden;
    gboolean may_close;
    BgAfterQuestion after_question;
    GtkWindow *question;   // borrowed, nullable: the dialog that asks about unsaved changes
    char *wanted_case;     // owned, nullable: path, for BG_AFTER_OPEN
    char *locating;        // owned, nullable: id of the layer whose file is looked for
    GPtrArray *recoveries; // owned, nullable: of BgRecovery
    guint check_id, n_checked;
};

/** bg_window_init_actions: the actions win.* */
void bg_window_init_actions(BgWindow *self);

/** bg_window_init_export_actions: those of bg-window-export.c, by bg_window_init_actions() */
void bg_window_init_export_actions(BgWindow *self);

/** bg_window_init_case_actions, bg_window_init_help_actions: likewise */
void bg_window_init_case_actions(BgWindow *self);
void bg_window_init_help_actions(BgWindow *self);

/** bg_window_clear_case: in dispose */
void bg_window_clear_case(BgWindow *self);

/** bg_window_update_actions: what can be undone, saved */
void bg_window_update_actions(BgWindow *self);

/**
 * bg_window_open_all:
 * @paths: files and folders that belong together: dropped or chosen at once
 *
 * One plain file is opened at once. Of several, of a folder and of an archive the import page shows
 * what is there.
 */
void bg_window_open_all(BgWindow *self, const char *const *paths);

/** bg_window_may_hold_several: a folder, an archive, a DICOMDIR: by its name, which is cheap to ask */
gboolean bg_window_may_hold_several(const char *path);

/** bg_window_arrange: puts the panes where the layout and the maximised pane want them */
void bg_window_arrange(BgWindow *self);

/** bg_window_get_active_pane: under the pointer, with the focus, or the first */
BgPane *bg_window_get_active_pane(BgWindow *self);

/**
 * bg_window_tell:
 * @css_class: "error", "caution" or "info"
 * @details, @action_label, @action: (nullable)
 *
 * An inline banner over the panes.
 */
void bg_window_tell(BgWindow *self, const char *css_class, const char *message, const char *details,
                    const char *action_label, const char *action);

G_END_DECLS
