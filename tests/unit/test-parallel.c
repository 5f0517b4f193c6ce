// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-parallel.h"

#include <string.h>

#define N_ITEMS 10007 // prime: no grain divides it

typedef struct {
    guint8 *visits;
    guint n_workers;
    GCancellable *cancellable;
} Visit;

static void
visit(gsize first, gsize last, guint worker, gpointer user_data)
{
    Visit *job = user_data;

    g_assert_cmpuint(worker, <, job->n_workers);
    for (gsize i = first; i < last; i++)
        job->visits[i]++; // each item belongs to one worker: no lock
}

static void
test_visits_each_once(void)
{
    static const guint thread_counts[] = { 1, 2, 3, 8 };
    static const gsize grains[] = { 1, 7, 1000, N_ITEMS, 2 * N_ITEMS };

    for (guint t = 0; t < G_N_ELEMENTS(thread_counts); t++) {
        bg_parallel_set_threads(thread_counts[t]);
        for (guint g = 0; g < G_N_ELEMENTS(grains); g++) {
            g_autofree guint8 *visits = g_new0(guint8, N_ITEMS);
            Visit job = { .visits = visits, .n_workers = thread_counts[t] };

            g_assert_true(bg_parallel_for(N_ITEMS, grains[g], visit, &job, NULL));
            for (gsize i = 0; i < N_ITEMS; i++)
                g_assert_cmpuint(visits[i], ==, 1);
        }
    }
    bg_parallel_set_threads(0);
}

static void
nest(gsize first, gsize last, guint worker, gpointer user_data)
{
    guint8 *visits = user_data;

    for (gsize i = first; i < last; i++) {
        Visit inner = { .visits = visits + 100 * i, .n_workers = 1 };
        g_assert_true(bg_parallel_for(100, 3, visit, &inner, NULL));
    }
}

static void
test_nests(void)
{
    g_autofree guint8 *visits = g_new0(guint8, 5000);

    bg_parallel_set_threads(4);
    g_assert_true(bg_parallel_for(50, 1, nest, visits, NULL));
    for (gsize i = 0; i < 5000; i++)
        g_assert_cmpuint(visits[i], ==, 1);
    bg_parallel_set_threads(0);
}

static void
cancel_soon(gsize first, gsize last, guint worker, gpointer user_data)
{
    Visit *job = user_data;

    visit(first, last, worker, job);
    if (first >= 100)
        g_cancellable_cancel(job->cancellable);
}

static void
test_says_that_it_was_cancelled(void)
{
    g_autofree guint8 *visits = g_new0(guint8, N_ITEMS);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Visit job = { .visits = visits, .n_workers = 64, .cancellable = cancellable };

    g_assert_false(bg_parallel_for(N_ITEMS, 1, cancel_soon, &job, cancellable));
    g_assert_cmpuint(visits[N_ITEMS - 1], ==, 0);
    g_assert_cmpuint(visits[0], ==, 1);
}

static gpointer
loop_many_times(gpointer data)
{
    for (int round = 0; round < 300; round++) {
        g_autofree guint8 *visits = g_new0(guint8, 500);
        Visit job = { .visits = visits, .n_workers = 64 };

        g_assert_true(bg_parallel_for(500, 7, visit, &job, NULL));
        for (gsize i = 0; i < 500; i++)
            g_assert_cmpuint(visits[i], ==, 1);
    }
    return NULL;
}

static void
test_callers_side_by_side(void)
{
    GThread *threads[6];

    bg_parallel_set_threads(3);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("caller", loop_many_times, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    bg_parallel_set_threads(0);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/visits-each-once", test_visits_each_once);
    g_test_add_func("/parallel/nests", test_nests);
    g_test_add_func("/parallel/says-that-it-was-cancelled", test_says_that_it_was_cancelled);
    g_test_add_func("/parallel/callers-side-by-side", test_callers_side_by_side);
    return g_test_run();
}
