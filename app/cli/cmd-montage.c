// SPDX-License-Identifier: Apache-2.0
// bregma-cli montage: many slices in one picture, or one after the other in a film.
#include "bg-cli-picture.h"

#include "core/io/bg-gif-write.h"
#include "core/segment/bg-label-picture.h"
#include "core/segment/bg-montage.h"

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
    BgMontage slices;   // its pointers borrowed
    BgLoaded *loaded;   // owned
    BgLabelMap *labels; // owned, nullable
    double window[2];
    int columns, delay_ms;
} Montage;

static void
montage_clear(Montage *montage)
{
    g_clear_pointer(&montage->loaded, bg_loaded_free);
    g_clear_pointer(&montage->labels, bg_label_map_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Montage, montage_clear)

static gboolean
get_options(const BgCli *cli, Montage *montage, GError **error)
{
    static const char *const planes[3] = { "sagittal", "coronal", "axial" };
    const char *plane = bg_cli_option(cli, "plane");
    double given[2];

    montage->slices.axis = plane == NULL ? 2 : -1;
    montage->slices.count = 24;
    montage->columns = 6;
    montage->delay_ms = 100;
    for (int axis = 0; plane != NULL && axis < 3; axis++) {
        if (strcmp(plane, planes[axis]) == 0)
            montage->slices.axis = axis;
    }
    if (montage->slices.axis < 0) {
        bg_cli_usage_error(error, "no such plane: --plane=%s: give axial, coronal or sagittal",
                           plane);
        return FALSE;
    }
    if (bg_cli_has(cli, "window")) {
        if (!bg_cli_get_doubles(cli, "window", given, 2, error))
            return FALSE;
        montage->window[0] = given[0] - given[1] / 2.0;
        montage->window[1] = given[0] + given[1] / 2.0;
        montage->slices.window = montage->window;
    }
    return bg_cli_get_int(cli, "count", 1, 4096, &montage->slices.count, error) &&
           bg_cli_get_int(cli, "columns", 1, 256, &montage->columns, error) &&
           bg_cli_get_int(cli, "delay", 20, 60000, &montage->delay_ms, error);
}

static gboolean
load(BgCli *cli, Montage *montage, GError **error)
{
    const char *path = bg_cli_arg(cli, 0), *label = bg_cli_option(cli, "label");

    montage->loaded = bg_cli_load_as_volume(cli, path, error);
    if (montage->loaded == NULL)
        return FALSE;
    BgVolume *volume = montage->loaded->volume;
    montage->slices.volume = volume;
    montage->slices.letters =
        montage->loaded->info->side_known ? BG_MONTAGE_SIDE_KNOWN : BG_MONTAGE_SIDE_UNKNOWN;
    if (label == NULL)
        return TRUE;
    montage->labels = bg_cli_load_drawn(cli, label, error);
    montage->slices.labels = montage->labels;
    return montage->labels != NULL &&
           bg_cli_check_overlap(cli, bg_label_map_get_geometry(montage->labels),
                                bg_volume_get_geometry(volume), label, path, error);
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

    for (guint i = 0; ok && i < pictures->len; i++)
        ok = bg_gif_add(gif, pictures->pdata[i], error);
    return bg_cli_wrote(cli, ok && bg_gif_commit(gif, error), out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_arg(cli, 1);
    gboolean film = g_str_has_suffix(out, ".gif"), empty;
    g_auto(Montage) montage = { .slices = { .note = "Not for diagnosis", .note_on_each = film } };

    if (!film && !g_str_has_suffix(out, ".png")) {
        bg_cli_usage_error(error, "unknown format: %s: montages are written as .png or .gif", out);
        return FALSE;
    }
    if (!get_options(cli, &montage, error) || !bg_cli_check_output(cli, out, error) ||
        !load(cli, &montage, error))
        return FALSE;
    g_autoptr(GPtrArray) pictures =
        bg_montage_slices(&montage.slices, &empty, &cli->progress, cli->cancellable, error);
    if (pictures == NULL)
        return FALSE;
    if (empty)
        bg_cli_add_warning(cli, "the label map is empty there: all slices are shown");
    bg_json_set_integer(cli->result, "n_slices", pictures->len);
    if (film)
        return save_film(cli, &montage, pictures, out, error);
    g_autoptr(BgImage) image = bg_montage((BgImage *const *) pictures->pdata, pictures->len,
                                          MIN(montage.columns, (int) pictures->len), error);
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
