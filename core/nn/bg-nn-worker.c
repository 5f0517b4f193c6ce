// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-worker.h"
#include "core/base/bg-parallel.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
    gboolean done; // under the lock
} Job;

static GAsyncQueue *queue; // of Job, borrowed from who waits
static GThread *worker;
static GMutex lock;
static GCond finished;
static gint n_threads_wanted; // atomic

static guint
count_wanted(void)
{
    guint wanted = (guint) g_atomic_int_get(&n_threads_wanted);

    return wanted != 0 ? wanted : bg_parallel_count_threads();
}

// A team of threads that sleeps for good. libgomp spins six milliseconds at every barrier, which with
// other work on the machine doubles the time of a network, and takes its setting of that
// (OMP_WAIT_POLICY) from the environment before any line of a program runs. But it spins for
// microseconds only while it counts more threads than processors: with these it does.
static gpointer
sleep_as_team(gpointer data)
{
    GMutex never_lock;
    GCond never;
    volatile int n_seen = 0;

#pragma omp parallel num_threads((int) g_get_num_processors())
    {
#pragma omp atomic
        n_seen++;
    }
    g_mutex_init(&never_lock);
    g_cond_init(&never);
    g_mutex_lock(&never_lock);
    g_async_queue_push(data, sleep_as_team); // the team is there
    g_async_queue_unref(data);
    for (;;)
        g_cond_wait(&never, &never_lock);
    return NULL;
}

static gpointer
work(gpointer data)
{
    g_autoptr(GAsyncQueue) started = g_async_queue_new();

    g_thread_unref(g_thread_new("bregma-sleepers", sleep_as_team, g_async_queue_ref(started)));
    g_async_queue_pop(started);
    // Its AMX code dies of an illegal instruction on processors that have AMX (oneDNN 2.6.3).
    dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx512_core_bf16);
    for (;;) {
        Job *job = g_async_queue_pop(queue);
        omp_set_num_threads((int) count_wanted()); // is the calling thread's own
        job->func(job->data);
        g_mutex_lock(&lock);
        job->done = TRUE;
        g_cond_broadcast(&finished);
        g_mutex_unlock(&lock);
    }
    return NULL;
}

void
bg_nn_worker_run(void (*func)(gpointer data), gpointer data)
{
    static gsize started;
    Job job = { func, data, FALSE };

    if (g_once_init_enter(&started)) {
        queue = g_async_queue_new();
        worker = g_thread_new("bregma-network", work, NULL);
        g_once_init_leave(&started, 1);
    }
    if (g_thread_self() == worker) {
        func(data);
        return;
    }
    g_async_queue_push(queue, &job);
    g_mutex_lock(&lock);
    while (!job.done)
        g_cond_wait(&finished, &lock);
    g_mutex_unlock(&lock);
}

void
bg_nn_worker_set_threads(guint n_threads)
{
    g_atomic_int_set(&n_threads_wanted, (gint) n_threads);
}

guint
bg_nn_worker_count_threads(void)
{
    return count_wanted();
}
