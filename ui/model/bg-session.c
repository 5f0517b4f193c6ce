// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-session.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-journal.h"
#include "ui/model/bg-label-edit.h"
#include "ui/model/bg-session-private.h"
#include "ui/model/bg-weak.h"

#include <string.h>

G_DEFINE_FINAL_TYPE(BgSession, bg_session, G_TYPE_OBJECT)

enum {
    SIGNAL_CHANGED,
    SIGNAL_FAILED,
    SIGNAL_PATIENT_CONFLICT,
    SIGNAL_UNSAVED,
    SIGNAL_SAVED,
    SIGNAL_TOO_LARGE,
    SIGNAL_UNKNOWN_FILE,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static const struct {
    const char *command;
    BgChange changes;
} changes_of[] = {
    { "set-cursor", BG_CHANGE_CURSOR },
    { "set-view", BG_CHANGE_VIEW },
    { "set-pane", BG_CHANGE_PANES },
    { "set-clip", BG_CHANGE_CLIP },
    { "add-measurement", BG_CHANGE_MEASUREMENTS },
    { "remove-measurement", BG_CHANGE_MEASUREMENTS },
    { "change-measurement", BG_CHANGE_MEASUREMENTS },
    { "set-landmarks", BG_CHANGE_LANDMARKS },
    { "set-registration", BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_LANDMARKS },
    { "set-camera", BG_CHANGE_LANDMARKS },
    { "set-plan", BG_CHANGE_PLANS },
    { "set-visible", BG_CHANGE_LOOK },
    { "set-opacity", BG_CHANGE_LOOK },
    { "set-window", BG_CHANGE_LOOK },
    { "set-colour-map", BG_CHANGE_LOOK },
    { "set-transfer-function", BG_CHANGE_LOOK },
    { "set-labels", BG_CHANGE_LOOK },
    { "set-label", BG_CHANGE_LOOK },
    { "set-label-style", BG_CHANGE_LOOK },
    { "set-mesh-style", BG_CHANGE_LOOK },
    { "set-interpolation", BG_CHANGE_LOOK },
    { "answer-geometry", BG_CHANGE_LAYERS | BG_CHANGE_LOOK | BG_CHANGE_MEASUREMENTS },
};

void
bg_session_tell(BgSession *self, BgChange changes)
{
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0, (guint) changes);
}

static void
on_case_changed(BgCase *bg_case, BgCommand *command, gpointer user_data)
{
    BgSession *self = user_data;

    if (bg_command_is(command, "edit-labels")) {
        bg_session_tell(self,
                        self->dragging ? BG_CHANGE_VOXELS : BG_CHANGE_VOXELS | BG_CHANGE_LAYERS);
        return;
    }
    for (gsize i = 0; command != NULL && i < G_N_ELEMENTS(changes_of); i++) {
        if (!bg_command_is(command, changes_of[i].command))
            continue;
        bg_session_tell(self, changes_of[i].changes);
        return;
    }

    bg_session_tell(self, command != NULL ? BG_CHANGE_CASE | BG_CHANGE_LAYERS : BG_CHANGE_ALL);
}

static gboolean
has_layer(BgSession *self, const char *id)
{
    return id != NULL && bg_case_get_layer(self->bg_case, id) != NULL;
}

// Undo took the selected layer away: what was selected before it, or else the uppermost.
static void
keep_selection(BgSession *self)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;

    // Redo brings back what undo took away: it is what was looked at.
    if (has_layer(self, self->taken_away)) {
        g_autofree char *back = g_steal_pointer(&self->taken_away);
        bg_session_select(self, back);
        return;
    }
    if (self->selected == NULL || has_layer(self, self->selected))
        return;

    const BgLayer *top = layers->len > 0 ? layers->pdata[layers->len - 1] : NULL;
    g_autofree char *next = g_strdup(has_layer(self, self->selected_before) ? self->selected_before
                                     : top != NULL                          ? top->id
                                                                            : NULL);
    g_free(self->taken_away);
    self->taken_away = g_strdup(self->selected);
    bg_session_select(self, next);
}

static void
on_layers_changed(BgCase *bg_case, gpointer user_data)
{
    BgSession *self = user_data;

    keep_selection(self);
    bg_session_load_missing(self);
    bg_session_tell(self, BG_CHANGE_LAYERS);
}

BgCase *
bg_session_get_case(BgSession *self)
{
    return self->bg_case;
}

const BgCaseState *
bg_session_get_state(BgSession *self)
{
    return bg_case_get_state(self->bg_case);
}

GListModel *
bg_session_get_jobs(BgSession *self)
{
    return G_LIST_MODEL(self->jobs);
}

BgWorker *
bg_session_get_slice_worker(BgSession *self)
{
    return self->slice_worker;
}

BgWorker *
bg_session_get_volume_worker(BgSession *self)
{
    return self->volume_worker;
}

BgWorker *
bg_session_get_idle_worker(BgSession *self)
{
    return self->idle_worker;
}

gboolean
bg_session_do(BgSession *self, BgCommand *command)
{
    g_autoptr(GError) error = NULL;

    if (bg_case_do(self->bg_case, command, &error))
        return TRUE;

    bg_session_fail(self, NULL, error);
    return FALSE;
}

void
bg_session_fail(BgSession *self, const char *what, const GError *error)
{
    g_autofree char *details = NULL;
    const char *reason = error != NULL ? error->message : NULL;

    if (error != NULL && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; // the user knows
    if (error != NULL)
        details = g_strdup_printf("%s (%s, %d)", error->message, g_quark_to_string(error->domain),
                                  error->code);

    if (what != NULL && reason != NULL) {
        g_autofree char *message = g_strdup_printf("%s: %s", what, reason);
        g_signal_emit(self, signals[SIGNAL_FAILED], 0, message, details);
    } else {
        g_signal_emit(self, signals[SIGNAL_FAILED], 0, what != NULL ? what : reason, details);
    }
}

void
bg_session_conflict(BgSession *self, const char *path, const char *reason)
{
    g_signal_emit(self, signals[SIGNAL_PATIENT_CONFLICT], 0, path, reason);
}

gboolean
bg_session_has_unsaved(BgSession *self)
{
    return !bg_session_is_empty(self) && bg_case_is_modified(self->bg_case);
}

gboolean
bg_session_keep_unsaved(BgSession *self, const char *path)
{
    if (!bg_session_has_unsaved(self))
        return FALSE;

    g_signal_emit(self, signals[SIGNAL_UNSAVED], 0, path);
    return TRUE;
}

typedef struct {
    BgSession *session; // owned
    GAsyncReadyCallback callback;
    gpointer user_data;
} Running;

static void
on_job_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Running *running = user_data;
    BgSession *self = running->session;
    guint position;

    if (g_list_store_find(self->jobs, source, &position))
        g_list_store_remove(self->jobs, position);
    running->callback(source, result, running->user_data);
    g_object_unref(self);
    g_free(running);
}

void
bg_session_run(BgSession *self, BgJob *job, const BgJobWork *work, GAsyncReadyCallback callback,
               gpointer user_data)
{
    Running *running = g_new0(Running, 1);
    running->session = g_object_ref(self);
    running->callback = callback;
    running->user_data = user_data;

    g_list_store_append(self->jobs, job);
    bg_job_run_async(job, work, on_job_done, running);
}

const BgLayer *
bg_session_get_selected(BgSession *self)
{
    return self->selected != NULL ? bg_case_get_layer(self->bg_case, self->selected) : NULL;
}

void
bg_session_select(BgSession *self, const char *layer_id)
{
    if (g_strcmp0(self->selected, layer_id) == 0)
        return;

    g_free(self->selected_before);
    self->selected_before = self->selected;
    self->selected = g_strdup(layer_id);
    bg_case_set_selected(self->bg_case, layer_id);
    bg_session_tell(self, BG_CHANGE_SELECTION);
}

const char *
bg_session_get_selected_measurement(BgSession *self)
{
    return self->selected_measurement;
}

void
bg_session_select_measurement(BgSession *self, const char *measurement_id)
{
    if (g_strcmp0(self->selected_measurement, measurement_id) == 0)
        return;

    g_autofree char *old = self->selected_measurement;
    self->selected_measurement = g_strdup(measurement_id);
    bg_session_tell(self, BG_CHANGE_SELECTION | BG_CHANGE_MEASUREMENTS);
}

const char *
bg_session_get_selected_point(BgSession *self, gsize *index)
{
    const BgLandmarkList *list = self->selected_list != NULL
                                     ? bg_case_get_landmarks(self->bg_case, self->selected_list)
                                     : NULL;

    *index = self->selected_point;
    // Undo may have taken it away.
    return list != NULL && *index < bg_landmarks_count(list->points) ? self->selected_list : NULL;
}

void
bg_session_select_point(BgSession *self, const char *list_id, gsize index)
{
    if (g_strcmp0(self->selected_list, list_id) == 0 && self->selected_point == index)
        return;

    g_autofree char *old = self->selected_list;
    self->selected_list = g_strdup(list_id);
    self->selected_point = index;
    bg_session_tell(self, BG_CHANGE_SELECTION | BG_CHANGE_LANDMARKS);
}

const BgLayer *
bg_session_get_base(BgSession *self)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;
    const BgLayer *hidden = NULL;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.volume == NULL)
            continue;
        if (layer->visible)
            return layer;
        hidden = hidden != NULL ? hidden : layer;
    }

    return hidden;
}

const BgLayer *
bg_session_get_covering(BgSession *self)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;
    const BgLayer *base = bg_session_get_base(self);
    gboolean overlays = bg_session_get_toggle(self, BG_TOGGLE_OVERLAYS);

    for (guint i = overlays ? layers->len : 0; i > 0; i--) {
        const BgLayer *layer = layers->pdata[i - 1];
        if (layer->payload.volume != NULL && layer->visible && layer->opacity >= 1.0)
            return layer;
    }

    return base != NULL && base->visible ? base : NULL;
}

const BgLayer *
bg_session_get_volume(BgSession *self)
{
    const BgLayer *selected = bg_session_get_selected(self);

    if (selected != NULL && selected->payload.volume != NULL)
        return selected;

    const BgLayer *covering = bg_session_get_covering(self);
    return covering != NULL ? covering : bg_session_get_base(self);
}

const BgGeometry *
bg_session_get_geometry(BgSession *self)
{
    const BgLayer *base = bg_session_get_base(self);
    const GPtrArray *layers = bg_session_get_state(self)->layers;

    if (base != NULL)
        return bg_volume_get_geometry(base->payload.volume);

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->payload.labels != NULL)
            return bg_label_map_get_geometry(layer->payload.labels);
        if (layer->payload.mesh != NULL) {
            BgVec3 low, high;
            bg_mesh_get_bounds_mm(layer->payload.mesh, &low, &high);
            BgVec3 size = bg_vec3_sub(high, low);
            int dims[3] = { CLAMP((int) size.x + 1, 1, BG_VOLUME_MAX_DIM),
                            CLAMP((int) size.y + 1, 1, BG_VOLUME_MAX_DIM),
                            CLAMP((int) size.z + 1, 1, BG_VOLUME_MAX_DIM) };
            self->mesh_geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 1.0));
            for (int axis = 0; axis < 3; axis++)
                self->mesh_geometry.patient_from_voxel.m[axis][3] = bg_vec3_get(low, axis);
            return &self->mesh_geometry;
        }
    }

    return NULL;
}

const BgGeometry *
bg_session_get_slices(BgSession *self)
{
    const BgLayer *covering = bg_session_get_covering(self);
    const BgLayer *layer = covering != NULL ? covering : bg_session_get_volume(self);

    return layer != NULL ? bg_volume_get_geometry(layer->payload.volume)
                         : bg_session_get_geometry(self);
}

gboolean
bg_session_get_value_range(BgSession *self, const BgLayer *layer, double *low, double *high)
{
    if (layer == NULL || layer->payload.volume == NULL)
        return FALSE;

    gint64 serial = (gint64) bg_volume_get_serial(layer->payload.volume);
    const double *range = g_hash_table_lookup(self->ranges, &serial);
    if (range == NULL)
        return FALSE;

    *low = range[0];
    *high = range[1];
    return TRUE;
}

gboolean
bg_session_is_empty(BgSession *self)
{
    return bg_session_get_state(self)->layers->len == 0;
}

void
bg_session_set_preview(BgSession *self, BgMesh *mesh)
{
    if (mesh == self->preview)
        return;
    g_clear_pointer(&self->preview, bg_mesh_unref);
    if (mesh != NULL)
        self->preview = bg_mesh_ref(mesh);
    bg_session_tell(self, BG_CHANGE_CLIP);
}

BgMesh *
bg_session_get_preview(BgSession *self)
{
    return self->preview;
}

void
bg_session_set_fused(BgSession *self, BgFused *fused)
{
    if (fused == self->fused)
        return;
    g_clear_pointer(&self->fused, bg_fused_unref);
    if (fused != NULL)
        self->fused = bg_fused_ref(fused);
    bg_session_tell(self, BG_CHANGE_FUSED);
}

BgFused *
bg_session_get_fused(BgSession *self)
{
    return self->fused;
}

const BgPhotoLook *
bg_session_get_photo_look(BgSession *self)
{
    return &self->photo_look;
}

void
bg_session_set_photo_look(BgSession *self, const BgPhotoLook *look)
{
    self->photo_look = *look;
    bg_session_tell(self, BG_CHANGE_PHOTO);
}

const BgEditSettings *
bg_session_get_edit(BgSession *self)
{
    return &self->edit;
}

void
bg_session_set_edit(BgSession *self, const BgEditSettings *settings)
{
    if (memcmp(&self->edit, settings, sizeof *settings) == 0)
        return;
    self->edit = *settings;
    self->edit.diameter_mm = CLAMP(settings->diameter_mm, BG_BRUSH_MIN_MM, BG_BRUSH_MAX_MM);
    bg_session_tell(self, BG_CHANGE_TOGGLES);
}

BgTool
bg_session_get_tool(BgSession *self)
{
    return self->tool;
}

void
bg_session_set_tool(BgSession *self, BgTool tool)
{
    if (self->tool == tool)
        return;

    self->tool = tool;
    bg_session_tell(self, BG_CHANGE_TOGGLES);
}

gboolean
bg_session_get_toggle(BgSession *self, BgToggle toggle)
{
    return self->toggles[toggle];
}

void
bg_session_set_toggle(BgSession *self, BgToggle toggle, gboolean on)
{
    if (self->toggles[toggle] == on)
        return;

    self->toggles[toggle] = on;
    bg_session_tell(self, BG_CHANGE_TOGGLES);
}

void
bg_session_move_cursor(BgSession *self, BgVec3 to_mm)
{
    const BgGeometry *geometry = bg_session_get_geometry(self);

    if (geometry != NULL) {
        BgVec3 low, high, low2, high2;
        bg_geometry_bounds_mm(geometry, &low, &high);
        bg_geometry_bounds_mm(bg_session_get_slices(self), &low2, &high2);
        low = bg_vec3(MIN(low.x, low2.x), MIN(low.y, low2.y), MIN(low.z, low2.z));
        high = bg_vec3(MAX(high.x, high2.x), MAX(high.y, high2.y), MAX(high.z, high2.z));
        for (int axis = 0; axis < 3; axis++)
            bg_vec3_set(
                &to_mm, axis,
                CLAMP(bg_vec3_get(to_mm, axis), bg_vec3_get(low, axis), bg_vec3_get(high, axis)));
    }

    bg_session_do(self, bg_command_set_cursor(to_mm));
}

void
bg_session_step_slice(BgSession *self, BgPlane plane, int steps)
{
    // LPS: superior is +z, anterior -y, left +x.
    static const int patient_axis[3] = { 2, 1, 0 };
    static const double towards[3] = { 1.0, -1.0, 1.0 };
    const BgGeometry *geometry = bg_session_get_slices(self);

    if (geometry == NULL)
        return;

    int axis = bg_slice_axis_for_plane(geometry, plane);
    BgVec3 column = bg_affine_column(&geometry->patient_from_voxel, axis);
    double along = bg_vec3_get(column, patient_axis[plane]);
    BgVec3 cursor_mm = bg_session_get_state(self)->cursor_mm;
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 voxel = bg_affine_apply(&voxel_from_patient, cursor_mm);
    double step = along * towards[plane] > 0.0 ? steps : -steps;
    double to = CLAMP(round(bg_vec3_get(voxel, axis)) + step, 0.0, geometry->dims[axis] - 1);

    bg_vec3_set(&voxel, axis, to);
    bg_session_do(self,
                  bg_command_set_cursor(bg_affine_apply(&geometry->patient_from_voxel, voxel)));
}

gboolean
bg_session_get_dragging(BgSession *self)
{
    return self->dragging;
}

void
bg_session_set_dragging(BgSession *self, gboolean dragging)
{
    self->dragging = dragging;
}

static void
let_case_go(BgSession *self)
{
    if (self->bg_case == NULL)
        return;

    g_signal_handlers_disconnect_by_data(self->bg_case, self);
    if (self->loading != NULL)
        g_hash_table_remove_all(self->loading);
    bg_session_clear_inputs(self);
    g_clear_object(&self->bg_case);
    g_clear_pointer(&self->selected, g_free);
    g_clear_pointer(&self->selected_before, g_free);
    g_clear_pointer(&self->taken_away, g_free);
    g_clear_pointer(&self->fused, bg_fused_unref);
    g_clear_pointer(&self->preview, bg_mesh_unref);
    g_clear_pointer(&self->selected_measurement, g_free);
    g_clear_pointer(&self->selected_list, g_free);
}

static void
take_case(BgSession *self, BgCase *bg_case)
{
    let_case_go(self);
    self->bg_case = bg_case;
    g_signal_connect(bg_case, "changed", G_CALLBACK(on_case_changed), self);
    g_signal_connect(bg_case, "layers-changed", G_CALLBACK(on_layers_changed), self);

    g_autoptr(GError) error = NULL;
    if (bg_case_get_journal_path(bg_case) == NULL && !bg_case_start_journal(bg_case, NULL, &error))
        g_warning("no journal: a crash would lose work: %s", error->message);
}

void
bg_session_take_case(BgSession *self, BgCase *bg_case)
{
    take_case(self, bg_case);
    bg_session_load_missing(self);
    // What was selected when it was saved, or else what covers the picture, whose voxels are still on their
    // way.
    const GPtrArray *layers = bg_session_get_state(self)->layers;
    const BgLayer *chosen = layers->len > 0 ? layers->pdata[0] : NULL;
    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->kind == BG_KIND_VOLUME && layer->visible && layer->opacity >= 1.0)
            chosen = layer;
    }
    const char *saved = bg_session_get_state(self)->selected;
    if (has_layer(self, saved))
        self->selected = g_strdup(saved);
    else if (chosen != NULL)
        self->selected = g_strdup(chosen->id);
    bg_session_tell(self, BG_CHANGE_ALL);
}

void
bg_session_reset(BgSession *self)
{
    bg_session_take_case(self, bg_case_new());
}

static void
bg_session_dispose(GObject *object)
{
    BgSession *self = BG_SESSION(object);

    g_clear_handle_id(&self->load_id, g_source_remove);
    let_case_go(self);
    g_clear_object(&self->jobs);
    g_clear_pointer(&self->slice_worker, bg_worker_free);
    g_clear_pointer(&self->volume_worker, bg_worker_free);
    g_clear_pointer(&self->idle_worker, bg_worker_free);
    g_clear_pointer(&self->loading, g_hash_table_unref);
    g_clear_pointer(&self->ranges, g_hash_table_unref);
    g_queue_clear_full(&self->ranges_wanted, g_free);

    G_OBJECT_CLASS(bg_session_parent_class)->dispose(object);
}

static void
bg_session_class_init(BgSessionClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_session_dispose;
    signals[SIGNAL_CHANGED] =
        g_signal_new("changed", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     g_cclosure_marshal_VOID__UINT, G_TYPE_NONE, 1, G_TYPE_UINT);
    signals[SIGNAL_FAILED] = g_signal_new("failed", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    signals[SIGNAL_PATIENT_CONFLICT] =
        g_signal_new("patient-conflict", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    signals[SIGNAL_UNSAVED] =
        g_signal_new("unsaved", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     g_cclosure_marshal_VOID__STRING, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_UNKNOWN_FILE] =
        g_signal_new("unknown-file", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    signals[SIGNAL_TOO_LARGE] =
        g_signal_new("too-large", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    signals[SIGNAL_SAVED] =
        g_signal_new("saved", BG_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     g_cclosure_marshal_VOID__BOOLEAN, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void
bg_session_init(BgSession *self)
{
    self->jobs = g_list_store_new(BG_TYPE_JOB);
    g_queue_init(&self->ranges_wanted);
    self->slice_worker = bg_worker_new("slices", 0);
    self->volume_worker = bg_worker_new("volume", 8);
    self->idle_worker = bg_worker_new("thumbnails", 10);
    self->loading = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->ranges = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    for (int i = 0; i < BG_N_TOGGLES; i++)
        self->toggles[i] = TRUE;
    self->photo_look = (BgPhotoLook){ .zoom = 1.0, .amount = 0.5 };
    self->edit =
        (BgEditSettings){ .label = 1, .diameter_mm = 8.0, .high = 1000.0, .least_mm3 = 100.0 };
    take_case(self, bg_case_new());
}

BgSession *
bg_session_new(void)
{
    return g_object_new(BG_TYPE_SESSION, NULL);
}
