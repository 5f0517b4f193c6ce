// SPDX-License-Identifier: Apache-2.0
// bregma-cli lesion: where a lesion of the skin is in a picture, and how likely it is malignant.
#include "bg-cli-camera.h"
#include "bg-cli-picture.h"

#include "core/base/bg-error.h"
#include "core/learn/bg-model-store.h"
#include "core/segment/bg-lesion.h"

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=MASK.png, -o MASK.png  255 in the lesion, 0 outside" },
    { "outline", BG_CLI_VALUE, "=FILE|NAME  weights of lesion-unet; none ship with bregma" },
    { "classifier", BG_CLI_VALUE,
      "=FILE|NAME  weights of lesion-classifier; none ship with bregma" },
    { "likelihood", BG_CLI_PATH, "=P.tiff  of each pixel" },
    { "mean", BG_CLI_VALUE, "=GREY  of the pictures that the outline was trained with, 0..255" },
    { "deviation", BG_CLI_VALUE, "=GREY  of these; without both the picture's own" },
    { "threshold", BG_CLI_VALUE, "=0..1  of the likelihood; 0.5 unless given" },
    BG_CLI_PRECISION,
    { NULL },
};

static char *
find_weights(BgCli *cli, const char *option, GError **error)
{
    char *path = bg_model_store_resolve(bg_cli_option(cli, option), error);

    if (path != NULL)
        bg_cli_add_input(cli, path);
    return path;
}

static gboolean
save(BgCli *cli, const BgLesionOutline *found, GError **error)
{
    const char *out = bg_cli_option(cli, "output"), *likelihood = bg_cli_option(cli, "likelihood");

    if (likelihood != NULL) {
        g_autoptr(BgImage) image = bg_image_from_channels(
            (const BgChannel *const[]){ found->likelihood }, 1, BG_PIXEL_FLOAT32, error);
        if (image == NULL || !bg_cli_save_tiff(cli, image, likelihood, error))
            return FALSE;
    }
    return out == NULL || bg_cli_save_png(cli, found->mask, out, error);
}

static gboolean
outline(BgCli *cli, BgImage *picture, const BgLesionParams *params, GError **error)
{
    g_autofree char *path = find_weights(cli, "outline", error);
    g_auto(BgLesionOutline) found = { 0 };
    double box[4];

    if (path == NULL)
        return FALSE;
    if (!bg_lesion_find_outline(picture, path, params, &found, &cli->progress, cli->cancellable,
                                error)) {
        bg_cli_blame_path(error, path);
        return FALSE;
    }
    for (int i = 0; i < 4; i++)
        box[i] = found.box[i];
    bg_json_set_double(cli->result, "share", found.share);
    if (found.share > 0.0)
        bg_json_set_doubles(cli->result, "box", box, 4);
    else
        bg_cli_add_warning(cli, "no lesion was found: the mask is empty");
    bg_json_set_double(cli->result, "mean", found.mean);
    bg_json_set_double(cli->result, "deviation", found.deviation);
    bg_json_set_string(cli->result, "outline_sha256", found.run.sha256);
    bg_cli_set_engine(cli, &params->engine, found.run.backend);
    if (!(params->deviation > 0.0))
        bg_cli_add_warning(cli, "scored by the picture's own mean and deviation: give --mean and "
                                "--deviation of the pictures that the weights were trained with");
    return save(cli, &found, error);
}

static gboolean
classify(BgCli *cli, BgImage *picture, const BgEngine *engine, GError **error)
{
    g_autofree char *path = find_weights(cli, "classifier", error);
    g_auto(BgLesionRun) run = { 0 };
    double malignant;

    if (path == NULL)
        return FALSE;
    gboolean ok = bg_lesion_classify(picture, path, engine, &malignant, &run, &cli->progress,
                                     cli->cancellable, error);
    if (ok) {
        bg_json_set_double(cli->result, "malignant", malignant);
        bg_json_set_string(cli->result, "classifier_sha256", run.sha256);
        bg_cli_set_engine(cli, engine, run.backend);
    } else {
        bg_cli_blame_path(error, path);
    }
    return ok;
}

static gboolean
get_params(BgCli *cli, BgLesionParams *params, GError **error)
{
    gboolean has_mean = bg_cli_has(cli, "mean"), has_deviation = bg_cli_has(cli, "deviation");

    if (!bg_cli_has(cli, "outline") && !bg_cli_has(cli, "classifier")) {
        bg_cli_usage_error(error, "by which weights: lesion: give --outline=FILE, "
                                  "--classifier=FILE or both: Keras files or imported models; "
                                  "none ship with bregma");
        return FALSE;
    }
    if (has_mean != has_deviation) {
        bg_cli_usage_error(error, "half a score: lesion: give both --mean and --deviation");
        return FALSE;
    }
    if (!bg_cli_has(cli, "outline") &&
        (bg_cli_has(cli, "output") || bg_cli_has(cli, "likelihood"))) {
        bg_cli_usage_error(error, "nothing to write: lesion: give --outline=FILE");
        return FALSE;
    }
    if (!bg_cli_get_double(cli, "mean", &params->mean, error) ||
        !bg_cli_get_positive(cli, "deviation", &params->deviation, error) ||
        !bg_cli_get_double(cli, "threshold", &params->threshold, error) ||
        !bg_cli_get_engine(cli, &params->engine, error))
        return FALSE;
    if (params->threshold >= 0.0 && params->threshold <= 1.0)
        return TRUE;
    bg_cli_usage_error(error, "no such threshold: --threshold=%g: give 0..1", params->threshold);
    return FALSE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    static const char *const outputs[] = { "output", "likelihood" };
    BgLesionParams params = { .threshold = 0.5 };
    gint64 start = g_get_monotonic_time();

    if (!get_params(cli, &params, error))
        return FALSE;
    for (gsize o = 0; o < G_N_ELEMENTS(outputs); o++) {
        const char *path = bg_cli_option(cli, outputs[o]);
        if (path != NULL && !bg_cli_check_output(cli, path, error))
            return FALSE;
    }
    g_autoptr(BgImage) picture = bg_cli_load_picture(cli, bg_cli_arg(cli, 0), error);
    if (picture == NULL ||
        (bg_cli_has(cli, "classifier") && !classify(cli, picture, &params.engine, error)))
        return FALSE;
    bg_json_set_double(cli->result, "seconds",
                       (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    return !bg_cli_has(cli, "outline") || outline(cli, picture, &params, error);
}

const BgCliCommand bg_cli_command_lesion = {
    .name = "lesion",
    .arguments = "PICTURE [--outline=FILE -o MASK.png] [--classifier=FILE] [OPTIONS]",
    .summary = "where a lesion of the skin is, and how likely malignant, by weights that you bring",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
