// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-moved.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/register/bg-picture-register.h"
#include "core/register/bg-point-fit.h"
#include "core/register/bg-volume-warp.h"
#include "ui/model/bg-points.h"

#include <string.h>

#define OF_PICTURES "register-pictures"
#define OF_VOLUMES "register-spline"

typedef struct {
    BgSession *session;                        // owned
    char *moving_id, *fixed_id;                // owned
    char *moving_list, *fixed_list;            // owned, nullable
    BgImage *moving_image, *fixed_image;       // owned, nullable
    BgVolume *moving_volume;                   // owned, nullable: where its file has it
    BgGeometry fixed_grid;                     // of volumes: where its file has it
    BgLandmarks *moving_points, *fixed_points; // owned, nullable
    BgMovedBy by;                              // its ids are not looked at
    gboolean has_start;
    BgAffine start;
    BgProvenance *provenance; // owned
} Input;

typedef struct {
    BgPayload payload;
    BgTransform *transform; // owned
    double check;
    char *words, *parameters; // owned
} Made;

static void
input_free(Input *input)
{
    g_object_unref(input->session);
    g_free(input->moving_id);
    g_free(input->fixed_id);
    g_free(input->moving_list);
    g_free(input->fixed_list);
    g_clear_pointer(&input->moving_image, bg_image_unref);
    g_clear_pointer(&input->fixed_image, bg_image_unref);
    g_clear_pointer(&input->moving_volume, bg_volume_unref);
    g_clear_pointer(&input->moving_points, bg_landmarks_unref);
    g_clear_pointer(&input->fixed_points, bg_landmarks_unref);
    bg_provenance_free(input->provenance);
    g_free(input);
}

static void
made_free(gpointer data)
{
    Made *made = data;

    bg_payload_clear(&made->payload);
    g_clear_pointer(&made->transform, bg_transform_unref);
    g_free(made->words);
    g_free(made->parameters);
    g_free(made);
}

// What was made, and of what.

gboolean
bg_moved_is(const BgLayer *layer)
{
    return g_str_equal(layer->generated_by, OF_PICTURES) ||
           g_str_equal(layer->generated_by, OF_VOLUMES);
}

// (transfer full) (nullable): an entry of what the layer was made by
static BgProvenance *
provenance_of(const BgLayer *layer)
{
    return bg_moved_is(layer) ? bg_provenance_parse(layer->parameters, -1, NULL) : NULL;
}

static gboolean
is_made_of(const BgLayer *layer, const char *moving_id)
{
    g_autoptr(BgProvenance) provenance = provenance_of(layer);

    return provenance != NULL &&
           g_strcmp0(
               bg_json_to_string(
                   bg_json_get(bg_provenance_get_parameters(provenance), "moving_layer"), NULL),
               moving_id) == 0;
}

const BgLayer *
bg_moved_of(BgSession *session, const char *layer_id)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const BgLayer *own = bg_case_get_layer(bg_session_get_case(session), layer_id);

    if (own != NULL && bg_moved_is(own))
        return own;
    for (guint i = layers->len; i > 0 && layer_id != NULL; i--) {
        const BgLayer *layer = g_ptr_array_index(layers, i - 1);
        if (is_made_of(layer, layer_id))
            return layer;
    }
    return NULL;
}

const BgRegistration *
bg_moved_registration(BgSession *session, const char *layer_id)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgRegistration *own = bg_case_get_registration(bg_case, layer_id);
    const BgLayer *moved = bg_moved_of(session, layer_id);

    return moved != NULL ? bg_case_get_registration(bg_case, moved->id) : own;
}

const BgLayer *
bg_moved_get_fixed(BgSession *session, const BgLayer *moved)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgRegistration *item = bg_case_get_registration(bg_case, moved->id);

    return item != NULL ? bg_case_get_layer(bg_case, item->fixed) : NULL;
}

BgTransform *
bg_moved_get_transform(const BgLayer *moved)
{
    g_autoptr(BgProvenance) provenance = provenance_of(moved);
    const BgJson *json = provenance != NULL
                             ? bg_json_get(bg_provenance_get_parameters(provenance), "transform")
                             : NULL;

    return json != NULL ? bg_transform_from_json(json, NULL) : NULL;
}

// (transfer full) (nullable)
static BgPointFit *
fit_of(const BgLandmarks *moving, const BgLandmarks *fixed, BgTransformModel model,
       gboolean mirrored, GError **error)
{
    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed, moving, NULL, error);
    BgPointFitParams params = bg_point_fit_params(model);

    params.n_axes = bg_landmarks_get_space(moving) == BG_LANDMARK_PICTURE ? 2 : 3;
    params.allow_mirror = mirrored && params.n_axes == 2;
    return pairs != NULL ? bg_point_fit((const BgPointPair *) (gpointer) pairs->data, pairs->len,
                                        &params, error)
                         : NULL;
}

double
bg_moved_residual(BgSession *session, const BgLandmarkList *list, gsize index)
{
    const BgLayer *moved = bg_moved_of(session, list->layer_id);
    const BgLayer *onto = moved != NULL ? bg_moved_get_fixed(session, moved) : NULL;
    const BgLandmarkList *fixed = onto != NULL ? bg_points_of_layer(session, onto->id) : NULL;
    const BgLandmark *point = bg_landmarks_get(list->points, index);
    const BgLandmark *partner =
        fixed != NULL ? bg_landmarks_find(fixed->points, point->name) : NULL;
    g_autoptr(BgTransform) transform = moved != NULL ? bg_moved_get_transform(moved) : NULL;

    if (transform == NULL || partner == NULL || !partner->placed || !point->placed)
        return -1.0;
    gboolean spline = bg_transform_get_model(transform) == BG_TRANSFORM_TPS;
    if (!spline || point->use != BG_LANDMARK_FIT || partner->use != BG_LANDMARK_FIT)
        return bg_vec3_distance(bg_transform_apply(transform, point->position), partner->position);

    g_autoptr(GArray) pairs = bg_point_pairs_new(fixed->points, list->points, NULL, NULL);
    g_autoptr(BgPointFit) fit = fit_of(list->points, fixed->points, BG_TRANSFORM_TPS, TRUE, NULL);
    for (guint i = 0; fit != NULL && pairs != NULL && i < pairs->len; i++)
        if (g_str_equal(g_array_index(pairs, BgPointPair, i).name, point->name))
            return isfinite(fit->left_out[i]) ? fit->left_out[i] : -1.0;
    return -1.0;
}

// The work

static double
left_out_rms(const BgPointFit *fit)
{
    double sum = 0.0;
    guint n = 0;

    for (gsize i = 0; i < fit->n_pairs; i++) {
        if (!isfinite(fit->left_out[i]))
            continue;
        sum += fit->left_out[i] * fit->left_out[i];
        n++;
    }
    return n > 0 ? sqrt(sum / n) : (double) NAN;
}

static void
add_warnings(GString *words, const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        g_string_append_printf(words, " %s", (const char *) g_ptr_array_index(warnings, i));
}

static char *
describe_fit(const BgPointFit *fit, gboolean spline, gboolean pictures)
{
    GString *words = g_string_new(NULL);
    double missed = spline ? left_out_rms(fit) : (double) NAN;

    if (!spline)
        // Translators: a number of points, and a length in px
        g_string_append_printf(words,
                               _("Residual of %u fitted points %.2f px (root mean square; not an "
                                 "accuracy)."),
                               fit->n_fit, fit->fre);
    else
        // Translators: a number of points
        g_string_append_printf(words,
                               _("The spline goes through all %u points, which says nothing of its "
                                 "error."),
                               fit->n_fit);
    if (isfinite(missed))
        g_string_append_printf(words,
                               // Translators: a length
                               pictures ? _(" Made without a point it misses that one by %.2f px "
                                            "(root mean square).")
                                        : _(" Made without a point it misses that one by %.2f mm "
                                            "(root mean square)."),
                               missed);
    if (fit->n_check > 0)
        g_string_append_printf(words,
                               // Translators: a number of points, and a length
                               pictures ? _(" At %u check-only points %.2f px.")
                                        : _(" At %u check-only points %.2f mm."),
                               fit->n_check, fit->rms_check);
    else
        g_string_append(words,
                        _(" No check-only points: the error elsewhere has not been measured."));
    add_warnings(words, fit->warnings);
    return g_string_free(words, FALSE);
}

static gboolean
by_points(const Input *input, Made *made, GError **error)
{
    gboolean pictures = input->moving_image != NULL;
    g_autoptr(BgPointFit) fit = fit_of(input->moving_points, input->fixed_points, input->by.model,
                                       input->by.mirrored, error);

    if (fit == NULL)
        return FALSE;
    made->transform = bg_transform_ref(fit->transform);
    made->check = fit->n_check > 0 ? fit->rms_check : -1.0;
    made->words = describe_fit(fit, input->by.model == BG_TRANSFORM_TPS, pictures);
    bg_json_set_string(bg_provenance_get_parameters(input->provenance), "mirrored",
                       bg_mirror_name(fit->mirror));
    return TRUE;
}

static gboolean
by_values(const Input *input, Made *made, const BgProgress *progress, GCancellable *cancellable,
          GError **error)
{
    BgPictureRegisterParams params = bg_picture_register_params(input->by.model);

    params.allow_mirror = input->by.mirrored;
    params.has_start = input->has_start;
    params.fixed_from_moving = input->start;
    g_autoptr(BgPictureRegistration) found = bg_picture_register(
        input->fixed_image, input->moving_image, &params, progress, cancellable, error);
    if (found == NULL)
        return FALSE;
    GString *words = g_string_new(NULL);
    // Translators: two numbers without unit
    g_string_append_printf(words, _("Mutual information %.3f before, %.3f after."),
                           found->metric_before, found->metric_after);
    add_warnings(words, found->warnings);
    made->transform = bg_transform_ref(found->transform);
    made->check = -1.0;
    made->words = g_string_free(words, FALSE);
    BgJson *said = bg_provenance_get_parameters(input->provenance);
    bg_json_set_string(said, "mirrored", bg_mirror_name(found->mirror));
    bg_json_set_double(said, "metric_before", found->metric_before);
    bg_json_set_double(said, "metric_after", found->metric_after);
    return TRUE;
}

// With an alpha channel, so that what the picture does not show stays transparent.
static BgImage *
with_alpha(BgImage *image, GError **error)
{
    BgImageFormat format = *bg_image_get_format(image), more = format;
    gsize n = (gsize) format.width * (gsize) format.height;
    gsize size = bg_image_get_n_bytes(image) / n / (gsize) format.n_channels;
    const guint8 *from = bg_image_get_pixels(image);
    const float one = 1.0f;
    guint8 full[sizeof(float)];

    if (format.n_channels % 2 == 0)
        return bg_image_ref(image);
    memset(full, 0xff, sizeof full);
    if (format.type == BG_PIXEL_FLOAT32)
        memcpy(full, &one, sizeof one);
    more.n_channels++;
    guint8 *to = bg_buffer_alloc_items(n, size * (gsize) more.n_channels, error);
    if (to == NULL)
        return NULL;
    gsize pixel = size * (gsize) format.n_channels;
    for (gsize i = 0; i < n; i++) {
        memcpy(to + i * (pixel + size), from + i * pixel, pixel);
        memcpy(to + i * (pixel + size) + pixel, full, size);
    }
    return bg_image_new_take(&more, to, error);
}

static gboolean
make_payload(const Input *input, Made *made, const BgProgress *progress, GCancellable *cancellable,
             GError **error)
{
    if (input->moving_image == NULL) {
        made->payload.volume = bg_volume_warp(input->moving_volume, made->transform,
                                              &input->fixed_grid, progress, cancellable, error);
        return made->payload.volume != NULL;
    }
    const BgImageFormat *format = bg_image_get_format(input->fixed_image);
    g_autoptr(BgImage) moving = with_alpha(input->moving_image, error);
    if (moving != NULL)
        made->payload.image = bg_picture_move(moving, made->transform, format->width,
                                              format->height, cancellable, error);
    return made->payload.image != NULL;
}

static gpointer
make(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    Made *made = g_new0(Made, 1);
    BgProgressSpan first, rest;
    double half = input->by.by_values ? 0.8 : 0.0;
    gboolean found =
        input->by.by_values
            ? by_values(input, made, bg_progress_span_init(&first, progress, 0.0, half),
                        cancellable, error)
            : by_points(input, made, error);

    if (!found || !make_payload(input, made, bg_progress_span_init(&rest, progress, half, 1.0),
                                cancellable, error)) {
        made_free(made);
        return NULL;
    }
    bg_json_set(bg_provenance_get_parameters(input->provenance), "transform",
                bg_transform_to_json(made->transform));
    made->parameters = bg_provenance_print(input->provenance);
    return made;
}

static BgLayer *
new_layer(const Input *input, const Made *made, const BgLayer *moving, const BgLayer *fixed)
{
    gboolean picture = made->payload.image != NULL;
    // Translators: the names of two layers: the first one where the second one shows it
    g_autofree char *name = g_strdup_printf(_("%s on %s"), moving->name, fixed->name);
    BgLayer *layer = bg_layer_new_generated(picture ? BG_KIND_IMAGE : BG_KIND_VOLUME, name, moving,
                                            picture ? OF_PICTURES : OF_VOLUMES, made->parameters);

    bg_layer_set_string(&layer->frame_of_reference, fixed->frame_of_reference);
    layer->side_unknown = moving->side_unknown || fixed->side_unknown;
    layer->spacing_unknown = moving->spacing_unknown || fixed->spacing_unknown;
    layer->window_centre = moving->window_centre;
    layer->window_width = moving->window_width;
    bg_layer_set_string(&layer->colour_map, moving->colour_map);
    if (moving->transfer_function != NULL)
        layer->transfer_function = bg_transfer_function_ref(moving->transfer_function);
    g_free(layer->id);
    layer->id = bg_case_new_id(bg_session_get_case(input->session), "layer");
    return layer;
}

static void
take_away(BgSession *session, const char *moved_id)
{
    const BgRegistration *item = bg_case_get_registration(bg_session_get_case(session), moved_id);
    g_autofree char *id = g_strdup(moved_id);

    if (item != NULL)
        bg_session_do(session, bg_command_remove_registration(item->id));
    bg_session_do(session, bg_command_remove_layer(id));
}

void
bg_moved_remove(BgSession *session, const char *moved_id)
{
    BgCase *bg_case = bg_session_get_case(session);

    // Translators: the name of a step of undo
    bg_case_begin_gesture(bg_case, _("Remove the registration"));
    take_away(session, moved_id);
    bg_case_end_gesture(bg_case);
}

// What was made of the same two before.
static const BgLayer *
find_older(const Input *input)
{
    const BgLayer *older = bg_moved_of(input->session, input->moving_id);
    const BgLayer *onto = older != NULL ? bg_moved_get_fixed(input->session, older) : NULL;

    return onto != NULL && g_str_equal(onto->id, input->fixed_id) &&
                   !g_str_equal(older->id, input->moving_id)
               ? older
               : NULL;
}

static void
add(const Input *input, const Made *made, const BgLayer *moving, const BgLayer *fixed)
{
    BgCase *bg_case = bg_session_get_case(input->session);
    g_autoptr(BgLayer) layer = new_layer(input, made, moving, fixed);
    g_autoptr(GError) error = NULL;
    const BgLayer *older = find_older(input);
    g_autofree char *id = bg_case_new_id(bg_case, "registration");
    g_autoptr(BgRegistration) item = bg_registration_new(id, layer->id, input->fixed_id);

    bg_layer_set_string(&item->method, input->by.by_values ? "mutual-information" : "landmarks");
    bg_layer_set_string(&item->model,
                        bg_transform_model_name(bg_transform_get_model(made->transform)));
    bg_layer_set_string(&item->words, made->words);
    bg_layer_set_string(&item->moving_points, input->moving_list);
    bg_layer_set_string(&item->fixed_points, input->fixed_list);
    item->check_mm = made->payload.volume != NULL ? made->check : -1.0;
    // Translators: the name of a step of undo
    bg_case_begin_gesture(bg_case, _("Registration"));
    if (older != NULL)
        take_away(input->session, older->id);
    if (bg_session_do(input->session, bg_command_add_layer(layer)) &&
        bg_session_do(input->session, bg_command_set_registration(item)) &&
        !bg_case_set_payload(bg_case, layer->id, &made->payload, &error))
        bg_session_fail(input->session, _("A result is lost"), error);
    bg_case_end_gesture(bg_case);
}

static void
on_made(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    BgCase *bg_case = bg_session_get_case(input->session);
    g_autoptr(GError) error = NULL;
    Made *made = bg_job_run_finish(BG_JOB(source), result, &error);
    const BgLayer *moving = bg_case_get_layer(bg_case, input->moving_id);
    const BgLayer *fixed = bg_case_get_layer(bg_case, input->fixed_id);

    if (made == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(input->session,
                            input->moving_image != NULL ? _("The photograph is not registered")
                                                        : _("The volume is not registered"),
                            error);
    } else if (moving != NULL && fixed != NULL) {
        add(input, made, moving, fixed);
    }
    g_clear_pointer(&made, made_free);
    input_free(input);
}

static void
describe_input(const Input *input, const BgLayer *moving, const BgLayer *fixed)
{
    const BgLayer *layers[] = { moving, fixed };
    BgJson *said = bg_provenance_get_parameters(input->provenance);

    for (int i = 0; i < 2; i++)
        bg_provenance_add_input(
            input->provenance,
            *layers[i]->source.path != '\0' ? layers[i]->source.path : layers[i]->name,
            *layers[i]->source.sha256 != '\0' ? layers[i]->source.sha256 : NULL);
    bg_json_set_string(said, "moving_layer", moving->id);
    bg_json_set_string(said, "fixed_layer", fixed->id);
    bg_json_set_string(said, "method",
                       input->by.by_values ? "mutual information" : "paired points");
    bg_json_set_string(said, "model", bg_transform_model_name(input->by.model));
}

static gboolean
take_points(Input *input, GError **error)
{
    const BgLandmarkList *moving = bg_points_of_layer(input->session, input->moving_id);
    const BgLandmarkList *fixed = bg_points_of_layer(input->session, input->fixed_id);

    if (moving == NULL || fixed == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("One of the two has no points. Place points of the same names in "
                              "both (P)"));
        return FALSE;
    }
    input->moving_list = g_strdup(moving->id);
    input->fixed_list = g_strdup(fixed->id);
    input->moving_points = bg_landmarks_ref(moving->points);
    input->fixed_points = bg_landmarks_ref(fixed->points);
    return TRUE;
}

static void
take_start(Input *input)
{
    const BgLayer *older = find_older(input);
    g_autoptr(BgTransform) transform = older != NULL ? bg_moved_get_transform(older) : NULL;

    input->has_start = transform != NULL && bg_transform_get_model(transform) != BG_TRANSFORM_TPS;
    if (input->has_start)
        input->start = *bg_transform_get_affine(transform);
}

// FALSE: nothing to register
static gboolean
take_payloads(Input *input, const BgLayer *moving, const BgLayer *fixed)
{
    if (moving->payload.image != NULL && fixed->payload.image != NULL) {
        input->moving_image = bg_image_ref(moving->payload.image);
        input->fixed_image = bg_image_ref(fixed->payload.image);
        return TRUE;
    }
    g_autoptr(BgVolume) onto = bg_points_own_volume(input->session, fixed->id);
    if (onto == NULL)
        return FALSE;
    input->fixed_grid = *bg_volume_get_geometry(onto);
    input->moving_volume = bg_points_own_volume(input->session, moving->id);
    return input->moving_volume != NULL;
}

void
bg_moved_make(BgSession *session, const BgMovedBy *by)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgLayer *moving = bg_case_get_layer(bg_case, by->moving_id);
    const BgLayer *fixed = bg_case_get_layer(bg_case, by->fixed_id);
    g_autoptr(GError) error = NULL;

    if (moving == NULL || fixed == NULL)
        return;
    Input *input = g_new0(Input, 1);
    input->session = g_object_ref(session);
    input->moving_id = g_strdup(moving->id);
    input->fixed_id = g_strdup(fixed->id);
    input->by = *by;
    input->by.moving_id = input->by.fixed_id = NULL;
    input->provenance = bg_provenance_new(moving->payload.image != NULL ? OF_PICTURES : OF_VOLUMES);
    describe_input(input, moving, fixed);
    if (by->by_values && by->from_here)
        take_start(input);
    if (!take_payloads(input, moving, fixed) || (!by->by_values && !take_points(input, &error))) {
        if (error != NULL)
            bg_session_fail(session, _("It is not registered"), error);
        input_free(input);
        return;
    }
    g_autoptr(BgJob) job = bg_job_new_of(
        moving->payload.image != NULL ? _("Registering photographs") : _("Bending a volume"),
        moving->name);
    const BgJobWork work = { .func = make, .input = input, .free_result = made_free };
    bg_session_run(session, job, &work, on_made, input);
}

gboolean
bg_moved_again(BgSession *session, const char *list_id)
{
    BgCase *bg_case = bg_session_get_case(session);
    const GPtrArray *items = bg_session_get_state(session)->registrations;
    gboolean any = FALSE;

    for (guint i = 0; i < items->len; i++) {
        const BgRegistration *item = g_ptr_array_index(items, i);
        const BgLayer *moved = bg_case_get_layer(bg_case, item->moving);
        const BgLandmarkList *moving = bg_case_get_landmarks(bg_case, item->moving_points);
        g_autoptr(BgTransform) transform =
            moved != NULL && bg_moved_is(moved) ? bg_moved_get_transform(moved) : NULL;
        if (transform == NULL || moving == NULL ||
            (!g_str_equal(item->moving_points, list_id) &&
             !g_str_equal(item->fixed_points, list_id)))
            continue;
        const BgMovedBy by = { .moving_id = moving->layer_id,
                               .fixed_id = item->fixed,
                               .model = bg_transform_get_model(transform),
                               .mirrored = bg_affine_determinant(
                                               bg_transform_get_affine(transform)) < 0.0 };
        bg_moved_make(session, &by);
        any = TRUE;
    }
    return any;
}
