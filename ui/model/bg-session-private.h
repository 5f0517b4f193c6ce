// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

struct _BgSession {
    GObject parent_instance;

    BgCase *bg_case;         // owned
    GListStore *jobs;        // owned
    BgWorker *slice_worker;  // owned
    BgWorker *volume_worker; // owned
    BgWorker *idle_worker;   // owned
    GHashTable *loading;     // owned: ids of layers that a job reads
    GHashTable *ranges;      // owned: serial numbers of volumes (gint64) to two doubles
    GQueue ranges_wanted;    // owned: serial numbers (gint64) in the order asked for
    GHashTable *unread;   // owned: ids of rows that stand for what could not be read, to LoadInput
    gpointer conflicting; // owned, nullable: LoadInput that ::patient-conflict was about
    guint load_id;
    char *selected, *selected_before; // ids of layers; nullable
    char *taken_away; // id of the layer that was selected when undo took it; nullable
    char *selected_measurement;
    char *selected_list; // of the selected point
    gsize selected_point;
    BgGeometry mesh_geometry;
    BgTool tool;
    BgPhotoLook photo_look;
    BgEditSettings edit;
    BgMesh *preview; // owned, nullable
    BgFused *fused;  // owned, nullable
    gboolean toggles[BG_N_TOGGLES];
    gboolean dragging;
};

/** bg_session_load_missing: a job for every layer that is LOADING and that nobody reads yet */
void bg_session_load_missing(BgSession *self);

/** bg_session_find_ranges: of all volumes whose range is not known, on the idle worker */
void bg_session_find_ranges(BgSession *self);
int bg_session_compare_serials(gconstpointer a, gconstpointer b);

/** bg_session_clear_inputs: forgets how files were asked for */
void bg_session_clear_inputs(BgSession *self);

/** bg_session_keep_unsaved: Returns: whether ::unsaved had to be emitted, and the case must stay */
gboolean bg_session_keep_unsaved(BgSession *self, const char *path);

/** bg_session_conflict: emits ::patient-conflict */
void bg_session_conflict(BgSession *self, const char *path, const char *reason);

G_END_DECLS
