// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-parallel.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_THREADS 64

typedef struct {
    gsize n;
    gsize grain;
    BgParallelFunc func;
    gpointer user_data;
    GCancellable *cancellable; // borrowed, nullable
    atomic_size_t next;        // first item that nobody has taken
    atomic_bool cancelled;
} Loop;

// One loop at a time: loop_lock is held by the caller for its whole duration.
// pool_lock protects generation, n_busy and current, which the workers wait on.
static GMutex loop_lock;
static GMutex pool_lock;
static GCond work_there, work_done;
static Loop *current;
static guint64 generation;
static guint n_busy;
static guint n_started; // workers running, the caller not counted
static guint n_threads_wanted;
static int niceness;
static GPrivate inside_loop; // non-NULL on a thread that runs a func

static void
run(Loop *loop, guint worker)
{
    g_private_set(&inside_loop, GINT_TO_POINTER(1));

    for (;;) {
        if (g_cancellable_is_cancelled(loop->cancellable)) {
            // Only cancelled if something is left out.
            if (atomic_load(&loop->next) < loop->n)
                atomic_store(&loop->cancelled, true);
            break;
        }

        gsize first = atomic_fetch_add(&loop->next, loop->grain);
        if (first >= loop->n)
            break;
        gsize last = loop->n - first > loop->grain ? first + loop->grain : loop->n;
        loop->func(first, last, worker, loop->user_data);
    }

    g_private_set(&inside_loop, NULL);
}

static gpointer
worker_main(gpointer data)
{
    guint worker = GPOINTER_TO_UINT(data);
    guint64 seen = 0;

    // Linux: of this thread alone. A refusal only costs smoothness.
    if (niceness > 0)
        setpriority(PRIO_PROCESS, (id_t) gettid(), niceness);
    g_mutex_lock(&pool_lock);
    for (;;) {
        while (current == NULL || generation == seen)
            g_cond_wait(&work_there, &pool_lock);
        seen = generation;
        Loop *loop = current;
        if (worker >= bg_parallel_count_threads())
            continue;
        n_busy++;
        g_mutex_unlock(&pool_lock);

        run(loop, worker);

        g_mutex_lock(&pool_lock);
        if (--n_busy == 0)
            g_cond_signal(&work_done);
    }
    return NULL;
}

static void
start_workers(guint n_workers)
{
    for (; n_started < n_workers; n_started++) {
        GThread *thread = g_thread_new("bg-parallel", worker_main, GUINT_TO_POINTER(n_started + 1));
        g_thread_unref(thread); // runs as long as the program
    }
}

gboolean
bg_parallel_for(gsize n, gsize grain, BgParallelFunc func, gpointer user_data,
                GCancellable *cancellable)
{
    g_return_val_if_fail(func != NULL, FALSE);
    g_return_val_if_fail(grain >= 1, FALSE);

    Loop loop = {
        .n = n, .grain = grain, .func = func, .user_data = user_data, .cancellable = cancellable
    };
    guint n_threads = bg_parallel_count_threads();

    // Nested, or too small to share: on this thread. Nested loops get worker 0 of their own
    // scratch, which their func made for itself.
    if (g_private_get(&inside_loop) != NULL) {
        run(&loop, 0);
        g_private_set(&inside_loop, GINT_TO_POINTER(1));
        return !atomic_load(&loop.cancelled);
    }

    // Somebody else's long loop must not hold up a slice that is looked at: go alone.
    if (n_threads == 1 || n <= grain || !g_mutex_trylock(&loop_lock)) {
        run(&loop, 0);
        return !atomic_load(&loop.cancelled);
    }

    start_workers(n_threads - 1);
    g_mutex_lock(&pool_lock);
    current = &loop;
    generation++;
    g_cond_broadcast(&work_there);
    g_mutex_unlock(&pool_lock);

    run(&loop, 0);

    g_mutex_lock(&pool_lock);
    current = NULL; // who has not come yet, need not come
    while (n_busy > 0)
        g_cond_wait(&work_done, &pool_lock);
    g_mutex_unlock(&pool_lock);
    g_mutex_unlock(&loop_lock);

    return !atomic_load(&loop.cancelled);
}

void
bg_parallel_set_threads(guint n_threads)
{
    g_return_if_fail(n_threads <= MAX_THREADS);

    g_atomic_int_set((gint *) &n_threads_wanted, (gint) n_threads);
}

void
bg_parallel_set_niceness(int wanted)
{
    g_return_if_fail(n_started == 0);

    niceness = wanted;
}

guint
bg_parallel_count_threads(void)
{
    guint wanted = (guint) g_atomic_int_get((gint *) &n_threads_wanted);

    if (wanted == 0)
        wanted = CLAMP(g_get_num_processors(), 1, MAX_THREADS);
    return wanted;
}
