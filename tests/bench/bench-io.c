// SPDX-License-Identifier: Apache-2.0
// Prints the median time of loading and saving a volume of 256^3 int16: name, size, ms, GB/s. With
// files as arguments: of loading those, so that they can be timed in turn with another program.
#include "core/base/bg-parallel.h"
#include "core/io/bg-io.h"

#include <glib/gstdio.h>
#include <math.h>

#define N_RUNS 7
#define SIDE 256

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
seconds_of(gint64 start_us)
{
    return (double) (g_get_monotonic_time() - start_us) * 1e-6;
}

static void
tell(const char *name, double times[N_RUNS], gsize n_bytes)
{
    qsort(times, N_RUNS, sizeof *times, compare);
    g_print("%s\t%.1f MB\t%.2f ms\t%.2f GB/s\n", name, (double) n_bytes * 1e-6,
            times[N_RUNS / 2] * 1e3, (double) n_bytes * 1e-9 / times[N_RUNS / 2]);
}

static gboolean
time_load(const char *path)
{
    double times[N_RUNS];
    gsize n_bytes = 0;

    for (int run = -1; run < N_RUNS; run++) { // one to warm up
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        g_autoptr(BgVolume) volume = bg_io_load_volume(path, NULL, NULL, &error);
        if (volume == NULL) {
            g_printerr("%s\n", error->message);
            return FALSE;
        }
        times[MAX(run, 0)] = seconds_of(start);
        n_bytes = bg_volume_get_n_bytes(volume);
    }
    g_autofree char *name = g_path_get_basename(path);
    tell(name, times, n_bytes);
    return TRUE;
}

static gboolean
time_save(BgVolume *volume, const char *path)
{
    double times[N_RUNS];
    BgSaveParams params = { .force = TRUE };
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = g_strconcat("save ", base, NULL);

    for (int run = 0; run < N_RUNS; run++) {
        gint64 start = g_get_monotonic_time();
        if (!bg_io_save_volume(volume, path, &params, NULL, NULL, NULL))
            return FALSE;
        times[run] = seconds_of(start);
    }
    tell(name, times, bg_volume_get_n_bytes(volume));
    return TRUE;
}

// A ball with noise: packs about as well as a head does.
static BgVolume *
make_volume(void)
{
    int dims[3] = { SIDE, SIDE, SIDE };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (int i = 0; i < SIDE * SIDE * SIDE; i++) {
        double x = i % SIDE - 127.5, y = i / SIDE % SIDE - 127.5, z = i / (SIDE * SIDE) - 127.5;
        gboolean inside = x * x + y * y + z * z < 100.0 * 100.0;
        samples[i] =
            (gint16) ((inside ? 40 : -1000) + (inside ? g_rand_int_range(rand, -12, 13) : 0));
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

int
main(int argc, char **argv)
{
    static const char *const suffixes[] = { ".nii", ".nii.gz", ".nrrd", ".mha" };
    gboolean good = TRUE;

    for (int i = 1; i < argc; i++)
        good = time_load(argv[i]) && good;
    if (argc > 1)
        return good ? 0 : 1;

    g_autoptr(BgVolume) volume = make_volume();
    g_autofree char *folder = g_dir_make_tmp("bregma-bench-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *base = g_strconcat("ball", suffixes[i], NULL);
        g_autofree char *path = g_build_filename(folder, base, NULL);
        good = time_save(volume, path) && time_load(path) && good;
        g_unlink(path);
    }
    g_rmdir(folder);
    return good ? 0 : 1;
}
