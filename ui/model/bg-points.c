// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-points.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-landmarks-io.h"
#include "ui/model/bg-moved.h"
#include "ui/model/bg-photo.h"

#include <string.h>

const BgLandmarkList *
bg_points_of_layer(BgSession *session, const char *layer_id)
{
    const GPtrArray *lists = bg_session_get_state(session)->landmarks;

    for (guint i = 0; layer_id != NULL && i < lists->len; i++) {
        const BgLandmarkList *list = g_ptr_array_index(lists, i);
        if (g_str_equal(list->layer_id, layer_id))
            return list;
    }
    return NULL;
}

const BgLayer *
bg_points_get_layer(BgSession *session)
{
    const BgLayer *selected = bg_session_get_selected(session);

    return selected != NULL && selected->kind == BG_KIND_IMAGE ? selected
                                                               : bg_session_get_volume(session);
}

const BgLandmarkList *
bg_points_get_active(BgSession *session)
{
    const BgLayer *layer = bg_points_get_layer(session);

    return layer != NULL ? bg_points_of_layer(session, layer->id) : NULL;
}

const BgLandmarkList *
bg_points_partners(BgSession *session, const BgLandmarkList *picture)
{
    const GPtrArray *lists = bg_session_get_state(session)->landmarks;
    const BgLandmarkList *best = NULL;
    gsize n_best = 0;

    for (guint i = 0; i < lists->len; i++) {
        const BgLandmarkList *list = g_ptr_array_index(lists, i);
        gsize n = 0;
        if (bg_landmarks_get_space(list->points) != BG_LANDMARK_PATIENT)
            continue;
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++) {
            const BgLandmark *point = bg_landmarks_get(list->points, p);
            const BgLandmark *other = bg_landmarks_find(picture->points, point->name);
            n += point->placed && other != NULL && other->placed;
        }
        if (n > n_best) {
            n_best = n;
            best = list;
        }
    }
    return best;
}

gboolean
bg_points_shown_at(BgSession *session, const BgLandmarkList *list, gsize index, BgVec3 *at_mm)
{
    const BgLandmark *point = bg_landmarks_get(list->points, index);
    BgAffine placement = bg_case_get_placement(bg_session_get_case(session), list->layer_id);

    if (!point->placed || bg_landmarks_get_space(list->points) != BG_LANDMARK_PATIENT)
        return FALSE;
    *at_mm = bg_affine_apply(&placement, point->position);
    return TRUE;
}

BgLandmarks *
bg_points_shown(BgSession *session, const BgLandmarkList *list, GError **error)
{
    gsize n = bg_landmarks_count(list->points);
    g_autofree BgLandmark *points = g_new0(BgLandmark, MAX(n, 1));

    for (gsize i = 0; i < n; i++) {
        points[i] = *bg_landmarks_get(list->points, i);
        points[i].placed = bg_points_shown_at(session, list, i, &points[i].position);
    }
    return bg_landmarks_new(BG_LANDMARK_PATIENT, points, n, error);
}

// Where a place of the pictures is in the space of the layer's file.
static BgVec3
own_place(BgSession *session, const char *layer_id, BgVec3 at_mm)
{
    BgAffine placement = bg_case_get_placement(bg_session_get_case(session), layer_id), inverse;

    return bg_affine_invert(&placement, &inverse) ? bg_affine_apply(&inverse, at_mm) : at_mm;
}

static GArray *
copy_points(const BgLandmarkList *list)
{
    GArray *points = g_array_new(FALSE, TRUE, sizeof(BgLandmark));

    for (gsize i = 0; list != NULL && i < bg_landmarks_count(list->points); i++)
        g_array_append_vals(points, bg_landmarks_get(list->points, i), 1);
    return points;
}

static BgLandmarkSpace
space_of(const BgLayer *layer)
{
    return layer != NULL && layer->kind == BG_KIND_IMAGE ? BG_LANDMARK_PICTURE
                                                         : BG_LANDMARK_PATIENT;
}

// Puts @points in the place of the list's; a list of @layer when there is none.
static gboolean
store(BgSession *session, const BgLayer *layer, const BgLandmarkList *old, BgLandmarks *points)
{
    BgCase *bg_case = bg_session_get_case(session);
    g_autoptr(BgLandmarkList) list = NULL;

    if (old != NULL) {
        list = bg_landmark_list_new(old->id, old->name, old->layer_id, points);
    } else if (layer != NULL) {
        g_autofree char *id = bg_case_new_id(bg_case, "points");
        list = bg_landmark_list_new(id, layer->name, layer->id, points);
    }
    return list != NULL && bg_session_do(session, bg_command_set_landmarks(list));
}

static gboolean
store_array(BgSession *session, const BgLayer *layer, const BgLandmarkList *old, GArray *array)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLandmarks) points =
        bg_landmarks_new(old != NULL ? bg_landmarks_get_space(old->points) : space_of(layer),
                         (const BgLandmark *) (gpointer) array->data, array->len, &error);

    if (points == NULL) {
        bg_session_fail(session, _("The points are as they were"), error);
        return FALSE;
    }
    return store(session, layer, old, points);
}

static void
name_next(const GArray *array, char *name, gsize size)
{
    gboolean taken = TRUE;

    for (guint n = array->len + 1; taken; n++) {
        // Translators: the name of a point that the user has not named, with its number
        g_snprintf(name, size, _("P%u"), n);
        taken = FALSE;
        for (guint i = 0; i < array->len; i++)
            taken = taken || g_str_equal(g_array_index(array, BgLandmark, i).name, name);
    }
}

void
bg_points_place_in(BgSession *session, const char *layer_id, BgVec3 place)
{
    const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), layer_id);

    if (layer == NULL)
        return;
    const BgLandmarkList *list = bg_points_of_layer(session, layer->id);
    g_autoptr(GArray) array = copy_points(list);
    BgLandmark next = { .placed = TRUE };
    guint at = 0;

    while (at < array->len && g_array_index(array, BgLandmark, at).placed)
        at++;
    if (at == array->len) {
        name_next(array, next.name, sizeof next.name);
        g_array_append_val(array, next);
    }
    BgLandmark *point = &g_array_index(array, BgLandmark, at);
    point->placed = TRUE;
    point->position = place;
    if (store_array(session, layer, list, array))
        bg_session_select_point(session, bg_points_of_layer(session, layer_id)->id, at);
}

void
bg_points_place(BgSession *session, BgVec3 at_mm)
{
    const BgLayer *layer = bg_session_get_volume(session);

    if (layer != NULL)
        bg_points_place_in(session, layer->id, own_place(session, layer->id, at_mm));
}

void
bg_points_add(BgSession *session, const char *name)
{
    const BgLandmarkList *list = bg_points_get_active(session);
    g_autoptr(GArray) array = copy_points(list);
    BgLandmark next = { 0 };

    if (name == NULL || *name == '\0')
        name_next(array, next.name, sizeof next.name);
    else
        g_strlcpy(next.name, name, sizeof next.name);
    g_array_append_val(array, next);
    store_array(session, bg_points_get_layer(session), list, array);
}

gboolean
bg_points_move(BgSession *session, const char *list_id, gsize index, BgVec3 at_mm)
{
    const BgLandmarkList *list = bg_case_get_landmarks(bg_session_get_case(session), list_id);
    g_autoptr(GArray) array = copy_points(list);

    if (index >= array->len || g_array_index(array, BgLandmark, index).locked)
        return FALSE;
    BgLandmark *point = &g_array_index(array, BgLandmark, index);
    point->placed = TRUE;
    point->position = own_place(session, list->layer_id, at_mm);
    return store_array(session, NULL, list, array);
}

void
bg_points_change(BgSession *session, const char *list_id, gsize index, const BgLandmark *point)
{
    const BgLandmarkList *list = bg_case_get_landmarks(bg_session_get_case(session), list_id);
    g_autoptr(GArray) array = copy_points(list);

    if (index >= array->len)
        return;
    g_array_index(array, BgLandmark, index) = *point;
    store_array(session, NULL, list, array);
}

void
bg_points_remove(BgSession *session, const char *list_id, gsize index)
{
    const BgLandmarkList *list = bg_case_get_landmarks(bg_session_get_case(session), list_id);
    g_autoptr(GArray) array = copy_points(list);

    if (index >= array->len)
        return;
    g_array_remove_index(array, (guint) index);
    bg_session_select_point(session, NULL, 0);
    if (array->len == 0)
        bg_session_do(session, bg_command_remove_landmarks(list->id));
    else
        store_array(session, NULL, list, array);
}

typedef struct {
    BgSession *session;  // owned
    BgLandmarks *points; // owned, nullable: to save
    char *path;          // owned
} FileInput;

static FileInput *
file_input_new(BgSession *session, BgLandmarks *points, const char *path)
{
    FileInput *input = g_new0(FileInput, 1);

    input->session = g_object_ref(session);
    input->points = points != NULL ? bg_landmarks_ref(points) : NULL;
    input->path = g_strdup(path);
    return input;
}

static void
file_input_free(FileInput *input)
{
    g_object_unref(input->session);
    g_clear_pointer(&input->points, bg_landmarks_unref);
    g_free(input->path);
    g_free(input);
}

static gpointer
load_points(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    FileInput *input = data;

    return bg_landmarks_load(input->path, BG_LANDMARKS_LPS, NULL, error);
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer user_data)
{
    FileInput *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLandmarks) points = bg_job_run_finish(BG_JOB(source), result, &error);

    const BgLayer *layer = bg_points_get_layer(input->session);

    if (points != NULL && layer != NULL && bg_landmarks_get_space(points) != space_of(layer)) {
        points = (bg_landmarks_unref(points), NULL);
        g_set_error(&error, BG_ERROR, BG_ERROR_MISMATCH,
                    layer->kind == BG_KIND_IMAGE
                        ? _("“%s” has points of a volume, in mm: select the volume first")
                        : _("“%s” has points of a picture, in px: select the photograph first"),
                    input->path);
    }
    if (points != NULL)
        store(input->session, layer, bg_points_get_active(input->session), points);
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session, _("The points are not read"), error);
    file_input_free(input);
}

void
bg_points_load(BgSession *session, const char *path)
{
    g_autoptr(BgJob) job = bg_job_new(_("Reading points"));
    FileInput *input = file_input_new(session, NULL, path);
    BgJobWork work = { .func = load_points,
                       .input = input,
                       .free_result = (GDestroyNotify) bg_landmarks_unref };

    bg_session_run(session, job, &work, on_loaded, input);
}

static gpointer
save_points(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    FileInput *input = data;
    BgLandmarksSaveParams params = { .force = TRUE }; // the dialog has asked

    return bg_landmarks_save(input->points, input->path, &params, error)
               ? bg_landmarks_ref(input->points)
               : NULL;
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    FileInput *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLandmarks) points = bg_job_run_finish(BG_JOB(source), result, &error);

    if (points == NULL && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session, _("The points are not saved"), error);
    file_input_free(input);
}

void
bg_points_save(BgSession *session, const char *path)
{
    const BgLandmarkList *list = bg_points_get_active(session);
    g_autoptr(BgJob) job = bg_job_new(_("Saving points"));

    if (list == NULL)
        return;
    FileInput *input = file_input_new(session, list->points, path);
    BgJobWork work = { .func = save_points,
                       .input = input,
                       .free_result = (GDestroyNotify) bg_landmarks_unref };
    bg_session_run(session, job, &work, on_saved, input);
}

double
bg_points_residual_mm(BgSession *session, const BgLandmarkList *list, gsize index)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgRegistration *item = bg_case_get_registration(bg_case, list->layer_id);
    const BgLandmarkList *fixed = item != NULL ? bg_points_of_layer(session, item->fixed) : NULL;
    const BgLandmark *point = bg_landmarks_get(list->points, index);
    const BgLandmark *partner =
        fixed != NULL ? bg_landmarks_find(fixed->points, point->name) : NULL;

    if (partner == NULL || !partner->placed || !point->placed)
        return -1.0;
    return bg_vec3_length(
        bg_vec3_sub(bg_affine_apply(&item->fixed_from_moving, point->position), partner->position));
}

// Where the point of the same name is shown that the camera was made from, or any such point.
static gboolean
partner_of(BgSession *session, const BgPhotoCamera *camera, const char *name, BgVec3 *at_mm)
{
    const GPtrArray *lists = bg_session_get_state(session)->landmarks;

    for (guint i = 0; i < lists->len; i++) {
        const BgLandmarkList *list = g_ptr_array_index(lists, i);
        if (*camera->patient_points != '\0' && !g_str_equal(camera->patient_points, list->id) &&
            bg_case_get_landmarks(bg_session_get_case(session), camera->patient_points) != NULL)
            continue;
        for (gsize p = 0; p < bg_landmarks_count(list->points); p++)
            if (g_str_equal(bg_landmarks_get(list->points, p)->name, name) &&
                bg_points_shown_at(session, list, p, at_mm))
                return TRUE;
    }
    return FALSE;
}

double
bg_points_residual_px(BgSession *session, const BgLandmarkList *list, gsize index,
                      double projected[2])
{
    const BgPhotoCamera *camera = bg_case_get_camera(bg_session_get_case(session), list->layer_id);
    const BgLandmark *point = bg_landmarks_get(list->points, index);
    BgVec3 at_mm;

    if (camera == NULL || bg_landmarks_get_space(list->points) != BG_LANDMARK_PICTURE ||
        !point->placed || !partner_of(session, camera, point->name, &at_mm) ||
        !bg_photo_project(camera, at_mm, &projected[0], &projected[1]))
        return -1.0;
    return hypot(projected[0] - point->position.x, projected[1] - point->position.y);
}

BgRegistration *
bg_points_new_registration(BgSession *session, const char *moving, const char *fixed,
                           const char *method, const BgTransform *transform)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgRegistration *old = bg_case_get_registration(bg_case, moving);
    g_autofree char *id = old != NULL ? g_strdup(old->id) : bg_case_new_id(bg_case, "registration");
    BgRegistration *item = bg_registration_new(id, moving, fixed);

    bg_layer_set_string(&item->method, method);
    bg_layer_set_string(&item->model, bg_transform_model_name(bg_transform_get_model(transform)));
    item->fixed_from_moving = *bg_transform_get_affine(transform);
    return item;
}

static char *
describe_fit(const BgPointFit *fit)
{
    // Translators: a number of points, and a length in mm
    GString *words = g_string_new(NULL);

    g_string_append_printf(words,
                           _("Residual of %u fitted points %.2f mm (root mean square; not an "
                             "accuracy)."),
                           fit->n_fit, fit->fre);
    if (fit->n_check > 0)
        // Translators: a number of points, and a length in mm
        g_string_append_printf(words, _(" At %u check-only points %.2f mm."), fit->n_check,
                               fit->rms_check);
    else
        g_string_append(words,
                        _(" No check-only points: the error elsewhere has not been measured."));
    for (guint i = 0; i < fit->warnings->len; i++)
        g_string_append_printf(words, " %s", (const char *) g_ptr_array_index(fit->warnings, i));
    return g_string_free(words, FALSE);
}

gboolean
bg_points_register(BgSession *session, const BgLandmarkList *moving, const BgLandmarkList *fixed,
                   BgTransformModel model, GError **error)
{
    BgPointFitParams params = bg_point_fit_params(model);
    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed->points, moving->points, NULL, error);
    g_autoptr(BgPointFit) fit =
        pairs != NULL
            ? bg_point_fit((const BgPointPair *) (gpointer) pairs->data, pairs->len, &params, error)
            : NULL;

    if (fit == NULL)
        return FALSE;
    g_autoptr(BgRegistration) item = bg_points_new_registration(
        session, moving->layer_id, fixed->layer_id, "landmarks", fit->transform);
    item->error_mm = fit->fre;
    item->check_mm = fit->n_check > 0 ? fit->rms_check : -1.0;
    bg_layer_set_string(&item->moving_points, moving->id);
    bg_layer_set_string(&item->fixed_points, fixed->id);
    g_free(item->words);
    item->words = describe_fit(fit);
    bg_session_do(session, bg_command_set_registration(item));
    return TRUE;
}

// Made from the list, and so to be made again: (transfer none) (nullable)
static const BgRegistration *
registration_from(BgSession *session, const char *list_id)
{
    const GPtrArray *items = bg_session_get_state(session)->registrations;

    for (guint i = 0; i < items->len; i++) {
        const BgRegistration *item = g_ptr_array_index(items, i);
        const BgLayer *moving = bg_case_get_layer(bg_session_get_case(session), item->moving);
        if (g_str_equal(item->method, "landmarks") && (moving == NULL || !bg_moved_is(moving)) &&
            (g_str_equal(item->moving_points, list_id) || g_str_equal(item->fixed_points, list_id)))
            return item;
    }
    return NULL;
}

gboolean
bg_points_set_use(BgSession *session, const char *list_id, gsize index, BgLandmarkUse use)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgLandmarkList *list = bg_case_get_landmarks(bg_case, list_id);
    const BgRegistration *item = registration_from(session, list_id);
    g_autofree char *id = g_strdup(list_id); // may be the old list's own
    g_autoptr(GError) error = NULL;
    BgTransformModel model;

    if (list == NULL || index >= bg_landmarks_count(list->points))
        return FALSE;
    BgLandmark point = *bg_landmarks_get(list->points, index);
    point.use = use;
    // Translators: the name of a step of undo
    bg_case_begin_gesture(bg_case, _("Use of a point"));
    bg_points_change(session, list_id, index, &point);
    const BgLandmarkList *moving =
        item != NULL ? bg_case_get_landmarks(bg_case, item->moving_points) : NULL;
    const BgLandmarkList *fixed =
        item != NULL ? bg_case_get_landmarks(bg_case, item->fixed_points) : NULL;
    if (moving != NULL && fixed != NULL && bg_transform_model_parse(item->model, &model) &&
        !bg_points_register(session, moving, fixed, model, &error))
        bg_session_fail(session, _("The registration stays as it was"), error);
    bg_case_end_gesture(bg_case);
    gboolean again = bg_moved_again(session, id);
    return item != NULL || again;
}
