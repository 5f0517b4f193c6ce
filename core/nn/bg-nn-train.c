// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-train.h"
#include "bg-nn-checkpoint.h"
#include "bg-nn-feed.h"
#include "bg-nn-tape.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-random.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/** Trainer: one training under way */
typedef struct {
    BgNnGraph *graph;   // borrowed
    BgNnParams *params; // borrowed
    const BgNnData *data;
    const BgNnTrainConfig *config;
    const BgJson *card;
    gsize at_once;               // samples in one run of the tape
    BgNnTape32 *tape, *checking; // owned; of at_once samples, of one
    BgNnOptimiser *optimiser;    // owned
    BgNnFeed *feed, *check_feed; // owned
    gsize *train, *check;        // owned: samples
    gsize n_train, n_check;
    float **d_out;    // owned arrays, one an output, for at_once samples
    BgNnParams *best; // owned
    BgNnTraining state;
    BgNnTally *tally; // owned; of this pass over the samples
    const BgProgress *progress;
    GCancellable *cancellable;
} Trainer;

gsize
bg_nn_split_patients(const BgNnData *data, double share, guint64 seed, gboolean *in_validation,
                     GError **error)
{
    gsize n = data->count(data->data), n_kept = 0;
    g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree gsize *patient = g_new0(gsize, MAX(n, 1));
    BgRandom random = bg_random(seed, G_GUINT64_CONSTANT(0x73706c6974));

    for (gsize i = 0; i < n; i++) {
        g_autofree char *name = data->patient != NULL ? g_strdup(data->patient(data->data, i))
                                                      : g_strdup_printf("%" G_GSIZE_FORMAT, i);
        gpointer place;
        if (!g_hash_table_lookup_extended(places, name, NULL, &place)) {
            place = GSIZE_TO_POINTER((gsize) g_hash_table_size(places));
            g_hash_table_insert(places, g_steal_pointer(&name), place);
        }
        patient[i] = GPOINTER_TO_SIZE(place);
    }
    gsize n_patients = g_hash_table_size(places);
    if (share > 0 && n_patients < 2) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The training cannot start: less than two patients cannot be split "
                              "in training and validation. Add patients, or keep none for "
                              "validation"));
        return 0;
    }
    g_autofree gsize *order = g_new0(gsize, MAX(n_patients, 1));
    for (gsize i = 0; i < n_patients; i++)
        order[i] = i;
    for (gsize i = n_patients; i > 1; i--) {
        gsize k = bg_random_below(&random, i), value = order[i - 1];
        order[i - 1] = order[k];
        order[k] = value;
    }
    gsize n_out = share > 0 ? (gsize) CLAMP(ceil(share * (double) n_patients - 1e-9), 1,
                                            (double) (n_patients - 1))
                            : 0;
    g_autofree gboolean *out = g_new0(gboolean, MAX(n_patients, 1));
    for (gsize i = 0; i < n_out; i++)
        out[order[i]] = TRUE;
    for (gsize i = 0; i < n; i++)
        n_kept += (gsize) (in_validation[i] = out[patient[i]]);
    return n_kept;
}

// ------------------------------------------------------------------------------------------------

static gboolean
check_config(const BgNnGraph *graph, const BgNnTrainConfig *c, GError **error)
{
    gboolean ok = c->n_terms >= 1 && c->n_terms <= BG_NN_MAX_TERMS && c->n_inputs >= 1 &&
                  c->n_inputs <= BG_NN_MAX_ARRAYS && c->n_targets >= 1 &&
                  c->n_targets <= BG_NN_MAX_ARRAYS && c->batch >= 1 && c->at_once >= 0 &&
                  c->n_epochs >= 1 && c->patience >= 0 && c->validation_share >= 0 &&
                  c->validation_share <= 0.9 && (c->at_once == 0 || c->batch % c->at_once == 0);

    for (int i = 0; ok && i < c->n_terms; i++)
        ok = c->terms[i].output >= 0 && c->terms[i].output < bg_nn_graph_count_outputs(graph) &&
             c->terms[i].target >= 0 && c->terms[i].target < c->n_targets &&
             isfinite(c->terms[i].weight);
    for (int i = 0; ok && i < c->n_inputs; i++)
        ok = c->inputs[i].rank >= 2 && c->inputs[i].dims[0] == 1;
    if (!ok)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The training cannot start: a setting is out of its range (batch, "
                              "parts of a batch, epochs, share for validation, losses). Correct "
                              "it"));
    return ok;
}

static gboolean
choose_samples(Trainer *t, GError **error)
{
    gsize n = t->data->count(t->data->data);
    g_autofree gboolean *out = g_new0(gboolean, MAX(n, 1));
    GError *split_error = NULL;

    t->n_check = bg_nn_split_patients(t->data, t->config->validation_share, t->config->seed, out,
                                      &split_error);
    if (split_error != NULL) {
        g_propagate_error(error, split_error);
        return FALSE;
    }
    t->n_train = n - t->n_check;
    t->train = g_new(gsize, MAX(t->n_train, 1));
    t->check = g_new(gsize, MAX(t->n_check, 1));
    for (gsize i = 0, a = 0, b = 0; i < n; i++) {
        if (out[i])
            t->check[b++] = i;
        else
            t->train[a++] = i;
    }
    if (t->n_train >= (gsize) t->config->batch)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The training cannot start: there are %" G_GSIZE_FORMAT
                  " samples for a batch of %d. Add data, or make the batch smaller"),
                t->n_train, t->config->batch);
    return FALSE;
}

static BgNnTape32 *
make_tape(const Trainer *t, gsize n, GError **error)
{
    BgNnShape shapes[BG_NN_MAX_ARRAYS];

    for (int i = 0; i < t->config->n_inputs; i++) {
        shapes[i] = t->config->inputs[i];
        shapes[i].dims[0] = n;
    }
    BgNnTape32 *tape = bg_nn_tape32_new(t->graph, t->params, shapes, t->config->n_inputs, error);
    if (tape != NULL)
        bg_nn_tape32_leave_inputs(tape);
    return tape;
}

static const BgNnShape *
output_shape(const Trainer *t, BgNnTape32 *tape, int output)
{
    return bg_nn_tape32_get_shape(tape, bg_nn_graph_get_output(t->graph, output));
}

static gboolean
make_feeds(Trainer *t, GError **error)
{
    const BgNnTrainConfig *c = t->config;
    gsize inputs[BG_NN_MAX_ARRAYS], targets[BG_NN_MAX_ARRAYS] = { 0 };

    for (int i = 0; i < c->n_inputs; i++)
        inputs[i] = bg_nn_shape_count(&c->inputs[i]);
    for (int i = 0; i < c->n_terms; i++) {
        const BgNnShape *shape = output_shape(t, t->checking, c->terms[i].output);
        gsize count = bg_nn_shape_count(shape), *target = &targets[c->terms[i].target];
        if (!bg_nn_loss_check(c->terms[i].kind, shape, error))
            return FALSE;
        if (*target != 0 && *target != count) {
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        _("The training cannot start: target %d is compared with results of "
                          "different sizes. Correct the losses"),
                        c->terms[i].target);
            return FALSE;
        }
        *target = count;
    }
    for (int i = 0; i < c->n_targets; i++)
        targets[i] = MAX(targets[i], 1);
    t->feed = bg_nn_feed_new(t->data, inputs, c->n_inputs, targets, c->n_targets, t->at_once,
                             c->n_workers, error);
    t->check_feed = t->feed == NULL ? NULL
                                    : bg_nn_feed_new(t->data, inputs, c->n_inputs, targets,
                                                     c->n_targets, 1, c->n_workers, error);
    return t->check_feed != NULL;
}

static gboolean
trainer_init(Trainer *t, GError **error)
{
    int n_outputs = bg_nn_graph_count_outputs(t->graph);

    t->state.epochs = g_array_new(FALSE, FALSE, sizeof(BgNnEpoch));
    t->state.best = INFINITY;
    t->state.rate = t->config->optimiser.rate;
    t->at_once = (gsize) (t->config->at_once > 0 ? t->config->at_once : t->config->batch);
    t->d_out = g_new0(float *, (gsize) n_outputs + 1);
    t->tally = g_new0(BgNnTally, 1);
    if (!choose_samples(t, error))
        return FALSE;
    t->tape = make_tape(t, t->at_once, error);
    t->checking = t->tape == NULL ? NULL : make_tape(t, 1, error);
    t->optimiser =
        t->checking == NULL ? NULL : bg_nn_optimiser_new(t->params, &t->config->optimiser, error);
    if (t->optimiser == NULL || !make_feeds(t, error))
        return FALSE;
    for (int k = 0; k < n_outputs; k++) {
        t->d_out[k] = bg_buffer_alloc_items(bg_nn_shape_count(output_shape(t, t->tape, k)),
                                            sizeof(float), error);
        if (t->d_out[k] == NULL)
            return FALSE;
    }
    return TRUE;
}

static void
trainer_clear(Trainer *t)
{
    for (int k = 0; t->d_out != NULL && k < bg_nn_graph_count_outputs(t->graph); k++)
        bg_buffer_free(t->d_out[k]);
    g_free(t->d_out);
    bg_nn_feed_free(t->feed);
    bg_nn_feed_free(t->check_feed);
    bg_nn_optimiser_free(t->optimiser);
    bg_nn_tape32_free(t->tape);
    bg_nn_tape32_free(t->checking);
    bg_nn_params_unref(t->best);
    g_free(t->tally);
    g_free(t->train);
    g_free(t->check);
    g_array_unref(t->state.epochs);
}

// ------------------------------------------------------------------------------------------------

// Of the first loss, where it compares probabilities of classes.
static gsize
count_classes(const Trainer *t)
{
    const BgNnTerm *term = &t->config->terms[0];
    const BgNnShape *shape = output_shape(t, t->tape, term->output);
    gboolean probable = term->kind == BG_NN_LOSS_CROSS_ENTROPY || term->kind == BG_NN_LOSS_DICE ||
                        term->kind == BG_NN_LOSS_GENERALISED_DICE;

    return probable && bg_nn_tally_fits(shape) ? shape->dims[1] : 0;
}

static void
count_hits(Trainer *t, BgNnTape32 *tape, const float *const *targets)
{
    const BgNnTerm *term = &t->config->terms[0];
    int layer = bg_nn_graph_get_output(t->graph, term->output);

    bg_nn_tally_add(t->tally, bg_nn_tape32_get_shape(tape, layer), bg_nn_tape32_get(tape, layer),
                    targets[term->target]);
}

static double
loss_of(Trainer *t, BgNnTape32 *tape, const float *const *targets, double weight, gboolean slopes)
{
    double sum = 0;

    for (int k = 0; slopes && k < bg_nn_graph_count_outputs(t->graph); k++)
        memset(t->d_out[k], 0, bg_nn_shape_count(output_shape(t, tape, k)) * sizeof(float));
    for (int i = 0; i < t->config->n_terms; i++) {
        const BgNnTerm *term = &t->config->terms[i];
        int layer = bg_nn_graph_get_output(t->graph, term->output);
        sum += bg_nn_loss(term->kind, bg_nn_tape32_get_shape(tape, layer),
                          bg_nn_tape32_get(tape, layer), targets[term->target],
                          term->weight * weight, slopes ? t->d_out[term->output] : NULL);
    }
    return sum;
}

// One step of the optimiser; `loss`: of the batch.
static gboolean
train_step(Trainer *t, int epoch, gsize step, double *loss, double *length, GError **error)
{
    gsize n_parts = (gsize) t->config->batch / t->at_once;
    int n_params = bg_nn_params_count(t->params);
    g_autofree float **gradients = g_new0(float *, (gsize) n_params + 1);

    *loss = 0;
    bg_nn_tape32_clear_gradients(t->tape);
    for (gsize part = 0; part < n_parts; part++) {
        const float *inputs[BG_NN_MAX_ARRAYS], *targets[BG_NN_MAX_ARRAYS];
        guint64 place = ((guint64) epoch << 32) + step * n_parts + part;
        BgRandom random = bg_random(t->config->seed, place);
        if (!bg_nn_feed_take(t->feed, inputs, targets, error) ||
            !bg_nn_tape32_forward(t->tape, inputs, TRUE, bg_random_next(&random), t->cancellable,
                                  error))
            return FALSE;
        *loss += loss_of(t, t->tape, targets, 1.0 / (double) n_parts, TRUE);
        count_hits(t, t->tape, targets);
        if (!bg_nn_tape32_backward(t->tape, (const float *const *) t->d_out, t->cancellable, error))
            return FALSE;
    }
    for (int i = 0; i < n_params; i++)
        gradients[i] = bg_nn_tape32_get_gradient(t->tape, i);
    *length = bg_nn_optimiser_step(t->optimiser, gradients, t->state.rate);
    if (isfinite(*loss) && isfinite(*length))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The training stopped in epoch %d: its loss is not a number any more. Take a "
                  "smaller learning rate, or cut the gradients"),
                epoch);
    return FALSE;
}

static void
shuffle(gsize *indices, gsize n, guint64 seed, int epoch)
{
    BgRandom random = bg_random(seed, G_GUINT64_CONSTANT(0x6f72646572) + (guint64) epoch);

    for (gsize i = n; i > 1; i--) {
        gsize k = bg_random_below(&random, i), value = indices[i - 1];
        indices[i - 1] = indices[k];
        indices[k] = value;
    }
}

static gboolean
train_epoch(Trainer *t, BgNnEpoch *epoch, GError **error)
{
    g_autofree gsize *order = g_memdup2(t->train, t->n_train * sizeof(gsize));
    gsize n_steps = t->n_train / (gsize) t->config->batch;
    BgRandom random = bg_random(t->config->seed, (guint64) epoch->epoch);

    shuffle(order, t->n_train, t->config->seed, epoch->epoch);
    bg_nn_tally_clear(t->tally, count_classes(t));
    bg_nn_feed_start(t->feed, order, n_steps * (gsize) t->config->batch,
                     MAX(bg_random_next(&random), 1));
    for (gsize step = 0; step < n_steps; step++) {
        double loss, length;
        if (g_cancellable_set_error_if_cancelled(t->cancellable, error) ||
            !train_step(t, epoch->epoch, step, &loss, &length, error))
            return FALSE;
        epoch->loss += loss / (double) n_steps;
        epoch->gradient += length / (double) n_steps;
        double done = epoch->epoch - 1 + (double) (step + 1) / (double) n_steps;
        bg_progress_report(t->progress, done / t->config->n_epochs);
        if (t->config->on_step != NULL)
            t->config->on_step(epoch->epoch, step + 1, n_steps,
                               epoch->loss * (double) n_steps / (double) (step + 1),
                               t->config->user_data);
    }
    epoch->train = bg_nn_tally_scores(t->tally);
    return TRUE;
}

static void
show_check(Trainer *t, gsize index, const float *const *inputs, const float *const *targets)
{
    const BgNnTerm *term = &t->config->terms[0];
    BgNnCheck check = { .index = index,
                        .n = t->n_check,
                        .inputs = inputs,
                        .input_shapes = t->config->inputs,
                        .n_inputs = t->config->n_inputs,
                        .target = targets[term->target],
                        .output_shape = *output_shape(t, t->checking, term->output) };

    check.output = bg_nn_tape32_get(t->checking, bg_nn_graph_get_output(t->graph, term->output));
    t->config->on_check(&check, t->config->user_data);
}

static gboolean
validate(Trainer *t, BgNnEpoch *epoch, GError **error)
{
    epoch->validation = NAN;
    bg_nn_tally_clear(t->tally, count_classes(t));
    epoch->check = bg_nn_tally_scores(t->tally);
    if (t->n_check == 0)
        return TRUE;
    epoch->validation = 0;
    bg_nn_feed_start(t->check_feed, t->check, t->n_check, 0);
    for (gsize i = 0; i < t->n_check; i++) {
        const float *inputs[BG_NN_MAX_ARRAYS], *targets[BG_NN_MAX_ARRAYS];
        if (!bg_nn_feed_take(t->check_feed, inputs, targets, error) ||
            !bg_nn_tape32_forward(t->checking, inputs, FALSE, 0, t->cancellable, error))
            return FALSE;
        epoch->validation += loss_of(t, t->checking, targets, 1, FALSE) / (double) t->n_check;
        count_hits(t, t->checking, targets);
        if (t->config->on_check != NULL)
            show_check(t, i, inputs, targets);
    }
    epoch->check = bg_nn_tally_scores(t->tally);
    return TRUE;
}

// Best so far, how long since, and the rate of the next epoch.
static gboolean
take_stock(Trainer *t, const BgNnEpoch *epoch, GError **error)
{
    const BgNnOptimiserConfig *o = &t->config->optimiser;
    double score = isnan(epoch->validation) ? epoch->loss : epoch->validation;

    g_array_append_val(t->state.epochs, *epoch);
    t->state.n_resting++;
    t->state.n_flat++;
    if (score < t->state.best) {
        t->state.best = score;
        t->state.n_resting = t->state.n_flat = 0;
        g_clear_pointer(&t->best, bg_nn_params_unref);
        t->best = bg_nn_params_copy(t->params, error);
        if (t->best == NULL)
            return FALSE;
    }
    if (o->schedule != BG_NN_RATE_PLATEAU) {
        t->state.rate = bg_nn_optimiser_rate(o, epoch->epoch);
    } else if (t->state.n_flat >= o->period) {
        t->state.rate = MAX(t->state.rate * o->factor, o->least_rate);
        t->state.n_flat = 0;
    }
    return TRUE;
}

// The card says how long and how well it was trained until then.
static BgJson *
make_card(const Trainer *t)
{
    BgJson *card = t->card != NULL ? bg_json_copy(t->card) : bg_json_new_object();

    bg_json_set_integer(card, "epochs", (gint64) t->state.epochs->len);
    bg_json_set_integer(card, "best_epoch",
                        (gint64) t->state.epochs->len - (gint64) t->state.n_resting);
    bg_json_set_double(card, t->n_check > 0 ? "validation_loss" : "training_loss", t->state.best);
    return card;
}

static gboolean
write_files(const Trainer *t, GError **error)
{
    const char *folder = t->config->folder;

    if (folder == NULL)
        return TRUE;
    g_autoptr(BgJson) card = make_card(t);
    g_autofree char *best = g_build_filename(folder, "best.h5", NULL);
    g_autofree char *last = g_build_filename(folder, "last.h5", NULL);
    g_autofree char *log = g_build_filename(folder, "log.csv", NULL);
    // The best first: a crash between the two makes the same one again.
    return (t->state.n_resting != 0 ||
            bg_nn_weights_save(best, t->graph, t->params, card, TRUE, NULL, error)) &&
           bg_nn_checkpoint_save(last, t->graph, t->params, t->optimiser, t->config, &t->state,
                                 card, error) &&
           bg_nn_training_write_log(&t->state, log, error);
}

static gboolean
resume(Trainer *t, GError **error)
{
    const char *folder = t->config->folder;

    if (folder == NULL)
        return TRUE;
    g_autofree char *last = g_build_filename(folder, "last.h5", NULL);
    g_autofree char *best = g_build_filename(folder, "best.h5", NULL);
    if (!t->config->resume || !g_file_test(last, G_FILE_TEST_EXISTS))
        return g_mkdir_with_parents(folder, 0755) == 0 || g_file_test(folder, G_FILE_TEST_IS_DIR)
                   ? TRUE
                   : (g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                                  _("%s: the folder cannot be made. Choose another"), folder),
                      FALSE);
    if (!bg_nn_checkpoint_load(last, t->graph, t->params, t->optimiser, t->config, &t->state,
                               t->cancellable, error))
        return FALSE;
    t->best =
        bg_nn_weights_load(best, t->graph, t->params, NULL, NULL, NULL, t->cancellable, error);
    return t->best != NULL;
}

static gboolean
is_done(const Trainer *t)
{
    return (int) t->state.epochs->len >= t->config->n_epochs ||
           (t->config->patience > 0 && t->state.n_resting >= t->config->patience);
}

static gboolean
train(Trainer *t, GError **error)
{
    if (!resume(t, error))
        return FALSE;
    if (t->state.epochs->len > 0 && t->config->on_restored != NULL)
        t->config->on_restored((const BgNnEpoch *) (gpointer) t->state.epochs->data,
                               t->state.epochs->len, t->config->user_data);
    while (!is_done(t)) {
        BgNnEpoch epoch = { .epoch = (int) t->state.epochs->len + 1, .rate = t->state.rate };
        if (!train_epoch(t, &epoch, error) || !validate(t, &epoch, error) ||
            !take_stock(t, &epoch, error) || !write_files(t, error))
            return FALSE;
        if (t->config->on_epoch != NULL)
            t->config->on_epoch(&epoch, t->config->user_data);
    }
    bg_progress_report(t->progress, 1);
    return TRUE;
}

gboolean
bg_nn_train(BgNnGraph *graph, BgNnParams *params, const BgNnData *data,
            const BgNnTrainConfig *config, const BgJson *card, BgJson **trained_card,
            BgNnParams **best, GArray **history, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    Trainer t = { .graph = graph,
                  .params = params,
                  .data = data,
                  .config = config,
                  .card = card,
                  .progress = progress,
                  .cancellable = cancellable };

    if (!check_config(graph, config, error))
        return FALSE;
    gboolean ok = trainer_init(&t, error) && train(&t, error);
    if (ok && trained_card != NULL)
        *trained_card = make_card(&t);
    if (ok && best != NULL)
        *best = g_steal_pointer(&t.best);
    if (ok && history != NULL)
        *history = g_array_ref(t.state.epochs);
    trainer_clear(&t);
    return ok;
}
