// SPDX-License-Identifier: Apache-2.0
#include "bg-sample-counts-private.h"

#include "core/base/bg-parallel.h"

#define CHUNK (1u << 16)       // voxels handed out at a time
#define FLUSH_AFTER (1u << 31) // voxels after which a worker's 32-bit counts could run over

// Two tables taken in turn: equal neighbours (air) need not wait for each other's increment.
typedef struct {
    guint32 *counts; // owned: 2 * n_counts, or NULL before the first chunk
    gsize n_seen;
} Tally;

typedef struct {
    gconstpointer samples;
    BgSampleType type;
    gsize n_voxels;
    const guint8 *slots; // for the lower halves: of an upper half, 1 + index of its table; or NULL
    gsize n_counts;      // in a table
    Tally *tallies;      // one a worker
    guint64 *totals;     // under totals_lock
    GMutex totals_lock;
} Count;

int
bg_sample_type_key_offset(BgSampleType type)
{
    switch (type) {
    case BG_SAMPLE_INT8:
        return 128;
    case BG_SAMPLE_INT16:
        return 32768;
    case BG_SAMPLE_UINT8:
    case BG_SAMPLE_UINT16:
    case BG_SAMPLE_FLOAT32:
        break;
    }
    return 0;
}

static void
flush(Count *job, Tally *tally)
{
    if (tally->counts == NULL)
        return;

    g_mutex_lock(&job->totals_lock);
    for (gsize i = 0; i < job->n_counts; i++)
        job->totals[i] += (guint64) tally->counts[i] + tally->counts[job->n_counts + i];
    g_mutex_unlock(&job->totals_lock);

    memset(tally->counts, 0, 2 * job->n_counts * sizeof *tally->counts);
    tally->n_seen = 0;
}

#define DEFINE_COUNT(TYPE, name, ctype)                                                  \
    static void count_##name(const ctype *samples, gsize n, guint32 *even, guint32 *odd) \
    {                                                                                    \
        gsize i = 0;                                                                     \
        for (; i + 2 <= n; i += 2) {                                                     \
            even[KEY(TYPE, samples[i])]++;                                               \
            odd[KEY(TYPE, samples[i + 1])]++;                                            \
        }                                                                                \
        if (i < n)                                                                       \
            even[KEY(TYPE, samples[i])]++;                                               \
    }

#define KEY(TYPE, sample)                                               \
    (TYPE == BG_SAMPLE_FLOAT32 ? bg_float_order((float) (sample)) >> 16 \
     : TYPE == BG_SAMPLE_INT16 ? (guint32) ((int) (sample) + 32768)     \
     : TYPE == BG_SAMPLE_INT8  ? (guint32) ((int) (sample) + 128)       \
                               : (guint32) (sample))

BG_FOR_SAMPLE_TYPES(DEFINE_COUNT)

static void
count_lower(const Count *job, gsize first, gsize n, guint32 *counts)
{
    const float *samples = (const float *) job->samples + first;

    for (gsize i = 0; i < n; i++) {
        guint32 order = bg_float_order(samples[i]);
        guint slot = job->slots[order >> 16];
        if (slot != 0)
            counts[(slot - 1) * (gsize) BG_N_KEYS + (order & 0xffffu)]++;
    }
}

static void
count_chunk(gsize first, gsize last, guint worker, gpointer user_data)
{
    Count *job = user_data;
    Tally *tally = &job->tallies[worker];
    gsize from = first * CHUNK, to = MIN(last * CHUNK, job->n_voxels);

    if (tally->counts == NULL)
        tally->counts = g_new0(guint32, 2 * job->n_counts);
    if (tally->n_seen + (to - from) > FLUSH_AFTER)
        flush(job, tally);
    tally->n_seen += to - from;

    if (job->slots != NULL) {
        count_lower(job, from, to - from, tally->counts);
        return;
    }

#define CASE(TYPE, name, ctype)                                                     \
    case TYPE:                                                                      \
        count_##name((const ctype *) job->samples + from, to - from, tally->counts, \
                     tally->counts + job->n_counts);                                \
        break;
    switch (job->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

static guint64 *
count(BgVolume *volume, const guint8 *slots, gsize n_counts, GCancellable *cancellable,
      GError **error)
{
    guint n_workers = bg_parallel_count_threads();
    g_autofree Tally *tallies = g_new0(Tally, n_workers);
    g_autofree guint64 *totals = g_new0(guint64, n_counts);
    Count job = {
        .samples = bg_volume_get_samples(volume),
        .type = bg_volume_get_format(volume).type,
        .n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(volume)),
        .slots = slots,
        .n_counts = n_counts,
        .tallies = tallies,
        .totals = totals,
    };

    g_mutex_init(&job.totals_lock);
    gboolean done =
        bg_parallel_for((job.n_voxels + CHUNK - 1) / CHUNK, 1, count_chunk, &job, cancellable);
    for (guint worker = 0; worker < n_workers; worker++) {
        flush(&job, &tallies[worker]);
        g_free(tallies[worker].counts);
    }
    g_mutex_clear(&job.totals_lock);

    if (!done) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return g_steal_pointer(&totals);
}

guint64 *
bg_sample_counts(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    return count(volume, NULL, BG_N_KEYS, cancellable, error);
}

guint64 *
bg_sample_counts_below(BgVolume *volume, const guint32 *upper, guint n_upper,
                       GCancellable *cancellable, GError **error)
{
    g_autofree guint8 *slots = g_new0(guint8, BG_N_KEYS);

    g_return_val_if_fail(n_upper >= 1 && n_upper <= 255, NULL);

    for (guint i = 0; i < n_upper; i++)
        slots[upper[i]] = (guint8) (i + 1);
    return count(volume, slots, n_upper * (gsize) BG_N_KEYS, cancellable, error);
}
