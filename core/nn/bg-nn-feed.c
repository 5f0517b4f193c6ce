// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-feed.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-random.h"

#define N_SLOTS 3 // one that is used, two ahead

/** Slot: a batch that is made or used */
typedef struct {
    float *inputs[BG_NN_MAX_ARRAYS], *targets[BG_NN_MAX_ARRAYS]; // owned
    gsize n_missing;                                             // samples; under the lock
    GError *error;                                               // owned; the first; under the lock
} Slot;

struct _BgNnFeed {
    BgNnData data;
    gsize input_counts[BG_NN_MAX_ARRAYS], target_counts[BG_NN_MAX_ARRAYS];
    int n_inputs, n_targets;
    gsize batch;
    GThreadPool *pool; // owned
    GMutex lock;
    GCond made;
    Slot slots[N_SLOTS];
    const gsize *indices;      // borrowed
    gsize n, n_asked, n_taken; // batches
    guint64 seed;
};

/** Task: one sample of one slot */
typedef struct {
    Slot *slot;
    gsize place, index;
    guint64 seed;
} Task;

static void
make_sample(gpointer data, gpointer user_data)
{
    Task *task = data;
    BgNnFeed *feed = user_data;
    float *inputs[BG_NN_MAX_ARRAYS], *targets[BG_NN_MAX_ARRAYS];
    GError *error = NULL;

    for (int i = 0; i < feed->n_inputs; i++)
        inputs[i] = task->slot->inputs[i] + task->place * feed->input_counts[i];
    for (int i = 0; i < feed->n_targets; i++)
        targets[i] = task->slot->targets[i] + task->place * feed->target_counts[i];
    gboolean ok =
        feed->data.make(feed->data.data, task->index, task->seed, inputs, targets, &error);
    g_mutex_lock(&feed->lock);
    if (!ok && task->slot->error == NULL)
        task->slot->error = g_steal_pointer(&error);
    task->slot->n_missing--;
    g_cond_broadcast(&feed->made);
    g_mutex_unlock(&feed->lock);
    g_clear_error(&error);
    g_free(task);
}

BgNnFeed *
bg_nn_feed_new(const BgNnData *data, const gsize *input_counts, int n_inputs,
               const gsize *target_counts, int n_targets, gsize batch, int n_workers,
               GError **error)
{
    BgNnFeed *feed = g_new0(BgNnFeed, 1);
    gboolean ok = TRUE;

    feed->data = *data;
    feed->n_inputs = n_inputs;
    feed->n_targets = n_targets;
    feed->batch = batch;
    g_mutex_init(&feed->lock);
    g_cond_init(&feed->made);
    for (int i = 0; i < n_inputs; i++)
        feed->input_counts[i] = input_counts[i];
    for (int i = 0; i < n_targets; i++)
        feed->target_counts[i] = target_counts[i];
    for (int s = 0; s < N_SLOTS && ok; s++) {
        for (int i = 0; i < n_inputs && ok; i++) {
            feed->slots[s].inputs[i] =
                bg_buffer_alloc_items(batch * input_counts[i], sizeof(float), error);
            ok = feed->slots[s].inputs[i] != NULL;
        }
        for (int i = 0; i < n_targets && ok; i++) {
            feed->slots[s].targets[i] =
                bg_buffer_alloc_items(batch * target_counts[i], sizeof(float), error);
            ok = feed->slots[s].targets[i] != NULL;
        }
    }
    feed->pool = g_thread_pool_new(make_sample, feed, MAX(n_workers, 1), FALSE, NULL);
    if (ok)
        return feed;
    bg_nn_feed_free(feed);
    return NULL;
}

void
bg_nn_feed_free(BgNnFeed *feed)
{
    if (feed == NULL)
        return;
    g_thread_pool_free(feed->pool, FALSE, TRUE); // waits for what was begun: a few samples
    for (int s = 0; s < N_SLOTS; s++) {
        for (int i = 0; i < BG_NN_MAX_ARRAYS; i++) {
            bg_buffer_free(feed->slots[s].inputs[i]);
            bg_buffer_free(feed->slots[s].targets[i]);
        }
        g_clear_error(&feed->slots[s].error);
    }
    g_mutex_clear(&feed->lock);
    g_cond_clear(&feed->made);
    g_free(feed);
}

static void
ask(BgNnFeed *feed)
{
    Slot *slot = &feed->slots[feed->n_asked % N_SLOTS];

    g_mutex_lock(&feed->lock);
    slot->n_missing = feed->batch;
    g_mutex_unlock(&feed->lock);
    for (gsize k = 0; k < feed->batch; k++) {
        Task *task = g_new(Task, 1);
        gsize at = feed->n_asked * feed->batch + k;
        BgRandom random = bg_random(feed->seed, at);
        *task = (Task){ slot, k, feed->indices[at],
                        feed->seed == 0 ? 0 : MAX(bg_random_next(&random), 1) };
        g_thread_pool_push(feed->pool, task, NULL);
    }
    feed->n_asked++;
}

void
bg_nn_feed_start(BgNnFeed *feed, const gsize *indices, gsize n, guint64 seed)
{
    g_assert(feed->n_taken == feed->n_asked); // the last ones were taken
    feed->indices = indices;
    feed->n = n / feed->batch;
    feed->seed = seed;
    feed->n_asked = feed->n_taken = 0;
    while (feed->n_asked < MIN(feed->n, N_SLOTS - 1))
        ask(feed);
}

gboolean
bg_nn_feed_take(BgNnFeed *feed, const float **inputs, const float **targets, GError **error)
{
    Slot *slot = &feed->slots[feed->n_taken % N_SLOTS];

    g_assert(feed->n_taken < feed->n);
    if (feed->n_asked < feed->n)
        ask(feed);
    g_mutex_lock(&feed->lock);
    while (slot->n_missing > 0)
        g_cond_wait(&feed->made, &feed->lock);
    g_mutex_unlock(&feed->lock);
    feed->n_taken++;
    for (int i = 0; i < feed->n_inputs; i++)
        inputs[i] = slot->inputs[i];
    for (int i = 0; i < feed->n_targets; i++)
        targets[i] = slot->targets[i];
    if (slot->error == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&slot->error));
    return FALSE;
}
