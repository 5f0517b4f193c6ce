// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-train.h"

#include "bg-label-picture.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

static const char *const names[] = { "unet-tumour", "unet-brats",     "unet3-tumour",
                                     "patch-cnn",   "patch-two-path", "patch-dual",
                                     NULL };

const char *const *
bg_tumour_train_networks(void)
{
    return names;
}

BgTrainRecipe
bg_tumour_train_recipe(void)
{
    BgTumourDataParams params = bg_tumour_data_params();

    return (BgTrainRecipe){ .network = names[0],
                            .phantom_size = 240,
                            .crop = params.crop,
                            .per_case = params.per_case,
                            .n_epochs = 12,
                            .batch = 8,
                            .spacing_mm = 1.0,
                            .rate = 0.002 };
}

static BgTumourData *
collect(const BgTrainRecipe *recipe, const BgTumourDataParams *params, const char *folder,
        const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgTumourData) data = bg_tumour_data_new(params, folder, error);
    BgTumourParams prepare = { .spacing_mm = recipe->spacing_mm, .seed = recipe->seed };
    BgTumourParams made = { .spacing_mm = recipe->spacing_mm,
                            .align = BG_TUMOUR_ALIGN_NEVER,
                            .as_given = TRUE };

    if (data == NULL ||
        (recipe->data != NULL && bg_tumour_data_add_folder(data, recipe->data, &prepare, progress,
                                                           cancellable, error) == 0) ||
        !bg_tumour_data_add_phantoms(data, recipe->n_phantoms, recipe->seed, recipe->phantom_size,
                                     recipe->varied, &made, progress, cancellable, error)) {
        g_prefix_error(error, "%s: ", recipe->data != NULL ? recipe->data : _("Made-up heads"));
        return NULL;
    }
    return g_steal_pointer(&data);
}

static BgJson *
make_card(const BgTrainRecipe *recipe, const BgTumourData *data, const BgNnTrainConfig *config,
          const BgTumourDataParams *params)
{
    BgJson *card = bg_json_new_object();
    static const double labels[BG_TUMOUR_CLASSES] = { 0, 1, 2, 4 };

    bg_json_set_string(card, "task", "brain tumours in MRI: core (1), oedema (2), enhancing (4)");
    g_autoptr(GString) planes = g_string_new(NULL);
    for (int c = 0; c < params->n_contrasts; c++)
        g_string_append_printf(planes, "%s%s", c > 0 ? ", " : "",
                               bg_contrast_name(params->contrasts[c]));
    bg_json_set_string(card, "planes", planes->str);
    bg_json_set_string(card, "inputs",
                       "axial slices in LPS order, or volumes, "
                       "each contrast cut at the 0.5 and 99.5 percentile of the "
                       "foreground and scored there; a missing one is 0");
    bg_json_set_doubles(card, "labels", labels, BG_TUMOUR_CLASSES);
    bg_json_set_integer(card, "cases", bg_tumour_data_count_cases(data));
    bg_json_set_integer(card, "phantoms", recipe->n_phantoms);
    bg_json_set_integer(card, "phantom_size", recipe->phantom_size);
    bg_json_set_boolean(card, "varied", recipe->varied);
    bg_json_set_integer(card, "seed", (gint64) recipe->seed);
    bg_json_set_double(card, "validation_share", config->validation_share);
    bg_json_set_string(card, "loss",
                       config->n_terms == 1 ? "cross-entropy" : "cross-entropy + Dice");
    bg_json_set_integer(card, "batch", config->batch);
    bg_json_set_integer(card, "crop", params->crop);
    bg_json_set_integer(card, "samples_per_case", params->per_case);
    bg_json_set_double(card, "rate", config->optimiser.rate);
    bg_json_set_string(card, "limits",
                       "for research; not a medical device. What it was not taught, it does not "
                       "know: look at every result");
    bg_json_set_double(card, "spacing_mm", recipe->spacing_mm);
    return card;
}

// The smaller results are compared, too, each half as much as the one before; all weights together
// are 1 for each kind.
static void
add_deep_terms(BgNnTrainConfig *config)
{
    double sum = 2.0 - pow(0.5, BG_UNET3_N_RESULTS - 1);

    config->n_terms = 0;
    config->n_targets = BG_UNET3_N_RESULTS;
    for (int k = 0; k < BG_UNET3_N_RESULTS; k++) {
        double weight = pow(0.5, k) / sum;
        config->terms[config->n_terms++] = (BgNnTerm){ BG_NN_LOSS_CROSS_ENTROPY, weight, k, k };
        config->terms[config->n_terms++] = (BgNnTerm){ BG_NN_LOSS_DICE, weight, k, k };
    }
}

// What goes into a network, in which order.
static gboolean
choose_inputs(const BgTrainRecipe *recipe, BgTumourDataParams *params, BgNnTrainConfig *config,
              GError **error)
{
    static const BgContrast strips[] = { BG_CONTRAST_FLAIR, BG_CONTRAST_T1, BG_CONTRAST_T1CE,
                                         BG_CONTRAST_T2 };

    if (!g_strv_contains(names, recipe->network)) {
        g_autofree char *all = g_strjoinv(", ", (char **) names);
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: a name, and a list of names
                    _("No tumour network can be trained: “%s” is none. Choose one of %s"),
                    recipe->network, all);
        return FALSE;
    }
    if (strcmp(recipe->network, "unet-brats") == 0) {
        params->contrasts[0] = BG_CONTRAST_FLAIR;
        params->contrasts[1] = BG_CONTRAST_T1CE;
        params->n_contrasts = 2;
    } else if (g_str_has_prefix(recipe->network, "patch-")) {
        memcpy(params->contrasts, strips, sizeof strips);
        params->entropy = recipe->entropy;
        params->centres = strcmp(recipe->network, "patch-dual") == 0;
        config->n_terms = 1; // cross-entropy
    }
    return TRUE;
}

static BgNnData
set_samples(const BgNetwork *network, const BgTumourDataParams *params, BgNnTrainConfig *config,
            BgTumourData *data)
{
    gsize crop = (gsize) params->crop, n = (gsize) params->n_contrasts;

    config->inputs[0] = bg_nn_shape(1, n, 2, 1, crop, crop);
    if (g_str_has_prefix(network->name, "patch-")) {
        config->inputs[0] = network->inputs[0];
        config->inputs[1] = network->inputs[1];
        config->n_inputs = network->n_inputs;
        return bg_tumour_data_source_patches(data);
    }
    if (strcmp(network->name, "unet3-tumour") != 0)
        return bg_tumour_data_source(data);
    config->inputs[0] = bg_nn_shape(1, n, 3, crop, crop, crop);
    add_deep_terms(config);
    return bg_tumour_data_source_blocks(data);
}

gboolean
bg_tumour_train_setup(const BgTrainRecipe *recipe, const char *out, BgTrainSetup *setup,
                      const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgTumourDataParams params = bg_tumour_data_params();
    BgNnTrainConfig *config = &setup->config;

    *setup = (BgTrainSetup){ .free_samples = (GDestroyNotify) bg_tumour_data_free };
    if (recipe->crop < 16 || recipe->crop % 16 != 0 ||
        (recipe->data == NULL && recipe->n_phantoms == 0)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The training cannot start: samples have %d pixels a side, and there are %d "
                      "made-up heads. Give a multiple of 16, and heads or a folder of cases"),
                    recipe->crop, recipe->n_phantoms);
        return FALSE;
    }
    if (!bg_train_setup_begin(setup, recipe, out, error))
        return FALSE;
    config->terms[0] = (BgNnTerm){ BG_NN_LOSS_CROSS_ENTROPY, 1.0, 0, 0 };
    config->terms[1] = (BgNnTerm){ BG_NN_LOSS_DICE, 1.0, 0, 0 };
    config->n_terms = 2;
    config->n_inputs = config->n_targets = 1;
    config->optimiser.factor = 0.02;
    config->optimiser.clip_norm = 5.0;
    params.seed = recipe->seed;
    params.crop = recipe->crop;
    params.per_case = recipe->per_case;
    if (!choose_inputs(recipe, &params, config, error))
        return FALSE;
    BgTumourData *data = collect(recipe, &params, setup->folder, progress, cancellable, error);
    if (data == NULL)
        return FALSE;
    setup->samples = data;
    setup->data = set_samples(setup->network, &params, config, data);
    setup->card = make_card(recipe, data, config, &params);
    setup->notes = bg_tumour_data_tell_notes(data);
    if (setup->notes != NULL)
        bg_json_set_string(setup->card, "data_notes", setup->notes);
    return TRUE;
}

// ------------------------------------------------------------------------------------------------

static gboolean
has_picture(const BgNnCheck *check)
{
    const BgNnShape *in = &check->input_shapes[0], *out = &check->output_shape;

    return in->rank == out->rank && in->rank >= 4 && in->rank <= 5 &&
           memcmp(in->dims + 2, out->dims + 2, (gsize) (in->rank - 2) * sizeof in->dims[0]) == 0 &&
           out->dims[1] == BG_TUMOUR_CLASSES;
}

gsize
bg_tumour_train_weigh(const BgNnCheck *check)
{
    gsize n_pixels, n = 0;

    if (!has_picture(check))
        return 0;
    n_pixels = bg_nn_shape_count(&check->output_shape) / BG_TUMOUR_CLASSES;
    for (gsize i = n_pixels; i < BG_TUMOUR_CLASSES * n_pixels; i++)
        n += (gsize) (check->target[i] > 0.5f);
    return n;
}

static guint8
largest(const float *shares, gsize n_pixels, gsize at)
{
    int best = 0;

    for (int c = 1; c < BG_TUMOUR_CLASSES; c++) {
        if (shares[(gsize) c * n_pixels + at] > shares[(gsize) best * n_pixels + at])
            best = c;
    }
    return bg_tumour_labels[best];
}

// Of a block the slice with most of the truth.
static gsize
choose_slice(const float *target, gsize n_pixels, gsize area)
{
    gsize best = 0, most = 0;

    for (gsize k = 0; k < n_pixels / area; k++) {
        gsize n = 0;
        for (gsize at = k * area; at < (k + 1) * area; at++)
            n += (gsize) (largest(target, n_pixels, at) != 0);
        if (n > most) {
            most = n;
            best = k;
        }
    }
    return best;
}

static BgImage *
draw(const BgVolume *volume, const float *shares, gsize n_pixels, gsize first,
     const double window[2], GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    gsize area = (gsize) geometry->dims[0] * (gsize) geometry->dims[1];
    guint8 *labels = bg_voxels_alloc(geometry, sizeof(guint8), error);

    if (labels == NULL)
        return NULL;
    for (gsize i = 0; i < area; i++)
        labels[i] = largest(shares, n_pixels, first + i);
    g_autoptr(BgLabelMap) map = bg_label_map_new_take(geometry, BG_LABEL_UINT8, labels, error);
    return map != NULL ? bg_label_picture(volume, map, window, 2, 0, error) : NULL;
}

gboolean
bg_tumour_train_pictures(const BgNnCheck *check, BgImage **truth, BgImage **found, GError **error)
{
    const BgNnShape *in = &check->input_shapes[0];

    if (!has_picture(check)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("Samples of this network are no slices. Look at its numbers"));
        return FALSE;
    }
    int width = (int) in->dims[in->rank - 1], height = (int) in->dims[in->rank - 2];
    gsize area = (gsize) width * (gsize) height;
    gsize n_pixels = bg_nn_shape_count(&check->output_shape) / BG_TUMOUR_CLASSES;
    gsize first = choose_slice(check->target, n_pixels, area) * area;
    const int dims[3] = { width, height, 1 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 1.0));
    float *values = bg_voxels_alloc(&geometry, sizeof(float), error);
    if (values == NULL)
        return FALSE;
    memcpy(values, check->inputs[0] + (in->dims[1] - 1) * n_pixels + first, area * sizeof(float));
    double window[2] = { HUGE_VAL, -HUGE_VAL };
    for (gsize i = 0; i < area; i++) {
        window[0] = MIN(window[0], (double) values[i]);
        window[1] = MAX(window[1], (double) values[i]);
    }
    if (!(window[1] > window[0]))
        window[1] = window[0] + 1.0;
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), values, error);
    g_autoptr(BgImage) one =
        volume == NULL ? NULL : draw(volume, check->target, n_pixels, first, window, error);
    *found = one == NULL ? NULL : draw(volume, check->output, n_pixels, first, window, error);
    if (*found == NULL)
        return FALSE;
    *truth = g_steal_pointer(&one);
    return TRUE;
}
