// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-camera-job.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-pose-refine.h"
#include "ui/model/bg-points.h"
#include "ui/model/bg-weak.h"

#define OUTSIDE_MM 1.0 // vessels lie on the surface, half sunk in
#define INSIDE_MM 1.5
#define DIAGONAL_35_MM 43.2666 // of a picture of 36 mm by 24 mm

typedef struct {
    BgSession *session; // owned
    char *layer_id, *path;
    gpointer owner; // GWeakRef
    BgCameraTold told;

    BgImage *image; // owned
    BgCameraSolve solve;
    BgLandmarks *patient, *picture; // owned, nullable
    char *patient_list, *picture_list;
    gboolean has_camera;
    BgCamera camera;
    BgMesh *mesh; // owned, nullable: to refine by
    BgVolume *volume;
} Input;

static Input *
input_new(BgSession *session, const char *layer_id, const char *path, GObject *owner,
          BgCameraTold told)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgLayer *layer = bg_case_get_layer(bg_case, layer_id);
    const BgPhotoCamera *camera = bg_case_get_camera(bg_case, layer_id);

    if (layer == NULL || layer->payload.image == NULL)
        return NULL;
    Input *input = g_new0(Input, 1);
    input->session = g_object_ref(session);
    input->layer_id = g_strdup(layer_id);
    input->path = g_strdup(path);
    input->owner = bg_weak_ref_new(owner);
    input->told = told;
    input->image = bg_image_ref(layer->payload.image);
    input->has_camera = camera != NULL;
    if (camera != NULL)
        input->camera = camera->camera;
    return input;
}

static void
input_free(Input *input)
{
    g_clear_pointer(&input->image, bg_image_unref);
    g_clear_pointer(&input->patient, bg_landmarks_unref);
    g_clear_pointer(&input->picture, bg_landmarks_unref);
    g_clear_pointer(&input->mesh, bg_mesh_unref);
    g_clear_pointer(&input->volume, bg_volume_unref);
    g_free(input->layer_id);
    g_free(input->path);
    g_free(input->patient_list);
    g_free(input->picture_list);
    g_object_unref(input->session);
    g_free(input);
}

typedef struct {
    BgCamera camera;
    double error_px;
    gboolean mirrored;
    gboolean taken; // FALSE: the camera that is there stays
    const char *method;
    char *words;
} Found;

static void
found_free(gpointer data)
{
    g_free(((Found *) data)->words);
    g_free(data);
}

static void
take(Input *input, const Found *found)
{
    BgCase *bg_case = bg_session_get_case(input->session);
    const BgPhotoCamera *old = bg_case_get_camera(bg_case, input->layer_id);
    g_autofree char *id = old != NULL ? g_strdup(old->id) : bg_case_new_id(bg_case, "camera");
    g_autoptr(BgPhotoCamera) camera = bg_photo_camera_new(id, input->layer_id, &found->camera);

    bg_layer_set_string(&camera->method, found->method);
    bg_layer_set_string(&camera->patient_points, input->patient_list);
    bg_layer_set_string(&camera->picture_points, input->picture_list);
    bg_layer_set_string(&camera->words, found->words);
    camera->error_px = found->error_px;
    camera->mirrored = found->mirrored;
    bg_session_do(input->session, bg_command_set_camera(camera));
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GObject) owner = bg_weak_ref_take(input->owner);
    Found *found = bg_job_run_finish(BG_JOB(source), result, &error);

    if (found == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            bg_session_fail(input->session, _("The photograph has no new camera"), error);
    } else {
        if (bg_case_get_layer(bg_session_get_case(input->session), input->layer_id) != NULL &&
            found->taken)
            take(input, found);
        if (owner != NULL)
            input->told(owner, found->taken ? NULL : found->words);
        found_free(found);
    }
    input_free(input);
}

static void
run(Input *input, const char *title, BgJobFunc func)
{
    g_autoptr(BgJob) job = bg_job_new(title);
    const BgJobWork work = { .func = func, .input = input, .free_result = found_free };

    bg_session_run(input->session, job, &work, on_found, input); // which frees the input
}

static gpointer
load(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    const BgImageFormat *format = bg_image_get_format(input->image);
    g_autofree char *text = NULL;
    g_autofree Found *found = g_new0(Found, 1);
    gsize length;

    if (!g_file_get_contents(input->path, &text, &length, error) ||
        !bg_camera_parse(text, (gssize) length, &found->camera, error))
        return NULL;
    if (found->camera.parallel || found->camera.width != format->width ||
        found->camera.height != format->height) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("“%s” is the camera of a picture of %d by %d pixels, the photograph has %d "
                      "by %d: choose the file that was made with it"),
                    input->path, found->camera.width, found->camera.height, format->width,
                    format->height);
        return NULL;
    }
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, NULL);
    found->mirrored = json != NULL && bg_json_to_boolean(bg_json_get(json, "mirrored"), FALSE);
    found->error_px = -1.0;
    found->taken = TRUE;
    found->method = "file";
    return g_steal_pointer(&found);
}

void
bg_camera_job_load(BgSession *session, const char *layer_id, const char *path, GObject *owner,
                   BgCameraTold told)
{
    Input *input = input_new(session, layer_id, path, owner, told);

    if (input != NULL)
        run(input, _("Reading a camera"), load);
}

static gpointer
save(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    g_autofree char *text = bg_camera_print(&input->camera);

    if (!g_file_set_contents(input->path, text, -1, error))
        return NULL;
    return g_new0(Found, 1);
}

static void
nobody_told(gpointer owner, const char *words)
{
}

void
bg_camera_job_save(BgSession *session, const char *layer_id, const char *path)
{
    Input *input = input_new(session, layer_id, path, G_OBJECT(session), nobody_told);

    if (input != NULL)
        run(input, _("Saving a camera"), save);
}

// K: of the lens that the user gave, of the camera that is there, or nothing.
static gboolean
find_intrinsics(const Input *input, BgPoseParams *params, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(input->image);
    const BgCameraSolve *by = &input->solve;
    BgLens lens = { .size = { format->width, format->height },
                    .centre_px = { (double) NAN, (double) NAN } };
    gboolean given = by->focal_mm > 0.0 && by->sensor_mm > 0.0;

    params->estimate_focal = by->estimate_focal || (!given && !input->has_camera);
    if (input->has_camera && !given && !params->estimate_focal) {
        params->camera = input->camera;
        return TRUE;
    }
    // Square pixels. Of a focal length that is to be found only the ratio of the two counts.
    lens.focal_mm = given ? by->focal_mm : format->width;
    lens.sensor_mm[0] = given ? by->sensor_mm : format->width;
    lens.sensor_mm[1] = lens.sensor_mm[0] * format->height / format->width;
    if (!bg_camera_from_lens(&lens, &params->camera, error))
        return FALSE;
    if (input->has_camera) // what bends the picture stays
        memcpy(params->camera.distortion, input->camera.distortion,
               sizeof params->camera.distortion);
    return TRUE;
}

gboolean
bg_camera_lens_of_file(const char *path, int width, int height, double *focal_mm, double *sensor_mm,
                       GCancellable *cancellable)
{
    g_autoptr(BgFileInfo) info = bg_io_probe(path, cancellable, NULL);

    if (info != NULL && info->focal_length_mm > 0.0 && info->sensor_mm[0] > 0.0) {
        *focal_mm = info->focal_length_mm;
        *sensor_mm = info->sensor_mm[0];
        return TRUE;
    }
    if (info != NULL && info->focal_length_35mm > 0.0) {
        *focal_mm = info->focal_length_35mm;
        *sensor_mm = DIAGONAL_35_MM * width / hypot(width, height);
        return TRUE;
    }
    return FALSE;
}

static char *
describe(const BgPoseResult *result, const GArray *residuals)
{
    GString *words = g_string_new(NULL);
    guint n_check = 0, n_out = 0;
    double px2 = 0.0, mm2 = 0.0;

    for (guint i = 0; i < residuals->len; i++) {
        const BgPoseResidual *row = &g_array_index(residuals, BgPoseResidual, i);
        if (row->use == BG_LANDMARK_FIT && !row->used)
            n_out++;
        if (row->use != BG_LANDMARK_CHECK)
            continue;
        px2 += row->error_px * row->error_px;
        mm2 += row->error_mm * row->error_mm;
        n_check++;
    }
    g_string_append_printf(words,
                           // Translators: a length in px, a number of points
                           _("Residual %.1f px (root mean square) at %zu fitted points; not an "
                             "accuracy."),
                           result->rms_px, result->n_used);
    if (n_check > 0)
        g_string_append_printf(words, _(" At %u check-only points %.1f px, %.2f mm at depth."),
                               n_check, sqrt(px2 / n_check), sqrt(mm2 / n_check));
    else
        g_string_append(words, _(" No check-only points: the error elsewhere was not measured."));
    if (n_out > 0)
        g_string_append_printf(words,
                               ngettext(" %u point was left out as an outlier: look at its row.",
                                        " %u points were left out as outliers: look at their rows.",
                                        n_out),
                               n_out);
    if (result->n_parameters == 7)
        g_string_append_printf(words, _(" Focal length found: %.0f px (± %.1f %%)."),
                               result->camera.k[0], 100.0 * result->sd_focal);
    if (result->has_second)
        g_string_append_printf(words,
                               _(" Another pose, turned by %.0f°, explains the points nearly as "
                                 "well (%.1f px): add points off their plane."),
                               result->second_angle_deg, result->second_rms_px);
    if (result->mirror_unclear)
        g_string_append(words, _(" Whether the photograph is mirrored cannot be told from these "
                                 "points: compare a known side."));
    if (result->n_used == BG_POSE_MIN_POINTS)
        g_string_append(words, _(" Four points: a wrong one among them cannot be told."));
    return g_string_free(words, FALSE);
}

static gboolean
solve_points(const Input *input, BgPoseResult *result, GArray **residuals, GError **error)
{
    BgPoseParams params = { .robust = TRUE, .mirrored = input->solve.mirrored };

    if (input->volume != NULL) {
        params.has_inside = TRUE;
        params.inside_mm = bg_geometry_centre_mm(bg_volume_get_geometry(input->volume));
    }
    return find_intrinsics(input, &params, error) &&
           bg_pose_from_landmarks(input->patient, input->picture, &params, result, residuals,
                                  error);
}

static gpointer
solve(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    g_autoptr(GArray) residuals = NULL;
    BgPoseResult result;

    if (!solve_points(input, &result, &residuals, error))
        return NULL;
    Found *found = g_new0(Found, 1);
    found->camera = result.camera;
    found->error_px = result.rms_px;
    found->mirrored = result.mirrored;
    found->taken = TRUE;
    found->method = "landmarks";
    found->words = describe(&result, residuals);
    return found;
}

static gpointer
refine(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    g_autoptr(GArray) residuals = NULL;
    BgPoseResult result;
    BgPoseRefined refined;

    if (!solve_points(input, &result, &residuals, error))
        return NULL;
    g_autoptr(BgCortex) cortex =
        bg_cortex_new(input->mesh, input->volume, OUTSIDE_MM, INSIDE_MM, cancellable, error);
    if (cortex == NULL)
        return NULL;
    g_autoptr(GArray) region = g_array_new(FALSE, FALSE, sizeof(double));
    for (gsize i = 0; i < bg_landmarks_count(input->picture); i++) {
        const BgLandmark *point = bg_landmarks_get(input->picture, i);
        const double uv[2] = { point->position.x, point->position.y };
        if (point->placed)
            g_array_append_vals(region, uv, 2);
    }
    const BgPoseRefineParams params = { .cortex = cortex,
                                        .photograph = input->image,
                                        .start = &result,
                                        .region = (const double *) (gpointer) region->data,
                                        .n_region = region->len / 2 };
    if (!bg_pose_refine(&params, &refined, progress, cancellable, error))
        return NULL;

    Found *found = g_new0(Found, 1);
    found->taken = refined.trusted;
    found->camera = refined.camera;
    bg_pose_take_camera(&result, &refined.camera, residuals);
    found->error_px = result.rms_px;
    found->mirrored = result.mirrored;
    found->method = "mutual-information";
    found->words =
        refined.trusted
            // Translators: lengths in px and mm, and two numbers without unit
            ? g_strdup_printf(_("Refined: the surface moved by %.1f px, %.2f mm; mutual "
                                "information %.3f before, %.3f after. Undo shows it as it was."),
                              refined.moved_px, refined.moved_mm, refined.metric_before,
                              refined.metric_after)
            // Translators: the reason follows
            : g_strdup_printf(_("Not refined, the points' camera stays: %s."), refined.doubt);
    return found;
}

static gboolean
take_points(Input *input, GError **error)
{
    const BgLandmarkList *picture = bg_points_of_layer(input->session, input->layer_id);
    const BgLandmarkList *patient =
        picture != NULL ? bg_points_partners(input->session, picture) : NULL;
    const BgLayer *volume = bg_session_get_volume(input->session);

    if (patient == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("No point of the photograph has a partner of the same name in a "
                              "volume: place at least four points in both (P)"));
        return FALSE;
    }
    input->picture = bg_landmarks_ref(picture->points);
    input->picture_list = g_strdup(picture->id);
    input->patient_list = g_strdup(patient->id);
    if (volume != NULL)
        input->volume = bg_volume_ref(volume->payload.volume);
    input->patient = bg_points_shown(input->session, patient, error);
    return input->patient != NULL;
}

static void
start(BgSession *session, const char *layer_id, const BgCameraSolve *solve_by, GObject *owner,
      BgCameraTold told, gboolean refined)
{
    Input *input = input_new(session, layer_id, NULL, owner, told);
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    g_autoptr(GError) error = NULL;

    if (input == NULL)
        return;
    input->solve = *solve_by;
    for (guint i = layers->len; i > 0 && refined && input->mesh == NULL; i--) {
        const BgLayer *layer = g_ptr_array_index(layers, i - 1);
        if (layer->visible && layer->payload.mesh != NULL)
            input->mesh = bg_mesh_ref(layer->payload.mesh);
    }
    if (refined && input->mesh == NULL)
        g_set_error_literal(&error, BG_ERROR, BG_ERROR_INVALID,
                            _("No surface is shown: make the mesh of the brain first (Mesh, in "
                              "the inspector of the brain's mask)"));
    if (error != NULL || !take_points(input, &error)) {
        bg_session_fail(session, _("The photograph has no new camera"), error);
        g_autoptr(GObject) nobody = bg_weak_ref_take(input->owner);
        input_free(input);
        return;
    }
    if (refined)
        run(input, _("Refining the camera"), refine);
    else
        run(input, _("Finding the camera"), solve);
}

void
bg_camera_job_solve(BgSession *session, const char *layer_id, const BgCameraSolve *solve_by,
                    GObject *owner, BgCameraTold told)
{
    start(session, layer_id, solve_by, owner, told, FALSE);
}

void
bg_camera_job_refine(BgSession *session, const char *layer_id, const BgCameraSolve *solve_by,
                     GObject *owner, BgCameraTold told)
{
    start(session, layer_id, solve_by, owner, told, TRUE);
}
