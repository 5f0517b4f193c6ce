// SPDX-License-Identifier: Apache-2.0
// bregma-cli montage: many slices in one picture, or one after the other in a film.
#include "bg-cli-picture.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/cast/bg-slice.h"
#include "core/io/bg-gif-write.h"
#include "core/segment/bg-label-picture.h"
#include "core/volume/bg-crop.h"
#include "core/volume/bg-reorient.h"
#include "core/volume/bg-resample.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

static const BgCliOption options[] = {
    { "plane", BG_CLI_VALUE, "=axial|coronal|sagittal  axial unless given" },
    { "label", BG_CLI_PATH, "=SEG  its outlines on top; only the slices that it reaches" },
    { "count", BG_CLI_VALUE, "=N  slices, evenly spread; 24 unless given" },
    { "columns", BG_CLI_VALUE, "=N  of a picture; 6 unless given" },
    { "delay", BG_CLI_VALUE, "=ms  of a film, between slices; 100 unless given" },
    { "window", BG_CLI_VALUE, "=centre,width  else the 1st to the 99.5th percentile" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    { NULL },
};

typedef struct {
    BgVolume *volume;   // owned: LPS, cubic voxels
    BgLabelMap *labels; // owned, nullable
    double window[2];
    double finest_mm;
    gboolean side_known;
    int axis, first, last, count, columns, delay_ms;
} Montage;

static void
montage_clear(Montage *montage)
{
    g_clear_pointer(&montage->volume, bg_volume_unref);
    g_clear_pointer(&montage->labels, bg_label_map_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Montage, montage_clear)

static gboolean
get_options(const BgCli *cli, Montage *montage, GError **error)
{
    static const char *const planes[3] = { "sagittal", "coronal", "axial" };
    const char *plane = bg_cli_option(cli, "plane");

    montage->axis = plane == NULL ? 2 : -1;
    montage->count = 24;
    montage->columns = 6;
    montage->delay_ms = 100;
    for (int axis = 0; plane != NULL && axis < 3; axis++)
        montage->axis = strcmp(plane, planes[axis]) == 0 ? axis : montage->axis;
    if (montage->axis < 0) {
        bg_cli_usage_error(error, "no such plane: --plane=%s: give axial, coronal or sagittal",
                           plane);
        return FALSE;
    }
    return bg_cli_get_int(cli, "count", 1, 4096, &montage->count, error) &&
           bg_cli_get_int(cli, "columns", 1, 256, &montage->columns, error) &&
           bg_cli_get_int(cli, "delay", 20, 60000, &montage->delay_ms, error);
}

static gboolean
find_window(BgCli *cli, Montage *montage, GError **error)
{
    static const double percents[2] = { 1.0, 99.5 };
    double given[2];

    if (bg_cli_has(cli, "window")) {
        if (!bg_cli_get_doubles(cli, "window", given, 2, error))
            return FALSE;
        montage->window[0] = given[0] - given[1] / 2.0;
        montage->window[1] = given[0] + given[1] / 2.0;
    } else if (!bg_volume_percentiles(montage->volume, BG_PERCENTILE_OF_NONZERO, percents, 2,
                                      montage->window, cli->cancellable, error)) {
        return FALSE;
    }
    if (!(montage->window[1] > montage->window[0]))
        montage->window[1] = montage->window[0] + 1.0;
    return TRUE;
}

// Onto cubic voxels in LPS order, of the finest of the volume's spacings.
static gboolean
load(BgCli *cli, Montage *montage, GError **error)
{
    const char *path = bg_cli_arg(cli, 0);
    g_autoptr(BgLoaded) loaded = bg_cli_load_as_volume(cli, path, error);
    BgVolume *volume = loaded != NULL ? loaded->volume : NULL; // borrowed
    const char *label = bg_cli_option(cli, "label");
    BgGeometry turned, grid;
    BgVoxelBox box;

    if (volume == NULL ||
        !bg_geometry_reorient(bg_volume_get_geometry(volume), "LPS", NULL, NULL, &turned, error))
        return FALSE;
    BgVec3 own = bg_geometry_spacing_mm(&turned);
    double finest = MIN(own.x, MIN(own.y, own.z));
    montage->finest_mm = finest;
    montage->side_known = loaded->info->side_known;
    if (!bg_geometry_new_spacing(&turned, bg_vec3(finest, finest, finest), &grid, error))
        return FALSE;
    BgResampleParams params = bg_resample_params(&grid);
    montage->volume = bg_resample(volume, &params, &cli->progress, cli->cancellable, error);
    montage->last = grid.dims[montage->axis] - 1;
    if (montage->volume == NULL || label == NULL)
        return montage->volume != NULL;
    g_autoptr(BgLabelMap) labels = bg_cli_load_drawn(cli, label, error);
    if (labels == NULL ||
        !bg_cli_check_overlap(cli, bg_label_map_get_geometry(labels), &grid, label, path, error))
        return FALSE;
    montage->labels = bg_resample_labels(labels, &params, NULL, cli->cancellable, error);
    if (montage->labels == NULL)
        return FALSE;
    if (bg_label_map_bounds(montage->labels, 0, 2.0 * finest, &box, NULL)) {
        montage->first = box.first[montage->axis];
        montage->last = box.last[montage->axis];
    } else {
        bg_cli_add_warning(cli, "the label map is empty there: all slices are shown");
    }
    return TRUE;
}

// Letters on each of the pictures in @image, and the note on the last.
static BgImage *
annotate(const Montage *montage, BgImage *image, int columns, guint n, GError **error)
{
    static const BgConvention convention = BG_CONVENTION_RADIOLOGICAL; // as LPS pictures are
    static const BgPlane planes[3] = { BG_PLANE_SAGITTAL, BG_PLANE_CORONAL, BG_PLANE_AXIAL };
    const BgImageFormat *format = bg_image_get_format(image);
    const guint8 *rgb = bg_image_get_pixels(image);
    gsize n_pixels = (gsize) format->width * (gsize) format->height;
    bg_auto_buffer guint32 *argb = bg_buffer_alloc_items(n_pixels, sizeof(guint32), error);
    BgSliceFrame frame = { .width = format->width,
                           .height = format->height,
                           .spacing_mm = montage->finest_mm };
    int rows = ((int) n + columns - 1) / columns;
    double width = (double) format->width / columns, height = (double) format->height / rows;
    g_autoptr(GArray) marks = bg_annotations_new();
    BgVec3 right, down;

    if (argb == NULL)
        return NULL;
    for (gsize i = 0; i < n_pixels; i++)
        argb[i] = 0xff000000u | (guint32) rgb[3 * i] << 16 | (guint32) rgb[3 * i + 1] << 8 |
                  rgb[3 * i + 2];
    bg_plane_axes(planes[montage->axis], convention, &right, &down);
    for (guint tile = 0; tile < n; tile++) {
        double box[4] = { width * ((int) tile % columns), height * ((int) tile / columns), width,
                          height };
        bg_annotate_tile(marks, box, right, down, montage->side_known,
                         tile + 1 == n ? "Not for diagnosis" : NULL);
    }
    bg_cli_draw_marks(marks, argb, format->width, format->height);
    return bg_slice_image_from_argb(argb, &frame, error);
}

static GPtrArray *
draw(BgCli *cli, const Montage *montage, GError **error)
{
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func((GDestroyNotify) bg_image_unref);
    int n = MIN(montage->count, montage->last - montage->first + 1);

    for (int i = 0; i < n; i++) {
        double at = n > 1 ? (double) i / (n - 1) : 0.5;
        int slice = montage->first + (int) (at * (montage->last - montage->first) + 0.5);
        BgImage *picture = bg_label_picture(montage->volume, montage->labels, montage->window,
                                            montage->axis, slice, error);
        if (picture == NULL)
            return NULL;
        g_ptr_array_add(pictures, picture);
    }
    bg_json_set_integer(cli->result, "n_slices", n);
    return g_steal_pointer(&pictures);
}

static gboolean
save_film(BgCli *cli, const Montage *montage, const GPtrArray *pictures, const char *out,
          GError **error)
{
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    g_autoptr(BgGif) gif = provenance == NULL
                               ? NULL
                               : bg_gif_new(out, cli->force, montage->delay_ms, provenance, error);
    gboolean ok = gif != NULL;

    for (guint i = 0; ok && i < pictures->len; i++) {
        g_autoptr(BgImage) picture = annotate(montage, pictures->pdata[i], 1, 1, error);
        ok = picture != NULL && bg_gif_add(gif, picture, error);
    }
    return bg_cli_wrote(cli, ok && bg_gif_commit(gif, error), out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    g_auto(Montage) montage = { 0 };
    gboolean film = g_str_has_suffix(out, ".gif");

    if (!film && !g_str_has_suffix(out, ".png")) {
        bg_cli_usage_error(error, "unknown format: %s: montages are written as .png or .gif", out);
        return FALSE;
    }
    if (!get_options(cli, &montage, error) || !bg_cli_check_output(cli, out, error) ||
        !load(cli, &montage, error) || !find_window(cli, &montage, error))
        return FALSE;
    g_autoptr(GPtrArray) pictures = draw(cli, &montage, error);
    if (pictures == NULL)
        return FALSE;
    if (film)
        return save_film(cli, &montage, pictures, out, error);
    int columns = MIN(montage.columns, (int) pictures->len);
    g_autoptr(BgImage) plain =
        bg_montage((BgImage *const *) pictures->pdata, pictures->len, columns, error);
    g_autoptr(BgImage) image =
        plain != NULL ? annotate(&montage, plain, columns, pictures->len, error) : NULL;
    return image != NULL && bg_cli_save_png(cli, image, out, error);
}

const BgCliCommand bg_cli_command_montage = {
    .name = "montage",
    .arguments = "VOLUME OUT.(png|gif) [--label=SEG] [--plane=axial] [OPTIONS]",
    .summary = "many slices in one picture, or one after the other in a film",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 0 | 1u << 1,
    .output_arg = 1,
    .options = options,
    .run = run,
};
