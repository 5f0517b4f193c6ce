// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-train.h"

#include "bg-fusion-data.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define STRUCTURE 0.8 // as published
#define LEAST_CROP 16

BgTrainRecipe
bg_fusion_train_recipe(void)
{
    return (BgTrainRecipe){ .network = "funfuse",
                            .phantom_size = 160,
                            .crop = 48,
                            .per_case = 2,
                            .n_epochs = 10,
                            .batch = 4,
                            .spacing_mm = 1.0,
                            .rate = 0.002,
                            .structure = STRUCTURE };
}

static BgFusionData *
collect(const BgTrainRecipe *recipe, const BgProgress *progress, GCancellable *cancellable,
        GError **error)
{
    g_autoptr(BgFusionData) data = bg_fusion_data_new(recipe->crop, recipe->per_case, recipe->seed);

    if ((recipe->data != NULL &&
         bg_fusion_data_add_folder(data, recipe->data, cancellable, error) == 0) ||
        !bg_fusion_data_add_phantoms(data, recipe->n_phantoms, recipe->seed, recipe->phantom_size,
                                     progress, cancellable, error)) {
        g_prefix_error(error, "%s: ", recipe->data != NULL ? recipe->data : _("Made-up heads"));
        return NULL;
    }
    bg_fusion_data_add_leaves(data, recipe->n_leaves, recipe->seed, recipe->phantom_size);
    return g_steal_pointer(&data);
}

static BgJson *
make_card(const BgTrainRecipe *recipe, const BgFusionData *data, const BgNnTrainConfig *config)
{
    BgJson *card = bg_json_new_object();

    bg_json_set_string(card, "task", "one grey picture from two of the same place");
    bg_json_set_string(card, "inputs", "values of 0..1; the anatomical picture first");
    bg_json_set_integer(card, "pairs", bg_fusion_data_count(data));
    bg_json_set_integer(card, "phantoms", recipe->n_phantoms);
    bg_json_set_integer(card, "leaves", recipe->n_leaves);
    bg_json_set_integer(card, "phantom_size", recipe->phantom_size);
    bg_json_set_integer(card, "seed", (gint64) recipe->seed);
    bg_json_set_double(card, "validation_share", config->validation_share);
    g_autofree char *loss = g_strdup_printf("%g (1 - SSIM) + %g squares, against both sources",
                                            recipe->structure, 1.0 - recipe->structure);
    bg_json_set_string(card, "loss", loss);
    bg_json_set_integer(card, "batch", config->batch);
    bg_json_set_integer(card, "crop", recipe->crop);
    bg_json_set_integer(card, "samples_per_pair", recipe->per_case);
    bg_json_set_double(card, "rate", config->optimiser.rate);
    bg_json_set_string(card, "limits",
                       "for research; not a medical device. The picture is computed, not measured");
    return card;
}

gboolean
bg_fusion_train_setup(const BgTrainRecipe *recipe, const char *out, BgTrainSetup *setup,
                      const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    double share = recipe->structure;
    const BgNnTerm terms[] = { { BG_NN_LOSS_SSIM, share, 0, 0 },
                               { BG_NN_LOSS_SSIM, share, 0, 1 },
                               { BG_NN_LOSS_L2, 1.0 - share, 0, 0 },
                               { BG_NN_LOSS_L2, 1.0 - share, 0, 1 } };
    BgNnTrainConfig *config = &setup->config;

    *setup = (BgTrainSetup){ .free_samples = (GDestroyNotify) bg_fusion_data_free };
    if (recipe->crop < LEAST_CROP ||
        (recipe->data == NULL && recipe->n_phantoms == 0 && recipe->n_leaves == 0)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The training cannot start: samples have %d pixels a side, and there are %d "
                      "made-up heads. Give 16 pixels at least, and heads or a folder of pairs"),
                    recipe->crop, recipe->n_phantoms);
        return FALSE;
    }
    if (!bg_train_setup_begin(setup, recipe, out, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(terms); i++)
        config->terms[i] = terms[i];
    config->n_terms = G_N_ELEMENTS(terms);
    config->n_inputs = config->n_targets = 2;
    config->optimiser.factor = 0.05;
    config->optimiser.clip_norm = 1.0;
    BgFusionData *data = collect(recipe, progress, cancellable, error);
    if (data == NULL)
        return FALSE;
    setup->samples = data;
    gsize crop = (gsize) recipe->crop;
    config->inputs[0] = config->inputs[1] = bg_nn_shape(1, 1, 2, 1, crop, crop);
    setup->data = bg_fusion_data_source(data);
    setup->card = make_card(recipe, data, config);
    return TRUE;
}

// Planes of @width x @height side by side; values of @low..1 become black to white.
static BgImage *
draw(const float *const *planes, int n, int width, int height, double low, GError **error)
{
    BgImageFormat format = { n * width, height, 3, BG_PIXEL_UINT8 };
    guint8 *rgb = bg_buffer_alloc(3 * (gsize) format.width * (gsize) height, error);

    if (rgb == NULL)
        return NULL;
    guint8 *to = rgb;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < format.width; x++, to += 3) {
            double value = (double) planes[x / width][y * width + x % width];
            double share = CLAMP((value - low) / (1.0 - low), 0.0, 1.0);
            to[0] = to[1] = to[2] = (guint8) lround(255.0 * share);
        }
    }
    return bg_image_new_take(&format, rgb, error);
}

gsize
bg_fusion_train_weigh(const BgNnCheck *check)
{
    gsize n_pixels = bg_nn_shape_count(&check->input_shapes[0]), n = 0;

    for (gsize i = 0; i < n_pixels; i++)
        n += (gsize) (check->inputs[0][i] > 0.1f);
    return n;
}

gboolean
bg_fusion_train_pictures(const BgNnCheck *check, BgImage **sources, BgImage **fused, GError **error)
{
    const BgNnShape *in = &check->input_shapes[0];
    int width = (int) in->dims[in->rank - 1], height = (int) in->dims[in->rank - 2];
    g_autoptr(BgImage) both = draw(check->inputs, 2, width, height, 0.0, error);

    *fused = both != NULL ? draw(&check->output, 1, width, height, 0.0, error) : NULL;
    if (*fused == NULL)
        return FALSE;
    *sources = g_steal_pointer(&both);
    return TRUE;
}
