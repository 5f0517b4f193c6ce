// SPDX-License-Identifier: Apache-2.0
#include "bg-cast-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define SIDE (1 << BG_CAST_BRICK_SHIFT)

typedef struct {
    guint64 serial;
    BgCastBricks *bricks; // owned
    guint64 last_use;
} Entry;

// All under cache_lock. Freed volumes' numbers come in on any thread and are dropped at once.
static GMutex cache_lock;
static GArray *cache; // of Entry
static gsize cache_limit = (gsize) 256 << 20;
static guint64 cache_clock;

static gsize
bricks_n_bytes(const BgCastBricks *bricks)
{
    return sizeof *bricks + 2 * sizeof(float) * bricks->n_bricks;
}

void
bg_cast_bricks_unref(BgCastBricks *bricks)
{
    if (!bricks || !g_atomic_int_dec_and_test(&bricks->ref_count))
        return;
    bg_buffer_free(bricks->low);
    bg_buffer_free(bricks->high);
    g_free(bricks);
}

static BgCastBricks *
bricks_ref(BgCastBricks *bricks)
{
    g_atomic_int_inc(&bricks->ref_count);
    return bricks;
}

typedef struct {
    BgVolume *volume; // borrowed
    int dims[3];
    BgCastBricks *bricks;
} Scan;

// The least and largest of a column of rows, sample by sample, then brick by brick. Comparisons with
// not-a-number are false, so that it is left out.
#define SCAN(TYPE, name, ctype)                                                             \
    static void scan_##name(const Scan *scan, int bj, int bk, ctype *low, ctype *high)      \
    {                                                                                       \
        const int *dims = scan->dims;                                                       \
        const ctype *samples = bg_volume_get_samples(scan->volume);                         \
        const gboolean is_float = TYPE == BG_SAMPLE_FLOAT32;                                \
        int j1 = MIN(SIDE * (bj + 1), dims[1] - 1), k1 = MIN(SIDE * (bk + 1), dims[2] - 1); \
        gboolean first = TRUE;                                                              \
        for (int k = SIDE * bk; k <= k1; k++) {                                             \
            for (int j = SIDE * bj; j <= j1; j++, first = FALSE) {                          \
                const ctype *row = samples + (gsize) dims[0] * (j + (gsize) dims[1] * k);   \
                if (first && !is_float) {                                                   \
                    memcpy(low, row, sizeof(ctype) * dims[0]);                              \
                    memcpy(high, row, sizeof(ctype) * dims[0]);                             \
                    continue;                                                               \
                }                                                                           \
                for (int i = 0; first && i < dims[0]; i++) {                                \
                    low[i] = (ctype) INFINITY_OF(TYPE);                                     \
                    high[i] = (ctype) -INFINITY_OF(TYPE);                                   \
                }                                                                           \
                for (int i = 0; i < dims[0]; i++) {                                         \
                    low[i] = row[i] < low[i] ? row[i] : low[i];                             \
                    high[i] = row[i] > high[i] ? row[i] : high[i];                          \
                }                                                                           \
            }                                                                               \
        }                                                                                   \
        BgCastBricks *b = scan->bricks;                                                     \
        gsize at = (gsize) b->n[0] * (bj + (gsize) b->n[1] * bk);                           \
        for (int bi = 0; bi < b->n[0]; bi++) {                                              \
            int i0 = SIDE * bi, i1 = MIN(i0 + SIDE, dims[0] - 1);                           \
            ctype l = low[i0], h = high[i0];                                                \
            for (int i = i0 + 1; i <= i1; i++) {                                            \
                l = low[i] < l ? low[i] : l;                                                \
                h = high[i] > h ? high[i] : h;                                              \
            }                                                                               \
            b->low[at + bi] = (float) l;                                                    \
            b->high[at + bi] = (float) h;                                                   \
        }                                                                                   \
    }
#define INFINITY_OF(TYPE) ((TYPE) == BG_SAMPLE_FLOAT32 ? INFINITY : 0.0f)
BG_FOR_SAMPLE_TYPES(SCAN)
#undef SCAN

static void
scan_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Scan *scan = user_data;
    BgSampleType type = bg_volume_get_format(scan->volume).type;
    g_autofree gpointer low = g_malloc((gsize) scan->dims[0] * sizeof(float));
    g_autofree gpointer high = g_malloc((gsize) scan->dims[0] * sizeof(float));

    for (gsize row = first; row < last; row++) {
        int bj = (int) (row % (gsize) scan->bricks->n[1]);
        int bk = (int) (row / (gsize) scan->bricks->n[1]);
#define CASE(TYPE, name, ctype)               \
    case TYPE:                                \
        scan_##name(scan, bj, bk, low, high); \
        break;
        switch (type) {
            BG_FOR_SAMPLE_TYPES(CASE)
        }
#undef CASE
    }
}

static BgCastBricks *
make_bricks(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgCastBricks *bricks = g_new0(BgCastBricks, 1);
    Scan scan = { .volume = volume, .bricks = bricks };

    bricks->ref_count = 1;
    bricks->n_bricks = 1;
    for (int axis = 0; axis < 3; axis++) {
        scan.dims[axis] = geometry->dims[axis];
        bricks->n[axis] = (MAX(geometry->dims[axis] - 1, 1) + SIDE - 1) / SIDE;
        bricks->n_bricks *= (gsize) bricks->n[axis];
    }
    bricks->low = bg_buffer_alloc_items(bricks->n_bricks, sizeof(float), error);
    bricks->high =
        bricks->low ? bg_buffer_alloc_items(bricks->n_bricks, sizeof(float), error) : NULL;
    if (!bricks->high) {
        bg_cast_bricks_unref(bricks);
        return NULL;
    }
    if (!bg_parallel_for((gsize) bricks->n[1] * bricks->n[2], 8, scan_rows, &scan, cancellable)) {
        bg_cast_bricks_unref(bricks);
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                            _("The drawing was cancelled"));
        return NULL;
    }

    bricks->lowest = INFINITY;
    bricks->highest = -INFINITY;
    for (gsize b = 0; b < bricks->n_bricks; b++) {
        bricks->lowest = MIN(bricks->lowest, bricks->low[b]);
        bricks->highest = MAX(bricks->highest, bricks->high[b]);
    }
    return bricks;
}

// Under cache_lock.
static void
trim_cache(gsize limit)
{
    for (;;) {
        gsize total = 0;
        guint oldest = 0;
        for (guint e = 0; e < cache->len; e++) {
            const Entry *entry = &g_array_index(cache, Entry, e);
            total += bricks_n_bytes(entry->bricks);
            if (entry->last_use < g_array_index(cache, Entry, oldest).last_use)
                oldest = e;
        }
        if (total <= limit || cache->len == 0)
            return;
        bg_cast_bricks_unref(g_array_index(cache, Entry, oldest).bricks);
        g_array_remove_index_fast(cache, oldest);
    }
}

static void
on_volume_freed(guint64 serial, gpointer user_data)
{
    g_mutex_lock(&cache_lock);
    for (guint e = cache->len; e-- > 0;) {
        if (g_array_index(cache, Entry, e).serial != serial)
            continue;
        bg_cast_bricks_unref(g_array_index(cache, Entry, e).bricks);
        g_array_remove_index_fast(cache, e);
    }
    g_mutex_unlock(&cache_lock);
}

BgCastBricks *
bg_cast_bricks_get(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    static gsize once = 0;
    guint64 serial = bg_volume_get_serial(volume);
    BgCastBricks *bricks = NULL;

    if (g_once_init_enter(&once)) {
        cache = g_array_new(FALSE, FALSE, sizeof(Entry));
        bg_volume_watch(on_volume_freed, NULL);
        g_once_init_leave(&once, 1);
    }

    g_mutex_lock(&cache_lock);
    for (guint e = 0; e < cache->len && !bricks; e++) {
        Entry *entry = &g_array_index(cache, Entry, e);
        if (entry->serial == serial) {
            entry->last_use = ++cache_clock;
            bricks = bricks_ref(entry->bricks);
        }
    }
    g_mutex_unlock(&cache_lock);
    if (bricks)
        return bricks;

    bricks = make_bricks(volume, cancellable, error);
    if (!bricks)
        return NULL;

    // Two threads may have made it at once: both are right, and the older entry goes first.
    g_mutex_lock(&cache_lock);
    Entry entry = { serial, bricks_ref(bricks), ++cache_clock };
    g_array_append_val(cache, entry);
    trim_cache(cache_limit);
    g_mutex_unlock(&cache_lock);
    return bricks;
}

gboolean
bg_cast_prepare(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume, FALSE);
    BgCastBricks *bricks = bg_cast_bricks_get(volume, cancellable, error);

    bg_cast_bricks_unref(bricks);
    return bricks != NULL;
}

void
bg_cast_set_cache_bytes(gsize n_bytes)
{
    g_mutex_lock(&cache_lock);
    cache_limit = n_bytes;
    if (cache)
        trim_cache(cache_limit);
    g_mutex_unlock(&cache_lock);
}
