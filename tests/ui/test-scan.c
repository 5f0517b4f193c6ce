// SPDX-License-Identifier: Apache-2.0
// A folder of thousands of files is looked at while the window goes on: nothing of it happens in the main
// loop but taking over a few things at a time, it says how far it is, and it can be stopped at any time.
#include "../support/bg-dicom-make.h"
#include "ui/model/bg-import.h"

#define MOST_A_TURN 64 // things taken over, of one turn of the main loop
#define N_FILES (g_getenv("BREGMA_TEST_LONG") != NULL ? 10000 : 2000)
#define N_CANCELLED 5000 // a tenth of a second's work at the least

static void
write_file(const char *folder, int n, int n_series)
{
    g_autofree char *name = g_strdup_printf("%05d", n * 7919 % 100003);
    g_autofree char *uid = g_strdup_printf("1.2.3.%d", n + 1);
    g_autofree char *series = g_strdup_printf("1.2.5.%d", n % n_series + 1);

    bg_make_slice(folder, &(BgMadeSlice){ .name = name,
                                          .series_uid = series,
                                          .sop_uid = uid,
                                          .modality = "MR",
                                          .position = { 0.0, 0.0, n / n_series } });
}

static char *
make_folder(int n_files, int n_series)
{
    char *folder = bg_make_folder();

    for (int n = 0; n < n_files; n++)
        write_file(folder, n, n_series);
    return folder;
}

static int
count_in(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

typedef struct {
    BgSession *session;
    BgImport *import;
    guint n_told;         // times that it said how far it is
    guint64 n_done, most; // files, as it says
    gboolean done;
    gint64 longest_us; // of a turn of the main loop
} Scan;

static void
on_progress(BgImport *import, guint64 n_done, guint64 n_known, gpointer user_data)
{
    Scan *scan = user_data;

    g_assert_cmpuint(n_done, <=, n_known);
    g_assert_cmpuint(n_done, >=, scan->n_done); // never back
    scan->n_done = n_done;
    scan->most = MAX(scan->most, n_known);
    scan->n_told++;
}

static void
on_done(BgImport *import, gpointer user_data)
{
    Scan *scan = user_data;

    g_assert_false(scan->done);
    g_assert_false(bg_import_is_running(import));
    scan->done = TRUE;
}

static void
begin(Scan *scan, const char *folder)
{
    const char *paths[] = { folder, NULL };

    *scan = (Scan){ .session = bg_session_new() };
    scan->import = bg_import_new(scan->session, paths);
    g_signal_connect(scan->import, "progress", G_CALLBACK(on_progress), scan);
    g_signal_connect(scan->import, "done", G_CALLBACK(on_done), scan);
    g_assert_true(bg_import_is_running(scan->import));
    g_assert_cmpuint(g_list_model_get_n_items(bg_import_get_items(scan->import)), ==, 0);
}

static guint
count_items(const Scan *scan)
{
    return g_list_model_get_n_items(bg_import_get_items(scan->import));
}

static void
turn(Scan *scan)
{
    guint before = count_items(scan);
    gint64 started = g_get_monotonic_time();

    if (g_main_context_iteration(NULL, FALSE))
        scan->longest_us = MAX(scan->longest_us, g_get_monotonic_time() - started);
    else
        g_usleep(1000);
    g_assert_cmpuint(count_items(scan), <=, before + MOST_A_TURN);
}

static void
end(Scan *scan)
{
    g_test_message("longest turn of the main loop: %.1f ms", (double) scan->longest_us / 1e3);
    g_object_add_weak_pointer(G_OBJECT(scan->import), (gpointer *) &scan->import);
    g_object_unref(scan->import);
    while (scan->import != NULL) // the job, and pictures on the way, let it go
        g_main_context_iteration(NULL, FALSE);
    g_object_unref(scan->session);
}

// 40 series, as a CD has them: each comes once, whole, with what is known of it.
static void
test_series(void)
{
    char *folder = make_folder(N_FILES, 40);
    Scan scan;

    begin(&scan, folder);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, 40);
    g_assert_cmpuint(scan.n_told, >, 0);
    g_assert_cmpuint(scan.n_done, ==, (guint64) N_FILES);
    g_assert_cmpuint(scan.most, ==, (guint64) N_FILES);
    for (guint i = 0; i < 40; i++) {
        g_autoptr(BgImportItem) item = g_list_model_get_item(bg_import_get_items(scan.import), i);
        g_assert_null(bg_import_item_get_problem(item));
        g_assert_cmpint(bg_import_item_get_dims(item)[2], ==, N_FILES / 40);
    }
    end(&scan);
    g_assert_cmpint(count_in(folder), ==, N_FILES);
    bg_remove_folder(folder);
}

// As many series as files: they come all at once at the end, and still a few at a time into the window.
static void
test_many_series(void)
{
    int n = N_FILES / 2;
    char *folder = make_folder(n, n);
    Scan scan;

    begin(&scan, folder);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, (guint) n);
    end(&scan);
    bg_remove_folder(folder);
}

static int
count_fds(void)
{
    return count_in("/proc/self/fd");
}

// Stopped as soon as it has done some: it ends, opens nothing, and leaves neither files nor descriptors.
static void
test_cancel(void)
{
    char *few = make_folder(3, 1), *folder = make_folder(N_CANCELLED, 40);
    Scan scan;

    begin(&scan, few); // the child is there from now on
    while (!scan.done)
        turn(&scan);
    end(&scan);
    int n_before = count_fds();

    begin(&scan, folder);
    while (scan.n_done == 0)
        turn(&scan);
    g_assert_true(bg_import_is_running(scan.import));
    bg_import_cancel(scan.import);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(scan.n_done, <, (guint64) N_CANCELLED);
    guint n_left = count_items(&scan);
    for (int i = 0; i < 20; i++)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, n_left);
    end(&scan);
    for (int i = 0; i < 1000 && count_fds() > n_before; i++)
        g_usleep(10000); // the worker closes its own
    g_assert_cmpint(count_fds(), <=, n_before);
    g_assert_cmpint(count_in(folder), ==, N_CANCELLED);
    bg_remove_folder(folder);
    bg_remove_folder(few);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/series", test_series);
    g_test_add_func("/scan/many-series", test_many_series);
    g_test_add_func("/scan/cancel", test_cancel);
    return g_test_run();
}
