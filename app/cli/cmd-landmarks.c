// SPDX-License-Identifier: Apache-2.0
// bregma-cli landmarks: what follows from lists of points alone.
#include "cmd-register.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/io/bg-mesh-io.h"
#include "core/register/bg-landmark-plane.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define MESH_REACH_MM 40.0

static const BgCliOption options[] = {
    { "volume", BG_CLI_PATH, "=V  the normal points into it; what is cropped" },
    { "depth", BG_CLI_VALUE, "=mm  from the plane to the opposite one" },
    { "three", BG_CLI_VALUE, "=a,b,c  names: the plane through these alone, (b-a) x (c-a)" },
    { "surface", BG_CLI_VALUE, "=value  the top plane goes to the surface of V at that value" },
    { "shape", BG_CLI_VALUE, "=prism|cylinder  between the planes; prism unless given" },
    { "onto", BG_CLI_PATH, "=MESH  the top plane goes to where its normal meets the surface" },
    { "margin", BG_CLI_VALUE, "=mm  how much wider than the points" },
    { "write", BG_CLI_VALUE, "=crop|mask|mesh|contours  what -o is; crop unless given" },
    { "cut", BG_CLI_PATH, "=MESH  contours: where it goes through the plane" },
    { "output", BG_CLI_PATH, "=OUT, -o OUT  a volume, a label map, a mesh, or JSON" },
    { NULL },
};

typedef struct {
    BgLandmarks *list; // owned
    GArray *points;    // owned: of BgVec3: placed and not skipped
    BgVolume *volume;  // owned, nullable
    BgFileInfo *info;  // borrowed from loaded
    BgLoaded *loaded;  // owned, nullable
    BgLandmarkPlane plane;
    BgPrism *prism; // owned, nullable
    BgVec3 top_mm;
    double depth_mm, margin_mm;
    BgPrismShape shape;
} Job;

static void
job_clear(Job *job)
{
    g_clear_pointer(&job->list, bg_landmarks_unref);
    g_clear_pointer(&job->points, g_array_unref);
    g_clear_pointer(&job->volume, bg_volume_unref);
    g_clear_pointer(&job->loaded, bg_loaded_free);
    g_clear_pointer(&job->prism, bg_prism_free);
}

static gboolean
load_points(BgCli *cli, Job *job, GError **error)
{
    job->list = bg_cli_load_landmarks(cli, bg_cli_arg(cli, 0), error);
    if (job->list == NULL)
        return FALSE;
    if (bg_landmarks_get_space(job->list) != BG_LANDMARK_PATIENT) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "no plane: %s: its points are of a picture, in pixels. Give points of a "
                    "patient",
                    bg_cli_arg(cli, 0));
        return FALSE;
    }
    job->points = g_array_new(FALSE, FALSE, sizeof(BgVec3));
    for (gsize i = 0; i < bg_landmarks_count(job->list); i++) {
        const BgLandmark *point = bg_landmarks_get(job->list, i);
        if (point->placed && point->use != BG_LANDMARK_SKIP)
            g_array_append_val(job->points, point->position);
    }
    return TRUE;
}

static gboolean
load_volume(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "volume");

    if (path == NULL)
        return TRUE;
    job->loaded = bg_cli_load_as_volume(cli, path, error);
    if (job->loaded == NULL)
        return FALSE;
    job->volume = bg_volume_ref(job->loaded->volume);
    job->info = job->loaded->info;
    return TRUE;
}

static gboolean
parse_options(BgCli *cli, Job *job, GError **error)
{
    const char *shape = bg_cli_option(cli, "shape"), *what = bg_cli_option(cli, "write");

    if (!bg_cli_get_positive(cli, "depth", &job->depth_mm, error) ||
        !bg_cli_get_double(cli, "margin", &job->margin_mm, error))
        return FALSE;
    if (job->margin_mm < 0.0)
        bg_cli_usage_error(error, "out of range: --margin=%s: it must not be below 0",
                           bg_cli_option(cli, "margin"));
    else if (shape != NULL && strcmp(shape, "prism") != 0 && strcmp(shape, "cylinder") != 0)
        bg_cli_usage_error(error, "no such shape: --shape=%s: give prism or cylinder", shape);
    else if (bg_cli_has(cli, "surface") && !bg_cli_has(cli, "volume"))
        bg_cli_usage_error(error, "a surface of what: --surface=%s: give --volume=V too",
                           bg_cli_option(cli, "surface"));
    else if (what != NULL && strcmp(what, "crop") != 0 && strcmp(what, "mask") != 0 &&
             strcmp(what, "mesh") != 0 && strcmp(what, "contours") != 0)
        bg_cli_usage_error(error, "cannot write: --write=%s: give crop, mask, mesh or contours",
                           what);
    else {
        job->shape = g_strcmp0(shape, "cylinder") == 0 ? BG_PRISM_CYLINDER : BG_PRISM_POLYGON;
        return TRUE;
    }
    return FALSE;
}

static gboolean
through_three(BgCli *cli, Job *job, const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    BgVec3 at[3];

    if (g_strv_length(names) != 3) {
        bg_cli_usage_error(error,
                           "not three points: --three=%s: give three names with commas "
                           "between",
                           text);
        return FALSE;
    }
    for (int i = 0; i < 3; i++) {
        const BgLandmark *point = bg_landmarks_find(job->list, names[i]);
        if (point == NULL || !point->placed) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        "no such point: %s: “%s” is not placed in it. Look at it with bregma-cli "
                        "info",
                        bg_cli_arg(cli, 0), names[i]);
            return FALSE;
        }
        at[i] = point->position;
    }
    return bg_landmark_plane_three(at[0], at[1], at[2], &job->plane, error);
}

// Distances from the plane of all points that count.
static void
measure_distances(BgCli *cli, Job *job)
{
    BgJson *array = bg_json_new_array();
    double square = 0.0;

    for (gsize i = 0; i < bg_landmarks_count(job->list); i++) {
        const BgLandmark *point = bg_landmarks_get(job->list, i);
        if (!point->placed || point->use == BG_LANDMARK_SKIP)
            continue;
        double mm =
            bg_vec3_dot(bg_vec3_sub(point->position, job->plane.centroid_mm), job->plane.normal);
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "name", point->name);
        bg_json_set_double(item, "distance_mm", mm);
        bg_json_append(array, item);
        square += mm * mm;
    }
    job->plane.rms_mm = sqrt(square / job->points->len);
    bg_json_set(cli->result, "distances", array);
}

static gboolean
find_plane(BgCli *cli, Job *job, GError **error)
{
    const char *three = bg_cli_option(cli, "three");
    const BgVec3 *points = (const BgVec3 *) (void *) job->points->data;
    double iso = 0.0, reach_mm = 30.0;

    if (!(three != NULL ? through_three(cli, job, three, error)
                        : bg_landmark_plane_fit(points, job->points->len, &job->plane, error)))
        return FALSE;
    if (job->volume != NULL)
        bg_landmark_plane_turn_into(&job->plane, job->volume);
    else
        bg_cli_add_warning(cli, "the side of the normal follows the order of the points: give "
                                "--volume=V to have it point inwards");
    job->top_mm = job->plane.centroid_mm;
    if (bg_cli_has(cli, "onto")) {
        g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, bg_cli_option(cli, "onto"), error);
        return mesh != NULL &&
               bg_landmark_plane_meet(&job->plane, mesh, MESH_REACH_MM, &job->top_mm, error);
    }
    if (!bg_cli_has(cli, "surface"))
        return TRUE;
    return bg_cli_get_double(cli, "surface", &iso, error) &&
           bg_landmark_plane_find_surface(&job->plane, job->volume, iso, reach_mm, &job->top_mm,
                                          error);
}

static gboolean
write_volume(BgCli *cli, Job *job, const char *out, gboolean only_mask, GError **error)
{
    g_autoptr(BgLabelMap) mask =
        bg_prism_mask(job->prism, bg_volume_get_geometry(job->volume), cli->cancellable, error);
    g_autoptr(BgVolume) crop = NULL;
    BgStatistics s;

    if (mask == NULL || !bg_volume_statistics(job->volume, &s, cli->cancellable, error))
        return FALSE;
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    if (provenance == NULL)
        return FALSE;
    BgSaveParams params = { .force = cli->force,
                            .provenance = provenance,
                            .modality = only_mask ? "SEG" : job->info->modality,
                            .unit = only_mask ? NULL : job->info->unit };
    const BgGeometry *geometry = bg_label_map_get_geometry(mask);
    gboolean ok;
    if (only_mask) {
        ok = bg_io_save_labels(mask, out, &params, &cli->progress, cli->cancellable, error);
    } else {
        crop = bg_prism_crop(job->volume, mask, s.min, error);
        ok = crop != NULL &&
             bg_io_save_volume(crop, out, &params, &cli->progress, cli->cancellable, error);
        geometry = crop != NULL ? bg_volume_get_geometry(crop) : geometry;
    }
    g_autoptr(GArray) counts = bg_label_map_count(mask);
    gsize n = g_array_index(counts, BgLabelCount, 0).n_voxels;
    bg_json_set_integer(cli->result, "n_voxels", (gint64) n);
    bg_json_set_double(cli->result, "volume_ml",
                       (double) n * bg_geometry_voxel_volume_mm3(geometry) / 1000.0);
    bg_cli_set_dims(cli->result, "dims", geometry->dims[0], geometry->dims[1], geometry->dims[2]);
    return bg_cli_wrote(cli, ok, out, error);
}

static gboolean
write_mesh(BgCli *cli, Job *job, const char *out, GError **error)
{
    g_autoptr(BgMesh) mesh = bg_prism_to_mesh(job->prism, error);
    g_autofree char *provenance = mesh != NULL ? bg_cli_provenance(cli, error) : NULL;
    BgMeshSaveParams params = { .force = cli->force, .provenance = provenance, .ras = cli->ras };

    if (provenance == NULL)
        return FALSE;
    return bg_cli_wrote(
        cli, bg_mesh_save(mesh, out, &params, &cli->progress, cli->cancellable, error), out, error);
}

static BgJson *
contour_json(const BgCli *cli, const BgPlaneContour *contour)
{
    BgJson *json = bg_json_new_object(), *points = bg_json_new_array();
    BgAffine flip = cli->ras ? bg_affine_lps_ras_flip() : bg_affine_identity();

    for (guint i = 0; i < contour->points->len; i++) {
        BgVec3 p = bg_affine_apply(&flip, g_array_index(contour->points, BgVec3, i));
        double numbers[3] = { p.x + 0.0, p.y + 0.0, p.z + 0.0 };
        bg_json_append(points, bg_json_new_doubles(numbers, 3));
    }
    bg_json_set(json, "points_mm", points);
    if (contour->values != NULL)
        bg_json_set_doubles(json, "values", (const double *) (void *) contour->values->data,
                            contour->values->len);
    return json;
}

static gboolean
write_contours(BgCli *cli, Job *job, const char *out, GError **error)
{
    g_autoptr(BgMesh) mesh = bg_cli_load_mesh(cli, bg_cli_option(cli, "cut"), error);
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *lines = bg_json_new_array();
    gsize n_points = 0;

    bg_json_set(json, "contours", lines);
    g_autofree char *text = mesh != NULL ? bg_cli_provenance(cli, error) : NULL;
    if (text == NULL)
        return FALSE;
    g_autoptr(GPtrArray) contours =
        bg_plane_contours(mesh, job->top_mm, job->plane.normal, job->volume);
    for (guint i = 0; i < contours->len; i++) {
        const BgPlaneContour *contour = contours->pdata[i];
        bg_json_append(lines, contour_json(cli, contour));
        n_points += contour->points->len;
    }
    bg_json_set_integer(json, "schema", 1);
    bg_json_set_string(json, "kind", "contours");
    bg_json_set_string(json, "space", cli->ras ? "RAS mm" : "LPS mm");
    bg_json_set(json, "provenance", bg_json_parse(text, -1, NULL));
    bg_json_set_integer(cli->result, "n_contours", contours->len);
    bg_json_set_integer(cli->result, "n_contour_points", (gint64) n_points);
    g_autofree char *printed = bg_json_print(json, FALSE);
    return bg_cli_wrote(cli, bg_output_replace(out, cli->force, printed, strlen(printed), error),
                        out, error);
}

static gboolean
write_output(BgCli *cli, Job *job, const char *out, GError **error)
{
    const char *what = bg_cli_option(cli, "write");

    bg_json_set_string(cli->result, "output", out);
    if (g_strcmp0(what, "contours") == 0) {
        if (bg_cli_has(cli, "cut"))
            return write_contours(cli, job, out, error);
        bg_cli_usage_error(error, "contours of what: --write=contours: give --cut=MESH too");
        return FALSE;
    }
    if (job->prism == NULL) {
        bg_cli_usage_error(error, "how deep: -o %s: give --depth=mm too", out);
        return FALSE;
    }
    if (g_strcmp0(what, "mesh") == 0)
        return write_mesh(cli, job, out, error);
    if (job->volume == NULL) {
        bg_cli_usage_error(error, "cropped from what: -o %s: give --volume=V too", out);
        return FALSE;
    }
    return write_volume(cli, job, out, g_strcmp0(what, "mask") == 0, error);
}

static void
set_result(BgCli *cli, const Job *job)
{
    BgJson *json = cli->result;

    bg_cli_set_point(cli, json, "normal", job->plane.normal);
    bg_cli_set_point(cli, json, "u", job->plane.u);
    bg_cli_set_point(cli, json, "v", job->plane.v);
    bg_cli_set_point(cli, json, "centroid_mm", job->plane.centroid_mm);
    bg_json_set_double(json, "rms_mm", job->plane.rms_mm);
    bg_json_set_double(json, "condition", job->plane.condition);
    bg_json_set_integer(json, "n_points", job->points->len);
    bg_cli_set_point(cli, json, "origin_top_mm", job->top_mm);
    bg_cli_set_point(cli, json, "origin_bottom_mm",
                     bg_vec3_along(job->top_mm, job->depth_mm, job->plane.normal));
    bg_json_set_double(json, "depth_mm", job->depth_mm);
    if (job->prism == NULL)
        return;
    bg_json_set_string(json, "shape", job->prism->is_cylinder ? "cylinder" : "prism");
    bg_json_set_double(json, "radius_mm", job->prism->radius_mm);
    if (job->prism->outline == NULL)
        return;
    BgJson *outline = bg_json_new_array();
    BgAffine flip = cli->ras ? bg_affine_lps_ras_flip() : bg_affine_identity();
    for (guint i = 0; i < job->prism->outline->len; i++) {
        const BgContourPoint *p = &g_array_index(job->prism->outline, BgContourPoint, i);
        BgVec3 at = bg_vec3_along(bg_vec3_along(job->prism->origin_mm, p->x, job->prism->u), p->y,
                                  job->prism->v);
        at = bg_affine_apply(&flip, at);
        double numbers[3] = { at.x + 0.0, at.y + 0.0, at.z + 0.0 };
        bg_json_append(outline, bg_json_new_doubles(numbers, 3));
    }
    bg_json_set(json, "outline_mm", outline);
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_option(cli, "output");

    if (!parse_options(cli, job, error) || (out != NULL && !bg_cli_check_output(cli, out, error)) ||
        !load_points(cli, job, error) || !load_volume(cli, job, error) ||
        !find_plane(cli, job, error))
        return FALSE;
    measure_distances(cli, job);
    if (job->depth_mm > 0.0) {
        job->prism =
            bg_prism_new(&job->plane, job->top_mm, (const BgVec3 *) (void *) job->points->data,
                         job->points->len, job->shape, job->depth_mm, job->margin_mm, error);
        if (job->prism == NULL)
            return FALSE;
    }
    set_result(cli, job);
    return out == NULL || write_output(cli, job, out, error);
}

static gboolean
run_plane(BgCli *cli, GError **error)
{
    Job job = { 0 };
    gboolean ok = run_job(cli, &job, error);

    job_clear(&job);
    return ok;
}

static const BgCliCommand verb_plane = {
    .name = "landmarks plane",
    .arguments = "FILE [--volume=V] [--depth=mm] [-o OUT]",
    .summary = "the plane through points, the opposite one, and what lies between",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run_plane,
};

static const BgCliCommand *const verbs[] = {
    &bg_cli_verb_landmarks_convert,
    &verb_plane,
    &bg_cli_verb_landmarks_refine,
    NULL,
};

static const BgCliOption no_options[] = { { NULL } };

const BgCliCommand bg_cli_command_landmarks = {
    .name = "landmarks",
    .arguments = "convert|plane|refine FILE [OPTIONS]",
    .summary = "what follows from a list of points",
    .min_args = 1,
    .max_args = 1,
    .output_arg = -1,
    .options = no_options,
    .verbs = verbs,
};
