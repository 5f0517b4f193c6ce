// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-label-edit.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/volume/bg-label-runs.h"

#include <string.h>

const BgLayer *
bg_label_edit_target(BgSession *session)
{
    const BgLayer *selected = bg_session_get_selected(session);
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    if (selected != NULL && selected->payload.labels != NULL)
        return selected;
    for (guint i = layers->len; i > 0; i--) {
        const BgLayer *layer = layers->pdata[i - 1];
        if (layer->visible && layer->payload.labels != NULL)
            return layer;
    }
    return NULL;
}

// @layer: (transfer full); Returns: whether it is there with its content
static gboolean
add_layer(BgSession *session, BgLayer *layer, BgLabelMap *labels)
{
    BgCase *bg_case = bg_session_get_case(session);
    g_autoptr(BgLayer) owned = layer;
    g_autoptr(GError) error = NULL;
    const BgPayload payload = { .labels = labels };

    g_free(owned->id);
    owned->id = bg_case_new_id(bg_case, "layer");
    if (!bg_session_do(session, bg_command_add_layer(owned)))
        return FALSE;
    if (!bg_case_set_payload(bg_case, owned->id, &payload, &error)) {
        bg_session_fail(session, _("The labels are lost"), error);
        return FALSE;
    }
    bg_session_select(session, owned->id);
    return TRUE;
}

static char *
describe(const char *command, const BgLayer *from)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new(command);

    bg_provenance_add_input(provenance, *from->source.path != '\0' ? from->source.path : from->name,
                            *from->source.sha256 != '\0' ? from->source.sha256 : NULL);
    return bg_provenance_print(provenance);
}

// The file's labels stay as they are; a copy is corrected, which shares their memory until then.
static gboolean
copy_of_file(BgSession *session, const BgLayer *layer)
{
    // Translators: the name of a label map, of which this is a copy to be changed
    g_autofree char *name = g_strdup_printf(_("%s, corrected"), layer->name);
    g_autofree char *id = g_strdup(layer->id);
    g_autofree char *parameters = describe("edit-labels", layer);
    g_autoptr(BgLabelMap) labels = bg_label_map_ref(layer->payload.labels);
    BgLayer *copy = bg_layer_new_generated(BG_KIND_LABELS, name, layer, "edit-labels", parameters);

    copy->labels = layer->labels != NULL ? bg_label_table_ref(layer->labels) : NULL;
    copy->label_fill = layer->label_fill;
    copy->label_outline = layer->label_outline;
    copy->opacity = layer->opacity;
    copy->linear = FALSE;
    copy->side_unknown = layer->side_unknown;
    copy->spacing_unknown = layer->spacing_unknown;
    return add_layer(session, copy, labels) &&
           bg_session_do(session, bg_command_set_visible(id, FALSE));
}

gboolean
bg_label_edit_begin(BgSession *session, const char *title)
{
    const BgLayer *layer = bg_label_edit_target(session);

    if (layer == NULL) {
        g_autoptr(GError) error =
            g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                _("There are no labels to correct. Open or segment some, or choose "
                                  "a volume and make new ones under “Prepare”"));
        bg_session_fail(session, NULL, error);
        return FALSE;
    }
    bg_case_begin_gesture(bg_session_get_case(session), title);
    if (*layer->blob_id == '\0' && !copy_of_file(session, layer)) {
        bg_case_cancel_gesture(bg_session_get_case(session));
        return FALSE;
    }
    return TRUE;
}

// @runs: nothing happens without any
static void
do_runs(BgSession *session, const BgLayer *layer, const GArray *runs)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(layer->payload.labels);

    if (runs->len == 0)
        return;
    g_autoptr(GBytes) packed = bg_label_runs_pack(bg_geometry_count_voxels(geometry), runs);
    bg_session_do(session, bg_command_edit_labels(layer, packed));
}

// What the settings say; the volume is borrowed.
static BgPaint
paint_of(BgSession *session, gboolean erase)
{
    const BgEditSettings *settings = bg_session_get_edit(session);
    const BgLayer *volume = bg_session_get_volume(session);
    BgPaint paint = { .label = erase ? 0 : settings->label,
                      .over = settings->over,
                      .over_label = settings->over_label,
                      .low = settings->low,
                      .high = settings->high };

    // An eraser works on what is not background.
    if (erase && paint.over == BG_OVER_BACKGROUND)
        paint.over = BG_OVER_ALL;
    if (settings->limit && volume != NULL)
        paint.values = volume->payload.volume;
    return paint;
}

static BgVec3
normal_of(BgSession *session, BgPlane plane)
{
    const BgCaseState *state = bg_session_get_state(session);
    BgVec3 u, v;

    bg_plane_axes(plane,
                  state->radiological ? BG_CONVENTION_RADIOLOGICAL : BG_CONVENTION_NEUROLOGICAL, &u,
                  &v);
    return bg_vec3_normalize(bg_vec3_cross(u, v));
}

static gboolean
refuse_label(BgSession *session, const BgLayer *layer, guint32 label)
{
    BgLabelType type = bg_label_map_get_label_type(layer->payload.labels);

    if ((type == BG_LABEL_UINT8 && label > G_MAXUINT8) ||
        (type == BG_LABEL_UINT16 && label > G_MAXUINT16)) {
        g_autoptr(GError) error = g_error_new(
            BG_ERROR, BG_ERROR_INVALID,
            _("“%s” has no room for the label %u. Choose a smaller number"), layer->name, label);
        bg_session_fail(session, NULL, error);
        return TRUE;
    }
    return FALSE;
}

void
bg_label_edit_stroke(BgSession *session, BgPlane plane, BgVec3 from_mm, BgVec3 to_mm,
                     gboolean erase)
{
    const BgEditSettings *settings = bg_session_get_edit(session);
    const BgLayer *layer = bg_label_edit_target(session);
    const BgPaint paint = paint_of(session, erase);
    const BgStroke stroke = { .from_mm = from_mm,
                              .to_mm = to_mm,
                              .normal = normal_of(session, plane),
                              .diameter_mm = settings->diameter_mm,
                              .ball = settings->ball };

    if (layer == NULL || refuse_label(session, layer, paint.label))
        return;
    g_autoptr(GArray) runs = bg_label_stroke(layer->payload.labels, &paint, &stroke);
    do_runs(session, layer, runs);
}

void
bg_label_edit_end(BgSession *session)
{
    bg_case_end_gesture(bg_session_get_case(session));
    bg_session_tell(session, BG_CHANGE_LAYERS); // what waited for the end of the stroke
}

// Of the whole map, on a worker.

typedef struct {
    BgSession *session; // owned
    char *layer_id;     // owned
    BgEditTask task;
    BgLabelMap *map;  // owned
    BgVolume *values; // owned, nullable
    BgPaint paint;
    BgEditSettings settings;
    BgVec3 at_mm, normal;
} Task;

static void
task_free(Task *task)
{
    g_object_unref(task->session);
    bg_label_map_unref(task->map);
    g_clear_pointer(&task->values, bg_volume_unref);
    g_free(task->layer_id);
    g_free(task);
}

static gpointer
work(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Task *task = data;
    static const BgIslands islands[] = { [BG_EDIT_KEEP_LARGEST] = BG_ISLANDS_KEEP_LARGEST,
                                         [BG_EDIT_REMOVE_SMALL] = BG_ISLANDS_REMOVE_SMALL,
                                         [BG_EDIT_KEEP_PICKED] = BG_ISLANDS_KEEP_PICKED,
                                         [BG_EDIT_REMOVE_PICKED] = BG_ISLANDS_REMOVE_PICKED };

    guint32 label = task->settings.all_labels ? 0 : task->settings.label;

    switch (task->task) {
    case BG_EDIT_THRESHOLD:
        return bg_label_threshold(task->map, &task->paint, progress, cancellable, error);
    case BG_EDIT_FLOOD:
        return bg_label_flood(task->map, &task->paint, task->at_mm,
                              task->settings.ball ? NULL : &task->normal, progress, cancellable,
                              error);
    case BG_EDIT_KEEP_LARGEST:
    case BG_EDIT_REMOVE_SMALL:
    case BG_EDIT_KEEP_PICKED:
    case BG_EDIT_REMOVE_PICKED: {
        const BgIslandsParams params = { .what = islands[task->task],
                                         .label = label,
                                         .least_mm3 = task->settings.least_mm3,
                                         .seed_mm = task->at_mm };
        return bg_label_islands(task->map, &params, progress, cancellable, error);
    }
    case BG_EDIT_FILL_HOLES:
        return bg_label_fill_holes(task->map, label, progress, cancellable, error);
    }
    return NULL;
}

static const char *
title_of(BgEditTask task)
{
    static const char *const titles[] = { N_("Label values in range"),
                                          N_("Fill"),
                                          N_("Keep largest island"),
                                          N_("Remove small islands"),
                                          N_("Keep island"),
                                          N_("Remove island"),
                                          N_("Fill holes") };

    return _(titles[task]);
}

static void
finish(const Task *task, const GArray *runs)
{
    BgSession *session = task->session;
    const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), task->layer_id);
    g_autoptr(GError) error = NULL;

    if (layer == NULL || layer->payload.labels != task->map)
        error =
            g_error_new_literal(BG_ERROR, BG_ERROR_MISMATCH,
                                _("The labels were changed meanwhile, so nothing was done. Do it "
                                  "again"));
    else if (runs->len == 0)
        error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                                    _("Nothing is to be changed: there are no such voxels. Look at "
                                      "label, range and place"));
    if (error != NULL) {
        bg_session_fail(session, title_of(task->task), error);
        return;
    }
    bg_session_select(session, layer->id);
    if (!bg_label_edit_begin(session, title_of(task->task)))
        return;
    layer = bg_label_edit_target(session);
    if (!refuse_label(session, layer, task->paint.label))
        do_runs(session, layer, runs);
    bg_label_edit_end(session);
}

static void
on_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Task *task = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) runs = bg_job_run_finish(BG_JOB(source), result, &error);

    if (runs != NULL)
        finish(task, runs);
    else
        bg_session_fail(task->session, title_of(task->task), error);
    task_free(task);
}

void
bg_label_edit_run(BgSession *session, BgEditTask what, BgPlane plane, BgVec3 at_mm)
{
    const BgLayer *layer = bg_label_edit_target(session);
    const BgLayer *volume = bg_session_get_volume(session);

    if (layer == NULL) {
        bg_label_edit_begin(session, title_of(what)); // tells why not
        return;
    }
    Task *task = g_new0(Task, 1);
    task->session = g_object_ref(session);
    task->layer_id = g_strdup(layer->id);
    task->task = what;
    task->map = bg_label_map_ref(layer->payload.labels);
    task->settings = *bg_session_get_edit(session);
    task->paint = paint_of(session, FALSE);
    // A range belongs to a threshold whether it limits the brush or not.
    if (what == BG_EDIT_THRESHOLD && volume != NULL)
        task->paint.values = volume->payload.volume;
    if (task->paint.values != NULL)
        task->values = bg_volume_ref(task->paint.values);
    task->at_mm = at_mm;
    task->normal = normal_of(session, plane);
    if (what == BG_EDIT_THRESHOLD && task->values == NULL) {
        g_autoptr(GError) error = g_error_new_literal(
            G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("There is no volume with values. Open one"));
        bg_session_fail(session, title_of(what), error);
        task_free(task);
        return;
    }

    // on_done() frees the task: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new_of(title_of(what), layer->name);
    BgJobWork job_work = { .func = work,
                           .input = task,
                           .free_result = (GDestroyNotify) g_array_unref };
    bg_session_run(session, job, &job_work, on_done, task);
}

typedef struct {
    BgSession *session; // owned
    BgLayer *layer;     // owned: to be added
    BgGeometry geometry;
} Empty;

static gpointer
make_empty(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Empty *empty = data;
    gpointer labels = bg_voxels_alloc(&empty->geometry, 1, error);

    if (labels == NULL)
        return NULL;
    memset(labels, 0, bg_geometry_count_voxels(&empty->geometry));
    return bg_label_map_new_take(&empty->geometry, BG_LABEL_UINT8, labels, error);
}

static void
on_empty(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Empty *empty = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLabelMap) map = bg_job_run_finish(BG_JOB(source), result, &error);

    if (map != NULL) {
        bg_case_begin_gesture(bg_session_get_case(empty->session), _("New labels"));
        add_layer(empty->session, g_steal_pointer(&empty->layer), map);
        bg_case_end_gesture(bg_session_get_case(empty->session));
    } else {
        bg_session_fail(empty->session, _("New labels cannot be made"), error);
    }
    g_clear_pointer(&empty->layer, bg_layer_free);
    g_object_unref(empty->session);
    g_free(empty);
}

void
bg_label_edit_new(BgSession *session, const BgLayer *volume)
{
    g_return_if_fail(volume->payload.volume != NULL);

    static const guint32 first = 1;
    // Translators: labels are named after the volume whose grid they have
    g_autofree char *name = g_strdup_printf(_("Labels of %s"), volume->name);
    g_autofree char *parameters = describe("new-labels", volume);
    Empty *empty = g_new0(Empty, 1);
    empty->session = g_object_ref(session);
    empty->geometry = *bg_volume_get_geometry(volume->payload.volume);
    empty->layer = bg_layer_new_generated(BG_KIND_LABELS, name, volume, "new-labels", parameters);
    empty->layer->labels = bg_label_table_new_default(&first, 1, FALSE);
    empty->layer->linear = FALSE;

    g_autoptr(BgJob) job = bg_job_new(_("New labels"));
    BgJobWork job_work = { .func = make_empty,
                           .input = empty, // on_empty() frees it
                           .free_result = (GDestroyNotify) bg_label_map_unref };
    bg_session_run(session, job, &job_work, on_empty, empty);
}

void
bg_label_edit_add_label(BgSession *session)
{
    const BgLayer *layer = bg_label_edit_target(session);
    guint32 label = 1;

    if (layer == NULL)
        return;
    for (gsize i = 0; layer->labels != NULL && i < bg_label_table_count(layer->labels); i++)
        label = MAX(label, bg_label_table_get(layer->labels, i)->label + 1);
    g_autoptr(BgLabelTable) one = bg_label_table_new_default(&label, 1, FALSE);
    g_autoptr(BgLabelTable) all =
        layer->labels != NULL ? bg_label_table_with(layer->labels, bg_label_table_get(one, 0))
                              : bg_label_table_ref(one);
    BgEditSettings settings = *bg_session_get_edit(session);
    settings.label = label;
    if (!refuse_label(session, layer, label) &&
        bg_session_do(session, bg_command_set_labels(layer->id, all)))
        bg_session_set_edit(session, &settings);
}
