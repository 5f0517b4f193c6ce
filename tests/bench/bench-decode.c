// SPDX-License-Identifier: Apache-2.0
// What it costs that a child reads foreign files: the time from a request to its result over the time
// that the reading takes, for a small series, and the most memory of all processes together while a
// large one is loaded. Median and extremes.
#include "../support/bg-dicom-make.h"
#include "core/io/bg-io.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_RUNS 31

typedef struct {
    int running, n_samples; // atomic
    gsize most_bytes;
} Watch;

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static void
tell(const char *what, double *ms, int n)
{
    qsort(ms, (gsize) n, sizeof *ms, compare);
    g_print("%s: median %.2f ms (%.2f to %.2f, %d runs)\n", what, ms[n / 2], ms[0], ms[n - 1], n);
}

static char *
make_series(int n_slices, int size)
{
    char *folder = bg_make_folder();

    for (int k = 0; k < n_slices; k++) {
        g_autofree char *name = g_strdup_printf("%05d.dcm", (k * 7919) % 100003);
        g_autofree char *uid = g_strdup_printf("1.2.3.%d", k + 1);
        bg_make_slice(folder, &(BgMadeSlice){ .name = name,
                                              .sop_uid = uid,
                                              .position = { 0.0, 0.0, k },
                                              .slope = 1.0,
                                              .intercept = -1024.0,
                                              .size = size });
    }
    return folder;
}

// Memory

// Parts of shared pages count as what they are: each page once over all processes.
static gsize
get_pss(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps_rollup", pid), *text = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    line = strstr(text, "\nPss:");
    return line != NULL ? (gsize) g_ascii_strtoull(line + 5, NULL, 10) << 10 : 0;
}

static int
get_parent(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *end = strrchr(text, ')');
    return end != NULL && strlen(end) > 4 ? atoi(end + 4) : 0;
}

// This process, its children and theirs.
static gsize
get_family_bytes(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    int own = (int) getpid();
    gsize sum = get_pss(own);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        int pid = atoi(name);
        for (int up = pid, n = 0; up > 1 && n < 4; n++) {
            up = get_parent(up);
            if (up == own) {
                sum += get_pss(pid);
                break;
            }
        }
    }
    return sum;
}

static gpointer
watch(gpointer user_data)
{
    Watch *self = user_data;

    while (g_atomic_int_get(&self->running)) {
        gsize bytes = get_family_bytes();
        self->most_bytes = MAX(self->most_bytes, bytes);
        g_atomic_int_inc(&self->n_samples);
        g_usleep(2000);
    }
    return NULL;
}

static BgLoaded *
load(const char *path)
{
    g_autoptr(GError) error = NULL;
    BgLoaded *loaded = bg_io_load(path, NULL, NULL, NULL, &error);

    if (loaded == NULL)
        g_error("%s", error->message);
    return loaded;
}

static void
measure_cost(void)
{
    char *folder = make_series(3, 64);
    double first = (double) g_get_monotonic_time(), ms[N_RUNS];

    bg_loaded_free(load(folder));
    g_print("child-start: %.2f ms with the first series\n",
            ((double) g_get_monotonic_time() - first) / 1e3);
    for (int i = 0; i < N_RUNS; i++) {
        double start = (double) g_get_monotonic_time();
        bg_loaded_free(load(folder));
        ms[i] = ((double) g_get_monotonic_time() - start) / 1e3;
    }
    tell("child-series 64x64x3", ms, N_RUNS);
    bg_remove_folder(folder);
}

static void
measure_memory(int n_slices, int size)
{
    char *folder = make_series(n_slices, size);
    double ms[5];

    for (int i = 0; i < 5; i++) {
        Watch self = { .running = 1 };
        gsize before = get_family_bytes();
        GThread *thread = g_thread_new("watch", watch, &self);
        double start = (double) g_get_monotonic_time();
        BgLoaded *loaded = load(folder);
        ms[i] = ((double) g_get_monotonic_time() - start) / 1e3;
        g_atomic_int_set(&self.running, 0);
        g_thread_join(thread);
        gsize n = bg_volume_get_n_bytes(loaded->volume);
        g_print("child-memory %dx%dx%d: %.1f MiB for a volume of %.1f MiB: %+.1f %% (%d samples)\n",
                size, size, n_slices, (double) (self.most_bytes - before) / (1 << 20),
                (double) n / (1 << 20),
                100.0 * ((double) (self.most_bytes - before) / (double) n - 1.0), self.n_samples);
        bg_loaded_free(loaded);
    }
    tell("child-series 512x512x256", ms, 5);
    bg_remove_folder(folder);
}

int
main(void)
{
    measure_cost();
    measure_memory(256, 512);
    return 0;
}
