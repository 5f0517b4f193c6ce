// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-random.h"
#include "core/nn/bg-nn-train.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define SIDE 12
#define N_SAMPLES 24

static char *folder;

// Pictures of noise with a bright square; the target is the square.
static gsize
count_samples(gpointer data)
{
    return N_SAMPLES;
}

static const char *
patient_of(gpointer data, gsize index)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

    return names[index / 4];
}

static gboolean
make_sample(gpointer data, gsize index, guint64 seed, float *const *inputs, float *const *targets,
            GError **error)
{
    BgRandom random = bg_random(index, 5), other = bg_random(seed, index);
    int x0 = (int) bg_random_below(&random, SIDE - 5);
    int y0 = (int) bg_random_below(&random, SIDE - 5);
    gboolean *fails = data;

    if (fails != NULL && *fails && index == 7) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, "sample 7 is damaged");
        return FALSE;
    }
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            gboolean inside = x >= x0 && x < x0 + 5 && y >= y0 && y < y0 + 5;
            double noise = 0.3 * bg_random_normal(&random);
            if (seed != 0) // augmentation
                noise += 0.05 * bg_random_normal(&other);
            inputs[0][y * SIDE + x] = (float) ((inside ? 1 : 0) + noise);
            targets[0][y * SIDE + x] = inside ? 1 : 0;
        }
    return TRUE;
}

static BgNnGraph *
make_graph(gboolean norm)
{
    BgNnGraph *graph = bg_nn_graph_new("little");
    int x = bg_nn_graph_input(graph, "image", 1, 2);

    x = bg_nn_graph_conv(graph, "conv1", x, 6, 3);
    if (norm) {
        x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_BATCH_NORM,
                                                 .name = "norm",
                                                 .inputs = { x },
                                                 .n_inputs = 1,
                                                 .eps = 1e-5,
                                                 .momentum = 0.1 });
        x = bg_nn_graph_unary(graph, BG_NN_PRELU, "prelu", x);
        x = bg_nn_graph_add(graph, &(BgNnLayer){ .kind = BG_NN_DROPOUT,
                                                 .name = "drop",
                                                 .inputs = { x },
                                                 .n_inputs = 1,
                                                 .rate = 0.2 });
    } else {
        x = bg_nn_graph_unary(graph, BG_NN_RELU, "relu", x);
    }
    x = bg_nn_graph_conv(graph, "conv2", x, 1, 3);
    bg_nn_graph_add_output(graph, bg_nn_graph_unary(graph, BG_NN_SIGMOID, "out", x));
    return graph;
}

static const BgNnData data = { count_samples, patient_of, make_sample, NULL };

static BgNnTrainConfig
make_config(int n_epochs)
{
    BgNnTrainConfig config = { .optimiser = bg_nn_optimiser_config(BG_NN_ADAM, 0.02),
                               .terms = { { BG_NN_LOSS_BCE, 1, 0, 0 },
                                          { BG_NN_LOSS_DICE, 0.5, 0, 0 } },
                               .n_terms = 2,
                               .inputs = { { 4, { 1, 1, SIDE, SIDE } } },
                               .n_inputs = 1,
                               .n_targets = 1,
                               .batch = 4,
                               .n_epochs = n_epochs,
                               .n_workers = 2,
                               .validation_share = 0.34,
                               .seed = 9 };
    return config;
}

static BgNnParams *
make_params(BgNnGraph *graph)
{
    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, SIDE, SIDE);

    return bg_nn_params_new(graph, &shape, 1, BG_NN_INIT_HE, 0, 2, NULL);
}

static void
test_learns(void)
{
    g_autoptr(BgNnGraph) graph = make_graph(TRUE);
    g_autoptr(BgNnParams) params = make_params(graph), best = NULL;
    g_autoptr(GArray) history = NULL;
    g_autoptr(GError) error = NULL;
    BgNnTrainConfig config = make_config(12);

    g_assert_true(bg_nn_train(graph, params, &data, &config, NULL, NULL, &best, &history, NULL,
                              NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(history->len, ==, 12);
    const BgNnEpoch *first = &g_array_index(history, BgNnEpoch, 0);
    const BgNnEpoch *last = &g_array_index(history, BgNnEpoch, 11);
    g_assert_cmpfloat(last->loss, <, 0.5 * first->loss);
    g_assert_cmpfloat(last->validation, <, 0.5 * first->validation);
    g_assert_nonnull(best);
}

static void
clean(void)
{
    static const char *const names[] = { "best.h5", "last.h5", "log.csv" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
}

// Seven epochs at once, and three, then four more from the checkpoint: the same bits.
static void
test_resume(void)
{
    g_autoptr(BgNnGraph) graph = make_graph(TRUE);
    g_autoptr(BgNnParams) whole = make_params(graph), parts = make_params(graph);
    g_autoptr(BgNnParams) again = make_params(graph);
    g_autoptr(GError) error = NULL;
    BgNnTrainConfig config = make_config(7);
    g_autofree char *log = g_build_filename(folder, "log.csv", NULL), *a = NULL, *b = NULL;

    config.optimiser.schedule = BG_NN_RATE_PLATEAU;
    config.optimiser.factor = 0.5;
    config.folder = folder;
    clean();
    g_assert_true(
        bg_nn_train(graph, whole, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(log, &a, NULL, NULL));
    clean();
    config.n_epochs = 3;
    g_assert_true(
        bg_nn_train(graph, parts, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    config.n_epochs = 7;
    config.resume = TRUE;
    g_assert_true(
        bg_nn_train(graph, again, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(log, &b, NULL, NULL));
    g_assert_cmpstr(a, ==, b);
    g_autofree char *hash_a = bg_nn_params_hash(whole), *hash_b = bg_nn_params_hash(again);
    g_assert_cmpstr(hash_a, ==, hash_b);
    g_autofree char *hash_c = bg_nn_params_hash(parts);
    g_assert_cmpstr(hash_a, !=, hash_c);

    config.seed++; // another run's checkpoint
    g_assert_false(
        bg_nn_train(graph, again, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
}

// Gradients of parts of a batch add up to those of the whole.
static void
test_parts(void)
{
    g_autoptr(BgNnGraph) graph = make_graph(FALSE);
    g_autoptr(BgNnParams) whole = make_params(graph), parts = make_params(graph);
    BgNnTrainConfig config = make_config(2);

    config.n_terms = 1; // an overlap is of what is seen at once
    config.optimiser = bg_nn_optimiser_config(BG_NN_SGD, 0.1);
    config.validation_share = 0;
    g_assert_true(
        bg_nn_train(graph, whole, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    config.at_once = 2;
    g_assert_true(
        bg_nn_train(graph, parts, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    for (int p = 0; p < bg_nn_params_count(whole); p++)
        for (gsize i = 0; i < bg_nn_tensor_count(bg_nn_params_get(whole, p)); i++)
            g_assert_cmpfloat_with_epsilon(
                (double) bg_nn_tensor_peek(bg_nn_params_get(whole, p))[i],
                (double) bg_nn_tensor_peek(bg_nn_params_get(parts, p))[i], 2e-6);
}

static void
test_split(void)
{
    gboolean out[N_SAMPLES];
    GError *error = NULL;
    gsize n_first = 0;

    for (guint64 seed = 1; seed < 20; seed++) {
        gsize n = bg_nn_split_patients(&data, 0.34, seed, out, &error);
        g_assert_cmpuint(n, ==, 12); // a third of six patients, rounded up
        for (gsize i = 0; i < N_SAMPLES; i++)
            g_assert_cmpint(out[i], ==, out[i / 4 * 4]);
        n_first += out[0] ? 1 : 0;
    }
    g_assert_cmpuint(n_first, >, 2); // by the seed, not always the same
    g_assert_cmpuint(n_first, <, 17);
    g_assert_no_error(error);
}

static void
test_stops(void)
{
    g_autoptr(BgNnGraph) graph = make_graph(FALSE);
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autoptr(GArray) history = NULL;
    g_autoptr(GError) error = NULL;
    BgNnTrainConfig config = make_config(200);

    config.optimiser = bg_nn_optimiser_config(BG_NN_SGD, 1e-12); // nothing gets better
    config.patience = 3;
    g_assert_true(
        bg_nn_train(graph, params, &data, &config, NULL, NULL, NULL, &history, NULL, NULL, &error));
    g_assert_cmpuint(history->len, <, 20);
}

static void
on_epoch(const BgNnEpoch *epoch, gpointer user_data)
{
    if (epoch->epoch == 2)
        g_cancellable_cancel(user_data);
}

static void
test_cancel_and_failure(void)
{
    g_autoptr(BgNnGraph) graph = make_graph(FALSE);
    g_autoptr(BgNnParams) params = make_params(graph);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    BgNnTrainConfig config = make_config(50);
    gboolean fails = TRUE;
    BgNnData failing = data;

    config.on_epoch = on_epoch;
    config.user_data = cancellable;
    g_assert_false(bg_nn_train(graph, params, &data, &config, NULL, NULL, NULL, NULL, NULL,
                               cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_error(&error);

    config.on_epoch = NULL;
    config.validation_share = 0;
    failing.data = &fails;
    g_assert_false(
        bg_nn_train(graph, params, &failing, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);

    config.optimiser = bg_nn_optimiser_config(BG_NN_SGD, 1e5);
    config.terms[0].kind = BG_NN_LOSS_L2;
    config.terms[0].weight = 1e30;
    config.n_terms = 1;
    g_autoptr(BgNnGraph) open = bg_nn_graph_new("open");
    int x = bg_nn_graph_input(open, "image", 1, 2);
    bg_nn_graph_add_output(open, bg_nn_graph_conv(open, "conv", x, 1, 3));
    g_autoptr(BgNnParams) wild = make_params(open);
    g_assert_false(
        bg_nn_train(open, wild, &data, &config, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_assert_true(
        bg_nn_params_check(wild, NULL)); // the step that would have spoilt it was not made
}

// Four pixels of two classes, counted by hand.
static void
test_scores(void)
{
    static const float p[] = { 0.7f, 0.5f, 0.3f, 0.8f, 0.3f, 0.5f, 0.7f, 0.2f };
    static const float t[] = { 0, 1, 0, 1, 1, 0, 1, 0 };
    BgNnShape shape = bg_nn_shape(1, 2, 2, 1, 2, 2), none = bg_nn_shape(1, 1, 2, 1, 2, 2);
    g_autofree BgNnTally *tally = g_new0(BgNnTally, 1);

    g_assert_true(bg_nn_tally_fits(&shape));
    g_assert_false(bg_nn_tally_fits(&none));
    bg_nn_tally_clear(tally, 2);
    bg_nn_tally_add(tally, &shape, p, t);
    bg_nn_tally_add(tally, &shape, p, t);
    BgNnScores scores = bg_nn_tally_scores(tally);
    g_assert_cmpfloat_with_epsilon(scores.accuracy, 0.75, 1e-12);
    g_assert_cmpfloat_with_epsilon(scores.dice, (3.6 / 5.3 + 3.0 / 4.7) / 2, 1e-7);
    g_assert_cmpfloat_with_epsilon(scores.mean_iou, (2.0 / 3.0 + 0.5) / 2, 1e-12);
    g_assert_cmpfloat_with_epsilon(scores.precision, 2.0 / 3.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(scores.sensitivity, 0.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(scores.specificity, 0.5, 1e-12);
    bg_nn_tally_clear(tally, 0);
    bg_nn_tally_add(tally, &shape, p, t);
    scores = bg_nn_tally_scores(tally);
    g_assert_true(isnan(scores.accuracy) && isnan(scores.dice) && isnan(scores.specificity));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-test-XXXXXX", NULL);
    g_test_add_func("/nn-train/learns", test_learns);
    g_test_add_func("/nn-train/resume", test_resume);
    g_test_add_func("/nn-train/parts", test_parts);
    g_test_add_func("/nn-train/split", test_split);
    g_test_add_func("/nn-train/scores", test_scores);
    g_test_add_func("/nn-train/stops", test_stops);
    g_test_add_func("/nn-train/cancel-and-failure", test_cancel_and_failure);
    int result = g_test_run();
    clean();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
