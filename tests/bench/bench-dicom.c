// SPDX-License-Identifier: Apache-2.0
// Scanning and loading a folder of DICOM files, to be timed in turn with another program: median and
// extremes in seconds. usage: bench-dicom FOLDER [RUNS]
#include "core/base/bg-parallel.h"
#include "media/dicom/bg-dicom.h"

#include <stdlib.h>
#include <sys/resource.h>

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
now(void)
{
    return (double) g_get_monotonic_time() * 1e-6;
}

static void
tell(const char *what, double *seconds, int n)
{
    qsort(seconds, (gsize) n, sizeof *seconds, compare);
    g_print("%s: median %.4f s (%.4f to %.4f, %d runs, %u threads)\n", what, seconds[n / 2],
            seconds[0], seconds[n - 1], n, bg_parallel_count_threads());
}

// The most memory of this process so far, in bytes.
static gsize
peak_bytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (gsize) usage.ru_maxrss * 1024;
}

// What reading took beyond the voxels themselves.
static void
tell_memory(const BgLoaded *loaded, gsize before)
{
    gsize voxels = loaded->volume != NULL ? bg_volume_get_n_bytes(loaded->volume) : 0;
    gsize taken = peak_bytes() - before;

    g_print("memory: volume %.1f MB, peak %.1f MB: %+.1f %%\n", (double) voxels / 1e6,
            (double) taken / 1e6, 100.0 * ((double) taken / (double) MAX(voxels, 1) - 1.0));
}

int
main(int argc, char **argv)
{
    int n = argc > 2 ? CLAMP(atoi(argv[2]), 1, 1000) : 7;
    g_autofree double *scan = g_new(double, n);
    g_autofree double *load = g_new(double, n);
    g_autofree double *both = g_new(double, n);

    if (argc < 2) {
        g_printerr("usage: bench-dicom FOLDER [RUNS]\n");
        return 2;
    }
    gsize before = peak_bytes();
    for (int i = -1; i < n; i++) { // the first one warms the files up
        g_autoptr(GError) error = NULL;
        double start = now();
        g_autoptr(GPtrArray) list = bg_dicom_scan(argv[1], NULL, NULL, &error);
        double scanned = now();
        g_autoptr(BgLoaded) loaded =
            list != NULL ? bg_dicom_load_series(list->pdata[0], NULL, NULL, NULL, &error) : NULL;
        if (loaded == NULL) {
            g_printerr("%s\n", error->message);
            return 1;
        }
        if (i < 0)
            tell_memory(loaded, before);
        if (i >= 0) {
            scan[i] = scanned - start;
            load[i] = now() - scanned;
            both[i] = now() - start;
        }
    }
    tell("scan", scan, n);
    tell("load", load, n);
    tell("both", both, n);
    return 0;
}
