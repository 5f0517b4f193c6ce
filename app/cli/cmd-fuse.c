// SPDX-License-Identifier: Apache-2.0
// bregma-cli fuse: one picture, or volume, from several of the same place.
#include "bg-cli-grid.h"
#include "bg-cli-measures.h"
#include "bg-cli-picture.h"

#include "core/base/bg-error.h"
#include "core/filter/bg-mask.h"
#include "core/fusion/bg-fusion.h"
#include "core/image/bg-ssim.h"
#include "core/learn/bg-model-store.h"
#include "core/volume/bg-statistics.h"

#include <math.h>
#include <string.h>

#define CONTRIBUTION_SHARE 0.6 // as published

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=OUT, -o OUT  a PNG; of volumes a volume" },
    { "method", BG_CLI_VALUE,
      "=NAME  learned, vgg19-ssim, vgg19-max, two-scale, nsst-papcnn, average" },
    { "weights", BG_CLI_PATH, "=FILE|NAME  of the network; those of bregma models unless given" },
    { "layers", BG_CLI_VALUE, "=r,s,...  vgg19-ssim: each source's level, 1 to 4; else chosen" },
    { "combinations", BG_CLI_FLAG, "  vgg19-ssim: choose among all 16 pairs" },
    { "no-renormalise", BG_CLI_FLAG, "  vgg19-ssim: weights of unlike levels as they are" },
    { "relu", BG_CLI_VALUE, "=before|after  vgg19-*: maps of either side of the rectifier" },
    { "normalise", BG_CLI_VALUE, "=none|imagenet|caffe  vgg19-*: of the network's input" },
    { "upsample", BG_CLI_VALUE, "=nearest|bilinear  vgg19-*: of the weight maps" },
    { "colour", BG_CLI_VALUE, "=yuv|hsv|grey  how colours are kept" },
    { "full-range", BG_CLI_FLAG, "  pictures: stretched to the range of the sources" },
    { "contributions", BG_CLI_PATH, "=PNG  learned, two pictures: what each brought, in colour" },
    { "override-patient", BG_CLI_VALUE,
      "=REASON  volumes of two patients belong together, because" },
    { "mask", BG_CLI_PATH, "=SEG  volumes: only what is labelled there; the rest is black" },
    { "keep", BG_CLI_VALUE, "=L,...  only these labels of the mask: without oedema, 1,4" },
    { "flatten", BG_CLI_FLAG, "  one volume: its slices into one picture" },
    BG_CLI_PRECISION,
    { "no-metrics", BG_CLI_FLAG, "  only fuse" },
    { NULL },
};

static gboolean
get_layers(const BgCli *cli, gsize n_sources, BgFusionParams *params, GError **error)
{
    const char *text = bg_cli_option(cli, "layers");
    double layers[BG_FUSION_MAX_SOURCES];

    if (text == NULL)
        return TRUE;
    if (!bg_cli_parse_doubles(text, layers, n_sources)) {
        bg_cli_usage_error(error,
                           "not understood: --layers=%s: %zu numbers of 1 to %d, one a source",
                           text, n_sources, BG_FUSION_N_LEVELS);
        return FALSE;
    }
    for (gsize s = 0; s < n_sources; s++) {
        if (layers[s] != 1 && layers[s] != 2 && layers[s] != 3 && layers[s] != 4) {
            bg_cli_usage_error(error, "no such layer: --layers=%s: there are 1 to %d", text,
                               BG_FUSION_N_LEVELS);
            return FALSE;
        }
        params->levels[s] = (int) layers[s];
    }
    return TRUE;
}

static gboolean
get_params(const BgCli *cli, BgFusionParams *params, BgFusionColour *colour, GError **error)
{
    static const char *const sides[] = { "before", "after", NULL };
    static const char *const inputs[] = { "none", "imagenet", "caffe", NULL };
    static const char *const sizes[] = { "nearest", "bilinear", NULL };
    static const char *const colours[] = { "yuv", "hsv", "grey", NULL };
    const char *name = bg_cli_option(cli, "method");
    BgFusionMethod method;
    int which = BG_FUSION_YUV;

    if (name == NULL || !bg_fusion_method_find(name, &method)) {
        g_autoptr(GString) known = g_string_new(NULL);
        for (int m = 0; m < BG_FUSION_N_METHODS; m++) {
            const char *one = bg_fusion_method_name((BgFusionMethod) m);
            if (one != NULL)
                g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", one);
        }
        bg_cli_usage_error(error, "which method: --method=%s: there are %s",
                           name != NULL ? name : "", known->str);
        return FALSE;
    }
    *params = bg_fusion_params(method);
    int side = params->after_relu, input = (int) params->input, size = params->bilinear;
    if (!bg_cli_get_choice(cli, "relu", sides, &side, error) ||
        !bg_cli_get_choice(cli, "normalise", inputs, &input, error) ||
        !bg_cli_get_choice(cli, "upsample", sizes, &size, error) ||
        !bg_cli_get_choice(cli, "colour", colours, &which, error) ||
        !get_layers(cli, cli->arguments->len, params, error))
        return FALSE;
    params->after_relu = side;
    params->input = (BgVgg19Input) input;
    params->bilinear = size;
    params->combinations = bg_cli_has(cli, "combinations");
    params->full_range = bg_cli_has(cli, "full-range");
    params->renormalise = !bg_cli_has(cli, "no-renormalise");
    *colour = (BgFusionColour) which;
    return TRUE;
}

static gboolean
load_model(BgCli *cli, const BgFusionParams *params, BgFusionModel **model, GError **error)
{
    BgEngine engine;
    gboolean stand_in = FALSE;

    *model = NULL;
    if (!bg_fusion_method_wants_model(params->method))
        return TRUE;
    g_autofree char *path =
        bg_fusion_model_find(params->method, bg_cli_option(cli, "weights"), &stand_in, error);
    if (stand_in)
        bg_cli_add_warning(cli,
                           "weights of " BG_VGG_SMALL ": VGG-19 has not been imported (bregma-cli "
                           "models import vgg19 FILE), so our own smaller network looks at the "
                           "pictures instead. --weights=" BG_VGG_SMALL " chooses it in silence");
    if (path == NULL) {
        g_prefix_error(error, "no weights: --method=%s: ", bg_fusion_method_name(params->method));
        return FALSE;
    }
    *model = bg_fusion_model_load(params->method, path, NULL, cli->cancellable, error);
    if (*model == NULL) {
        g_prefix_error(error, "cannot use weights: %s: ", path);
        return FALSE;
    }
    bg_cli_add_input(cli, path);
    if (!bg_cli_get_engine(cli, &engine, error))
        return FALSE;
    bg_fusion_model_set_engine(*model, &engine);
    return TRUE;
}

// How much of each source is in the fused picture.
static gboolean
set_metrics(BgCli *cli, const GPtrArray *sources, const BgChannel *fused, GError **error)
{
    gsize n = sources->len;
    double ssim[BG_FUSION_MAX_SOURCES], ms_ssim[BG_FUSION_MAX_SOURCES], mse[BG_FUSION_MAX_SOURCES];
    gboolean small = MIN(fused->width, fused->height) < BG_SSIM_WINDOW;
    gboolean smallish = MIN(fused->width, fused->height) < BG_MS_SSIM_SMALLEST;
    BgFusionMetrics m;

    for (gsize s = 0; s < n; s++) {
        const BgChannel *source = sources->pdata[s];
        double squares = 0.0;
        ssim[s] = ms_ssim[s] = (double) NAN;
        if ((!small && !bg_ssim(fused, source, 1.0, &ssim[s], NULL, cli->cancellable, error)) ||
            (!smallish && !bg_ms_ssim(fused, source, 1.0, &ms_ssim[s], cli->cancellable, error)))
            return FALSE;
        for (gsize i = 0; i < bg_channel_count(fused); i++) {
            double d = (double) fused->values[i] - (double) source->values[i];
            squares += d * d;
        }
        mse[s] = squares / (double) bg_channel_count(fused);
    }
    if (!bg_fusion_metrics((const BgChannel *const *) sources->pdata, n, fused, &m,
                           cli->cancellable, error))
        return FALSE;
    bg_json_set_doubles(cli->result, "ssim", ssim, n);
    bg_json_set_doubles(cli->result, "ms_ssim", ms_ssim, n);
    bg_json_set_doubles(cli->result, "mse", mse, n);
    bg_cli_set_fusion_metrics(cli->result, &m);
    return TRUE;
}

static void
set_levels(BgCli *cli, const BgFusionResult *result, gsize n)
{
    BgJson *scores = bg_json_new_array();
    double levels[BG_FUSION_MAX_SOURCES];

    if (result->levels[0] == 0) {
        bg_json_free(scores);
        bg_json_set(cli->result, "layers", bg_json_new_null());
        return;
    }
    for (gsize s = 0; s < n; s++) {
        levels[s] = result->levels[s];
        bg_json_append(scores, bg_json_new_doubles(result->scores[s], BG_FUSION_N_LEVELS));
    }
    bg_json_set_doubles(cli->result, "layers", levels, n);
    bg_json_set(cli->result, "layer_ssim", scores);
}

static void
set_facts(BgCli *cli, const BgFusionParams *params, BgFusionModel *model, gint64 start)
{
    BgEngine engine;

    bg_json_set_double(cli->result, "seconds", (double) (g_get_monotonic_time() - start) / 1e6);
    bg_json_set_string(cli->result, "network",
                       model != NULL ? bg_fusion_model_get_name(model) : NULL);
    bg_json_set_string(cli->result, "weights_sha256",
                       model != NULL ? bg_fusion_model_get_sha256(model) : NULL);
    bg_json_set_boolean(cli->result, "synthetic", params->method == BG_FUSION_LEARNED);
    if (model != NULL && bg_cli_get_engine(cli, &engine, NULL))
        bg_cli_set_engine(cli, &engine, bg_fusion_model_get_backend(model));
}

static gboolean
save_contributions(BgCli *cli, const GPtrArray *sources, BgFusionModel *model, GError **error)
{
    const char *path = bg_cli_option(cli, "contributions");

    if (sources->len != 2 || strcmp(bg_cli_option(cli, "method"), "learned") != 0) {
        bg_cli_usage_error(error, "of what: --contributions: only --method=learned of two "
                                  "pictures tells");
        return FALSE;
    }
    g_autoptr(BgImage) image = bg_fusion_contributions(
        sources->pdata[0], sources->pdata[1], CONTRIBUTION_SHARE, model, cli->cancellable, error);
    return image != NULL && bg_cli_save_png(cli, image, path, error);
}

static gboolean
fuse_images(BgCli *cli, const GPtrArray *loaded, const BgFusionParams *params,
            BgFusionColour colour, BgFusionModel *model, const char *out, GError **error)
{
    BgImage *images[BG_FUSION_MAX_SOURCES];
    g_autoptr(GPtrArray) sources = NULL;
    g_auto(BgFusionResult) result = { 0 };
    gint64 start = g_get_monotonic_time();

    for (guint s = 0; s < loaded->len; s++)
        images[s] = ((const BgLoaded *) loaded->pdata[s])->image;
    g_autoptr(BgImage) fused = bg_fuse_images(images, loaded->len, params, colour, model, &result,
                                              &sources, &cli->progress, cli->cancellable, error);
    if (fused == NULL) {
        g_prefix_error(error, "cannot fuse: %s: ", bg_cli_arg(cli, 0));
        return FALSE;
    }
    set_levels(cli, &result, loaded->len);
    set_facts(cli, params, model, start);
    if (!bg_cli_has(cli, "no-metrics") && !set_metrics(cli, sources, result.fused, error))
        return FALSE;
    if (bg_cli_has(cli, "contributions") && !save_contributions(cli, sources, model, error))
        return FALSE;
    return bg_cli_save_png(cli, fused, out, error);
}

static gboolean
fuse_volumes(BgCli *cli, const GPtrArray *loaded, const BgFusionParams *params,
             BgFusionModel *model, const char *out, GError **error)
{
    BgVolume *volumes[BG_FUSION_MAX_SOURCES];
    BgCliGrid grid = { 0 };
    gint64 start = g_get_monotonic_time();

    for (guint s = 0; s < loaded->len; s++)
        volumes[s] = ((const BgLoaded *) loaded->pdata[s])->volume;
    grid.volume = bg_fuse_volumes(volumes, loaded->len, params, model, &cli->progress,
                                  cli->cancellable, error);
    if (grid.volume == NULL) {
        g_prefix_error(error, "cannot fuse: %s: ", bg_cli_arg(cli, 0));
        return FALSE;
    }
    set_facts(cli, params, model, start);
    gboolean ok =
        bg_cli_grid_save(cli, &grid, out, NULL, error) && bg_cli_set_grid(cli, &grid, out, error);
    bg_cli_grid_clear(&grid);
    return ok;
}

static gboolean
fuse_flat(BgCli *cli, BgVolume *volume, const BgFusionParams *params, BgFusionModel *model,
          const char *out, GError **error)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(BgChannel) fused =
        bg_fuse_slices(volume, params, model, &cli->progress, cli->cancellable, error);
    const BgChannel *grey[1] = { fused };

    if (fused == NULL) {
        g_prefix_error(error, "cannot fuse: %s: ", bg_cli_arg(cli, 0));
        return FALSE;
    }
    set_facts(cli, params, model, start);
    g_autoptr(BgImage) image = bg_image_from_channels(grey, 1, BG_PIXEL_UINT16, error);
    return image != NULL && bg_cli_save_png(cli, image, out, error);
}

// The labels that --keep names; none: all.
static gboolean
get_kept(const BgCli *cli, GArray *kept, GError **error)
{
    const char *text = bg_cli_option(cli, "keep");
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", ",", -1);

    for (int i = 0; parts[i] != NULL; i++) {
        guint64 label;
        if (!g_ascii_string_to_unsigned(parts[i], 10, 1, G_MAXUINT32, &label, NULL)) {
            bg_cli_usage_error(error, "not labels: --keep=%s: give numbers from 1, with commas",
                               text);
            return FALSE;
        }
        guint32 number = (guint32) label;
        g_array_append_val(kept, number);
    }
    return TRUE;
}

// What is not labelled becomes as dark as the darkest.
static gboolean
mask_volumes(BgCli *cli, const GPtrArray *loaded, GError **error)
{
    const char *path = bg_cli_option(cli, "mask");
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(guint32));
    const BgLoaded *first = loaded->pdata[0];

    if (path == NULL || first->volume == NULL) {
        if (path != NULL || bg_cli_has(cli, "keep"))
            bg_cli_usage_error(error, "of what: --mask and --keep: both are for volumes, and "
                                      "--keep needs a --mask");
        return path == NULL && !bg_cli_has(cli, "keep");
    }
    g_autoptr(BgLabelMap) mask =
        get_kept(cli, kept, error) ? bg_cli_load_labels(cli, path, error) : NULL;
    for (guint s = 0; mask != NULL && s < loaded->len; s++) {
        BgLoaded *one = loaded->pdata[s];
        BgStatistics statistics;
        if (!bg_volume_statistics(one->volume, &statistics, cli->cancellable, error))
            return FALSE;
        BgVolume *masked =
            bg_volume_mask(one->volume, mask, (const guint32 *) (gpointer) kept->data, kept->len,
                           statistics.n > 0 ? statistics.min : 0.0, error);
        if (masked == NULL) {
            bg_cli_blame_path(error, path);
            return FALSE;
        }
        bg_volume_unref(one->volume);
        one->volume = masked;
    }
    return mask != NULL;
}

static GPtrArray *
load_all(BgCli *cli, GError **error)
{
    g_autoptr(GPtrArray) loaded = g_ptr_array_new_with_free_func((GDestroyNotify) bg_loaded_free);

    for (guint i = 0; i < cli->arguments->len; i++) {
        BgLoaded *one = bg_cli_load(cli, bg_cli_arg(cli, i), NULL, error);
        if (one == NULL)
            return NULL;
        g_ptr_array_add(loaded, one);
        const BgLoaded *first = loaded->pdata[0];
        // Most pictures do not say whose they are, or where left is.
        gboolean told = one->volume != NULL || one->info->patient_id != NULL;
        if (i > 0 && told && !bg_cli_check_patients(cli, first->info, one->info, error))
            return NULL;
        gboolean alike = (first->image != NULL) == (one->image != NULL);
        if ((one->image == NULL && one->volume == NULL) || !alike) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        "cannot fuse: %s: pictures are fused with pictures, volumes with volumes. "
                        "Cut slices from volumes first",
                        bg_cli_arg(cli, i));
            return NULL;
        }
    }
    return g_steal_pointer(&loaded);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *out = bg_cli_option(cli, "output");
    gboolean flatten = bg_cli_has(cli, "flatten");
    g_autoptr(BgFusionModel) model = NULL;
    BgFusionParams params;
    BgFusionColour colour;

    if (out == NULL) {
        bg_cli_usage_error(error, "where to: fuse: give -o OUT");
        return FALSE;
    }
    if (flatten != (cli->arguments->len == 1)) {
        bg_cli_usage_error(error, "of what: fuse: give at least two pictures or volumes, or one "
                                  "volume with --flatten");
        return FALSE;
    }
    if (!get_params(cli, &params, &colour, error) || !bg_cli_check_output(cli, out, error) ||
        !load_model(cli, &params, &model, error))
        return FALSE;
    g_autoptr(GPtrArray) loaded = load_all(cli, error);
    if (loaded == NULL || !mask_volumes(cli, loaded, error))
        return FALSE;
    const BgLoaded *first = loaded->pdata[0];
    bg_json_set_string(cli->result, "method", bg_fusion_method_name(params.method));
    if (params.full_range && first->image == NULL) {
        bg_cli_usage_error(error, "not of volumes: --full-range: each slice would be stretched "
                                  "otherwise");
        return FALSE;
    }
    if (flatten && first->volume == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot flatten: %s: it is no volume. Give one", bg_cli_arg(cli, 0));
        return FALSE;
    }
    if (flatten)
        return fuse_flat(cli, first->volume, &params, model, out, error);
    return first->image != NULL ? fuse_images(cli, loaded, &params, colour, model, out, error)
                                : fuse_volumes(cli, loaded, &params, model, out, error);
}

const BgCliCommand bg_cli_command_fuse = {
    .name = "fuse",
    .arguments = "A B [C...] -o OUT --method=NAME [--weights=FILE] [OPTIONS]",
    .summary = "one picture, or volume, from several of the same place",
    .min_args = 1,
    .max_args = BG_FUSION_MAX_SOURCES,
    .path_args = ~0u,
    .output_arg = -1,
    .output_option = "output",
    .options = options,
    .run = run,
};
