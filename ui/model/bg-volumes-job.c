// SPDX-License-Identifier: Apache-2.0
// Volumes registered by their values, as a job.
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-volume-register.h"
#include "ui/model/bg-points.h"
#include "ui/model/bg-weak.h"

typedef struct {
    BgSession *session; // owned
    char *moving_id, *fixed_id;
    BgVolume *moving, *fixed; // owned: as their files have them
    BgLabelMap *mask;         // owned, nullable: as the fixed volume's file has it
    BgVolumeRegisterParams params;
} Input;

static void
input_free(Input *input)
{
    g_object_unref(input->session);
    g_free(input->moving_id);
    g_free(input->fixed_id);
    g_clear_pointer(&input->moving, bg_volume_unref);
    g_clear_pointer(&input->fixed, bg_volume_unref);
    g_clear_pointer(&input->mask, bg_label_map_unref);
    g_free(input);
}

static gpointer
run(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Input *input = data;

    return bg_volume_register(input->fixed, input->moving, &input->params, progress, cancellable,
                              error);
}

static char *
describe(const BgVolumeRegistration *found)
{
    GString *words = g_string_new(NULL);

    // Translators: two numbers without unit
    g_string_append_printf(words, _("Mutual information %.3f before, %.3f after."),
                           found->metric_before, found->metric_after);
    for (guint i = 0; i < found->warnings->len; i++)
        g_string_append_printf(words, " %s", (const char *) g_ptr_array_index(found->warnings, i));
    return g_string_free(words, FALSE);
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolumeRegistration) found = bg_job_run_finish(BG_JOB(source), result, &error);
    BgCase *bg_case = bg_session_get_case(input->session);

    if (found == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(input->session, _("The volumes are not registered"), error);
    } else if (bg_case_get_layer(bg_case, input->moving_id) != NULL &&
               bg_case_get_layer(bg_case, input->fixed_id) != NULL) {
        g_autoptr(BgRegistration) item =
            bg_points_new_registration(input->session, input->moving_id, input->fixed_id,
                                       "mutual-information", found->transform);
        g_free(item->words);
        item->words = describe(found);
        bg_session_do(input->session, bg_command_set_registration(item));
    }
    input_free(input);
}

// The grid without the registration that shows it: results go from file to file.
static gboolean
own_geometry(BgSession *session, const char *layer_id, BgGeometry *geometry)
{
    BgAffine placement = bg_case_get_placement(bg_session_get_case(session), layer_id), inverse;

    if (!bg_affine_invert(&placement, &inverse))
        return FALSE;
    geometry->patient_from_voxel = bg_affine_multiply(&inverse, &geometry->patient_from_voxel);
    return TRUE;
}

BgVolume *
bg_points_own_volume(BgSession *session, const char *layer_id)
{
    const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), layer_id);

    if (layer == NULL || layer->payload.volume == NULL)
        return NULL;
    BgGeometry geometry = *bg_volume_get_geometry(layer->payload.volume);
    return own_geometry(session, layer_id, &geometry)
               ? bg_volume_new_at(layer->payload.volume, &geometry, NULL)
               : NULL;
}

// @mask_id's labels where the fixed volume's file has them.
static BgLabelMap *
own_mask(BgSession *session, const char *mask_id, const char *fixed_id)
{
    const BgLayer *layer = bg_case_get_layer(bg_session_get_case(session), mask_id);

    if (layer == NULL || layer->payload.labels == NULL)
        return NULL;
    BgGeometry geometry = *bg_label_map_get_geometry(layer->payload.labels);
    return own_geometry(session, fixed_id, &geometry)
               ? bg_label_map_new_at(layer->payload.labels, &geometry, NULL)
               : NULL;
}

void
bg_points_register_volumes(BgSession *session, const BgVolumesBy *by)
{
    const BgRegistration *old =
        bg_case_get_registration(bg_session_get_case(session), by->moving_id);
    Input *input = g_new0(Input, 1);

    input->session = g_object_ref(session);
    input->moving_id = g_strdup(by->moving_id);
    input->fixed_id = g_strdup(by->fixed_id);
    input->moving = bg_points_own_volume(session, by->moving_id);
    input->fixed = bg_points_own_volume(session, by->fixed_id);
    input->params = bg_volume_register_params(by->model);
    if (by->mask_id != NULL)
        input->mask = own_mask(session, by->mask_id, by->fixed_id);
    input->params.mask = input->mask;
    if (by->from_here && old != NULL && g_str_equal(old->fixed, by->fixed_id)) {
        input->params.start = BG_REGISTER_START_GIVEN;
        input->params.fixed_from_moving = old->fixed_from_moving;
    }
    if (input->moving == NULL || input->fixed == NULL) {
        input_free(input);
        return;
    }
    const BgLayer *moving = bg_case_get_layer(bg_session_get_case(session), by->moving_id);
    g_autoptr(BgJob) job =
        bg_job_new_of(_("Registering volumes"), moving != NULL ? moving->name : by->moving_id);
    const BgJobWork work = { .func = run,
                             .input = input,
                             .free_result = (GDestroyNotify) bg_volume_registration_free };
    bg_session_run(session, job, &work, on_found, input);
}

#define RADIUS_MM 20.0 // of the ball about a point that is compared

typedef struct {
    Input volumes;
    char *list_id; // owned
    gsize index;
    BgVec3 fixed_mm, old_mm;
    BgAffine moving_from_fixed;
    gpointer owner; // GWeakRef
    BgPointsTold told;
} PointInput;

static gpointer
refine(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    PointInput *input = data;
    g_autofree BgPointRefinement *found = g_new0(BgPointRefinement, 1);

    return bg_volume_refine_point(input->volumes.fixed, input->volumes.moving, input->fixed_mm,
                                  &input->moving_from_fixed, RADIUS_MM, 0, found, cancellable,
                                  error)
               ? g_steal_pointer(&found)
               : NULL;
}

static void
on_refined(GObject *source, GAsyncResult *result, gpointer user_data)
{
    PointInput *input = user_data;
    BgSession *session = input->volumes.session;
    g_autoptr(GError) error = NULL;
    g_autofree BgPointRefinement *found = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autoptr(GObject) owner = bg_weak_ref_take(input->owner);
    const BgLandmarkList *list =
        bg_case_get_landmarks(bg_session_get_case(session), input->list_id);
    const BgLandmark *point = list != NULL && input->index < bg_landmarks_count(list->points)
                                  ? bg_landmarks_get(list->points, input->index)
                                  : NULL;

    if (found == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(session, _("The point is not refined"), error);
    } else if (point != NULL && bg_vec3_distance(point->position, input->old_mm) < 1e-9) {
        BgLandmark moved = *point; // nobody has moved it meanwhile
        moved.position = found->moving_mm;
        bg_points_change(session, input->list_id, input->index, &moved);
        g_autofree char *words =
            // Translators: a point's name, a length in mm, two numbers without unit
            g_strdup_printf(_("%s was shifted by %.2f mm: mutual information %.3f before, %.3f "
                              "after. Register by points again."),
                            moved.name, found->moved_mm, found->metric_before, found->metric_after);
        if (owner != NULL)
            input->told(owner, words);
    }
    g_free(input->list_id);
    input_free(&input->volumes); // which frees the input: it is its first member
}

void
bg_points_refine(BgSession *session, GObject *owner, BgPointsTold told)
{
    BgCase *bg_case = bg_session_get_case(session);
    gsize index;
    const char *list_id = bg_session_get_selected_point(session, &index);
    const BgLandmarkList *list = list_id != NULL ? bg_case_get_landmarks(bg_case, list_id) : NULL;
    const BgRegistration *item =
        list != NULL ? bg_case_get_registration(bg_case, list->layer_id) : NULL;
    const BgLandmarkList *fixed = item != NULL ? bg_points_of_layer(session, item->fixed) : NULL;
    const BgLandmark *point = list != NULL ? bg_landmarks_get(list->points, index) : NULL;
    const BgLandmark *partner =
        fixed != NULL ? bg_landmarks_find(fixed->points, point->name) : NULL;
    g_autoptr(GError) error = NULL;

    if (partner == NULL || !partner->placed || !point->placed || point->locked) {
        g_set_error_literal(&error, BG_ERROR, BG_ERROR_INVALID,
                            _("Select a point that is not locked, of a registered volume, with a "
                              "partner of the same name in the other"));
        bg_session_fail(session, _("The point is not refined"), error);
        return;
    }
    PointInput *input = g_new0(PointInput, 1);
    input->volumes.session = g_object_ref(session);
    input->volumes.moving = bg_points_own_volume(session, item->moving);
    input->volumes.fixed = bg_points_own_volume(session, item->fixed);
    input->list_id = g_strdup(list->id);
    input->index = index;
    input->fixed_mm = partner->position;
    input->old_mm = point->position;
    if (input->volumes.moving == NULL || input->volumes.fixed == NULL ||
        !bg_affine_invert(&item->fixed_from_moving, &input->moving_from_fixed)) {
        g_free(input->list_id);
        input_free(&input->volumes);
        return;
    }
    input->owner = bg_weak_ref_new(owner);
    input->told = told;
    bg_volume_refine_from(&input->moving_from_fixed, partner->position, point->position);
    g_autoptr(BgJob) job = bg_job_new_of(_("Refining a point"), point->name);
    const BgJobWork work = { .func = refine, .input = input, .free_result = g_free };
    bg_session_run(session, job, &work, on_refined, input);
}
