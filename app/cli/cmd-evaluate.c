// SPDX-License-Identifier: Apache-2.0
// bregma-cli evaluate: how far a result lies from the truth.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/image/bg-fusion-metrics.h"
#include "core/image/bg-image-metrics.h"

#include <math.h>
#include <string.h>

static const BgCliOption options[] = {
    { "mask", BG_CLI_PATH, "=FILE  images: only the pixels that are not black in that picture" },
    { "range", BG_CLI_VALUE, "=L  images of float values: from the least to the largest possible" },
    { NULL },
};

static BgImage *
load_image(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, NULL, error);

    if (loaded == NULL)
        return NULL;
    if (loaded->image == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot compare: %s: it is no picture. Cut a slice from it first", path);
        return NULL;
    }
    return bg_image_ref(loaded->image);
}

// The range of float pictures: of the truth's values, unless --range says it.
static gboolean
find_range(BgCli *cli, BgImage *truth, double *range, GError **error)
{
    *range = 1.0;
    if (bg_cli_has(cli, "range"))
        return bg_cli_get_positive(cli, "range", range, error);
    if (bg_image_get_format(truth)->type != BG_PIXEL_FLOAT32)
        return TRUE;

    const float *pixels = bg_image_get_pixels(truth);
    gsize n = bg_image_get_n_bytes(truth) / sizeof(float);
    float low = INFINITY, high = -INFINITY;
    for (gsize i = 0; i < n; i++) {
        low = MIN(low, pixels[i]);
        high = MAX(high, pixels[i]);
    }
    if (!(high > low)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    "cannot compare: %s: all its values are equal. Give --range=L",
                    bg_cli_arg(cli, 2));
        return FALSE;
    }
    *range = (double) high - (double) low;
    return TRUE;
}

static void
set_metrics(BgJson *json, const BgImageMetrics *m)
{
    bg_json_set_double(json, "rmse", m->rmse);
    bg_json_set_double(json, "relative", m->relative);
    bg_json_set_double(json, "ssim", m->ssim);
    bg_json_set_double(json, "ssim_channels", m->ssim_channels);
    bg_json_set_double(json, "ms_ssim", m->ms_ssim);
    bg_json_set_double(json, "psnr", m->psnr);
    bg_json_set_double(json, "emd", m->emd);
    bg_json_set_double(json, "mae", m->mae);
    bg_json_set_integer(json, "n_pixels", (gint64) m->n_pixels);
}

// Of pictures with alpha, also of what is drawn: where the truth is not transparent.
static gboolean
measure_foreground(BgCli *cli, BgImage *a, BgImage *b, double range, GError **error)
{
    int n_channels = bg_image_get_format(b)->n_channels;
    BgImageMetrics m;
    gboolean empty = TRUE;

    if (n_channels == 1 || n_channels == 3)
        return TRUE;
    g_autoptr(BgChannel) alpha = bg_channel_read(b, n_channels - 1, error);
    if (alpha == NULL)
        return FALSE;
    for (gsize i = 0; i < bg_channel_count(alpha); i++) {
        alpha->values[i] = alpha->values[i] > 0.0f ? 1.0f : 0.0f;
        empty = empty && alpha->values[i] == 0.0f;
    }
    if (empty)
        return TRUE;
    if (!bg_image_metrics(a, b, alpha, range, &m, cli->cancellable, error))
        return FALSE;
    BgJson *foreground = bg_json_new_object();
    bg_json_set(cli->result, "foreground", foreground);
    set_metrics(foreground, &m);
    return TRUE;
}

static gboolean
run_images(BgCli *cli, GError **error)
{
    g_autoptr(BgChannel) mask = NULL;
    BgImageMetrics m;
    double range;

    g_autoptr(BgImage) a = load_image(cli, bg_cli_arg(cli, 1), error);
    g_autoptr(BgImage) b = a != NULL ? load_image(cli, bg_cli_arg(cli, 2), error) : NULL;
    if (b == NULL || !find_range(cli, b, &range, error))
        return FALSE;
    if (bg_cli_has(cli, "mask")) {
        g_autoptr(BgImage) picture = load_image(cli, bg_cli_option(cli, "mask"), error);
        mask = picture != NULL ? bg_channel_luma(picture, error) : NULL;
        if (mask == NULL)
            return FALSE;
        for (gsize i = 0; i < bg_channel_count(mask); i++)
            mask->values[i] = mask->values[i] > 0.0f ? 1.0f : 0.0f;
    }
    if (!bg_image_metrics(a, b, mask, range, &m, cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s and %s: ", bg_cli_arg(cli, 1),
                       bg_cli_arg(cli, 2));
        return FALSE;
    }
    set_metrics(cli->result, &m);
    bg_json_set_double(cli->result, "range", range);
    return mask != NULL || measure_foreground(cli, a, b, range, error);
}

static gboolean
measure_fusion(BgCli *cli, const BgChannel *const *sources, gsize n_sources, const BgChannel *fused,
               GError **error)
{
    BgFusionMetrics m;

    if (!bg_fusion_metrics(sources, n_sources, fused, &m, cli->cancellable, error)) {
        g_prefix_error(error, "cannot compare: %s: ", bg_cli_arg(cli, 1));
        return FALSE;
    }
    bg_json_set_double(cli->result, "q_g", m.q_g);
    bg_json_set_double(cli->result, "q_ie", m.q_ie);
    bg_json_set_double(cli->result, "fmi", m.fmi);
    bg_json_set_double(cli->result, "piella", m.piella);
    bg_json_set_double(cli->result, "piella_weighted", m.piella_weighted);
    bg_json_set_double(cli->result, "piella_edge", m.piella_edge);
    bg_json_set_double(cli->result, "q_ssim", m.q_ssim);
    bg_json_set_double(cli->result, "viff", m.viff);
    bg_json_set_double(cli->result, "scd", m.scd);
    bg_json_set_double(cli->result, "entropy", m.entropy);
    bg_json_set_double(cli->result, "mutual_information", m.mutual_information);
    return TRUE;
}

static gboolean
run_fusion(BgCli *cli, GError **error)
{
    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_channel_free);

    for (guint i = 1; i < cli->arguments->len; i++) {
        g_autoptr(BgImage) image = load_image(cli, bg_cli_arg(cli, i), error);
        BgChannel *plane = image != NULL ? bg_channel_luma(image, error) : NULL;
        if (plane == NULL)
            return FALSE;
        g_ptr_array_add(planes, plane);
    }
    if (planes->len < 3) {
        bg_cli_usage_error(error, "of what: evaluate fusion: give the fused picture and at least "
                                  "two sources");
        return FALSE;
    }
    return measure_fusion(cli, (const BgChannel *const *) planes->pdata + 1, planes->len - 1,
                          planes->pdata[0], error);
}

static const struct {
    const char *name;
    guint max_args;
    gboolean (*run)(BgCli *cli, GError **error);
} kinds[] = {
    { "images", 3, run_images },
    { "fusion", 2 + BG_FUSION_MAX_SOURCES, run_fusion },
};

static gboolean
run(BgCli *cli, GError **error)
{
    const char *name = bg_cli_arg(cli, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            if (cli->arguments->len > kinds[i].max_args) {
                bg_cli_usage_error(error, "too many arguments: evaluate %s: %s", name,
                                   bg_cli_arg(cli, kinds[i].max_args));
                return FALSE;
            }
            return kinds[i].run(cli, error);
        }
    }
    bg_cli_usage_error(error, "unknown kind: %s: there are images and fusion", name);
    return FALSE;
}

const BgCliCommand bg_cli_command_evaluate = {
    .name = "evaluate",
    .arguments = "images A TRUTH [--mask=FILE] | fusion FUSED SOURCE SOURCE...",
    .summary = "how far a result lies from the truth",
    .min_args = 3,
    .max_args = 2 + BG_FUSION_MAX_SOURCES,
    .path_args = ~1u,
    .output_arg = -1,
    .options = options,
    .run = run,
};
