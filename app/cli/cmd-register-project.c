// SPDX-License-Identifier: Apache-2.0
// bregma-cli register project: what lies in the patient, where a photograph shows it.
#include "bg-cli-camera.h"
#include "bg-cli-picture.h"
#include "cmd-register.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/register/bg-landmark-plane.h"
#include "core/register/bg-photo.h"

#include <string.h>

#define SLACK_MM 1.0 // behind the surface, and still on it

static const BgCliOption options[] = {
    { "camera", BG_CLI_PATH, "=CAM.json  with its pose, as register camera writes it" },
    { "photograph", BG_CLI_PATH, "=IMG  what is drawn on" },
    { "points3d", BG_CLI_PATH, "=A  points of the volume" },
    { "points2d", BG_CLI_PATH, "=B  points of the same names in the photograph: the error there" },
    { "surface", BG_CLI_PATH, "=MESH  hides what lies behind it: the brain's" },
    { "contours", BG_CLI_PATH, "=C.json  lines, as landmarks plane --write=contours writes them" },
    { "outline", BG_CLI_PATH, "=MESH  its silhouette; may be given again" },
    { "straight", BG_CLI_PATH, "=OUT.png  the photograph without its lens, not mirrored" },
    { "output", BG_CLI_PATH, "=OUT.png, -o OUT.png  the photograph with all that" },
    { NULL },
};

typedef struct {
    BgCamera camera;
    gboolean mirrored;
    BgImage *photograph;   // owned, nullable
    BgCortexView *surface; // owned, nullable
    GPtrArray *lines;      // owned: of BgContours
    GArray *marks;         // owned: of BgMark
} Job;

static void
job_clear(Job *job)
{
    g_clear_pointer(&job->photograph, bg_image_unref);
    g_clear_pointer(&job->surface, bg_cortex_view_free);
    g_clear_pointer(&job->lines, g_ptr_array_unref);
    g_clear_pointer(&job->marks, g_array_unref);
}

static gboolean
load_camera(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "camera");
    g_autofree char *text = NULL;
    gsize length;

    if (path == NULL) {
        bg_cli_usage_error(error, "which camera: register project: give --camera=CAM.json");
        return FALSE;
    }
    if (!g_file_get_contents(path, &text, &length, error) ||
        !bg_camera_parse(text, (gssize) length, &job->camera, error)) {
        g_prefix_error(error, "not a camera: %s: ", path);
        return FALSE;
    }
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, NULL);
    job->mirrored = bg_json_to_boolean(bg_json_get(json, "mirrored"), FALSE);
    bg_cli_add_input(cli, path);
    return TRUE;
}

static gboolean
load_photograph(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "photograph");

    if (path == NULL && !bg_cli_has(cli, "output") && !bg_cli_has(cli, "straight"))
        return TRUE;
    if (path == NULL) {
        bg_cli_usage_error(error, "drawn on what: register project: give --photograph=IMG too");
        return FALSE;
    }
    job->photograph = bg_cli_load_picture(cli, path, error);
    if (job->photograph == NULL)
        return FALSE;
    const BgImageFormat *format = bg_image_get_format(job->photograph);
    if (format->width == job->camera.width && format->height == job->camera.height)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                "not that camera's: %s: it has %d x %d pixels, the camera %d x %d. Give the "
                "photograph that the camera was found for",
                path, format->width, format->height, job->camera.width, job->camera.height);
    return FALSE;
}

static gboolean
load_surface(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "surface");

    if (path == NULL)
        return TRUE;
    g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, path, error);
    g_autoptr(BgCortex) cortex =
        mesh != NULL ? bg_cortex_new(mesh, NULL, 0.0, 0.0, cli->cancellable, error) : NULL;
    if (cortex == NULL)
        return FALSE;
    job->surface = bg_cortex_view_new(cortex, &job->camera, cli->cancellable, error);
    return job->surface != NULL;
}

// Whether the surface lies before it.
static gboolean
is_hidden(const Job *job, BgVec3 at)
{
    g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(BgVec3));
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    BgPlaneContour line = { .points = one };

    g_array_append_val(one, at);
    g_ptr_array_add(lines, &line);
    g_autoptr(BgContours) seen =
        bg_photo_contours(&job->camera, job->mirrored, lines, job->surface, SLACK_MM);
    return seen->points->len == 0;
}

static void
project_point(Job *job, const BgLandmark *point, const BgLandmark *placed, int number, BgJson *rows)
{
    BgAnnotateLandmark mark = { .number = number,
                                .name = point->name,
                                .selected = TRUE,
                                .check_only = point->use == BG_LANDMARK_CHECK,
                                .scale = 1.0 };
    BgJson *row = bg_json_new_object();
    double uv[2], depth_mm;

    bg_json_set_string(row, "name", point->name);
    bg_json_append(rows, row);
    gboolean ok =
        bg_photo_project(&job->camera, job->mirrored, point->position, &uv[0], &uv[1], &depth_mm);
    bg_json_set_boolean(row, "hidden", !ok || is_hidden(job, point->position));
    if (!ok)
        return;
    double mm = bg_camera_mm_per_pixel(&job->camera, point->position);
    bg_json_set_doubles(row, "projected", uv, 2);
    bg_json_set_double(row, "depth_mm", depth_mm);
    bg_json_set_double(row, "mm_per_px", mm);
    mark.x = uv[0];
    mark.y = uv[1];
    if (placed != NULL && placed->placed) {
        double px = hypot(placed->position.x - uv[0], placed->position.y - uv[1]);
        bg_json_set_double(row, "error", px);
        bg_json_set_double(row, "error_mm", px * mm);
        mark.x = placed->position.x;
        mark.y = placed->position.y;
        mark.has_residual = TRUE;
        mark.residual_x = uv[0];
        mark.residual_y = uv[1];
    }
    bg_annotate_landmark(&mark, job->marks);
}

static gboolean
project_points(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "points3d"), *seen_path = bg_cli_option(cli, "points2d");
    g_autoptr(BgLandmarks) seen = NULL;

    if (path == NULL)
        return TRUE;
    g_autoptr(BgLandmarks) points = bg_cli_load_landmarks(cli, path, error);
    if (points == NULL)
        return FALSE;
    if (seen_path != NULL) {
        seen = bg_cli_load_landmarks(cli, seen_path, error);
        if (seen == NULL)
            return FALSE;
    }
    if (bg_landmarks_get_space(points) != BG_LANDMARK_PATIENT ||
        (seen != NULL && bg_landmarks_get_space(seen) != BG_LANDMARK_PICTURE)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "points of the wrong space: %s: --points3d has millimetres of a patient, "
                    "--points2d pixels. Exchange them",
                    path);
        return FALSE;
    }
    BgJson *rows = bg_json_new_array();
    for (gsize i = 0; i < bg_landmarks_count(points); i++) {
        const BgLandmark *point = bg_landmarks_get(points, i);
        if (point->placed && point->use != BG_LANDMARK_SKIP)
            project_point(job, point, seen != NULL ? bg_landmarks_find(seen, point->name) : NULL,
                          (int) i + 1, rows);
    }
    bg_json_set(cli->result, "points", rows);
    return TRUE;
}

static BgPlaneContour *
parse_contour(const BgJson *json, const BgAffine *to_lps)
{
    const BgJson *points = bg_json_get(json, "points_mm");
    BgPlaneContour *line = g_new0(BgPlaneContour, 1);

    line->points = g_array_new(FALSE, FALSE, sizeof(BgVec3));
    for (gsize i = 0; i < bg_json_count(points); i++) {
        double p[3];
        if (!bg_json_to_doubles(bg_json_at(points, i), p, 3))
            continue;
        BgVec3 at = bg_affine_apply(to_lps, bg_vec3(p[0], p[1], p[2]));
        g_array_append_val(line->points, at);
    }
    return line;
}

static gboolean
project_contours(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "contours");
    g_autofree char *text = NULL;
    gsize length;

    if (path == NULL)
        return TRUE;
    g_autoptr(BgJson) json = g_file_get_contents(path, &text, &length, error)
                                 ? bg_json_parse(text, (gssize) length, error)
                                 : NULL;
    const BgJson *list = json != NULL ? bg_json_get(json, "contours") : NULL;
    if (list == NULL) {
        if (error != NULL && *error == NULL)
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT, "it has no contours");
        g_prefix_error(error, "no lines: %s: ", path);
        return FALSE;
    }
    bg_cli_add_input(cli, path);
    const char *space = bg_json_to_string(bg_json_get(json, "space"), "LPS mm");
    BgAffine to_lps =
        g_str_has_prefix(space, "RAS") ? bg_affine_lps_ras_flip() : bg_affine_identity();
    g_autoptr(GPtrArray) contours =
        g_ptr_array_new_with_free_func((GDestroyNotify) bg_plane_contour_free);
    for (gsize i = 0; i < bg_json_count(list); i++)
        g_ptr_array_add(contours, parse_contour(bg_json_at(list, i), &to_lps));
    BgContours *lines =
        bg_photo_contours(&job->camera, job->mirrored, contours, job->surface, SLACK_MM);
    bg_json_set_integer(cli->result, "n_contour_points", lines->points->len);
    g_ptr_array_add(job->lines, lines);
    return TRUE;
}

static gboolean
project_outlines(BgCli *cli, Job *job, GError **error)
{
    g_autofree char **paths = bg_cli_option_list(cli, "outline");
    gint64 n = 0;

    for (int i = 0; paths[i] != NULL; i++) {
        g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, paths[i], error);
        g_autoptr(BgCortex) label =
            mesh != NULL ? bg_cortex_new(mesh, NULL, 0.0, 0.0, cli->cancellable, error) : NULL;
        BgContours *lines = label != NULL ? bg_photo_outline(&job->camera, job->mirrored, label,
                                                             cli->cancellable, error)
                                          : NULL;
        if (lines == NULL)
            return FALSE;
        n += lines->points->len;
        g_ptr_array_add(job->lines, lines);
    }
    bg_json_set_integer(cli->result, "n_outline_points", n);
    return TRUE;
}

// The photograph in cairo's order; grey as grey.
static guint32 *
to_argb(const Job *job, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(job->photograph);
    gsize n = (gsize) format->width * (gsize) format->height;
    guint32 *argb = bg_buffer_alloc_items(n, sizeof *argb, error);
    const guint8 *bytes = bg_image_get_pixels(job->photograph);
    const guint16 *words = bg_image_get_pixels(job->photograph);

    for (gsize i = 0; argb != NULL && i < n; i++) {
        guint32 out = 0xff000000u;
        for (int c = 0; c < 3; c++) {
            gsize at = i * (gsize) format->n_channels + (gsize) (format->n_channels >= 3 ? c : 0);
            guint32 value = format->type == BG_PIXEL_UINT8 ? bytes[at] : words[at] >> 8;
            out |= value << (16 - 8 * c);
        }
        argb[i] = out;
    }
    return argb;
}

static gboolean
write_picture(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "output");

    if (path == NULL)
        return TRUE;
    BgImageFormat format = *bg_image_get_format(job->photograph);
    if (format.type == BG_PIXEL_FLOAT32) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot draw: %s: its pixels are real numbers. Give a photograph of 8 or 16 "
                    "bits",
                    bg_cli_option(cli, "photograph"));
        return FALSE;
    }
    bg_auto_buffer guint32 *argb = to_argb(job, error);
    gsize n = (gsize) format.width * (gsize) format.height;
    guint8 *rgb = argb != NULL ? bg_buffer_alloc(3 * n, error) : NULL;
    if (rgb == NULL)
        return FALSE;
    bg_cli_draw_lines(job->lines, argb, format.width, format.height);
    bg_cli_draw_marks(job->marks, argb, format.width, format.height);
    for (gsize i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[3 * i + (gsize) c] = (guint8) (argb[i] >> (16 - 8 * c));
    format.n_channels = 3;
    format.type = BG_PIXEL_UINT8;
    g_autoptr(BgImage) image = bg_image_new_take(&format, rgb, error);
    bg_json_set_string(cli->result, "output", path);
    return image != NULL && bg_cli_save_png(cli, image, path, error);
}

static gboolean
write_straight(BgCli *cli, const Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "straight");

    if (path == NULL)
        return TRUE;
    g_autoptr(BgImage) image =
        bg_photo_straighten(job->photograph, &job->camera, job->mirrored, cli->cancellable, error);
    bg_json_set_string(cli->result, "straight", path);
    return image != NULL && bg_cli_save_png(cli, image, path, error);
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_option(cli, "output"), *straight = bg_cli_option(cli, "straight");

    if ((out != NULL && !bg_cli_check_output(cli, out, error)) ||
        (straight != NULL && !bg_cli_check_output(cli, straight, error)) ||
        !load_camera(cli, job, error) || !load_photograph(cli, job, error) ||
        !load_surface(cli, job, error))
        return FALSE;
    bg_json_set_boolean(cli->result, "mirrored", job->mirrored);
    return project_points(cli, job, error) && project_contours(cli, job, error) &&
           project_outlines(cli, job, error) && write_picture(cli, job, error) &&
           write_straight(cli, job, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    Job job = { .lines = g_ptr_array_new_with_free_func((GDestroyNotify) bg_contours_free),
                .marks = bg_annotations_new() };
    gboolean ok = run_job(cli, &job, error);

    job_clear(&job);
    return ok;
}

const BgCliCommand bg_cli_verb_register_project = {
    .name = "register project",
    .arguments = "--camera=CAM.json [--points3d=A] [--contours=C.json] [--outline=MESH] "
                 "[--photograph=IMG -o OUT.png]",
    .summary = "what lies in the patient, where a photograph shows it",
    .min_args = 0,
    .max_args = 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
