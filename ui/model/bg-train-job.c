// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-train-job.h"

#include "core/base/bg-i18n.h"
#include "core/fusion/bg-fusion-train.h"
#include "core/segment/bg-tumour-train.h"

#include <math.h>
#include <string.h>

#define FUSION "funfuse"
#define LOOK_MS 100 // how often what the worker wrote is taken over
#define PREPARING 0.05
#define CURRENT_KEY "bregma-training"

/** Shared: what the worker tells; under its lock */
typedef struct {
    gatomicrefcount ref_count;
    GMutex lock;
    gboolean dirty, learning;
    GArray *epochs; // owned, of BgNnEpoch: those that were not taken yet
    int epoch;
    gsize step, n_steps;
    double step_loss;
    BgImage *pictures[2]; // owned, nullable
    int picture_epoch;
    char *notes; // owned, nullable
} Shared;

/** Input: of the worker alone */
typedef struct {
    BgTrainRecipe recipe;
    char *out;      // owned
    Shared *shared; // owned
    gboolean resume;
    gboolean fusion;
    int epoch; // of the validation under way
    gsize weight, best_index;
    gboolean has_chosen;
} Input;

struct _BgTrainJob {
    GObject parent_instance;

    BgSession *session; // owned
    BgJob *job;         // owned
    BgTrainRecipe recipe;
    char *out;      // owned
    Shared *shared; // owned
    guint look_id;

    // taken over
    BgTrainStage stage;
    GArray *epochs; // owned
    int epoch, picture_epoch;
    gsize step, n_steps;
    double step_loss;
    BgImage *pictures[2]; // owned, nullable
    char *notes, *fault;  // owned, nullable
    gint64 since_us;      // when learning began, with first_fraction done
    double first_fraction;
};

G_DEFINE_FINAL_TYPE(BgTrainJob, bg_train_job, G_TYPE_OBJECT)

enum {
    SIGNAL_CHANGED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

static Shared *
shared_new(void)
{
    Shared *shared = g_new0(Shared, 1);

    g_atomic_ref_count_init(&shared->ref_count);
    g_mutex_init(&shared->lock);
    shared->epochs = g_array_new(FALSE, FALSE, sizeof(BgNnEpoch));
    return shared;
}

static void
shared_unref(Shared *shared)
{
    if (!g_atomic_ref_count_dec(&shared->ref_count))
        return;
    for (int p = 0; p < 2; p++)
        g_clear_pointer(&shared->pictures[p], bg_image_unref);
    g_array_unref(shared->epochs);
    g_mutex_clear(&shared->lock);
    g_free(shared->notes);
    g_free(shared);
}

static void
input_free(gpointer data)
{
    Input *input = data;

    bg_train_recipe_clear(&input->recipe);
    shared_unref(input->shared);
    g_free(input->out);
    g_free(input);
}

const char *const *
bg_train_networks(void)
{
    static const char *const names[] = { "unet-tumour", "unet3-tumour", FUSION, NULL };

    return names;
}

void
bg_train_default(const char *network, BgTrainRecipe *recipe)
{
    if (strcmp(network, FUSION) == 0) {
        *recipe = bg_fusion_train_recipe();
    } else {
        *recipe = bg_tumour_train_recipe();
        if (strcmp(network, "unet3-tumour") == 0) { // blocks, which take more memory than slices
            recipe->crop = 64;
            recipe->batch = 2;
            recipe->per_case = 8;
        }
    }
    recipe->network = network;
    recipe->n_phantoms = 8;
}

// On the worker: callbacks of the training.

static void
on_restored(const BgNnEpoch *epochs, gsize n, gpointer user_data)
{
    Input *input = user_data;

    g_mutex_lock(&input->shared->lock);
    g_array_append_vals(input->shared->epochs, epochs, (guint) n);
    input->shared->dirty = TRUE;
    g_mutex_unlock(&input->shared->lock);
}

static void
on_epoch(const BgNnEpoch *epoch, gpointer user_data)
{
    on_restored(epoch, 1, user_data);
}

static void
on_step(int epoch, gsize step, gsize n_steps, double loss, gpointer user_data)
{
    Input *input = user_data;
    Shared *shared = input->shared;

    input->epoch = epoch;
    g_mutex_lock(&shared->lock);
    shared->epoch = epoch;
    shared->step = step;
    shared->n_steps = n_steps;
    shared->step_loss = loss;
    shared->dirty = TRUE;
    g_mutex_unlock(&shared->lock);
}

// Of the samples that are kept back the one with most to see, the same after each epoch.
static gboolean
is_wanted(Input *input, const BgNnCheck *check)
{
    gsize weight;

    if (input->has_chosen)
        return check->index == input->best_index;
    weight = 1 + (input->fusion ? bg_fusion_train_weigh(check) : bg_tumour_train_weigh(check));
    if (weight <= input->weight)
        return FALSE;
    input->weight = weight;
    input->best_index = check->index;
    return TRUE;
}

static void
on_check(const BgNnCheck *check, gpointer user_data)
{
    Input *input = user_data;
    Shared *shared = input->shared;
    BgImage *pictures[2] = { NULL, NULL };
    gboolean wanted = is_wanted(input, check);

    input->has_chosen |= check->index + 1 == check->n;
    if (!wanted ||
        !(input->fusion ? bg_fusion_train_pictures(check, &pictures[0], &pictures[1], NULL)
                        : bg_tumour_train_pictures(check, &pictures[0], &pictures[1], NULL)))
        return; // no memory for a picture is no reason to end a training
    g_mutex_lock(&shared->lock);
    for (int p = 0; p < 2; p++) {
        g_clear_pointer(&shared->pictures[p], bg_image_unref);
        shared->pictures[p] = pictures[p];
    }
    shared->picture_epoch = input->epoch;
    shared->dirty = TRUE;
    g_mutex_unlock(&shared->lock);
}

static gpointer
train(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Input *input = data;
    BgProgressSpan span;
    g_auto(BgTrainSetup) setup = { 0 };
    g_auto(BgTrained) trained = { 0 };
    const BgProgress *first = bg_progress_span_init(&span, progress, 0.0, PREPARING);

    if (!(input->fusion
              ? bg_fusion_train_setup(&input->recipe, input->out, &setup, first, cancellable, error)
              : bg_tumour_train_setup(&input->recipe, input->out, &setup, first, cancellable,
                                      error)))
        return NULL;
    g_mutex_lock(&input->shared->lock);
    input->shared->learning = input->shared->dirty = TRUE;
    input->shared->notes = g_strdup(setup.notes);
    g_mutex_unlock(&input->shared->lock);
    setup.config.resume = input->resume;
    setup.config.on_restored = on_restored;
    setup.config.on_epoch = on_epoch;
    setup.config.on_step = on_step;
    setup.config.on_check = on_check;
    setup.config.user_data = input;
    if (!bg_train_run(&setup, &input->recipe, input->out, TRUE, &trained,
                      bg_progress_span_init(&span, progress, PREPARING, 1.0), cancellable, error))
        return NULL;
    return g_strdup(input->out);
}

// On the main thread.

static void
take(BgTrainJob *self)
{
    Shared *shared = self->shared;
    gboolean dirty;

    g_mutex_lock(&shared->lock);
    dirty = shared->dirty;
    shared->dirty = FALSE;
    g_array_append_vals(self->epochs, shared->epochs->data, shared->epochs->len);
    g_array_set_size(shared->epochs, 0);
    self->epoch = shared->epoch;
    self->step = shared->step;
    self->n_steps = shared->n_steps;
    self->step_loss = shared->step_loss;
    if (shared->learning && self->stage == BG_TRAIN_PREPARING)
        self->stage = BG_TRAIN_LEARNING;
    if (self->notes == NULL)
        self->notes = g_strdup(shared->notes);
    for (int p = 0; p < 2 && shared->pictures[0] != NULL; p++) {
        g_clear_pointer(&self->pictures[p], bg_image_unref);
        self->pictures[p] = bg_image_ref(shared->pictures[p]);
        self->picture_epoch = shared->picture_epoch;
    }
    g_mutex_unlock(&shared->lock);
    if (self->since_us == 0 && self->step > 0) {
        self->since_us = g_get_monotonic_time();
        self->first_fraction = bg_job_get_fraction(self->job);
    }
    if (dirty)
        g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

static gboolean
on_look(gpointer user_data)
{
    take(user_data);
    return G_SOURCE_CONTINUE;
}

static void
on_trained(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgTrainJob) self = user_data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = bg_job_run_finish(BG_JOB(source), result, &error);

    g_clear_handle_id(&self->look_id, g_source_remove);
    take(self);
    if (path != NULL)
        self->stage = BG_TRAIN_DONE;
    else
        self->stage = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? BG_TRAIN_CANCELLED
                                                                               : BG_TRAIN_FAILED;
    if (self->stage == BG_TRAIN_FAILED) {
        self->fault = g_strdup(error->message);
        bg_session_fail(self->session, _("The network is not trained"), error);
    }
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
    if (path != NULL)
        bg_session_tell(self->session, BG_CHANGE_MODELS);
}

BgTrainJob *
bg_train_job_start(BgSession *session, const BgTrainRecipe *recipe, const char *out,
                   gboolean resume)
{
    g_return_val_if_fail(BG_IS_SESSION(session), NULL);

    BgTrainJob *self = g_object_new(BG_TYPE_TRAIN_JOB, NULL);
    Input *input = g_new0(Input, 1);
    g_autofree char *base = g_path_get_basename(out);
    // Translators: a file of weights
    g_autofree char *title = g_strdup_printf(_("Training %s"), base);

    self->session = g_object_ref(session);
    self->out = g_strdup(out);
    self->shared = shared_new();
    bg_train_recipe_copy(recipe, &self->recipe);
    bg_train_recipe_copy(recipe, &input->recipe);
    input->out = g_strdup(out);
    input->resume = resume;
    input->fusion = strcmp(recipe->network, FUSION) == 0;
    input->shared = self->shared;
    g_atomic_ref_count_inc(&self->shared->ref_count);
    self->job = bg_job_new(title);
    bg_job_set_aside(self->job);
    self->look_id = g_timeout_add(LOOK_MS, on_look, self);
    g_object_set_data_full(G_OBJECT(session), CURRENT_KEY, g_object_ref(self), g_object_unref);
    BgJobWork work = {
        .func = train, .input = input, .free_input = input_free, .free_result = g_free
    };
    bg_session_run(session, self->job, &work, on_trained, g_object_ref(self));
    return self;
}

static double
seconds_left(BgTrainJob *self)
{
    double done = bg_job_get_fraction(self->job) - self->first_fraction;
    double seconds = (double) (g_get_monotonic_time() - self->since_us) / G_USEC_PER_SEC;

    if (self->stage != BG_TRAIN_LEARNING || self->since_us == 0 || done <= 0.0 || seconds < 0.5)
        return -1.0;
    return seconds * (1.0 - bg_job_get_fraction(self->job)) / done;
}

static int
best_epoch(const GArray *epochs)
{
    double least = HUGE_VAL;
    int best = 0;

    for (guint e = 0; e < epochs->len; e++) {
        const BgNnEpoch *epoch = &g_array_index(epochs, BgNnEpoch, e);
        double loss = isnan(epoch->validation) ? epoch->loss : epoch->validation;
        if (loss < least) {
            least = loss;
            best = epoch->epoch;
        }
    }
    return best;
}

BgTrainView
bg_train_job_get_view(BgTrainJob *self)
{
    return (BgTrainView){ .stage = self->stage,
                          .epochs = self->epochs,
                          .epoch = self->epoch,
                          .step = self->step,
                          .n_steps = self->n_steps,
                          .step_loss = self->step_loss,
                          .seconds_left = seconds_left(self),
                          .notes = self->notes,
                          .fault = self->fault,
                          .pictures = { self->pictures[0], self->pictures[1] },
                          .picture_epoch = self->picture_epoch,
                          .best_epoch = best_epoch(self->epochs) };
}

const BgTrainRecipe *
bg_train_job_get_recipe(BgTrainJob *self)
{
    return &self->recipe;
}

const char *
bg_train_job_get_out(BgTrainJob *self)
{
    return self->out;
}

gboolean
bg_train_job_get_running(BgTrainJob *self)
{
    return self->stage == BG_TRAIN_PREPARING || self->stage == BG_TRAIN_LEARNING;
}

void
bg_train_job_cancel(BgTrainJob *self)
{
    bg_job_cancel(self->job);
}

BgTrainJob *
bg_train_job_get_current(BgSession *session)
{
    return g_object_get_data(G_OBJECT(session), CURRENT_KEY);
}

static void
bg_train_job_finalize(GObject *object)
{
    BgTrainJob *self = BG_TRAIN_JOB(object);

    g_clear_handle_id(&self->look_id, g_source_remove);
    g_clear_object(&self->job);
    g_clear_object(&self->session);
    for (int p = 0; p < 2; p++)
        g_clear_pointer(&self->pictures[p], bg_image_unref);
    bg_train_recipe_clear(&self->recipe);
    g_clear_pointer(&self->shared, shared_unref);
    g_array_unref(self->epochs);
    g_free(self->out);
    g_free(self->notes);
    g_free(self->fault);

    G_OBJECT_CLASS(bg_train_job_parent_class)->finalize(object);
}

static void
bg_train_job_class_init(BgTrainJobClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = bg_train_job_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
bg_train_job_init(BgTrainJob *self)
{
    self->epochs = g_array_new(FALSE, FALSE, sizeof(BgNnEpoch));
}
