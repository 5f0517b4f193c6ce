// SPDX-License-Identifier: Apache-2.0
// A training on made-up heads whose samples are written down as they are used, for tests/bench/compare-curve.py:
// train-curve unet|fusion FOLDER. The start is fixed_params() of tests/reference/torch_network.py. Prints JSON:
// losses of each epoch, seconds; FOLDER/train.f32 and check.f32 have the samples, inputs before targets.
#include "../support/bg-fixed-numbers.h"
#include "core/fusion/bg-fusion-data.h"
#include "core/learn/bg-networks.h"
#include "core/segment/bg-tumour-data.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define N_CASES 16 // made-up heads
#define N_EPOCHS 6

/** Recorder: hands on what @source makes, in the order in which it is asked: by one thread */
typedef struct {
    BgNnData source;
    gsize input_count, target_count;
    int n_inputs, n_targets;
    FILE *train, *check;
} Recorder;

static gsize
count_samples(gpointer data)
{
    const Recorder *recorder = data;

    return recorder->source.count(recorder->source.data);
}

static const char *
patient_of(gpointer data, gsize index)
{
    const Recorder *recorder = data;

    return recorder->source.patient(recorder->source.data, index);
}

static gboolean
make_sample(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
            GError **error)
{
    Recorder *recorder = data;
    FILE *file = seed != 0 ? recorder->train : recorder->check;

    if (!recorder->source.make(recorder->source.data, index, seed, inputs, targets, error))
        return FALSE;
    for (int k = 0; k < recorder->n_inputs; k++)
        fwrite(inputs[k], sizeof(float), recorder->input_count, file);
    for (int k = 0; k < recorder->n_targets; k++)
        fwrite(targets[k], sizeof(float), recorder->target_count, file);
    return TRUE;
}

static int
run(const char *name, BgNnGraph *graph, Recorder *recorder, BgNnTrainConfig *config,
    const char *folder)
{
    const BgNnData data = { count_samples, patient_of, make_sample, recorder };
    g_autofree char *train = g_build_filename(folder, "train.f32", NULL);
    g_autofree char *check = g_build_filename(folder, "check.f32", NULL);
    g_autoptr(GArray) history = NULL;
    g_autoptr(GError) error = NULL;

    recorder->n_inputs = config->n_inputs;
    recorder->n_targets = config->n_targets;
    recorder->input_count = bg_nn_shape_count(&config->inputs[0]);
    recorder->train = fopen(train, "wb");
    recorder->check = fopen(check, "wb");
    if (recorder->train == NULL || recorder->check == NULL)
        return 1;
    g_autoptr(BgNnParams) params = bg_network_params(bg_network_find(name, NULL), 0, NULL);
    fill_fixed(params);
    gint64 start = g_get_monotonic_time();
    clock_t busy = clock();
    if (!bg_nn_train(graph, params, &data, config, NULL, NULL, NULL, &history, NULL, NULL,
                     &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    double seconds = (double) (g_get_monotonic_time() - start) / 1e6;
    fclose(recorder->train);
    fclose(recorder->check);
    printf("{\"network\": \"%s\", \"batch\": %d, \"rate\": %g, \"side\": %zu, \"seconds\": %.3f, "
           "\"busy\": %.3f, \"epochs\": [",
           name, config->batch, config->optimiser.rate, config->inputs[0].dims[2], seconds,
           (double) (clock() - busy) / CLOCKS_PER_SEC);
    for (guint e = 0; e < history->len; e++) {
        const BgNnEpoch *epoch = &g_array_index(history, BgNnEpoch, e);
        printf("%s[%.7g, %.7g]", e > 0 ? ", " : "", epoch->loss, epoch->validation);
    }
    puts("]}");
    return 0;
}

static int
run_unet(const char *folder)
{
    BgTumourDataParams params = bg_tumour_data_params();
    BgTumourParams made = { .spacing_mm = 3, .align = BG_TUMOUR_ALIGN_NEVER, .as_given = TRUE };
    g_autoptr(GError) error = NULL;
    // S4's network; the dropout of its bottom would drop others than PyTorch's.
    g_autoptr(BgNnGraph) graph =
        bg_unet_graph(&(BgUnet){ .n_in = 2, .n_out = 4, .width = 32, .n_levels = 4 });

    params.crop = 64;
    params.per_case = 4;
    params.contrasts[0] = BG_CONTRAST_FLAIR;
    params.contrasts[1] = BG_CONTRAST_T1CE;
    params.n_contrasts = 2;
    g_autoptr(BgTumourData) cases = bg_tumour_data_new(&params, folder, &error);
    if (cases == NULL ||
        !bg_tumour_data_add_phantoms(cases, N_CASES, 1, 80, FALSE, &made, NULL, NULL, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, 0.0002),
                               .terms = { { BG_NN_LOSS_CROSS_ENTROPY, 1, 0, 0 } },
                               .n_terms = 1,
                               .inputs = { bg_nn_shape(1, 2, 2, 1, 64, 64) },
                               .n_inputs = 1,
                               .n_targets = 1,
                               .batch = 6,
                               .n_epochs = N_EPOCHS,
                               .n_workers = 1,
                               .validation_share = 0.2 };
    Recorder recorder = { .source = bg_tumour_data_source(cases), .target_count = 4 * 64 * 64 };
    return run("unet-brats", graph, &recorder, &config, folder);
}

static int
run_fusion(const char *folder)
{
    g_autoptr(BgFusionData) pairs = bg_fusion_data_new(48, 1, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgNnGraph) graph = bg_funfuse_graph();

    bg_fusion_data_add_leaves(pairs, 40, 1, 96);
    if (!bg_fusion_data_add_phantoms(pairs, 4, 1, 96, NULL, NULL, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, 48, 48);
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, 0.0005),
                               .terms = { { BG_NN_LOSS_SSIM, 0.8, 0, 0 },
                                          { BG_NN_LOSS_SSIM, 0.8, 0, 1 },
                                          { BG_NN_LOSS_L2, 0.2, 0, 0 },
                                          { BG_NN_LOSS_L2, 0.2, 0, 1 } },
                               .n_terms = 4,
                               .inputs = { shape, shape },
                               .n_inputs = 2,
                               .n_targets = 2,
                               .batch = 4,
                               .n_epochs = N_EPOCHS,
                               .n_workers = 1,
                               .validation_share = 0.15 };
    Recorder recorder = { .source = bg_fusion_data_source(pairs), .target_count = 48 * 48 };
    return run("funfuse", graph, &recorder, &config, folder);
}

int
main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: train-curve unet|fusion FOLDER\n");
        return 2;
    }
    return g_str_equal(argv[1], "unet") ? run_unet(argv[2]) : run_fusion(argv[2]);
}
