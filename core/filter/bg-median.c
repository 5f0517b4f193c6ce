// SPDX-License-Identifier: Apache-2.0
#include "core/filter/bg-median.h"

#include "bg-median-private.h"
#include "bg-reflect-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <stdatomic.h>
#include <string.h>

#define LANES BG_MEDIAN_LANES
#define N_KEPT3 BG_MEDIAN_KEPT3

// All work is done on keys: whole numbers in the order of the samples.
typedef struct {
    BgVolume *volume; // borrowed
    const int *dims;
    int radius;
    BgSampleType type;
    gpointer result;  // borrowed
    gint32 **rows;    // one scratch a worker, owned
    gsize row_length; // of a padded row in the scratch
    gboolean vectors;
    const BgProgress *progress;
    gsize n_rows;
    atomic_size_t n_done;
} Job;

static inline gint32
key_of_float(float sample)
{
    gint32 bits;

    if (isnan(sample))
        return G_MAXINT32; // which is itself not a number
    memcpy(&bits, &sample, sizeof bits);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

static inline float
float_of_key(gint32 key)
{
    gint32 bits = key ^ ((key >> 31) & 0x7fffffff);
    float sample;

    memcpy(&sample, &bits, sizeof sample);
    return sample;
}

#define KEY_uint8(sample) (sample)
#define KEY_int8(sample) (sample)
#define KEY_int16(sample) (sample)
#define KEY_uint16(sample) (sample)
#define KEY_float32(sample) key_of_float(sample)
#define SAMPLE_uint8(key) (uint8_t)(key)
#define SAMPLE_int8(key) (int8_t)(key)
#define SAMPLE_int16(key) (int16_t)(key)
#define SAMPLE_uint16(key) (uint16_t)(key)
#define SAMPLE_float32(key) float_of_key(key)

#define DEFINE_KEYS(TYPE, name, ctype)                                  \
    static void read_##name(const ctype *samples, int n, gint32 *keys)  \
    {                                                                   \
        for (int i = 0; i < n; i++)                                     \
            keys[i] = KEY_##name(samples[i]);                           \
    }                                                                   \
                                                                        \
    static void write_##name(const gint32 *keys, int n, ctype *samples) \
    {                                                                   \
        for (int i = 0; i < n; i++)                                     \
            samples[i] = SAMPLE_##name(keys[i]);                        \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_KEYS)

static void
sort_two(gint32 *a, gint32 *b)
{
    for (int lane = 0; lane < LANES; lane++) {
        gint32 low = MIN(a[lane], b[lane]), high = MAX(a[lane], b[lane]);
        a[lane] = low;
        b[lane] = high;
    }
}

// Of 27 for LANES voxels from x: keep more than half, drop the lowest and the highest, which
// cannot be the median, take the next one in, until one is left.
static void
median27(const gint32 *const *rows, int x, gint32 *medians)
{
    gint32 kept[N_KEPT3][LANES];
    int next = 0, n = N_KEPT3;

#define TAKE(to)                                                          \
    do {                                                                  \
        memcpy(kept[to], rows[next / 3] + x + next % 3, sizeof kept[to]); \
        next++;                                                           \
    } while (0)

    while (next < N_KEPT3)
        TAKE(next);
    for (; n > 3; n--) {
        // Pairs first: the lowest is among the first halves, the highest among the second.
        for (int i = 0; i < n / 2; i++)
            sort_two(kept[i], kept[n - 1 - i]);
        for (int i = 1; i < (n + 1) / 2; i++)
            sort_two(kept[0], kept[i]);
        for (int i = n / 2; i < n - 1; i++)
            sort_two(kept[i], kept[n - 1]);
        // The lowest leaves by being written over, the highest by the shorter count.
        TAKE(0);
    }
#undef TAKE
    sort_two(kept[0], kept[1]);
    sort_two(kept[1], kept[2]);
    sort_two(kept[0], kept[1]);
    memcpy(medians, kept[1], sizeof kept[1]);
}

// Of any number: bisection of the keys in low..high; rank: how many are below the median.
static void
median_any(const gint32 *const *rows, int n_rows, int width, int x, gint32 low, gint32 high,
           gint32 *medians)
{
    gint32 from[LANES], to[LANES], middle[LANES], n_up_to[LANES];
    gint32 half = n_rows * width / 2;

    for (int lane = 0; lane < LANES; lane++) {
        from[lane] = low;
        to[lane] = high;
    }
    for (gint64 range = (gint64) high - low; range > 0; range /= 2) {
        for (int lane = 0; lane < LANES; lane++) {
            // floor of the mean without overflow
            middle[lane] = (from[lane] & to[lane]) + ((from[lane] ^ to[lane]) >> 1);
            n_up_to[lane] = 0;
        }
        for (int row = 0; row < n_rows; row++) {
            for (int shift = 0; shift < width; shift++) {
                const gint32 *keys = rows[row] + x + shift;
                for (int lane = 0; lane < LANES; lane++)
                    n_up_to[lane] += keys[lane] <= middle[lane] ? 1 : 0;
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            gboolean enough = n_up_to[lane] > half;
            to[lane] = enough ? middle[lane] : to[lane];
            from[lane] = enough || from[lane] >= to[lane] ? from[lane] : middle[lane] + 1;
        }
    }
    memcpy(medians, from, sizeof from);
}

typedef void (*MedianFunc)(const gint32 *const *rows, int radius, int n, gint32 low, gint32 high,
                           gint32 *medians);

static void
median_row(const gint32 *const *rows, int radius, int n, gint32 low, gint32 high, gint32 *medians)
{
    int width = 2 * radius + 1;

    for (int x = 0; x < n; x += LANES) {
        if (radius == 1)
            median27(rows, x, medians + x);
        else
            median_any(rows, width * width, width, x, low, high, medians + x);
    }
}

// The keys of a source row, from x = -radius, padded by its mirror image.
static void
read_keys(const Job *job, int j, int k, gint32 *keys)
{
    int nx = job->dims[0];
    gsize first = (gsize) nx * ((gsize) j + (gsize) job->dims[1] * (gsize) k);
    gint32 *inner = keys + job->radius;

#define CASE(TYPE, name, ctype)                                                             \
    case TYPE:                                                                              \
        read_##name((const ctype *) bg_volume_get_samples(job->volume) + first, nx, inner); \
        break;
    switch (job->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE

    for (int t = 1; t <= job->radius; t++)
        inner[-t] = inner[bg_reflect(-t, nx)];
    for (gsize i = (gsize) nx; i + (gsize) job->radius < job->row_length; i++)
        inner[i] = inner[bg_reflect((int) i, nx)]; // as far as the lanes of the last medians reach
}

static void
write_keys(const Job *job, int j, int k, const gint32 *keys)
{
    int nx = job->dims[0];
    gsize first = (gsize) nx * ((gsize) j + (gsize) job->dims[1] * (gsize) k);

#define CASE(TYPE, name, ctype)                                \
    case TYPE:                                                 \
        write_##name(keys, nx, (ctype *) job->result + first); \
        break;
    switch (job->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

static void
median_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Job *job = user_data;
    MedianFunc median = job->vectors ? bg_median_row_avx2 : median_row;
    int width = 2 * job->radius + 1;
    const gint32 *rows[(2 * BG_MEDIAN_MAX_RADIUS + 1) * (2 * BG_MEDIAN_MAX_RADIUS + 1)];
    gint32 *scratch = job->rows[worker];
    gint32 *medians = scratch + (gsize) (width * width) * job->row_length;

    for (gsize row = first; row < last; row++) {
        int j = (int) (row % (gsize) job->dims[1]), k = (int) (row / (gsize) job->dims[1]);
        gint32 low = G_MAXINT32, high = G_MININT32;

        for (int t = 0; t < width * width; t++) {
            gint32 *keys = scratch + (gsize) t * job->row_length;
            int dj = t % width - job->radius, dk = t / width - job->radius;
            read_keys(job, bg_reflect(j + dj, job->dims[1]), bg_reflect(k + dk, job->dims[2]),
                      keys);
            for (gsize i = 0; i < job->row_length; i++) {
                low = MIN(low, keys[i]);
                high = MAX(high, keys[i]);
            }
            rows[t] = keys;
        }
        median(rows, job->radius, job->dims[0], low, high, medians);
        write_keys(job, j, k, medians);
    }

    gsize n_done = atomic_fetch_add(&job->n_done, last - first) + last - first;
    bg_progress_report(job->progress, (double) n_done / (double) job->n_rows);
}

static gboolean
run(Job *job, GCancellable *cancellable, GError **error)
{
    guint n_workers = bg_parallel_count_threads();
    gsize n_rows = (gsize) (2 * job->radius + 1) * (gsize) (2 * job->radius + 1) + 1;
    gsize n_blocks = ((gsize) job->dims[0] + LANES - 1) / LANES;
    gboolean done = TRUE;

    job->row_length = n_blocks * LANES + 2 * (gsize) job->radius;
    job->n_rows = (gsize) job->dims[1] * (gsize) job->dims[2];
    job->rows = g_new0(gint32 *, n_workers);
    for (guint worker = 0; done && worker < n_workers; worker++) {
        job->rows[worker] = bg_buffer_alloc_items(n_rows * job->row_length, sizeof(gint32), error);
        done = job->rows[worker] != NULL;
    }
    if (done && !bg_parallel_for(job->n_rows, 8, median_rows, job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        done = FALSE;
    }
    for (guint worker = 0; worker < n_workers; worker++)
        bg_buffer_free(job->rows[worker]);
    g_free(job->rows);
    return done;
}

BgVolume *
bg_median(BgVolume *volume, int radius_voxels, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    if (radius_voxels < 0 || radius_voxels > BG_MEDIAN_MAX_RADIUS) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A median over %d voxels to each side cannot be taken: give 0 to %d"),
                    radius_voxels, BG_MEDIAN_MAX_RADIUS);
        return NULL;
    }

    Job job = {
        .volume = volume,
        .dims = geometry->dims,
        .radius = radius_voxels,
        .type = format.type,
        .vectors = bg_cpu_has_avx2(),
        .progress = progress,
    };
    job.result = bg_voxels_alloc(geometry, bg_sample_type_size(format.type), error);
    if (job.result == NULL)
        return NULL;
    if (!run(&job, cancellable, error)) {
        bg_voxels_free(job.result);
        return NULL;
    }
    return bg_volume_new_take(geometry, format, job.result, error);
}
