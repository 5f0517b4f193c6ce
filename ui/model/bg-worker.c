// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-worker.h"

#include <sys/resource.h>
#include <unistd.h>

typedef struct {
    BgWork work;
    gconstpointer key; // address of the owner, to compare only
    GWeakRef owner;
    GCancellable *cancellable;
    gpointer result;
    GError *error;
} Item;

struct _BgWorker {
    GThread *thread;
    GMutex lock; // protects all below
    GCond wake;
    GQueue waiting; // of Item, owned
    Item *running;  // owned by the thread
    gboolean stop;
    int niceness;
};

static void
item_free(Item *item)
{
    if (item->work.request != NULL && item->work.free_request != NULL)
        item->work.free_request(item->work.request);
    if (item->result != NULL && item->work.free_result != NULL)
        item->work.free_result(item->result);
    g_clear_error(&item->error);
    g_weak_ref_clear(&item->owner);
    g_object_unref(item->cancellable);
    g_free(item);
}

static gboolean
deliver(gpointer data)
{
    Item *item = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&item->owner);

    if (owner != NULL && !g_cancellable_is_cancelled(item->cancellable))
        item->work.done(owner, g_steal_pointer(&item->result), item->error);

    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    BgWorker *self = data;

    // Linux: of this thread alone. A refusal only costs smoothness.
    if (self->niceness > 0)
        setpriority(PRIO_PROCESS, (id_t) gettid(), self->niceness);
    g_mutex_lock(&self->lock);
    while (TRUE) {
        while (!self->stop && g_queue_is_empty(&self->waiting))
            g_cond_wait(&self->wake, &self->lock);
        if (self->stop)
            break;

        Item *item = g_queue_pop_head(&self->waiting);
        self->running = item;
        g_mutex_unlock(&self->lock);

        item->result = item->work.func(item->work.request, item->cancellable, &item->error);

        g_mutex_lock(&self->lock);
        self->running = NULL;
        g_main_context_invoke_full(NULL, G_PRIORITY_DEFAULT, deliver, item,
                                   (GDestroyNotify) item_free);
    }
    g_mutex_unlock(&self->lock);

    return NULL;
}

BgWorker *
bg_worker_new(const char *name, int niceness)
{
    BgWorker *self = g_new0(BgWorker, 1);

    self->niceness = niceness;
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    g_queue_init(&self->waiting);
    self->thread = g_thread_new(name, run, self);

    return self;
}

void
bg_worker_free(BgWorker *self)
{
    g_mutex_lock(&self->lock);
    self->stop = TRUE;
    if (self->running != NULL)
        g_cancellable_cancel(self->running->cancellable);
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);

    g_thread_join(self->thread);
    g_queue_clear_full(&self->waiting, (GDestroyNotify) item_free);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_free(self);
}

// With the lock held. Takes the waiting item of that key out of the queue.
static Item *
take_waiting(BgWorker *self, gconstpointer key, guint slot)
{
    for (GList *l = self->waiting.head; l != NULL; l = l->next) {
        Item *item = l->data;
        if (item->key != key || item->work.slot != slot)
            continue;
        g_queue_delete_link(&self->waiting, l);
        return item;
    }

    return NULL;
}

void
bg_worker_post(BgWorker *self, const BgWork *work)
{
    Item *item = g_new0(Item, 1);
    item->work = *work;
    item->key = work->owner;
    item->cancellable = g_cancellable_new();
    g_weak_ref_init(&item->owner, work->owner);

    g_mutex_lock(&self->lock);
    Item *old = take_waiting(self, item->key, work->slot);
    Item *running = self->running;
    if (running != NULL && running->key == item->key && running->work.slot == work->slot &&
        running->work.yields)
        g_cancellable_cancel(running->cancellable);
    g_queue_push_tail(&self->waiting, item);
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);

    g_clear_pointer(&old, item_free);
}

void
bg_worker_cancel(BgWorker *self, GObject *owner, guint slot)
{
    g_mutex_lock(&self->lock);
    Item *old = take_waiting(self, owner, slot);
    Item *running = self->running;
    if (running != NULL && running->key == owner && running->work.slot == slot)
        g_cancellable_cancel(running->cancellable);
    g_mutex_unlock(&self->lock);

    g_clear_pointer(&old, item_free);
}
