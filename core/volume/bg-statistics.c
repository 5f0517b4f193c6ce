// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-statistics.h"

#include "bg-sample-counts-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-cpu.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-histogram.h"

#include <float.h>

// The same results, but loops with comparisons become vectors: nobody asks for the exceptions of
// floating point.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#define CHUNK 16384u // samples: small enough for the first cache, so a second look costs little
#define LANES 32
#define MAX_PERCENTS 16

// Hounsfield units. The lowest value of a CT is air, or the padding outside of the tube (-1024,
// -2000, -3024); body fat starts near -150 and lungs reach down to -900.
#define CT_CENTRE 40.0
#define CT_WIDTH 400.0

// Of one chunk of stored samples.
typedef struct {
    gsize n, n_nan;
    double min, max;
    double sum;
    double mean;
    double squares; // of the differences to mean
} Partial;

typedef struct {
    gconstpointer samples;
    BgSampleType type;
    gsize n_voxels;
    Partial *partials; // one a chunk
} Job;

#define DEFINE_INTEGER_CHUNK(name, ctype)                                                         \
    static inline __attribute__((always_inline)) void name##_chunk(const ctype *samples, gsize n, \
                                                                   Partial *partial)              \
    {                                                                                             \
        ctype low = samples[0], high = samples[0];                                                \
        gint64 sum = 0, squares = 0; /* at most 2^14 * 2^32 */                                    \
        for (gsize i = 0; i < n; i++) {                                                           \
            ctype sample = samples[i];                                                            \
            low = sample < low ? sample : low;                                                    \
            high = sample > high ? sample : high;                                                 \
            sum += sample;                                                                        \
            squares += (gint64) sample * sample;                                                  \
        }                                                                                         \
        partial->n = n;                                                                           \
        partial->n_nan = 0;                                                                       \
        partial->min = low;                                                                       \
        partial->max = high;                                                                      \
        partial->sum = (double) sum;                                                              \
        partial->mean = (double) sum / (double) n;                                                \
        /* exact: n * squares and sum^2 are below 2^63 */                                         \
        partial->squares = (double) ((gint64) n * squares - sum * sum) / (double) n;              \
    }

DEFINE_INTEGER_CHUNK(uint8, uint8_t)
DEFINE_INTEGER_CHUNK(int8, int8_t)
DEFINE_INTEGER_CHUNK(int16, int16_t)
DEFINE_INTEGER_CHUNK(uint16, uint16_t)

static inline __attribute__((always_inline)) void
float32_chunk(const float *samples, gsize n, Partial *partial)
{
    float low[LANES], high[LANES];
    double sum[LANES] = { 0.0 }, squares[LANES] = { 0.0 };
    guint32 n_finite[LANES] = { 0 }, n_nan[LANES] = { 0 };
    float tail[LANES];

    for (int lane = 0; lane < LANES; lane++) {
        low[lane] = INFINITY;
        high[lane] = -INFINITY;
    }

    for (gsize i = 0; i < n; i += LANES) {
        const float *from = samples + i;
        if (n - i < LANES) { // the rest of the lanes is infinite: counted by nobody
            for (int lane = 0; lane < LANES; lane++)
                tail[lane] = (gsize) lane < n - i ? from[lane] : INFINITY;
            from = tail;
        }
        for (int lane = 0; lane < LANES; lane++) {
            float sample = from[lane];
            gboolean finite = fabsf(sample) <= FLT_MAX;
            float low_candidate = finite ? sample : INFINITY;
            float high_candidate = finite ? sample : -INFINITY;
            float term = finite ? sample : 0.0f;
            low[lane] = low_candidate < low[lane] ? low_candidate : low[lane];
            high[lane] = high_candidate > high[lane] ? high_candidate : high[lane];
            sum[lane] += (double) term;
            n_finite[lane] += finite ? 1u : 0u;
            n_nan[lane] += sample != sample ? 1u : 0u;
        }
    }

    *partial = (Partial){ .min = INFINITY, .max = -INFINITY };
    for (int lane = 0; lane < LANES; lane++) {
        partial->n += n_finite[lane];
        partial->n_nan += n_nan[lane];
        partial->sum += sum[lane];
        partial->min = MIN(partial->min, (double) low[lane]);
        partial->max = MAX(partial->max, (double) high[lane]);
    }
    if (partial->n == 0)
        return;

    double mean = partial->sum / (double) partial->n;
    for (gsize i = 0; i + LANES <= n; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            float sample = samples[i + lane];
            double difference = fabsf(sample) <= FLT_MAX ? (double) sample - mean : 0.0;
            squares[lane] += difference * difference;
        }
    }
    for (gsize i = n - n % LANES; i < n; i++) {
        double difference = fabsf(samples[i]) <= FLT_MAX ? (double) samples[i] - mean : 0.0;
        squares[0] += difference * difference;
    }
    partial->mean = mean;
    for (int lane = 0; lane < LANES; lane++)
        partial->squares += squares[lane];
}

// The same loops for any processor of the architecture, and with vectors of 256 bit. Without
// fused multiply-add, so that both give the same bits.
#define DEFINE_CHUNKS(TYPE, name, ctype)                                                 \
    static void name##_chunk_plain(gconstpointer samples, gsize n, Partial *partial)     \
    {                                                                                    \
        name##_chunk(samples, n, partial);                                               \
    }                                                                                    \
    BG_TARGET_AVX2_UNFUSED static void name##_chunk_avx2(gconstpointer samples, gsize n, \
                                                         Partial *partial)               \
    {                                                                                    \
        name##_chunk(samples, n, partial);                                               \
    }

BG_FOR_SAMPLE_TYPES(DEFINE_CHUNKS)

static void
chunk_statistics(const Job *job, gsize first, gsize n, Partial *partial)
{
    gboolean avx2 = bg_cpu_has_avx2();

#define CASE(TYPE, name, ctype)                                                                  \
    case TYPE:                                                                                   \
        (avx2 ? name##_chunk_avx2 : name##_chunk_plain)((const ctype *) job->samples + first, n, \
                                                        partial);                                \
        break;
    switch (job->type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

static void
statistics_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Job *job = user_data;

    for (gsize chunk = first; chunk < last; chunk++) {
        gsize from = chunk * CHUNK;
        chunk_statistics(job, from, MIN(CHUNK, job->n_voxels - from), &job->partials[chunk]);
    }
}

// Chan, Golub, LeVeque 1979: the sums of squares of two parts make that of the whole. In the
// chunks' order, so that threads do not matter.
static Partial
merge(const Partial *partials, gsize n_chunks)
{
    Partial all = { .min = INFINITY, .max = -INFINITY };

    for (gsize i = 0; i < n_chunks; i++) {
        const Partial *part = &partials[i];
        all.n_nan += part->n_nan;
        if (part->n == 0)
            continue;
        double n_both = (double) all.n + (double) part->n;
        double difference = part->mean - all.mean;
        all.squares +=
            part->squares + difference * difference * (double) all.n * (double) part->n / n_both;
        all.mean += difference * (double) part->n / n_both;
        all.sum += part->sum;
        all.n += part->n;
        all.min = MIN(all.min, part->min);
        all.max = MAX(all.max, part->max);
    }
    return all;
}

gboolean
bg_volume_statistics(BgVolume *volume, BgStatistics *statistics, GCancellable *cancellable,
                     GError **error)
{
    g_return_val_if_fail(volume != NULL, FALSE);
    g_return_val_if_fail(statistics != NULL, FALSE);

    BgSampleFormat format = bg_volume_get_format(volume);
    gsize n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(volume));
    gsize n_chunks = (n_voxels + CHUNK - 1) / CHUNK;
    bg_auto_buffer Partial *partials = bg_buffer_alloc_items(n_chunks, sizeof *partials, error);
    if (partials == NULL)
        return FALSE;

    Job job = { bg_volume_get_samples(volume), format.type, n_voxels, partials };
    if (!bg_parallel_for(n_chunks, 16, statistics_range, &job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }

    Partial all = merge(partials, n_chunks);
    *statistics = (BgStatistics){
        .n = all.n,
        .n_nan = all.n_nan,
        .n_infinite = n_voxels - all.n - all.n_nan,
        .min = NAN,
        .max = NAN,
        .mean = NAN,
        .standard_deviation = NAN,
    };
    if (all.n > 0) {
        double n = (double) all.n;
        double at_min = all.min * format.slope + format.intercept;
        double at_max = all.max * format.slope + format.intercept;
        statistics->min = MIN(at_min, at_max);
        statistics->max = MAX(at_min, at_max);
        statistics->sum = all.sum * format.slope + n * format.intercept;
        statistics->mean = statistics->sum / n;
        statistics->standard_deviation = sqrt(all.squares / n) * fabs(format.slope);
    }
    return TRUE;
}

// Voxels in their order, as counts by key: what ranks are looked up in.
typedef struct {
    BgVolume *volume; // borrowed
    BgSampleType type;
    guint64 *counts; // owned; keys that are not finite set to 0
    guint64 *below;  // owned: of the keys before each
    guint64 n;       // finite voxels
    guint64 zero_at; // rank of the first zero
    guint64 n_zeros; // to be left out; 0 when all count
} Ranks;

static void
ranks_clear(Ranks *ranks)
{
    g_free(ranks->counts);
    g_free(ranks->below);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ranks, ranks_clear)

// Where the value 0 lies among the samples: how many are before it, how many are it.
static void
find_zeros(Ranks *ranks)
{
    BgSampleFormat format = bg_volume_get_format(ranks->volume);
    gsize n_voxels = bg_geometry_count_voxels(bg_volume_get_geometry(ranks->volume));
    double zero = -format.intercept / format.slope + 0.0;

    if (ranks->type != BG_SAMPLE_FLOAT32) {
        double key = zero + bg_sample_type_key_offset(ranks->type);
        if (key == floor(key) && key >= 0.0 && key < BG_N_KEYS) {
            ranks->zero_at = ranks->below[(guint) key];
            ranks->n_zeros = ranks->counts[(guint) key];
        }
        return;
    }

    const float *samples = bg_volume_get_samples(ranks->volume);
    float zero_sample = (float) zero;
    gsize n_before = 0, n_equal = 0;
    for (gsize i = 0; i < n_voxels; i++) {
        n_before += samples[i] < zero_sample && samples[i] >= -FLT_MAX ? 1u : 0u;
        n_equal += samples[i] == zero_sample ? 1u : 0u;
    }
    ranks->zero_at = n_before;
    ranks->n_zeros = n_equal;
}

static gboolean
ranks_init(Ranks *ranks, BgVolume *volume, BgPercentileOf of, GCancellable *cancellable,
           GError **error)
{
    ranks->volume = volume;
    ranks->type = bg_volume_get_format(volume).type;
    ranks->counts = bg_sample_counts(volume, cancellable, error);
    if (ranks->counts == NULL)
        return FALSE;

    ranks->below = g_new(guint64, BG_N_KEYS);
    for (guint key = 0; key < BG_N_KEYS; key++) {
        if (ranks->type == BG_SAMPLE_FLOAT32 &&
            (key < BG_FLOAT_KEY_FIRST || key > BG_FLOAT_KEY_LAST))
            ranks->counts[key] = 0;
        ranks->below[key] = ranks->n;
        ranks->n += ranks->counts[key];
    }
    if (of == BG_PERCENTILE_OF_NONZERO)
        find_zeros(ranks);
    return TRUE;
}

// The key whose voxels have that rank.
static guint
key_at(const Ranks *ranks, guint64 rank)
{
    guint first = 0, last = BG_N_KEYS - 1; // below[first] <= rank

    while (first < last) {
        guint middle = first + (last - first + 1) / 2;
        if (ranks->below[middle] <= rank)
            first = middle;
        else
            last = middle - 1;
    }
    return first;
}

// For float32 a key is only half of a sample: the other half by a second count.
static gboolean
look_up_floats(const Ranks *ranks, const guint64 *wanted, guint n, double *samples,
               GCancellable *cancellable, GError **error)
{
    guint32 upper[2 * MAX_PERCENTS];
    guint slots[2 * MAX_PERCENTS];
    guint n_upper = 0;

    for (guint i = 0; i < n; i++) {
        guint32 key = key_at(ranks, wanted[i]);
        for (slots[i] = 0; slots[i] < n_upper && upper[slots[i]] != key; slots[i]++)
            ;
        if (slots[i] == n_upper)
            upper[n_upper++] = key;
    }

    g_autofree guint64 *counts =
        bg_sample_counts_below(ranks->volume, upper, n_upper, cancellable, error);
    if (counts == NULL)
        return FALSE;

    for (guint i = 0; i < n; i++) {
        const guint64 *table = counts + slots[i] * (gsize) BG_N_KEYS;
        guint64 rank = wanted[i] - ranks->below[upper[slots[i]]];
        guint lower = 0;
        for (; rank >= table[lower]; lower++)
            rank -= table[lower];
        samples[i] = (double) bg_float_from_order(upper[slots[i]] << 16 | lower);
    }
    return TRUE;
}

static gboolean
look_up(const Ranks *ranks, const guint64 *wanted, guint n, double *samples,
        GCancellable *cancellable, GError **error)
{
    if (ranks->type == BG_SAMPLE_FLOAT32)
        return look_up_floats(ranks, wanted, n, samples, cancellable, error);

    for (guint i = 0; i < n; i++)
        samples[i] = (double) key_at(ranks, wanted[i]) - bg_sample_type_key_offset(ranks->type);
    return TRUE;
}

static guint64
skip_zeros(const Ranks *ranks, guint64 rank)
{
    return rank < ranks->zero_at ? rank : rank + ranks->n_zeros;
}

gboolean
bg_volume_percentiles(BgVolume *volume, BgPercentileOf of, const double *percents, guint n,
                      double *values, GCancellable *cancellable, GError **error)
{
    g_auto(Ranks) ranks = { 0 };
    guint64 wanted[2 * MAX_PERCENTS];
    double samples[2 * MAX_PERCENTS], fractions[MAX_PERCENTS];

    g_return_val_if_fail(volume != NULL, FALSE);
    g_return_val_if_fail(n >= 1 && n <= MAX_PERCENTS, FALSE);

    for (guint i = 0; i < n; i++) {
        if (!(percents[i] >= 0.0 && percents[i] <= 100.0)) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("A percentile must be between 0 and 100, not %g"), percents[i]);
            return FALSE;
        }
    }
    if (!ranks_init(&ranks, volume, of, cancellable, error))
        return FALSE;

    BgSampleFormat format = bg_volume_get_format(volume);
    guint64 n_part = ranks.n - ranks.n_zeros;
    if (n_part == 0) {
        for (guint i = 0; i < n; i++)
            values[i] = NAN;
        return TRUE;
    }

    for (guint i = 0; i < n; i++) {
        double percent = format.slope > 0.0 ? percents[i] : 100.0 - percents[i];
        double rank = percent / 100.0 * (double) (n_part - 1);
        guint64 whole = MIN((guint64) rank, n_part - 1);
        fractions[i] = rank - (double) whole;
        wanted[2 * i] = skip_zeros(&ranks, whole);
        wanted[2 * i + 1] = skip_zeros(&ranks, MIN(whole + 1, n_part - 1));
    }
    if (!look_up(&ranks, wanted, 2 * n, samples, cancellable, error))
        return FALSE;

    for (guint i = 0; i < n; i++) {
        double sample = samples[2 * i] + fractions[i] * (samples[2 * i + 1] - samples[2 * i]);
        values[i] = sample * format.slope + format.intercept;
    }
    return TRUE;
}

gboolean
bg_volume_default_window(BgVolume *volume, BgWindow *window, GCancellable *cancellable,
                         GError **error)
{
    static const double percents[2] = { 0.1, 99.9 };
    double ends[2];

    g_return_val_if_fail(window != NULL, FALSE);

    if (bg_volume_looks_like_ct(volume)) {
        *window = (BgWindow){ CT_CENTRE, CT_WIDTH };
        return TRUE;
    }

    if (!bg_volume_percentiles(volume, BG_PERCENTILE_OF_NONZERO, percents, 2, ends, cancellable,
                               error))
        return FALSE;
    if (isnan(ends[0])) { // all 0, or nothing finite
        *window = (BgWindow){ 0.5, 1.0 };
        return TRUE;
    }

    double width = ends[1] - ends[0];
    *window = (BgWindow){ 0.5 * (ends[0] + ends[1]), width > 0.0 ? width : 1.0 };
    return TRUE;
}
