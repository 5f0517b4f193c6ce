// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-expected-error.h"

#include "ui/model/bg-photo.h"
#include "ui/model/bg-points.h"

#include <string.h>

#define BOUND_MM 2.0 // until somebody says another

// What was computed for the case as it is; forgotten when it changes.
typedef struct {
    BgErrorStatement statement;
    gboolean volume_known, photo_known;
    BgTargetErrors *errors; // owned, nullable
    BgAffine fixed_from_case, case_from_fixed;
    BgPoseResult *pose; // owned, nullable
} Store;

static void
forget(Store *store)
{
    g_clear_pointer(&store->errors, bg_target_errors_free);
    g_clear_pointer(&store->pose, g_free);
    store->volume_known = store->photo_known = FALSE;
}

static void
store_free(gpointer data)
{
    forget(data);
    g_free(data);
}

static void
on_changed(BgSession *session, guint changes, gpointer user_data)
{
    if (changes & (BG_CHANGE_LANDMARKS | BG_CHANGE_LAYERS | BG_CHANGE_CASE | BG_CHANGE_SELECTION |
                   BG_CHANGE_LOOK))
        forget(user_data);
}

static Store *
get_store(BgSession *session)
{
    static const char key[] = "bregma-expected-error";
    Store *store = g_object_get_data(G_OBJECT(session), key);

    if (store == NULL) {
        store = g_new0(Store, 1);
        store->statement = (BgErrorStatement){ .bound_mm = BOUND_MM, .veil = TRUE };
        g_object_set_data_full(G_OBJECT(session), key, store, store_free);
        // The session frees it, and its handlers before that.
        g_signal_connect(session, "changed", G_CALLBACK(on_changed), store);
    }
    return store;
}

const BgErrorStatement *
bg_expected_error_get_statement(BgSession *session)
{
    return &get_store(session)->statement;
}

void
bg_expected_error_state(BgSession *session, const BgErrorStatement *statement)
{
    Store *store = get_store(session);

    if (memcmp(&store->statement, statement, sizeof *statement) == 0)
        return;
    store->statement = *statement;
    forget(store);
    bg_session_tell(session, BG_CHANGE_LANDMARKS);
}

static const BgRegistration *
by_landmarks(BgSession *session, const BgLayer *layer)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgRegistration *item =
        layer != NULL ? bg_case_get_registration(bg_case, layer->id) : NULL;

    return item != NULL && g_str_equal(item->method, "landmarks") ? item : NULL;
}

const BgRegistration *
bg_expected_error_get_registration(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const BgRegistration *item = by_landmarks(session, bg_session_get_volume(session));

    for (guint i = layers->len; i > 0 && item == NULL; i--) {
        const BgLayer *layer = g_ptr_array_index(layers, i - 1);
        if (layer->visible && layer->payload.volume != NULL)
            item = by_landmarks(session, layer);
    }
    return item;
}

static void
find_errors(BgSession *session, Store *store)
{
    const BgRegistration *item = bg_expected_error_get_registration(session);
    BgCase *bg_case = bg_session_get_case(session);
    BgTransformModel model;

    store->volume_known = TRUE;
    if (item == NULL || !(store->statement.patient_mm > 0.0) ||
        !bg_transform_model_parse(item->model, &model))
        return;
    const BgLandmarkList *fixed = bg_case_get_landmarks(bg_case, item->fixed_points);
    const BgLandmarkList *moving = bg_case_get_landmarks(bg_case, item->moving_points);
    store->case_from_fixed = bg_case_get_placement(bg_case, item->fixed);
    if (fixed == NULL || moving == NULL ||
        !bg_affine_invert(&store->case_from_fixed, &store->fixed_from_case))
        return;

    const BgPointFitParams params = bg_point_fit_params(model);
    const BgLocalisationError error =
        bg_localisation_error(3, store->statement.patient_mm, store->statement.patient_mm);
    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed->points, moving->points, NULL, NULL);
    const BgPointPair *list = pairs != NULL ? (const BgPointPair *) (gpointer) pairs->data : NULL;
    g_autoptr(BgPointFit) fit = list != NULL ? bg_point_fit(list, pairs->len, &params, NULL) : NULL;
    if (fit != NULL)
        store->errors = bg_target_errors_new(list, pairs->len, &params, fit, &error, 1, NULL);
}

static const Store *
errors_of(BgSession *session)
{
    Store *store = get_store(session);

    if (!store->volume_known)
        find_errors(session, store);
    return store->errors != NULL ? store : NULL;
}

gboolean
bg_expected_error_at(BgSession *session, BgVec3 at_mm, BgTargetError *at)
{
    const Store *store = errors_of(session);
    double turned[3][3] = { { 0.0 } };

    if (store == NULL || !bg_target_errors_at_fixed(
                             store->errors, bg_affine_apply(&store->fixed_from_case, at_mm), at))
        return FALSE;
    const BgAffine *a = &store->case_from_fixed;
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 9; k++)
            turned[i / 3][i % 3] +=
                a->m[i / 3][k / 3] * at->covariance[k / 3][k % 3] * a->m[i % 3][k % 3];
    memcpy(at->covariance, turned, sizeof turned);
    at->rms = sqrt(turned[0][0] + turned[1][1] + turned[2][2]);
    return TRUE;
}

double
bg_expected_error_rms_at(BgSession *session, BgVec3 at_mm)
{
    const Store *store = errors_of(session);

    if (store == NULL)
        return -1.0;
    return bg_target_errors_rms_at_fixed(store->errors,
                                         bg_affine_apply(&store->fixed_from_case, at_mm));
}

static void
find_pose(BgSession *session, Store *store)
{
    const BgPhotoCamera *camera = bg_photo_get_camera(session);
    BgCase *bg_case = bg_session_get_case(session);

    store->photo_known = TRUE;
    if (camera == NULL || *camera->picture_points == '\0' || !(store->statement.picture_px > 0.0))
        return;
    const BgLandmarkList *patient = bg_case_get_landmarks(bg_case, camera->patient_points);
    const BgLandmarkList *picture = bg_case_get_landmarks(bg_case, camera->picture_points);
    g_autoptr(BgLandmarks) shown =
        patient != NULL && picture != NULL ? bg_points_shown(session, patient, NULL) : NULL;
    if (shown == NULL)
        return;

    const BgPoseStated stated = { .camera = camera->camera,
                                  .mirrored = camera->mirrored,
                                  .picture_px = store->statement.picture_px,
                                  .patient_mm = store->statement.patient_mm };
    g_autofree BgPoseResult *result = g_new0(BgPoseResult, 1);
    if (bg_pose_expect(shown, picture->points, &stated, result))
        store->pose = g_steal_pointer(&result);
}

gboolean
bg_expected_error_of_photo_at(BgSession *session, BgVec3 at_mm, BgPoseTargetError *at)
{
    Store *store = get_store(session);

    if (!store->photo_known)
        find_pose(session, store);
    return store->pose != NULL && bg_pose_target_error(store->pose, at_mm, at);
}
