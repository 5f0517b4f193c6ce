// SPDX-License-Identifier: Apache-2.0
// bregma-cli render: a picture of a volume and of meshes in it, or a turntable of them.
#include "bg-cli-dicom.h"
#include "bg-cli-film.h"
#include "bg-cli-picture.h"
#include "bg-cli-render.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/cast/bg-preset.h"
#include "core/cast/bg-slice.h"
#include "render/scene/bg-gl-caster.h"

#include <string.h>

#define MAX_TURNTABLE 3600
#define MAX_PATHS 65536
// Where the key light of paths stands, seen from the camera's axis: tangents.
#define KEY_RIGHT (-0.5)
#define KEY_UP 0.7
#define FILM_MS 8000 // a turn of a film

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "preset", BG_CLI_VALUE, "=NAME  how values become colours; see --list-presets" },
    { "tf", BG_CLI_PATH, "=FILE  the same from a file" },
    { "list-presets", BG_CLI_FLAG, "print the presets, render nothing" },
    { "print-tf", BG_CLI_FLAG, "print the transfer function with every field" },
    { "view", BG_CLI_VALUE, "=elev,azim,roll,zoom  0,0,0,1 looks from anterior" },
    { "view-s2", BG_CLI_VALUE, "=elev,azim,roll,zoom  in TFGAN's convention" },
    { "parallel", BG_CLI_FLAG, "no perspective" },
    { "camera", BG_CLI_PATH, "=FILE  a camera as JSON" },
    { "size", BG_CLI_VALUE, "=WxH  512x512 unless given" },
    { "mode", BG_CLI_VALUE, "=composite|mip|minip|mean|iso  instead of the function's own" },
    { "iso", BG_CLI_VALUE, "=V  of --mode=iso" },
    { "shade", BG_CLI_FLAG, "with shading, whatever the function says" },
    { "no-shade", BG_CLI_FLAG, "without" },
    { "lighting", BG_CLI_VALUE, "=local|ao|path  how light falls" },
    { "paths", BG_CLI_VALUE, "=N  of light a pixel, with --lighting=path; 64 unless given" },
    { "clip", BG_CLI_VALUE, "=x0,x1,y0,y1,z0,z1  mm that are kept" },
    { "step", BG_CLI_VALUE, "=mm  between samples" },
    { "mesh", BG_CLI_PATH, "=FILE  a surface in the picture; several may be given" },
    { "mesh-opacity", BG_CLI_VALUE, "=0..1  of all surfaces" },
    { "label", BG_CLI_PATH, "=SEG  labels that colour the voxels" },
    { "background", BG_CLI_VALUE, "=black|white|transparent|#RRGGBB" },
    { "engine", BG_CLI_VALUE, "=cast|gl  who draws" },
    { "turntable", BG_CLI_VALUE, "=N  pictures all round: a film, or OUT-000.png and on" },
    { "plain", BG_CLI_FLAG, "no letters, scale bar and words" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    { NULL },
};

typedef struct {
    BgLoaded *loaded;
    BgVolume *volume;       // owned
    BgTransferFunction *tf; // owned
    const char *preset;     // nullable
    GArray *meshes;         // of BgCastMesh, each with a reference on its mesh
    BgLabelMap *labels;     // owned, nullable
    BgLabelTable *table;    // owned, nullable
    BgCastParams params;
    BgVec3 centre_mm;
    double radius_mm;
    BgView view;
    gboolean has_camera;
    int n_pictures;
    BgGlCaster *gl; // owned; NULL: the backend's caster
} Job;

static void
clear_mesh(gpointer data)
{
    bg_mesh_unref(((BgCastMesh *) data)->mesh);
}

static void
job_clear(Job *job)
{
    g_clear_pointer(&job->loaded, bg_loaded_free);
    g_clear_pointer(&job->volume, bg_volume_unref);
    g_clear_pointer(&job->tf, bg_transfer_function_unref);
    g_clear_pointer(&job->meshes, g_array_unref);
    g_clear_pointer(&job->labels, bg_label_map_unref);
    g_clear_pointer(&job->table, bg_label_table_unref);
    g_clear_pointer(&job->gl, bg_gl_caster_free);
}

static gboolean
list_presets(BgCli *cli, GError **error)
{
    g_autoptr(GArray) presets = bg_preset_list(error);
    BgJson *array = bg_json_new_array();

    bg_json_set(cli->result, "presets", array);
    if (presets == NULL)
        return FALSE;
    for (guint i = 0; i < presets->len; i++) {
        const BgPresetInfo *info = &g_array_index(presets, BgPresetInfo, i);
        BgJson *item = bg_json_new_object();
        bg_json_set_string(item, "id", info->id);
        bg_json_set_string(item, "name", info->name);
        bg_json_set_string(item, "modality", info->modality);
        bg_json_set_string(item, "technique", bg_technique_name(info->technique));
        bg_json_set_boolean(item, "relative", info->relative);
        bg_json_append(array, item);
    }
    return TRUE;
}

static gboolean
load_volume(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_arg(cli, 0);

    job->loaded = bg_cli_load_as_volume(cli, path, error);
    if (job->loaded == NULL)
        return FALSE;
    job->volume = bg_volume_ref(job->loaded->volume);
    return TRUE;
}

static gboolean
load_function(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "tf"), *preset = bg_cli_option(cli, "preset");
    g_autofree char *text = NULL;
    gsize length;

    if (path != NULL && preset != NULL) {
        bg_cli_usage_error(error, "two functions: --tf=%s: give either --tf or --preset", path);
        return FALSE;
    }
    if (path != NULL) {
        if (!g_file_get_contents(path, &text, &length, error)) {
            g_prefix_error(error, "cannot read: %s: ", path);
            return FALSE;
        }
        bg_cli_add_input(cli, path);
        job->tf = bg_transfer_function_parse(text, (gssize) length, error);
        if (job->tf == NULL)
            g_prefix_error(error, "not a transfer function: %s: ", path);
        return job->tf != NULL;
    }
    job->preset = preset != NULL ? preset : bg_preset_guess(job->volume);
    job->tf = bg_preset_load(job->preset, job->volume, error);
    if (job->tf == NULL)
        g_prefix_error(error, "no such preset: --preset=%s: ", job->preset);
    return job->tf != NULL;
}

// --mode, --iso and --shade change the function that was loaded.
static gboolean
change_function(BgCli *cli, Job *job, GError **error)
{
    const char *mode = bg_cli_option(cli, "mode");
    BgTransferFunctionData data;
    gboolean ok = TRUE;

    bg_transfer_function_data_copy(bg_transfer_function_get_data(job->tf), &data);
    if (mode != NULL && !bg_technique_parse(mode, &data.technique)) {
        bg_cli_usage_error(error,
                           "no such mode: --mode=%s: give composite, mip, minip, mean or "
                           "iso",
                           mode);
        ok = FALSE;
    }
    ok = ok && bg_cli_get_double(cli, "iso", &data.iso_value, error);
    if (ok && g_strcmp0(mode, "iso") == 0 && !bg_cli_has(cli, "iso") &&
        bg_transfer_function_get_data(job->tf)->technique != BG_TECHNIQUE_ISO) {
        bg_cli_usage_error(error, "which surface: --mode=iso: give --iso=V too");
        ok = FALSE;
    }
    if (bg_cli_has(cli, "shade"))
        data.shade = TRUE;
    if (bg_cli_has(cli, "no-shade"))
        data.shade = FALSE;
    if (ok) {
        BgTransferFunction *changed = bg_transfer_function_new(&data, error);
        ok = changed != NULL;
        if (ok) {
            bg_transfer_function_unref(job->tf);
            job->tf = changed;
        }
    }
    bg_transfer_function_data_clear(&data);
    return ok;
}

static gboolean
load_meshes(BgCli *cli, Job *job, GError **error)
{
    g_autofree char **paths = bg_cli_option_list(cli, "mesh");
    double opacity = 1.0;

    if (!bg_cli_get_double(cli, "mesh-opacity", &opacity, error))
        return FALSE;
    for (int i = 0; paths[i] != NULL; i++) {
        guint32 label = (guint32) i + 1;
        g_autoptr(BgLabelTable) colours = bg_label_table_new_default(&label, 1, FALSE);
        const BgLabelEntry *entry = bg_label_table_get(colours, 0);
        BgCastMesh mesh = { .opacity = opacity, .visible = TRUE, .clip = TRUE };
        for (int c = 0; c < 3; c++)
            mesh.rgb[c] = (double) entry->rgb[c];
        mesh.mesh = bg_cli_load_mesh(cli, paths[i], error);
        if (mesh.mesh == NULL)
            return FALSE;
        g_array_append_val(job->meshes, mesh);
    }
    return TRUE;
}

static gboolean
load_labels(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "label");

    if (path == NULL)
        return TRUE;
    job->labels = bg_cli_load_drawn(cli, path, error);
    if (job->labels == NULL)
        return FALSE;
    g_autoptr(GArray) counts = bg_label_map_count(job->labels);
    g_autofree guint32 *numbers = g_new(guint32, counts->len + 1);
    for (guint i = 0; i < counts->len; i++)
        numbers[i] = g_array_index(counts, BgLabelCount, i).label;
    job->table =
        bg_label_table_new_default(numbers, counts->len, bg_labels_are_brats(numbers, counts->len));
    job->params.labels = job->labels;
    job->params.label_table = job->table;
    job->params.label_weight = 0.8;
    return TRUE;
}

static gboolean
parse_background(BgCli *cli, Job *job, GError **error)
{
    const char *text = bg_cli_option(cli, "background");
    guint64 rgb = 0;

    if (text == NULL || strcmp(text, "black") == 0)
        return TRUE;
    if (strcmp(text, "transparent") == 0) {
        job->params.transparent = TRUE;
        return TRUE;
    }
    if (strcmp(text, "white") == 0) {
        rgb = 0xFFFFFF;
    } else if (text[0] != '#' || strlen(text) != 7 ||
               !g_ascii_string_to_unsigned(text + 1, 16, 0, 0xFFFFFF, &rgb, NULL)) {
        bg_cli_usage_error(error,
                           "no such background: --background=%s: give black, white, "
                           "transparent or #RRGGBB",
                           text);
        return FALSE;
    }
    for (int c = 0; c < 3; c++) {
        job->params.background_top[c] = (double) (rgb >> (16 - 8 * c) & 0xFF) / 255.0;
        job->params.background_bottom[c] = job->params.background_top[c];
    }
    return TRUE;
}

static gboolean
parse_clip(BgCli *cli, Job *job, GError **error)
{
    double c[6];

    if (!bg_cli_has(cli, "clip"))
        return TRUE;
    if (!bg_cli_get_doubles(cli, "clip", c, 6, error))
        return FALSE;
    if (!(c[0] < c[1] && c[2] < c[3] && c[4] < c[5])) {
        bg_cli_usage_error(error,
                           "no box: --clip=%s: give x0,x1,y0,y1,z0,z1 with the smaller "
                           "first",
                           bg_cli_option(cli, "clip"));
        return FALSE;
    }
    job->params.clip_box = TRUE;
    job->params.clip_low = bg_vec3(c[0], c[2], c[4]);
    job->params.clip_high = bg_vec3(c[1], c[3], c[5]);
    if (cli->ras) { // a flipped axis swaps its ends
        job->params.clip_low = bg_vec3(-c[1], -c[3], c[4]);
        job->params.clip_high = bg_vec3(-c[0], -c[2], c[5]);
    }
    return TRUE;
}

static gboolean
parse_words(BgCli *cli, Job *job, GError **error)
{
    const char *engine = bg_cli_option(cli, "engine"), *lighting = bg_cli_option(cli, "lighting");

    if (engine != NULL && strcmp(engine, "cast") != 0 && strcmp(engine, "gl") != 0) {
        bg_cli_usage_error(error, "no such engine: --engine=%s: give cast or gl", engine);
        return FALSE;
    }
    if (lighting != NULL && !bg_lighting_parse(lighting, &job->params.lighting)) {
        bg_cli_usage_error(error, "no such lighting: --lighting=%s: give local, ao or path",
                           lighting);
        return FALSE;
    }
    if (g_strcmp0(engine, "gl") == 0 && job->params.lighting != BG_LIGHTING_LOCAL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not available: --engine=gl --lighting=%s: OpenGL draws local light only. Give "
                    "--engine=cast",
                    lighting);
        return FALSE;
    }
    if (job->params.lighting == BG_LIGHTING_PATH) {
        job->params.light_right = KEY_RIGHT;
        job->params.light_up = KEY_UP;
        job->params.seed = (guint64) cli->seed;
    } else if (bg_cli_has(cli, "paths")) {
        bg_cli_usage_error(error, "no paths: --paths=%s: give --lighting=path too",
                           bg_cli_option(cli, "paths"));
        return FALSE;
    }
    if (!bg_cli_get_int(cli, "paths", 1, MAX_PATHS, &job->params.n_paths, error))
        return FALSE;
    return TRUE;
}

static gboolean
parse_view(BgCli *cli, Job *job, GError **error)
{
    const char *name = bg_cli_has(cli, "view-s2") ? "view-s2" : "view";
    double v[4] = { 0.0, 0.0, 0.0, 1.0 };
    int width = 512, height = 512;

    if ((bg_cli_has(cli, "view") + bg_cli_has(cli, "view-s2") + bg_cli_has(cli, "camera")) > 1) {
        bg_cli_usage_error(error, "two cameras: %s: give one of --view, --view-s2 and --camera",
                           bg_cli_arg(cli, 0));
        return FALSE;
    }
    if (!bg_cli_get_size(cli, "size", &width, &height, error) ||
        !bg_cli_get_doubles(cli, name, v, 4, error))
        return FALSE;
    if (!(v[3] > 0.0)) {
        bg_cli_usage_error(error, "no such zoom: --%s=%s: it must be above 0", name,
                           bg_cli_option(cli, name));
        return FALSE;
    }
    job->view = (BgView){ .elevation_deg = v[0],
                          .azimuth_deg = v[1],
                          .roll_deg = v[2],
                          .zoom = v[3],
                          .parallel = bg_cli_has(cli, "parallel") };
    if (bg_cli_has(cli, "view-s2"))
        job->params.camera =
            bg_cli_camera_s2(v, bg_volume_get_geometry(job->volume), width, height);
    else
        job->params.camera =
            bg_camera_from_view(&job->view, job->centre_mm, job->radius_mm, width, height);
    return TRUE;
}

static gboolean
load_camera(BgCli *cli, Job *job, GError **error)
{
    const char *path = bg_cli_option(cli, "camera");
    g_autofree char *text = NULL;
    int width = 0, height = 0;
    gsize length;

    if (path == NULL)
        return TRUE;
    if (!g_file_get_contents(path, &text, &length, error)) {
        g_prefix_error(error, "cannot read: %s: ", path);
        return FALSE;
    }
    if (!bg_camera_parse(text, (gssize) length, &job->params.camera, error)) {
        g_prefix_error(error, "not a camera: %s: ", path);
        return FALSE;
    }
    bg_cli_add_input(cli, path);
    job->has_camera = TRUE;
    if (!bg_cli_get_size(cli, "size", &width, &height, error))
        return FALSE;
    if (width > 0)
        job->params.camera = bg_camera_resized(&job->params.camera, width, height);
    return TRUE;
}

// Asked for by name, so it must be there; a software renderer will do.
static gboolean
open_engine(BgCli *cli, Job *job, GError **error)
{
    if (g_strcmp0(bg_cli_option(cli, "engine"), "gl") != 0)
        return TRUE;
    job->gl = bg_gl_caster_new(error);
    if (job->gl == NULL) {
        g_prefix_error(error, "not available: --engine=gl: ");
        return FALSE;
    }
    cli->engine = "gl";
    return TRUE;
}

static gboolean
prepare(BgCli *cli, Job *job, GError **error)
{
    bg_cast_params_init(&job->params);
    if (!parse_words(cli, job, error) || !parse_background(cli, job, error) ||
        !parse_clip(cli, job, error) ||
        !bg_cli_get_positive(cli, "step", &job->params.step_mm, error) ||
        !bg_cli_get_int(cli, "turntable", 1, MAX_TURNTABLE, &job->n_pictures, error) ||
        !load_volume(cli, job, error) || !load_function(cli, job, error) ||
        !change_function(cli, job, error) || !load_meshes(cli, job, error) ||
        !load_labels(cli, job, error))
        return FALSE;

    job->params.tf = job->tf;
    job->params.meshes = (const BgCastMesh *) (gpointer) job->meshes->data;
    job->params.n_meshes = job->meshes->len;
    bg_cast_fit(job->volume, job->params.meshes, job->params.n_meshes, &job->centre_mm,
                &job->radius_mm);
    if (!parse_view(cli, job, error) || !load_camera(cli, job, error))
        return FALSE;
    if (job->n_pictures > 0 && (job->has_camera || bg_cli_has(cli, "view-s2"))) {
        bg_cli_usage_error(error, "no turntable: --turntable=%d: it turns --view, no other camera",
                           job->n_pictures);
        return FALSE;
    }
    return TRUE;
}

static BgImage *
annotated(const Job *job, BgCli *cli, BgImage *colour, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(colour);
    gsize n = (gsize) format->width * (gsize) format->height;
    const guint8 *rgba = bg_image_get_pixels(colour);
    bg_auto_buffer guint32 *argb = bg_buffer_alloc_items(n, 4, error);
    g_autoptr(GArray) marks = bg_annotations_new();
    g_autofree char *engine = g_ascii_strup(cli->engine, -1);
    BgSliceFrame frame = { .spacing_mm = 1.0, .width = format->width, .height = format->height };
    BgAnnotateView words;

    if (argb == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++)
        argb[i] = 0xFF000000 | (guint32) rgba[4 * i] << 16 | (guint32) rgba[4 * i + 1] << 8 |
                  (guint32) rgba[4 * i + 2];
    bg_annotate_view_init(&words, &job->params.camera, job->centre_mm);
    words.side_known = job->loaded->info->side_known;
    words.title = "3D";
    words.engine = engine;
    words.preset = bg_transfer_function_get_data(job->tf)->name;
    words.note = "Not for diagnosis";
    bg_annotate_view(&words, marks);
    bg_cli_draw_marks(marks, argb, format->width, format->height);

    // A perspective picture has no one scale, so the image gets none.
    g_autoptr(BgImage) image = bg_slice_image_from_argb(argb, &frame, error);
    const double unknown[2] = { 0.0, 0.0 };
    return image != NULL ? bg_image_new_calibrated(image, unknown) : NULL;
}

static BgImage *
render_one(BgCli *cli, Job *job, const BgProgress *progress, double *seconds, GError **error)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(BgCastImage) picture =
        job->gl != NULL
            ? bg_gl_caster_cast(job->gl, job->volume, &job->params, cli->cancellable, error)
            : bg_backend_cast(bg_cli_get_backend(cli), job->volume, &job->params, progress,
                              cli->cancellable, error);

    *seconds += (double) (g_get_monotonic_time() - start) / 1e6;
    if (picture == NULL) {
        g_prefix_error(error, "cannot render: %s: ", bg_cli_arg(cli, 0));
        return NULL;
    }
    if (!bg_cli_has(cli, "plain"))
        return annotated(job, cli, picture->colour, error);
    return job->params.transparent ? bg_image_ref(picture->colour)
                                   : bg_cli_drop_alpha(picture->colour, error);
}

static void
set_facts(BgCli *cli, const Job *job)
{
    const BgCamera *camera = &job->params.camera;
    g_autofree char *text = bg_camera_print(camera);
    double view[4] = { job->view.elevation_deg, job->view.azimuth_deg, job->view.roll_deg,
                       job->view.zoom };
    BgJson *size = bg_json_new_array();

    bg_json_append(size, bg_json_new_integer(camera->width));
    bg_json_append(size, bg_json_new_integer(camera->height));
    if (job->gl != NULL) {
        bg_json_set_string(cli->result, "engine", "gl");
        bg_json_set_string(cli->result, "backend", bg_gl_caster_get_renderer(job->gl));
    } else {
        bg_json_set_string(cli->result, "engine", "cast");
        bg_json_set_string(cli->result, "backend", bg_backend_get_name(bg_cli_get_backend(cli)));
    }
    bg_json_set(cli->result, "size", size);
    bg_json_set_string(cli->result, "mode",
                       bg_technique_name(bg_transfer_function_get_data(job->tf)->technique));
    bg_json_set_string(cli->result, "lighting", bg_lighting_name(job->params.lighting));
    if (job->preset != NULL)
        bg_json_set_string(cli->result, "preset", job->preset);
    if (!job->has_camera && !bg_cli_has(cli, "view-s2"))
        bg_json_set_doubles(cli->result, "view", view, 4);
    bg_json_set(cli->result, "camera", bg_json_parse(text, -1, NULL));
}

// What holds all pictures of a turntable in one file.
static gboolean
is_one_file(const char *out)
{
    return bg_cli_is_film(out) || bg_cli_is_dicom(out);
}

// The n-th picture of a turntable.
static BgImage *
render_turned(BgCli *cli, Job *job, const BgView *from, int n, double *seconds, GError **error)
{
    BgProgressSpan span;

    job->view = *from;
    job->view.azimuth_deg += 360.0 * n / job->n_pictures;
    job->params.camera = bg_camera_from_view(&job->view, job->centre_mm, job->radius_mm,
                                             job->params.camera.width, job->params.camera.height);
    return render_one(cli, job,
                      bg_progress_span_init(&span, &cli->progress, (double) n / job->n_pictures,
                                            (n + 1.0) / job->n_pictures),
                      seconds, error);
}

static gboolean
render_turntable(BgCli *cli, Job *job, const char *out, double *seconds, GError **error)
{
    BgJson *files = bg_json_new_array();
    BgView from = job->view;

    bg_json_set(cli->result, "files", files);
    for (int n = 0; n < job->n_pictures; n++) {
        g_autofree char *number = g_strdup_printf("-%03d", n);
        g_autofree char *path = bg_cli_with_suffix(out, number);
        g_autoptr(BgImage) image = render_turned(cli, job, &from, n, seconds, error);
        if (image == NULL)
            return FALSE;
        set_facts(cli, job);
        if (!bg_cli_save_png(cli, image, path, error))
            return FALSE;
        bg_json_append(files, bg_json_new_string(path));
    }
    return TRUE;
}

static gboolean
film_run(BgCli *cli, Job *job, BgCliFilm *film, double *seconds, GError **error)
{
    BgView from = job->view;

    for (int n = 0; n < job->n_pictures; n++) {
        g_autoptr(BgImage) image = render_turned(cli, job, &from, n, seconds, error);
        if (image == NULL || !bg_cli_film_add(film, image, error))
            return FALSE;
    }
    return bg_cli_film_commit(film, error);
}

static gboolean
render_film(BgCli *cli, Job *job, const char *out, double *seconds, GError **error)
{
    BgCliFilm film = { 0 };
    gboolean ok = bg_cli_film_open(&film, cli, out, MAX(1, FILM_MS / job->n_pictures), error) &&
                  film_run(cli, job, &film, seconds, error);

    bg_cli_film_clear(&film);
    return ok;
}

static gboolean
render_multi_frame(BgCli *cli, Job *job, const char *out, double *seconds, GError **error)
{
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func((GDestroyNotify) bg_image_unref);
    BgView from = job->view;

    for (int n = 0; n < job->n_pictures; n++) {
        BgImage *image = render_turned(cli, job, &from, n, seconds, error);
        if (image == NULL)
            return FALSE;
        g_ptr_array_add(images, image);
    }
    return bg_cli_save_dicom_pictures(cli, (BgImage *const *) images->pdata, images->len, out,
                                      error);
}

static gboolean
render_picture(BgCli *cli, Job *job, const char *out, double *seconds, GError **error)
{
    g_autoptr(BgImage) image = render_one(cli, job, &cli->progress, seconds, error);

    return image != NULL && bg_cli_save_png(cli, image, out, error);
}

static gboolean
check_outputs(const BgCli *cli, const Job *job, const char *out, GError **error)
{
    if (job->n_pictures == 0 && bg_cli_is_film(out)) {
        bg_cli_usage_error(error, "one picture only: %s: give --turntable=N for a film, or a .png",
                           out);
        return FALSE;
    }
    for (int n = 0; n < job->n_pictures && !is_one_file(out); n++) {
        g_autofree char *number = g_strdup_printf("-%03d", n);
        g_autofree char *path = bg_cli_with_suffix(out, number);
        if (!bg_cli_check_output(cli, path, error))
            return FALSE;
    }
    return (job->n_pictures > 0 && !is_one_file(out)) || bg_cli_check_output(cli, out, error);
}

static gboolean
print_function(BgCli *cli, Job *job, GError **error)
{
    g_autofree char *text = bg_transfer_function_print(job->tf);
    g_autoptr(BgJson) json = bg_json_parse(text, -1, error);

    for (gsize i = 0; i < bg_json_count(json); i++)
        bg_json_set(cli->result, bg_json_name_at(json, i), bg_json_copy(bg_json_value_at(json, i)));
    return json != NULL;
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    double seconds = 0.0;

    if (!prepare(cli, job, error))
        return FALSE;
    if (bg_cli_has(cli, "print-tf"))
        return print_function(cli, job, error);
    if (!check_outputs(cli, job, out, error) || !open_engine(cli, job, error))
        return FALSE;
    bg_json_set_string(cli->result, "output", out);
    set_facts(cli, job);
    gboolean ok = job->n_pictures == 0  ? render_picture(cli, job, out, &seconds, error)
                  : bg_cli_is_film(out) ? render_film(cli, job, out, &seconds, error)
                  : is_one_file(out)    ? render_multi_frame(cli, job, out, &seconds, error)
                                        : render_turntable(cli, job, out, &seconds, error);
    bg_json_set_double(cli->result, "seconds", seconds);
    return ok;
}

static gboolean
check_suffix(const char *out, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(out, -1);

    if (g_str_has_suffix(lower, ".png") || is_one_file(out))
        return TRUE;
    bg_cli_usage_error(error,
                       "unknown format: %s: pictures are written as .png or .dcm, turntables as "
                       ".png, .gif, .webm or .dcm",
                       out);
    return FALSE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    gboolean only_print = bg_cli_has(cli, "print-tf");
    guint n_wanted = bg_cli_has(cli, "list-presets") ? 0 : only_print ? 1 : 2;

    if (cli->arguments->len < n_wanted) {
        bg_cli_usage_error(error, "too few arguments: render needs %u and has %u: see its usage",
                           n_wanted, cli->arguments->len);
        return FALSE;
    }
    if (n_wanted == 0)
        return list_presets(cli, error);
    if (n_wanted == 2 && !check_suffix(bg_cli_arg(cli, 1), error))
        return FALSE;

    Job job = { .meshes = g_array_new(FALSE, FALSE, sizeof(BgCastMesh)) };
    g_array_set_clear_func(job.meshes, clear_mesh);
    gboolean ok = run_job(cli, &job, error);
    job_clear(&job);
    return ok;
}

const BgCliCommand bg_cli_command_render = {
    .name = "render",
    .arguments =
        "VOLUME OUT.(png|gif|webm|dcm) [--preset=NAME | --tf=FILE] [--view=elev,azim,roll,zoom | "
        "--camera=FILE] [--size=WxH] [OPTIONS]",
    .summary = "a picture of a volume and of surfaces in it, or a turntable",
    .min_args = 0,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
