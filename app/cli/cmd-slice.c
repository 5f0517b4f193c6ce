// SPDX-License-Identifier: Apache-2.0
// bregma-cli slice: orthogonal and oblique slices, intensity and label on the same plane.
#include "bg-cli-dicom.h"
#include "bg-cli-picture.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/cast/bg-slice.h"
#include "core/register/bg-slice-stack.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define MAX_SLICES 4096

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "plane", BG_CLI_VALUE, "=axial|coronal|sagittal  of the volume's own grid" },
    { "index", BG_CLI_VALUE, "=N  which slice, in file order from 0" },
    { "origin", BG_CLI_VALUE, "=x,y,z  a point of an oblique plane: the picture's middle" },
    { "normal", BG_CLI_VALUE, "=x,y,z  away from the viewer" },
    { "up", BG_CLI_VALUE, "=x,y,z  up on the picture" },
    { "size", BG_CLI_VALUE, "=WxH  of the picture; else what the volume needs" },
    { "spacing", BG_CLI_VALUE, "=mm  of pixels; else the volume's finest" },
    { "depth", BG_CLI_VALUE, "=mm  how far the last of several slices lies along the normal" },
    { "count", BG_CLI_VALUE, "=N  how many slices" },
    { "label", BG_CLI_PATH, "=SEG  labels on the same plane, to OUT-label" },
    { "window", BG_CLI_VALUE, "=centre,width  of the picture's greys" },
    { "slab", BG_CLI_VALUE, "=mm  thickness" },
    { "mode", BG_CLI_VALUE, "=mip|minip|mean  of the slab" },
    { "interpolation", BG_CLI_VALUE, "=nearest|linear|cubic  between voxels" },
    { "convention", BG_CLI_VALUE, "=radiological|neurological  left and right" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    { "annotate", BG_CLI_FLAG, "letters, scale bar and more burnt in (PNG)" },
    { NULL },
};

typedef enum { OUT_PNG, OUT_TIFF, OUT_H5 } OutKind;

typedef struct {
    BgLoaded *loaded;
    BgVolume *volume; // owned
    BgLabelMap *labels;
    BgSliceFrame frame; // the first
    BgSliceSampling sampling;
    BgConvention convention;
    int plane; // or -1
    int index, n_slices_of_plane;
    int count;
    double step_mm;
    gboolean has_window;
    double window[2];
    OutKind kind;
} Job;

static void
job_clear(Job *job)
{
    g_clear_pointer(&job->loaded, bg_loaded_free);
    g_clear_pointer(&job->volume, bg_volume_unref);
    g_clear_pointer(&job->labels, bg_label_map_unref);
}

static gboolean
parse_output(const char *path, OutKind *kind, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);

    if (g_str_has_suffix(lower, ".png") || bg_cli_is_dicom(path))
        *kind = OUT_PNG;
    else if (g_str_has_suffix(lower, ".tif") || g_str_has_suffix(lower, ".tiff"))
        *kind = OUT_TIFF;
    else if (g_str_has_suffix(lower, ".h5") || g_str_has_suffix(lower, ".hdf5"))
        *kind = OUT_H5;
    else {
        bg_cli_usage_error(error,
                           "unknown format: %s: slices are written as .png, .tiff, .h5 "
                           "or .dcm",
                           path);
        return FALSE;
    }
    return TRUE;
}

// Options that only mean something beside another one, or without it.
static gboolean
check_idle(const BgCli *cli, const Job *job, GError **error)
{
    static const char *const of_oblique[] = { "origin", "up", "size", "spacing" };
    static const char *const of_planes[] = { "index", "convention" };
    gboolean plane = job->plane >= 0;
    const char *const *others = plane ? of_oblique : of_planes;
    gsize n = plane ? G_N_ELEMENTS(of_oblique) : G_N_ELEMENTS(of_planes);

    for (gsize i = 0; i < n; i++) {
        if (bg_cli_has(cli, others[i])) {
            bg_cli_usage_error(error, "not of this plane: --%s: it goes with %s", others[i],
                               plane ? "--origin and --normal" : "--plane and --index");
            return FALSE;
        }
    }
    if (bg_cli_has(cli, "mode") && !bg_cli_has(cli, "slab"))
        bg_cli_usage_error(error, "of which slab: --mode=%s: give --slab=mm too",
                           bg_cli_option(cli, "mode"));
    else if (bg_cli_has(cli, "depth") && job->count == 1)
        bg_cli_usage_error(error, "how many slices: --depth=%s: give --count=N too, 2 or more",
                           bg_cli_option(cli, "depth"));
    else if (bg_cli_has(cli, "annotate") && job->kind != OUT_PNG)
        bg_cli_usage_error(error, "no picture: --annotate: give an output that ends with .png "
                                  "or .dcm");
    else
        return TRUE;
    return FALSE;
}

static gboolean
parse_words(BgCli *cli, Job *job, GError **error)
{
    const char *mode = bg_cli_option(cli, "mode"), *plane = bg_cli_option(cli, "plane");
    const char *interpolation = bg_cli_option(cli, "interpolation");
    const char *convention = bg_cli_option(cli, "convention");
    BgPlane parsed;

    job->sampling.interpolation = BG_INTERPOLATION_LINEAR;
    if (mode != NULL && !bg_slab_mode_parse(mode, &job->sampling.mode))
        bg_cli_usage_error(error, "no such mode: --mode=%s: give mip, minip or mean", mode);
    else if (interpolation != NULL &&
             !bg_interpolation_parse(interpolation, &job->sampling.interpolation))
        bg_cli_usage_error(error,
                           "no such interpolation: --interpolation=%s: give nearest, linear or "
                           "cubic",
                           interpolation);
    else if (convention != NULL && strcmp(convention, "radiological") != 0 &&
             strcmp(convention, "neurological") != 0)
        bg_cli_usage_error(error,
                           "no such convention: --convention=%s: give radiological or neurological",
                           convention);
    else if (plane != NULL && !bg_plane_parse(plane, &parsed))
        bg_cli_usage_error(error, "no such plane: --plane=%s: give axial, coronal or sagittal",
                           plane);
    else if ((plane != NULL) == bg_cli_has(cli, "normal"))
        bg_cli_usage_error(error,
                           "which plane: %s: give either --plane and --index, or --origin "
                           "and --normal",
                           bg_cli_arg(cli, 0));
    else if (plane != NULL && !bg_cli_has(cli, "index"))
        bg_cli_usage_error(error, "which slice: --plane=%s: give --index=N too", plane);
    else if (plane == NULL && !bg_cli_has(cli, "origin"))
        bg_cli_usage_error(error, "which plane: --normal=%s: give --origin=x,y,z too",
                           bg_cli_option(cli, "normal"));
    else {
        job->convention = g_strcmp0(convention, "neurological") == 0 ? BG_CONVENTION_NEUROLOGICAL
                                                                     : BG_CONVENTION_RADIOLOGICAL;
        job->plane = plane != NULL ? (int) parsed : -1;
        return TRUE;
    }
    return FALSE;
}

static gboolean
parse_numbers(BgCli *cli, Job *job, GError **error)
{
    job->has_window = bg_cli_has(cli, "window");
    job->count = 1;
    if (!bg_cli_get_int(cli, "index", G_MININT, G_MAXINT, &job->index, error) ||
        !bg_cli_get_int(cli, "count", 1, MAX_SLICES, &job->count, error) ||
        !bg_cli_get_doubles(cli, "window", job->window, 2, error) ||
        !bg_cli_get_double(cli, "slab", &job->sampling.slab_mm, error))
        return FALSE;
    if (job->has_window && !(job->window[1] > 0.0)) {
        bg_cli_usage_error(error, "not a window: --window=%s: the width must be above 0",
                           bg_cli_option(cli, "window"));
        return FALSE;
    }
    if (job->sampling.slab_mm < 0.0) {
        bg_cli_usage_error(error, "not a thickness: --slab=%s: give 0 or more mm",
                           bg_cli_option(cli, "slab"));
        return FALSE;
    }
    return check_idle(cli, job, error);
}

static gboolean
make_frame(BgCli *cli, Job *job, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(job->volume);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    BgObliquePlane plane = { .spacing_mm = fmin(spacing.x, fmin(spacing.y, spacing.z)) };

    if (job->plane >= 0) {
        int across = bg_slice_axis_for_plane(geometry, (BgPlane) job->plane);
        job->n_slices_of_plane = geometry->dims[across];
        job->step_mm = bg_vec3_get(spacing, across);
        if (!bg_slice_frame_for_volume(geometry, (BgPlane) job->plane, job->index, job->convention,
                                       &job->frame, error)) {
            g_prefix_error(error, "no such slice: --index=%d: ", job->index);
            return FALSE;
        }
        return TRUE;
    }
    if (!bg_cli_get_vector(cli, "origin", &plane.point_mm, error) ||
        !bg_cli_get_vector(cli, "normal", &plane.normal, error) ||
        !bg_cli_get_vector(cli, "up", &plane.up, error) ||
        !bg_cli_get_positive(cli, "spacing", &plane.spacing_mm, error) ||
        !bg_cli_get_size(cli, "size", &plane.width, &plane.height, error))
        return FALSE;
    job->step_mm = plane.spacing_mm;
    if (!bg_slice_frame_oblique(&plane, geometry, &job->frame, error)) {
        g_prefix_error(error, "no such plane: %s: ", bg_cli_arg(cli, 0));
        return FALSE;
    }
    return TRUE;
}

static gboolean
make_stack(BgCli *cli, Job *job, GError **error)
{
    double depth_mm = 0.0;

    if (!bg_cli_get_double(cli, "depth", &depth_mm, error))
        return FALSE;
    if (bg_cli_has(cli, "depth") && job->count > 1)
        job->step_mm = depth_mm / (job->count - 1);
    return TRUE;
}

static BgSliceFrame
frame_at(const Job *job, int n)
{
    BgSliceFrame frame = job->frame;

    frame.origin_mm = bg_vec3_along(frame.origin_mm, n * job->step_mm, frame.normal);
    return frame;
}

// A slice as a grid, as thick as its slab.
static BgGeometry
slice_geometry(const Job *job, int n)
{
    BgSliceFrame frame = frame_at(job, n);
    BgVec3 thick = bg_vec3_scale(frame.normal, fmax(job->sampling.slab_mm, 1e-3));

    return (BgGeometry){ .dims = { frame.width, frame.height, 1 },
                         .patient_from_voxel = bg_affine_from_columns(
                             bg_vec3_scale(frame.u, frame.spacing_mm),
                             bg_vec3_scale(frame.v, frame.spacing_mm), thick, frame.origin_mm) };
}

static int
count_outside(const Job *job, const BgGeometry *geometry)
{
    int n_outside = 0;

    for (int n = 0; n < job->count; n++) {
        BgGeometry slice = slice_geometry(job, n);
        n_outside += bg_geometry_share_within(&slice, geometry) <= 0.0;
    }
    return n_outside;
}

// A black picture with no word about it looks like a finding.
static gboolean
check_place(BgCli *cli, const Job *job, GError **error)
{
    const char *path = bg_cli_arg(cli, 0), *label = bg_cli_option(cli, "label");
    const BgGeometry *geometry = bg_volume_get_geometry(job->volume);
    int n_outside = count_outside(job, geometry);

    if (n_outside == job->count) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "nothing there: %s: the plane lies outside of the volume. Give another "
                    "--origin",
                    path);
        return FALSE;
    }
    if (n_outside > 0)
        bg_cli_doubt(cli, "%d of %d slices lie outside of the volume: they are black", n_outside,
                     job->count);
    if (label == NULL)
        return TRUE;
    const BgGeometry *drawn = bg_label_map_get_geometry(job->labels);
    if (bg_geometry_share_within(drawn, geometry) <= 0.0) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "nothing in common: %s: it lies outside of %s. Give the labels of this volume, "
                    "or align the two first",
                    label, path);
        return FALSE;
    }
    n_outside = count_outside(job, drawn);
    if (n_outside > 0)
        bg_cli_doubt(cli, "%d of %d slices lie outside of the labels' grid: none are drawn there",
                     n_outside, job->count);
    return TRUE;
}

static gboolean
load(BgCli *cli, Job *job, GError **error)
{
    const char *label = bg_cli_option(cli, "label"), *path = bg_cli_arg(cli, 0);

    job->loaded = bg_cli_load_as_volume(cli, path, error);
    if (job->loaded == NULL)
        return FALSE;
    job->volume = bg_volume_ref(job->loaded->volume);
    if (label != NULL) {
        job->labels = bg_cli_load_drawn(cli, label, error);
        if (job->labels == NULL)
            return FALSE;
    }
    if (!job->has_window) {
        BgWindow window;
        if (!bg_volume_default_window(job->volume, &window, cli->cancellable, error))
            return FALSE;
        job->window[0] = window.centre;
        job->window[1] = window.width;
    }
    return TRUE;
}

// The same grey as bg_slice_compose() gives; not-a-number is black.
static BgImage *
grey_image(const Job *job, BgImage *values, GError **error)
{
    BgImageFormat format = *bg_image_get_format(values);
    gsize n = (gsize) format.width * (gsize) format.height;
    const float *from = bg_image_get_pixels(values);
    guint8 *grey = bg_buffer_alloc(n, error);
    double spacing_mm[2];

    if (grey == NULL)
        return NULL;
    float low = (float) (job->window[0] - 0.5 * job->window[1]);
    float scale = (float) (255.0 / job->window[1]);
    for (gsize i = 0; i < n; i++) {
        float level = (from[i] - low) * scale + 0.5f;
        grey[i] = level >= 1.0f ? (guint8) (level < 255.0f ? (int) level : 255) : 0;
    }
    format.type = BG_PIXEL_UINT8;
    g_autoptr(BgImage) image = bg_image_new_take(&format, grey, error);
    bg_image_get_spacing_mm(values, spacing_mm);
    return image != NULL ? bg_image_new_calibrated(image, spacing_mm) : NULL;
}

static BgImage *
annotated_image(BgCli *cli, const Job *job, const BgSliceFrame *frame, int n, GError **error)
{
    bg_auto_buffer guint32 *argb =
        bg_buffer_alloc_items((gsize) frame->width * (gsize) frame->height, 4, error);
    g_autoptr(GArray) marks = bg_annotations_new();
    g_autofree char *window = bg_format_window(job->window[0], job->window[1]);
    BgSliceLayer layers[2];
    BgAnnotateSlice words;

    if (argb == NULL)
        return NULL;
    layers[0] = bg_slice_layer_for_volume(job->volume, job->window[0], job->window[1]);
    layers[0].sampling = job->sampling;
    layers[1] = bg_slice_layer_for_labels(job->labels, NULL);
    if (!bg_slice_compose(frame, layers, job->labels != NULL ? 2 : 1, argb, cli->cancellable,
                          error))
        return NULL;

    bg_annotate_slice_init(&words, frame);
    words.convention = job->convention;
    words.side_known = job->loaded->info->side_known;
    words.plane = job->plane;
    g_autofree char *title =
        g_ascii_strup(job->plane >= 0 ? bg_plane_name((BgPlane) job->plane) : "oblique", -1);
    words.title = title;
    words.window = window;
    words.engine = "CPU";
    words.interpolation = bg_interpolation_name(job->sampling.interpolation);
    words.slice = job->plane >= 0 ? job->index : n;
    words.n_slices = job->plane >= 0 && job->count == 1 ? job->n_slices_of_plane : job->count;
    words.has_position = TRUE;
    words.position_mm =
        bg_slice_frame_point(frame, 0.5 * (frame->width - 1), 0.5 * (frame->height - 1));
    words.note = "Not for diagnosis";
    bg_annotate_slice(&words, marks);
    bg_cli_draw_marks(marks, argb, frame->width, frame->height);
    return bg_slice_image_from_argb(argb, frame, error);
}

// Label numbers as grey levels: 8 bits where they fit, else 16.
static BgImage *
label_image(const Job *job, const BgSliceFrame *frame, GError **error)
{
    gsize n = (gsize) frame->width * (gsize) frame->height;
    bg_auto_buffer guint32 *labels = bg_buffer_alloc_items(n, sizeof(guint32), error);
    BgImageFormat format = { .width = frame->width, .height = frame->height, .n_channels = 1 };
    double spacing_mm[2] = { frame->spacing_mm, frame->spacing_mm };
    guint32 most = 0;

    if (labels == NULL)
        return NULL;
    bg_slice_sample_labels(job->labels, frame, labels, NULL);
    for (gsize i = 0; i < n; i++)
        most = MAX(most, labels[i]);
    if (most > G_MAXUINT16) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot write: label %u: a picture holds labels up to 65535. Write HDF5 (.h5)",
                    most);
        return NULL;
    }
    format.type = most > G_MAXUINT8 ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8;
    gpointer pixels = bg_buffer_alloc_items(n, bg_pixel_type_size(format.type), error);
    if (pixels == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++) {
        if (format.type == BG_PIXEL_UINT16)
            ((guint16 *) pixels)[i] = (guint16) labels[i];
        else
            ((guint8 *) pixels)[i] = (guint8) labels[i];
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, error);
    return image != NULL ? bg_image_new_calibrated(image, spacing_mm) : NULL;
}

static gboolean
save_image(BgCli *cli, const Job *job, BgImage *image, const char *path, GError **error)
{
    if (image == NULL)
        return FALSE;
    return job->kind == OUT_PNG ? bg_cli_save_png(cli, image, path, error)
                                : bg_cli_save_tiff(cli, image, path, error);
}

static BgImage *
picture_of(BgCli *cli, const Job *job, const BgSliceFrame *frame, int n, GError **error)
{
    if (job->kind == OUT_PNG && bg_cli_has(cli, "annotate"))
        return annotated_image(cli, job, frame, n, error);

    g_autoptr(BgImage) values =
        bg_slice_sample(job->volume, frame, &job->sampling, cli->cancellable, error);
    if (values == NULL)
        return NULL;
    // A TIFF without a window holds the values themselves.
    return job->kind == OUT_TIFF && !job->has_window ? bg_image_ref(values)
                                                     : grey_image(job, values, error);
}

// The n-th of several pictures: OUT-000.png
static char *
path_of(const Job *job, const char *path, int n)
{
    g_autofree char *number = g_strdup_printf("-%03d", n);

    return job->count == 1 ? g_strdup(path) : bg_cli_with_suffix(path, number);
}

static gboolean
write_pictures(BgCli *cli, const Job *job, const char *out, GError **error)
{
    for (int n = 0; n < job->count; n++) {
        BgSliceFrame frame = frame_at(job, n);
        g_autofree char *path = path_of(job, out, n);
        g_autofree char *label_path = bg_cli_with_suffix(path, "-label");
        g_autoptr(BgImage) image = picture_of(cli, job, &frame, n, error);
        g_autoptr(BgImage) labels = NULL;

        if (!save_image(cli, job, image, path, error))
            return FALSE;
        if (job->labels != NULL) {
            labels = label_image(job, &frame, error);
            if (!save_image(cli, job, labels, label_path, error))
                return FALSE;
        }
        bg_progress_report(&cli->progress, (n + 1.0) / job->count);
    }
    return TRUE;
}

static gboolean
write_h5(BgCli *cli, const Job *job, gboolean labels, const char *path, GError **error)
{
    const BgFileInfo *info = job->loaded->info;
    g_autofree char *sha256 = bg_hash_file(info->path, NULL, cli->cancellable, error);
    g_autofree char *name = g_path_get_basename(info->path);
    g_autofree char *provenance = sha256 != NULL ? bg_cli_provenance(cli, error) : NULL;

    if (provenance == NULL)
        return FALSE;
    const BgSliceStack stack = { .volume = job->volume,
                                 .labels = labels ? job->labels : NULL,
                                 .frame = job->frame,
                                 .sampling = job->sampling,
                                 .count = job->count,
                                 .step_mm = job->step_mm,
                                 .source = name,
                                 .source_sha256 = sha256,
                                 .modality = info->modality,
                                 .unit = info->unit,
                                 .provenance = provenance };
    return bg_cli_wrote(
        cli, bg_slice_stack_save(&stack, path, cli->force, &cli->progress, cli->cancellable, error),
        path, error);
}

static void
set_result(BgCli *cli, const Job *job, const char *out)
{
    BgJson *json = cli->result;
    BgVec3 spacing = bg_vec3(job->frame.spacing_mm, job->frame.spacing_mm, fabs(job->step_mm));

    bg_json_set_string(json, "output", out);
    bg_cli_set_point(cli, json, "origin_mm", job->frame.origin_mm);
    bg_cli_set_point(cli, json, "normal", job->frame.normal);
    bg_cli_set_point(cli, json, "u", job->frame.u);
    bg_cli_set_point(cli, json, "v", job->frame.v);
    bg_cli_set_vec3(json, "spacing_mm", spacing);
    bg_cli_set_dims(json, "dims", job->frame.width, job->frame.height, job->count);
    if (job->plane >= 0) {
        bg_json_set_string(json, "plane", bg_plane_name((BgPlane) job->plane));
        bg_json_set_integer(json, "index", job->index);
        bg_json_set_integer(json, "n_slices", job->n_slices_of_plane);
        bg_json_set_string(json, "convention",
                           job->convention == BG_CONVENTION_NEUROLOGICAL ? "neurological"
                                                                         : "radiological");
    }
    bg_json_set_doubles(json, "window", job->window, 2);
    if (job->sampling.slab_mm > 0.0) {
        bg_json_set_double(json, "slab_mm", job->sampling.slab_mm);
        bg_json_set_string(json, "mode", bg_slab_mode_name(job->sampling.mode));
    }
    bg_json_set_string(json, "interpolation", bg_interpolation_name(job->sampling.interpolation));
}

static gboolean
check_outputs(const BgCli *cli, const Job *job, const char *out, const char *label_out,
              GError **error)
{
    int n_files = job->kind == OUT_H5 ? 1 : job->count;

    for (int n = 0; n < n_files; n++) {
        g_autofree char *path = n_files > 1 ? path_of(job, out, n) : g_strdup(out);
        g_autofree char *label_path =
            n_files > 1 ? bg_cli_with_suffix(path, "-label") : g_strdup(label_out);
        if (!bg_cli_check_output(cli, path, error) ||
            (bg_cli_has(cli, "label") && !bg_cli_check_output(cli, label_path, error)))
            return FALSE;
    }
    return TRUE;
}

// All that is written: pictures or volumes, and their labels'.
static void
set_files(BgCli *cli, const Job *job, const char *out)
{
    int n_files = job->kind == OUT_H5 ? 1 : job->count;
    BgJson *files = bg_json_new_array();

    for (int n = 0; n < n_files; n++) {
        g_autofree char *path = n_files > 1 ? path_of(job, out, n) : g_strdup(out);
        g_autofree char *label_path = bg_cli_with_suffix(path, "-label");
        bg_json_append(files, bg_json_new_string(path));
        if (job->labels != NULL)
            bg_json_append(files, bg_json_new_string(label_path));
    }
    bg_json_set(cli->result, "files", files);
    if (job->labels != NULL) {
        g_autofree char *label_out = bg_cli_with_suffix(out, "-label");
        bg_json_set_string(cli->result, "label_output", label_out);
    }
}

static gboolean
run_job(BgCli *cli, Job *job, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    g_autofree char *label_out = bg_cli_with_suffix(out, "-label");

    if (!parse_output(out, &job->kind, error) || !parse_words(cli, job, error) ||
        !parse_numbers(cli, job, error) || !check_outputs(cli, job, out, label_out, error) ||
        !load(cli, job, error) || !make_frame(cli, job, error) || !make_stack(cli, job, error) ||
        !check_place(cli, job, error))
        return FALSE;

    set_result(cli, job, out);
    set_files(cli, job, out);
    if (job->kind != OUT_H5)
        return write_pictures(cli, job, out, error);
    return write_h5(cli, job, FALSE, out, error) &&
           (job->labels == NULL || write_h5(cli, job, TRUE, label_out, error));
}

static gboolean
run(BgCli *cli, GError **error)
{
    Job job = { 0 };
    gboolean ok = run_job(cli, &job, error);

    job_clear(&job);
    return ok;
}

const BgCliCommand bg_cli_command_slice = {
    .name = "slice",
    .arguments = "IN OUT.(png|tiff|h5) --plane=axial|coronal|sagittal --index=N | --origin=x,y,z "
                 "--normal=x,y,z [OPTIONS]",
    .summary = "orthogonal and oblique slices, intensity and label on the same plane",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
