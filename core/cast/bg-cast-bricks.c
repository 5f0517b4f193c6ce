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
    BgCastPacked *packed; // owned, nullable
    guint64 last_use;
} Entry;

// All under cache_lock. Freed volumes' numbers come in on any thread and are dropped at once.
static GMutex cache_lock;
static GArray *cache; // of Entry
static gsize cache_limit = (gsize) 640 << 20;
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

void
bg_cast_packed_unref(BgCastPacked *packed)
{
    if (!packed || !g_atomic_int_dec_and_test(&packed->ref_count))
        return;
    bg_voxels_free(packed->voxels);
    g_free(packed);
}

static BgCastPacked *
packed_ref(BgCastPacked *packed)
{
    g_atomic_int_inc(&packed->ref_count);
    return packed;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCastPacked, bg_cast_packed_unref)

static void
set_cancelled(GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("The drawing was cancelled"));
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
        set_cancelled(error);
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

typedef struct {
    BgVolume *volume; // borrowed
    int dims[3];
    int lowest;
    gint16 *voxels;
} Packing;

#define PACK(TYPE, name, ctype)                                                                 \
    static void pack_row_##name(const Packing *packing, int j, int k)                           \
    {                                                                                           \
        const int *dims = packing->dims, lowest = packing->lowest;                              \
        gsize nx = (gsize) dims[0], slice = nx * dims[1];                                       \
        const ctype *row = bg_volume_get_samples(packing->volume);                              \
        row += nx * j + slice * k;                                                              \
        gint16 *out = packing->voxels + 4 * (nx * j + slice * k);                               \
        const ctype *up = j > 0 ? row - nx : row, *down = j + 1 < dims[1] ? row + nx : row;     \
        const ctype *back = k > 0 ? row - slice : row;                                          \
        const ctype *front = k + 1 < dims[2] ? row + slice : row;                               \
        int last = dims[0] - 1;                                                                 \
        for (int i = 1; i < last; i++) {                                                        \
            out[4 * i] = (gint16) ((int) row[i] - lowest);                                      \
            out[4 * i + 1] = (gint16) ((int) row[i + 1] - (int) row[i - 1]);                    \
            out[4 * i + 2] = (gint16) ((int) down[i] - (int) up[i]);                            \
            out[4 * i + 3] = (gint16) ((int) front[i] - (int) back[i]);                         \
        }                                                                                       \
        for (int end = 0; end < 2; end++) {                                                     \
            int i = end ? last : 0;                                                             \
            out[4 * i] = (gint16) ((int) row[i] - lowest);                                      \
            out[4 * i + 1] = (gint16) ((int) row[MIN(i + 1, last)] - (int) row[MAX(i - 1, 0)]); \
            out[4 * i + 2] = (gint16) ((int) down[i] - (int) up[i]);                            \
            out[4 * i + 3] = (gint16) ((int) front[i] - (int) back[i]);                         \
        }                                                                                       \
    }
PACK(BG_SAMPLE_UINT8, uint8, uint8_t)
PACK(BG_SAMPLE_INT8, int8, int8_t)
PACK(BG_SAMPLE_INT16, int16, int16_t)
PACK(BG_SAMPLE_UINT16, uint16, uint16_t)
#undef PACK

static void
pack_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Packing *packing = user_data;
    BgSampleType type = bg_volume_get_format(packing->volume).type;

    for (gsize k = first; k < last; k++) {
        for (int j = 0; j < packing->dims[1]; j++) {
            switch (type) {
            case BG_SAMPLE_UINT8:
                pack_row_uint8(packing, j, (int) k);
                break;
            case BG_SAMPLE_INT8:
                pack_row_int8(packing, j, (int) k);
                break;
            case BG_SAMPLE_INT16:
                pack_row_int16(packing, j, (int) k);
                break;
            case BG_SAMPLE_UINT16:
                pack_row_uint16(packing, j, (int) k);
                break;
            case BG_SAMPLE_FLOAT32:
                g_assert_not_reached();
            }
        }
    }
}

static BgCastPacked *
make_packed(BgVolume *volume, const BgCastBricks *bricks, GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    g_autoptr(BgCastPacked) packed = g_new0(BgCastPacked, 1);
    Packing packing = { .volume = volume, .lowest = (int) bricks->lowest };

    memcpy(packing.dims, geometry->dims, sizeof packing.dims);
    packed->ref_count = 1;
    packed->n_bytes = 8 * bg_geometry_count_voxels(geometry);
    packed->voxels = bg_voxels_alloc(geometry, 8, error);
    if (!packed->voxels)
        return NULL;
    packing.voxels = packed->voxels;
    if (!bg_parallel_for((gsize) geometry->dims[2], 4, pack_slices, &packing, cancellable)) {
        set_cancelled(error);
        return NULL;
    }
    return g_steal_pointer(&packed);
}

// Under cache_lock.
static void
remove_entry(guint index)
{
    Entry *entry = &g_array_index(cache, Entry, index);

    bg_cast_bricks_unref(entry->bricks);
    bg_cast_packed_unref(entry->packed);
    g_array_remove_index_fast(cache, index);
}

// Under cache_lock.
static void
trim_cache(void)
{
    for (;;) {
        gsize total = 0;
        guint oldest = 0;
        for (guint e = 0; e < cache->len; e++) {
            const Entry *entry = &g_array_index(cache, Entry, e);
            total += bricks_n_bytes(entry->bricks) + (entry->packed ? entry->packed->n_bytes : 0);
            if (entry->last_use < g_array_index(cache, Entry, oldest).last_use)
                oldest = e;
        }
        if (total <= cache_limit || cache->len == 0)
            return;
        remove_entry(oldest);
    }
}

static void
on_volume_freed(guint64 serial, gpointer user_data)
{
    g_mutex_lock(&cache_lock);
    for (guint e = cache->len; e-- > 0;) {
        if (g_array_index(cache, Entry, e).serial == serial)
            remove_entry(e);
    }
    g_mutex_unlock(&cache_lock);
}

// Under cache_lock; valid until the cache is changed.
static Entry *
find_entry(guint64 serial)
{
    for (guint e = 0; cache && e < cache->len; e++) {
        Entry *entry = &g_array_index(cache, Entry, e);
        if (entry->serial == serial) {
            entry->last_use = ++cache_clock;
            return entry;
        }
    }
    return NULL;
}

static void
start_watching(void)
{
    static gsize once = 0;

    if (g_once_init_enter(&once)) {
        bg_volume_watch(on_volume_freed, NULL);
        g_once_init_leave(&once, 1);
    }
}

BgCastBricks *
bg_cast_bricks_get(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    guint64 serial = bg_volume_get_serial(volume);
    BgCastBricks *bricks = NULL;

    g_mutex_lock(&cache_lock);
    if (!cache)
        cache = g_array_new(FALSE, FALSE, sizeof(Entry));
    Entry *entry = find_entry(serial);
    if (entry)
        bricks = bricks_ref(entry->bricks);
    g_mutex_unlock(&cache_lock);
    if (bricks)
        return bricks;

    start_watching();
    bricks = make_bricks(volume, cancellable, error);
    if (!bricks)
        return NULL;
    g_mutex_lock(&cache_lock);
    if (!find_entry(serial)) { // another thread may have made it too: both are right
        Entry made = { .serial = serial, .bricks = bricks_ref(bricks), .last_use = ++cache_clock };
        g_array_append_val(cache, made);
        trim_cache();
    }
    g_mutex_unlock(&cache_lock);
    return bricks;
}

gboolean
bg_cast_packed_get(BgVolume *volume, const BgCastBricks *bricks, BgCastPacked **packed,
                   GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    guint64 serial = bg_volume_get_serial(volume);
    double range = (double) bricks->highest - (double) bricks->lowest;
    gsize n_voxels = bg_geometry_count_voxels(geometry);

    *packed = NULL;
    if (bg_volume_get_format(volume).type == BG_SAMPLE_FLOAT32 || !(range <= 32767.0) ||
        geometry->dims[0] < 2 || n_voxels > (gsize) G_MAXINT32)
        return TRUE;
    g_mutex_lock(&cache_lock);
    gboolean fits = 8 * n_voxels + bricks_n_bytes(bricks) <= cache_limit;
    Entry *entry = fits ? find_entry(serial) : NULL;
    if (entry && entry->packed)
        *packed = packed_ref(entry->packed);
    g_mutex_unlock(&cache_lock);
    if (!fits || *packed)
        return TRUE;

    BgCastPacked *made = make_packed(volume, bricks, cancellable, error);
    if (!made)
        return FALSE;
    g_mutex_lock(&cache_lock);
    entry = find_entry(serial);
    if (entry && !entry->packed) {
        entry->packed = packed_ref(made);
        trim_cache();
    }
    g_mutex_unlock(&cache_lock);
    *packed = made;
    return TRUE;
}

gboolean
bg_cast_prepare(BgVolume *volume, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume, FALSE);
    BgCastBricks *bricks = bg_cast_bricks_get(volume, cancellable, error);
    BgCastPacked *packed = NULL;
    gboolean done = bricks && bg_cast_packed_get(volume, bricks, &packed, cancellable, error);

    bg_cast_packed_unref(packed);
    bg_cast_bricks_unref(bricks);
    return done;
}

void
bg_cast_set_cache_bytes(gsize n_bytes)
{
    g_mutex_lock(&cache_lock);
    cache_limit = n_bytes;
    if (cache)
        trim_cache();
    g_mutex_unlock(&cache_lock);
}
