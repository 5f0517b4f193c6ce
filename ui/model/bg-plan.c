// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-plan.h"

#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/register/bg-slice-stack.h"
#include "ui/model/bg-points.h"

#include <string.h>

#define REACH_MM 40.0 // from the points to the surface that they lie on

static GArray *
shown_points(BgSession *session)
{
    const BgLayer *volume = bg_session_get_volume(session);
    const BgLandmarkList *list = volume != NULL ? bg_points_of_layer(session, volume->id) : NULL;
    GArray *points = g_array_new(FALSE, FALSE, sizeof(BgVec3));

    for (gsize i = 0; list != NULL && i < bg_landmarks_count(list->points); i++) {
        BgVec3 at_mm;
        if (bg_landmarks_get(list->points, i)->use != BG_LANDMARK_SKIP &&
            bg_points_shown_at(session, list, i, &at_mm))
            g_array_append_val(points, at_mm);
    }
    return points;
}

// The uppermost visible mesh: (transfer none) (nullable)
static const BgMesh *
surface_of(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = layers->len; i > 0; i--) {
        const BgLayer *layer = g_ptr_array_index(layers, i - 1);
        if (layer->visible && layer->payload.mesh != NULL)
            return layer->payload.mesh;
    }
    return NULL;
}

gboolean
bg_plan_has_surface(BgSession *session)
{
    return surface_of(session) != NULL;
}

BgPrism *
bg_plan_prism(BgSession *session, const BgPlan *plan, BgLandmarkPlane *plane, GError **error)
{
    const BgLayer *volume = bg_session_get_volume(session);
    g_autoptr(GArray) points = shown_points(session);
    const BgVec3 *at_mm = (const BgVec3 *) (gpointer) points->data;

    if (!bg_landmark_plane_fit(at_mm, points->len, plane, error))
        return NULL;
    if (volume != NULL)
        bg_landmark_plane_turn(
            plane, bg_geometry_centre_mm(bg_volume_get_geometry(volume->payload.volume)));
    BgVec3 top_mm = plane->centroid_mm;
    if (plan->on_surface && surface_of(session) != NULL &&
        !bg_landmark_plane_meet(plane, surface_of(session), REACH_MM, &top_mm, error))
        return NULL;
    return bg_prism_new(plane, top_mm, at_mm, points->len, plan->shape, plan->depth_mm,
                        plan->margin_mm, error);
}

typedef struct {
    BgSession *session; // owned
    BgVolume *volume;   // owned
    BgPrism *prism;     // owned
    BgLayer *layer;     // owned: the layer to be, without content
} CropInput;

static void
crop_input_free(CropInput *input)
{
    g_object_unref(input->session);
    bg_volume_unref(input->volume);
    bg_prism_free(input->prism);
    bg_layer_free(input->layer);
    g_free(input);
}

static gpointer
crop(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const CropInput *input = data;
    g_autoptr(BgLabelMap) mask =
        bg_prism_mask(input->prism, bg_volume_get_geometry(input->volume), cancellable, error);

    return mask != NULL ? bg_prism_crop(input->volume, mask, 0.0, error) : NULL;
}

static void
on_cropped(GObject *source, GAsyncResult *result, gpointer user_data)
{
    CropInput *input = user_data;
    BgCase *bg_case = bg_session_get_case(input->session);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) part = bg_job_run_finish(BG_JOB(source), result, &error);

    if (part == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(input->session, _("The volume is not cropped"), error);
    } else {
        BgPayload payload = { .volume = part };
        g_free(input->layer->id);
        input->layer->id = bg_case_new_id(bg_case, "layer");
        // Translators: the name of a step of undo
        bg_case_begin_gesture(bg_case, _("Crop"));
        if (bg_session_do(input->session, bg_command_add_layer(input->layer)) &&
            !bg_case_set_payload(bg_case, input->layer->id, &payload, &error))
            bg_session_fail(input->session, _("The crop is lost"), error);
        bg_case_end_gesture(bg_case);
        bg_session_select(input->session, input->layer->id);
    }
    crop_input_free(input);
}

static char *
describe(const BgLayer *layer, const BgPlan *plan, const BgPrism *prism)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new("prism");
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    const double origin[3] = { prism->origin_mm.x, prism->origin_mm.y, prism->origin_mm.z };
    const double normal[3] = { prism->normal.x, prism->normal.y, prism->normal.z };

    bg_provenance_add_input(provenance, layer->source.path,
                            layer->source.sha256[0] != '\0' ? layer->source.sha256 : NULL);
    bg_json_set_doubles(parameters, "origin_mm", origin, 3);
    bg_json_set_doubles(parameters, "normal", normal, 3);
    bg_json_set_double(parameters, "depth_mm", plan->depth_mm);
    bg_json_set_double(parameters, "margin_mm", plan->margin_mm);
    bg_json_set_string(parameters, "shape",
                       plan->shape == BG_PRISM_CYLINDER ? "cylinder" : "polygon");
    return bg_provenance_print(provenance);
}

void
bg_plan_crop(BgSession *session, const BgPlan *plan)
{
    const BgLayer *layer = bg_session_get_volume(session);
    g_autoptr(GError) error = NULL;
    BgLandmarkPlane plane;
    BgPrism *prism = layer != NULL ? bg_plan_prism(session, plan, &plane, &error) : NULL;

    if (prism == NULL) {
        if (error != NULL)
            bg_session_fail(session, _("The volume is not cropped"), error);
        return;
    }
    // Translators: a part of a volume is named after it
    g_autofree char *name = g_strdup_printf(_("Crop of %s"), layer->name);
    g_autofree char *parameters = describe(layer, plan, prism);
    CropInput *input = g_new0(CropInput, 1);

    input->session = g_object_ref(session);
    input->volume = bg_volume_ref(layer->payload.volume);
    input->prism = prism;
    input->layer = bg_layer_new_generated(BG_KIND_VOLUME, name, layer, "prism", parameters);
    input->layer->window_centre = layer->window_centre;
    input->layer->window_width = layer->window_width;
    input->layer->side_unknown = layer->side_unknown;
    input->layer->spacing_unknown = layer->spacing_unknown;
    if (layer->transfer_function != NULL)
        input->layer->transfer_function = bg_transfer_function_ref(layer->transfer_function);
    g_autoptr(BgJob) job = bg_job_new_of(_("Cropping"), layer->name);
    const BgJobWork work = { .func = crop,
                             .input = input,
                             .free_result = (GDestroyNotify) bg_volume_unref };
    bg_session_run(session, job, &work, on_cropped, input); // which frees the input
}

typedef struct {
    BgSession *session; // owned
    BgSliceStack stack; // its volume is owned
    BgLabelMap *labels; // owned, nullable
    char *path, *source_path;
    char *source, *sha256, *modality, *unit, *provenance;
} SlicesInput;

static void
slices_input_free(SlicesInput *input)
{
    g_object_unref(input->session);
    bg_volume_unref(input->stack.volume);
    g_clear_pointer(&input->labels, bg_label_map_unref);
    g_free(input->path);
    g_free(input->source_path);
    g_free(input->source);
    g_free(input->sha256);
    g_free(input->modality);
    g_free(input->unit);
    g_free(input->provenance);
    g_free(input);
}

// "a/b.h5" to "a/b-label.h5"
static char *
label_path(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && strchr(dot, G_DIR_SEPARATOR) == NULL
               ? g_strdup_printf("%.*s-label%s", (int) (dot - path), path, dot)
               : g_strconcat(path, "-label", NULL);
}

static gpointer
save_slices(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    SlicesInput *input = data;

    if (*input->sha256 == '\0' && *input->source_path != '\0') {
        g_free(input->sha256);
        input->sha256 = bg_hash_file(input->source_path, NULL, cancellable, error);
        if (input->sha256 == NULL)
            return NULL;
    }
    BgSliceStack stack = input->stack;
    stack.source = input->source;
    stack.source_sha256 = input->sha256;
    stack.modality = input->modality;
    stack.unit = input->unit;
    stack.provenance = input->provenance;
    if (!bg_slice_stack_save(&stack, input->path, TRUE, progress, cancellable, error))
        return NULL;
    stack.labels = input->labels;
    g_autofree char *beside = label_path(input->path);
    if (stack.labels != NULL &&
        !bg_slice_stack_save(&stack, beside, TRUE, progress, cancellable, error))
        return NULL;
    return g_strdup(input->path);
}

static void
on_slices(GObject *source, GAsyncResult *result, gpointer user_data)
{
    SlicesInput *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bg_job_run_finish(BG_JOB(source), result, &error);

    if (path == NULL && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session, _("The slices are not saved"), error);
    slices_input_free(input);
}

static gboolean
make_stack(const BgPlan *plan, const BgPrism *prism, BgVolume *volume, BgSliceStack *stack,
           GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    const BgObliquePlane plane = { .point_mm = prism->origin_mm,
                                   .normal = prism->normal,
                                   .spacing_mm = fmin(spacing.x, fmin(spacing.y, spacing.z)) };

    if (!bg_slice_frame_oblique(&plane, geometry, &stack->frame, error))
        return FALSE;
    stack->volume = bg_volume_ref(volume);
    stack->sampling = (BgSliceSampling){ .interpolation = BG_INTERPOLATION_LINEAR };
    stack->count = (int) ceil(plan->depth_mm / plane.spacing_mm) + 1;
    stack->step_mm = plan->depth_mm / (stack->count - 1);
    return TRUE;
}

void
bg_plan_save_slices(BgSession *session, const BgPlan *plan, const char *path)
{
    const BgLayer *layer = bg_session_get_volume(session);
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    g_autoptr(GError) error = NULL;
    BgLandmarkPlane plane;
    BgSliceStack stack = { 0 };
    g_autoptr(BgPrism) prism = layer != NULL ? bg_plan_prism(session, plan, &plane, &error) : NULL;

    if (prism == NULL || !make_stack(plan, prism, layer->payload.volume, &stack, &error)) {
        if (error != NULL)
            bg_session_fail(session, _("The slices are not saved"), error);
        return;
    }
    SlicesInput *input = g_new0(SlicesInput, 1);
    input->session = g_object_ref(session);
    input->stack = stack;
    for (guint i = layers->len; i > 0 && input->labels == NULL; i--) {
        const BgLayer *over = g_ptr_array_index(layers, i - 1);
        if (over->visible && over->payload.labels != NULL)
            input->labels = bg_label_map_ref(over->payload.labels);
    }
    input->path = g_strdup(path);
    input->source_path = g_strdup(layer->source.path);
    input->source = g_path_get_basename(layer->source.path);
    input->sha256 = g_strdup(layer->source.sha256);
    input->modality = g_strdup(layer->modality);
    input->unit = g_strdup(layer->unit);
    input->provenance = describe(layer, plan, prism);
    g_autoptr(BgJob) job = bg_job_new_of(_("Saving slices"), layer->name);
    const BgJobWork work = { .func = save_slices, .input = input, .free_result = g_free };
    bg_session_run(session, job, &work, on_slices, input); // which frees the input
}
