// SPDX-License-Identifier: Apache-2.0
// bregma-cli bench: how long the heavy work takes here.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/cast/bg-preset.h"
#include "core/cast/bg-slice.h"
#include "core/phantom/bg-phantom.h"
#include "core/surface/bg-mesh-decimate.h"
#include "core/surface/bg-mesh-smooth.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SIZE 256
#define DEFAULT_REPEATS 5

static const BgCliOption options[] = {
    { "size", BG_CLI_VALUE, "=N  voxels along each side; 256 unless given" },
    { "repeats", BG_CLI_VALUE, "=N  of each job; 5 unless given" },
    { NULL },
};

/** Bench: what the jobs work on, made once */
typedef struct {
    BgCli *cli;
    int size, n_repeats;
    char *folder;      // owned
    BgVolume *head;    // owned: int16
    BgVolume *spheres; // owned
    BgMesh *mesh;      // owned
    BgTransferFunction *tf;
} Bench;

typedef struct {
    const char *name;
    const char *unit; // of its throughput, a second
    gboolean (*run)(Bench *bench, double *amount, GError **error);
} Job;

static double
n_mega_voxels(BgVolume *volume)
{
    return (double) bg_geometry_count_voxels(bg_volume_get_geometry(volume)) / 1e6;
}

static gboolean
load(Bench *bench, const char *name, double *amount, GError **error)
{
    g_autofree char *path = g_build_filename(bench->folder, name, NULL);
    g_autoptr(BgVolume) volume = bg_io_load_volume(path, NULL, bench->cli->cancellable, error);

    if (volume != NULL)
        *amount = (double) bg_volume_get_n_bytes(volume) / 1e6;
    return volume != NULL;
}

static gboolean
run_load_nii(Bench *bench, double *amount, GError **error)
{
    return load(bench, "head.nii", amount, error);
}

static gboolean
run_load_nii_gz(Bench *bench, double *amount, GError **error)
{
    return load(bench, "head.nii.gz", amount, error);
}

static gboolean
run_isosurface(Bench *bench, double *amount, GError **error)
{
    BgIsoParams params = { .iso = 500.0 };
    g_autoptr(BgMesh) mesh = bg_backend_isosurface(bg_cli_get_backend(bench->cli), bench->spheres,
                                                   &params, NULL, bench->cli->cancellable, error);

    *amount = n_mega_voxels(bench->spheres);
    return mesh != NULL;
}

static gboolean
run_smooth(Bench *bench, double *amount, GError **error)
{
    BgSincParams params = { .n_passes = 20, .pass_band = 0.1 };
    g_autoptr(BgMesh) mesh =
        bg_mesh_smooth_sinc(bench->mesh, &params, NULL, bench->cli->cancellable, error);

    *amount = (double) bg_mesh_get_data(bench->mesh)->n_triangles / 1e6;
    return mesh != NULL;
}

static gboolean
run_decimate(Bench *bench, double *amount, GError **error)
{
    BgDecimateParams params = { .ratio = 0.1 };
    g_autoptr(BgMesh) mesh =
        bg_mesh_decimate(bench->mesh, &params, NULL, NULL, bench->cli->cancellable, error);

    *amount = (double) bg_mesh_get_data(bench->mesh)->n_triangles / 1e6;
    return mesh != NULL;
}

static gboolean
run_raycast(Bench *bench, double *amount, GError **error)
{
    BgView view = { .elevation_deg = 20.0, .azimuth_deg = 30.0, .zoom = 1.5 };
    BgCastParams params;
    BgVec3 centre_mm;
    double radius_mm;

    bg_cast_params_init(&params);
    bg_cast_fit(bench->head, NULL, 0, &centre_mm, &radius_mm);
    params.tf = bench->tf;
    params.step_mm = bg_geometry_spacing_mm(bg_volume_get_geometry(bench->head)).x; // one voxel
    params.camera = bg_camera_from_view(&view, centre_mm, radius_mm, 512, 512);
    g_autoptr(BgCastImage) image = bg_backend_cast(bg_cli_get_backend(bench->cli), bench->head,
                                                   &params, NULL, bench->cli->cancellable, error);
    *amount = 512.0 * 512.0 / 1e6;
    return image != NULL;
}

static gboolean
run_resample(Bench *bench, double *amount, GError **error)
{
    const BgGeometry *source = bg_volume_get_geometry(bench->head);
    BgGeometry target = *source;
    double c = cos(0.2), s = sin(0.2);
    BgAffine turn = bg_affine_from_columns(bg_vec3(c, s, 0), bg_vec3(-s, c, 0), bg_vec3(0, 0, 1),
                                           bg_vec3(0.3, 0.2, 0.1));

    target.patient_from_voxel = bg_affine_multiply(&turn, &source->patient_from_voxel);
    BgResampleParams params = bg_resample_params(&target);
    g_autoptr(BgVolume) volume = bg_backend_resample(bg_cli_get_backend(bench->cli), bench->head,
                                                     &params, NULL, bench->cli->cancellable, error);
    *amount = n_mega_voxels(bench->head);
    return volume != NULL;
}

static gboolean
run_gaussian(Bench *bench, double *amount, GError **error)
{
    double sigma = 2.0 * bg_geometry_spacing_mm(bg_volume_get_geometry(bench->head)).x;
    g_autoptr(BgVolume) volume =
        bg_backend_gaussian(bg_cli_get_backend(bench->cli), bench->head,
                            bg_vec3(sigma, sigma, sigma), NULL, bench->cli->cancellable, error);

    *amount = n_mega_voxels(bench->head);
    return volume != NULL;
}

static gboolean
run_slices(Bench *bench, double *amount, GError **error)
{
    static guint32 pixels[512 * 512];
    BgSliceLayer layer = bg_slice_layer_for_volume(bench->head, 500.0, 1000.0);
    const BgGeometry *geometry = bg_volume_get_geometry(bench->head);
    BgVec3 centre = bg_geometry_centre_mm(geometry);

    for (int plane = 0; plane < 3; plane++) {
        BgSlicePane pane = { .plane = (BgPlane) plane,
                             .centre_mm = centre,
                             .through_mm = bg_vec3_add(centre, bg_vec3(3.3, 4.4, 5.5)),
                             .width = 512,
                             .height = 512 };
        pane.spacing_mm = bg_slice_fit_spacing_mm(geometry, pane.plane, 512, 512);
        BgSliceFrame frame = bg_slice_frame_for_pane(&pane);
        if (!bg_slice_compose(&frame, &layer, 1, pixels, bench->cli->cancellable, error))
            return FALSE;
    }
    *amount = 3.0 * 512.0 * 512.0 / 1e6;
    return TRUE;
}

static const Job jobs[] = {
    { "load-nii", "MB", run_load_nii },         { "load-nii-gz", "MB", run_load_nii_gz },
    { "isosurface", "Mvoxel", run_isosurface }, { "smooth", "Mtriangle", run_smooth },
    { "decimate", "Mtriangle", run_decimate },  { "raycast", "Mpixel", run_raycast },
    { "resample", "Mvoxel", run_resample },     { "gaussian", "Mvoxel", run_gaussian },
    { "slices", "Mpixel", run_slices },
};

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double p = *(const double *) a, q = *(const double *) b;

    return p < q ? -1 : p > q;
}

static gboolean
run_job(Bench *bench, const Job *job, BgJson *results, GError **error)
{
    g_autofree double *times = g_new(double, (gsize) bench->n_repeats);
    double amount = 0.0;

    if (!job->run(bench, &amount, error)) // once unmeasured: caches are warm from here on
        return FALSE;
    for (int n = 0; n < bench->n_repeats; n++) {
        gint64 start = g_get_monotonic_time();
        if (!job->run(bench, &amount, error))
            return FALSE;
        times[n] = (double) (g_get_monotonic_time() - start) / 1e6;
    }
    qsort(times, (gsize) bench->n_repeats, sizeof(double), compare_doubles);
    double median = bench->n_repeats % 2 == 1
                        ? times[bench->n_repeats / 2]
                        : 0.5 * (times[bench->n_repeats / 2 - 1] + times[bench->n_repeats / 2]);
    g_autofree char *size = g_strdup_printf("%d^3", bench->size);
    g_autofree char *unit = g_strdup_printf("%s/s", job->unit);
    BgJson *result = bg_json_new_object();
    bg_json_set_string(result, "name", job->name);
    bg_json_set_string(result, "size", size);
    bg_json_set_double(result, "median_ms", 1e3 * median);
    bg_json_set_double(result, "spread_ms", 1e3 * (times[bench->n_repeats - 1] - times[0]));
    bg_json_set_double(result, "throughput", amount / median);
    bg_json_set_string(result, "unit", unit);
    bg_json_append(results, result);
    return TRUE;
}

static gboolean
is_wanted(const BgCli *cli, const char *name)
{
    for (guint i = 0; i < cli->arguments->len; i++)
        if (strcmp(cli->arguments->pdata[i], name) == 0)
            return TRUE;
    return cli->arguments->len == 0;
}

static gboolean
prepare_files(Bench *bench, GError **error)
{
    static const char *const names[] = { "head.nii", "head.nii.gz" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(bench->folder, names[i], NULL);
        if (!bg_io_save_volume(bench->head, path, NULL, NULL, bench->cli->cancellable, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
prepare(Bench *bench, GError **error)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_HEAD, .size = bench->size, .tumour = TRUE };
    g_autoptr(BgPhantom) head =
        bg_phantom_new(&params, &bench->cli->progress, bench->cli->cancellable, error);

    if (head == NULL)
        return FALSE;
    bench->head = bg_volume_ref(bg_phantom_find(head, "t1")->volume);
    params.kind = BG_PHANTOM_SPHERES;
    g_autoptr(BgPhantom) spheres = bg_phantom_new(&params, NULL, bench->cli->cancellable, error);
    if (spheres == NULL)
        return FALSE;
    bench->spheres = bg_volume_ref(spheres->parts[0].volume);
    BgIsoParams iso = { .iso = 500.0 };
    bench->mesh = bg_isosurface(bench->spheres, &iso, NULL, bench->cli->cancellable, error);
    if (bench->mesh == NULL)
        return FALSE;
    bench->tf = bg_preset_load("mr-default", bench->head, error);
    if (bench->tf == NULL)
        return FALSE;
    bench->folder = g_dir_make_tmp("bregma-bench-XXXXXX", error);
    return bench->folder != NULL && prepare_files(bench, error);
}

static void
bench_clear(Bench *bench)
{
    if (bench->folder != NULL) {
        g_autofree char *nii = g_build_filename(bench->folder, "head.nii", NULL);
        g_autofree char *gz = g_build_filename(bench->folder, "head.nii.gz", NULL);
        g_unlink(nii);
        g_unlink(gz);
        g_rmdir(bench->folder);
    }
    g_clear_pointer(&bench->folder, g_free);
    g_clear_pointer(&bench->head, bg_volume_unref);
    g_clear_pointer(&bench->spheres, bg_volume_unref);
    g_clear_pointer(&bench->mesh, bg_mesh_unref);
    g_clear_pointer(&bench->tf, bg_transfer_function_unref);
}

static gboolean
check_names(const BgCli *cli, GError **error)
{
    for (guint i = 0; i < cli->arguments->len; i++) {
        gboolean known = FALSE;
        for (gsize n = 0; n < G_N_ELEMENTS(jobs); n++)
            known = known || strcmp(cli->arguments->pdata[i], jobs[n].name) == 0;
        if (!known) {
            bg_cli_usage_error(error,
                               "no such job: %s: there are load-nii, load-nii-gz, isosurface, "
                               "smooth, decimate, raycast, resample, gaussian and slices",
                               bg_cli_arg(cli, i));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    Bench bench = { .cli = cli, .size = DEFAULT_SIZE, .n_repeats = DEFAULT_REPEATS };
    BgJson *results = bg_json_new_array();

    bg_json_set(cli->result, "results", results);
    if (!check_names(cli, error) ||
        !bg_cli_get_int(cli, "size", BG_PHANTOM_MIN_SIZE, BG_PHANTOM_MAX_SIZE, &bench.size,
                        error) ||
        !bg_cli_get_int(cli, "repeats", 1, 1000, &bench.n_repeats, error))
        return FALSE;

    gboolean ok = prepare(&bench, error);
    for (gsize i = 0; ok && i < G_N_ELEMENTS(jobs); i++)
        if (is_wanted(cli, jobs[i].name))
            ok = run_job(&bench, &jobs[i], results, error);
    bench_clear(&bench);
    if (ok) {
        bg_json_set_string(cli->result, "backend", cli->engine);
        bg_json_set_integer(cli->result, "threads", bg_parallel_count_threads());
    }
    return ok;
}

const BgCliCommand bg_cli_command_bench = {
    .name = "bench",
    .arguments = "[NAME...] [--size=N] [--repeats=N]",
    .summary = "one line per job: name, size, median, spread, throughput",
    .min_args = 0,
    .max_args = 64,
    .output_arg = -1,
    .options = options,
    .run = run,
};
