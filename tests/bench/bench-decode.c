// SPDX-License-Identifier: Apache-2.0
// What it costs that a child reads foreign files: the time from a request to its result over the time
// that the reading takes, for a small series, and the most memory of all processes together while a
// large one is loaded. Median and extremes.
#include "core/io/bg-dicom-encode.h"
#include "core/io/bg-io.h"
#include "media/dicom/bg-dicom-data.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_RUNS 31
#define TAG BG_DCM_TAG

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

static void
write_slice(const char *folder, int k, int size)
{
    static const guint8 preamble[128];
    const double place[3] = { 0.0, 0.0, k }, axes[6] = { 1, 0, 0, 0, 1, 0 }, mm[2] = { 0.5, 0.5 };
    const double scale[2] = { -1024.0, 1.0 };
    gsize n = (gsize) size * (gsize) size;
    g_autofree guint16 *pixels = g_new(guint16, n);
    g_autofree char *path = g_strdup_printf("%s/%05d.dcm", folder, (k * 7919) % 100003);
    g_autofree char *uid = g_strdup_printf("1.2.3.%d", k + 1);
    g_auto(BgDcmEncoder) e = { 0 };

    for (gsize i = 0; i < n; i++)
        pixels[i] = (guint16) ((i * 2654435761u + (gsize) k) >> 20 & 0xFFF);
    bg_dcm_encoder_init(&e, 1);
    g_byte_array_append(e.bytes, preamble, sizeof preamble);
    g_byte_array_append(e.bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1");
    bg_dcm_put_text(&e, TAG(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2");
    bg_dcm_put_text(&e, TAG(0x0008, 0x0018), "UI", uid);
    bg_dcm_put_text(&e, TAG(0x0008, 0x0060), "CS", "CT");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000d), "UI", "1.2.4");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000e), "UI", "1.2.5");
    bg_dcm_put_ds(&e, TAG(0x0020, 0x0032), place, 3);
    bg_dcm_put_ds(&e, TAG(0x0020, 0x0037), axes, 6);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
    bg_dcm_put_us(&e, TAG(0x0028, 0x0010), size);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0011), size);
    bg_dcm_put_ds(&e, TAG(0x0028, 0x0030), mm, 2);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0100), 16);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0101), 12);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0102), 11);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0103), 0);
    bg_dcm_put_ds(&e, TAG(0x0028, 0x1052), &scale[0], 1);
    bg_dcm_put_ds(&e, TAG(0x0028, 0x1053), &scale[1], 1);
    bg_dcm_put_bytes(&e, TAG(0x7fe0, 0x0010), "OW", pixels, n * sizeof *pixels);
    if (!g_file_set_contents(path, (const char *) e.bytes->data, (gssize) e.bytes->len, NULL))
        g_error("%s cannot be written", path);
}

static char *
make_series(int n_slices, int size)
{
    char *folder = g_dir_make_tmp("bregma-bench-XXXXXX", NULL);

    for (int k = 0; k < n_slices; k++)
        write_slice(folder, k, size);
    return folder;
}

static void
remove_series(char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
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
    remove_series(folder);
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
    remove_series(folder);
}

int
main(void)
{
    measure_cost();
    measure_memory(256, 512);
    return 0;
}
