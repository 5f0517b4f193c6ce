// SPDX-License-Identifier: Apache-2.0
// bregma-cli mesh: the surface of a value or of labels.
#include "bg-cli-dicom.h"

#include "core/base/bg-error.h"
#include "core/io/bg-mesh-io.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-parts.h"
#include "core/surface/bg-mesh-refine.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "iso", BG_CLI_VALUE, "=V  surface around values of V and more" },
    { "label", BG_CLI_VALUE, "=L,...|all  surfaces of these labels" },
    { "smooth", BG_CLI_VALUE, "=N  windowed-sinc passes, pass band 0.1; none unless given" },
    { "decimate", BG_CLI_VALUE, "=R  the share of triangles to keep, above 0 to 1" },
    { "largest", BG_CLI_FLAG, "keep the largest connected part alone" },
    { "ascii", BG_CLI_FLAG, "text instead of binary (STL, PLY)" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    BG_CLI_REFERENCE_OPTION,
    { NULL },
};

typedef struct {
    double iso;
    int n_passes;
    double ratio;
} Job;

static gboolean
parse(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);

    if (bg_cli_has(cli, "iso") == bg_cli_has(cli, "label")) {
        bg_cli_usage_error(error, "which surface: %s: give either --iso=V or --label=L",
                           bg_cli_arg(cli, 0));
        return FALSE;
    }
    if (!bg_mesh_can_save(out) && !bg_cli_is_dicom(out)) {
        bg_cli_usage_error(
            error,
            "unknown format: %s: surfaces are written as .stl, .ply, .obj, .glb, .vtk "
            "or .dcm",
            out);
        return FALSE;
    }
    job->ratio = 1.0;
    if (!bg_cli_get_double(cli, "iso", &job->iso, error) ||
        !bg_cli_get_int(cli, "smooth", 0, 1000, &job->n_passes, error) ||
        !bg_cli_get_double(cli, "decimate", &job->ratio, error))
        return FALSE;
    if (!(job->ratio > 0.0 && job->ratio <= 1.0)) {
        bg_cli_usage_error(error,
                           "out of range: --decimate=%s: give the share to keep, above 0 "
                           "and at most 1",
                           bg_cli_option(cli, "decimate"));
        return FALSE;
    }
    return TRUE;
}

static gboolean
parse_labels(const BgCli *cli, GArray *labels, GError **error)
{
    const char *text = bg_cli_option(cli, "label");
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (int i = 0; strcmp(text, "all") != 0 && parts[i] != NULL; i++) {
        guint64 label;
        if (!g_ascii_string_to_unsigned(parts[i], 10, 1, G_MAXUINT32, &label, NULL)) {
            bg_cli_usage_error(error,
                               "not a label: --label=%s: give numbers from 1, with commas "
                               "between, or all",
                               text);
            return FALSE;
        }
        guint32 number = (guint32) label;
        g_array_append_val(labels, number);
    }
    return TRUE;
}

static BgMesh *
label_mesh(BgCli *cli, BgLabelMap *labels, const BgProgress *progress, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));

    if (!parse_labels(cli, numbers, error))
        return NULL;
    BgLabelSurfaceParams params = { .labels = (const guint32 *) (gpointer) numbers->data,
                                    .n_labels = numbers->len };
    if (numbers->len == 0)
        params.labels = NULL;
    return bg_label_surface(labels, &params, progress, cli->cancellable, error);
}

static void
set_no_surface(BgVolume *volume, double iso, GError **error)
{
    BgStatistics s = { 0 };

    bg_volume_statistics(volume, &s, NULL, NULL);
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                "no surface: --iso=%g: the values go from %g to %g. Choose one between", iso, s.min,
                s.max);
}

static BgMesh *
iso_mesh(BgCli *cli, double iso, const BgProgress *progress, GError **error)
{
    g_autoptr(BgVolume) volume = bg_cli_load_volume(cli, bg_cli_arg(cli, 0), error);
    BgIsoParams params = { .iso = iso };

    if (volume == NULL)
        return NULL;
    g_autoptr(BgMesh) mesh = bg_backend_isosurface(bg_cli_get_backend(cli), volume, &params,
                                                   progress, cli->cancellable, error);
    if (mesh != NULL && bg_mesh_get_data(mesh)->n_triangles == 0) {
        set_no_surface(volume, iso, error);
        return NULL;
    }
    return g_steal_pointer(&mesh);
}

static BgMesh *
make_mesh(BgCli *cli, const Job *job, GError **error)
{
    BgMeshRefineParams params = { .largest = bg_cli_has(cli, "largest"),
                                  .n_smooth = (guint) job->n_passes,
                                  .keep = job->ratio,
                                  .measure = TRUE };
    g_autoptr(BgLabelMap) labels = NULL;
    g_autoptr(BgMesh) raw = NULL;
    BgProgressSpan cutting, refining;
    BgMeshRefined refined;

    bg_progress_span_init(&cutting, &cli->progress, 0.0, 0.3);
    if (!bg_cli_has(cli, "label")) {
        raw = iso_mesh(cli, job->iso, &cutting.progress, error);
    } else {
        labels = bg_cli_load_drawn(cli, bg_cli_arg(cli, 0), error);
        raw = labels != NULL ? label_mesh(cli, labels, &cutting.progress, error) : NULL;
    }
    if (raw == NULL)
        return NULL;
    params.labels = labels;
    BgMesh *mesh = bg_mesh_refine(raw, &params, &refined,
                                  bg_progress_span_init(&refining, &cli->progress, 0.3, 1.0),
                                  cli->cancellable, error);
    if (mesh == NULL)
        return NULL;
    if (job->ratio < 1.0)
        bg_json_set_double(cli->result, "decimation_error_mm", refined.error_mm);
    if (refined.volume_error > 0.01)
        bg_cli_add_warning(cli, "volume: a label of thin or small parts encloses other than its "
                                "voxels: groups say how much");
    if (refined.measured)
        bg_json_set(cli->result, "voxel_distance", bg_mesh_refined_to_json(&refined));
    return mesh;
}

static gboolean
set_groups(BgCli *cli, BgMesh *mesh, GError **error)
{
    const GArray *groups = bg_mesh_get_data(mesh)->groups;
    BgJson *array = bg_json_new_array();

    for (guint i = 0; groups != NULL && i < groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(groups, BgMeshGroup, i);
        BgJson *item = bg_json_new_object();
        g_autoptr(BgMesh) part = bg_mesh_extract_group(mesh, i, error);
        bg_json_append(array, item);
        bg_json_set_integer(item, "label", group->label);
        bg_json_set_string(item, "name", group->name);
        if (part == NULL || !bg_cli_set_measures(cli, item, part, error)) {
            bg_json_free(array);
            return FALSE;
        }
    }
    if (groups != NULL)
        bg_json_set(cli->result, "groups", array);
    else
        bg_json_free(array);
    return TRUE;
}

static gboolean
save(BgCli *cli, BgMesh *mesh, const char *out, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(out, -1);
    if (bg_cli_has(cli, "ascii") && !g_str_has_suffix(lower, ".stl") &&
        !g_str_has_suffix(lower, ".ply"))
        bg_cli_doubt(cli, "--ascii makes no difference: STL and PLY alone are of two kinds");
    if (bg_cli_is_dicom(out))
        return bg_cli_save_dicom_mesh(cli, mesh, out, error);

    g_autofree char *provenance = bg_cli_provenance(cli, error);
    g_auto(GStrv) files = bg_mesh_list_files(mesh, out);
    BgMeshSaveParams params = { .force = cli->force,
                                .provenance = provenance,
                                .ras = cli->ras,
                                .ascii = bg_cli_has(cli, "ascii") };
    BgJson *array = bg_json_new_array();

    for (int i = 0; files[i] != NULL; i++)
        bg_json_append(array, bg_json_new_string(files[i]));
    bg_json_set(cli->result, "files", array);
    for (int i = 0; files[i] != NULL; i++)
        if (!bg_cli_check_output(cli, files[i], error))
            return FALSE;
    if (provenance == NULL)
        return FALSE;
    return bg_cli_wrote(
        cli, bg_mesh_save(mesh, out, &params, &cli->progress, cli->cancellable, error), out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    gint64 start = g_get_monotonic_time();
    Job job = { 0 };

    if (!parse(cli, &job, error) || !bg_cli_check_output(cli, out, error))
        return FALSE;
    g_autoptr(BgMesh) mesh = make_mesh(cli, &job, error);
    if (mesh == NULL)
        return FALSE;
    double seconds = (double) (g_get_monotonic_time() - start) / 1e6;
    bg_json_set_string(cli->result, "output", out);
    if (!bg_cli_set_measures(cli, cli->result, mesh, error) || !set_groups(cli, mesh, error) ||
        !save(cli, mesh, out, error))
        return FALSE;
    bg_json_set_string(cli->result, "space", cli->ras ? "ras" : "lps");
    bg_json_set_string(cli->result, "backend", cli->engine);
    bg_json_set_double(cli->result, "seconds", seconds);
    return TRUE;
}

const BgCliCommand bg_cli_command_mesh = {
    .name = "mesh",
    .arguments = "VOLUME OUT.(stl|ply|obj|glb|vtk|dcm) --iso=V | --label=L,... [--smooth=N] "
                 "[--decimate=R] [--space=lps|ras] [--largest]",
    .summary = "the surface of a value or of labels, in millimetres",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
