// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-label-runs.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

static void
put(GByteArray *bytes, guint64 value)
{
    do {
        guint8 byte = (guint8) (value & 0x7f);
        value >>= 7;
        byte |= value != 0 ? 0x80 : 0;
        g_byte_array_append(bytes, &byte, 1);
    } while (value != 0);
}

static gboolean
get(const guint8 **at, const guint8 *end, guint64 *value)
{
    *value = 0;
    for (int shift = 0; shift < 63 && *at < end; shift += 7) {
        guint8 byte = *(*at)++;
        *value |= (guint64) (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return TRUE;
    }
    return FALSE;
}

GBytes *
bg_label_runs_pack(gsize n_voxels, const GArray *runs)
{
    GByteArray *bytes = g_byte_array_new();
    gsize next = 0;

    put(bytes, n_voxels);
    for (guint r = 0; r < runs->len; r++) {
        const BgLabelRun *run = &g_array_index(runs, BgLabelRun, r);
        put(bytes, run->first - next);
        put(bytes, run->length);
        put(bytes, run->from);
        put(bytes, run->to);
        next = run->first + run->length;
    }
    return g_byte_array_free_to_bytes(bytes);
}

static guint64
largest_of(BgLabelType type)
{
    return type == BG_LABEL_UINT8    ? G_MAXUINT8
           : type == BG_LABEL_UINT16 ? G_MAXUINT16
                                     : G_MAXUINT32;
}

GArray *
bg_label_runs_unpack(GBytes *bytes, const BgGeometry *geometry, BgLabelType type, GError **error)
{
    gsize size, next = 0, n_voxels = bg_geometry_count_voxels(geometry);
    const guint8 *at = g_bytes_get_data(bytes, &size), *end = at;
    guint64 n, gap, length, from, to, largest = largest_of(type);
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    if (size > 0) // no bytes are at no place
        end += size;
    gboolean ok = size > 0 && get(&at, end, &n) && n == n_voxels;

    while (ok && at < end) {
        ok = get(&at, end, &gap) && get(&at, end, &length) && get(&at, end, &from) &&
             get(&at, end, &to) && gap <= n_voxels - next && length > 0 &&
             length <= n_voxels - next - gap && from <= largest && to <= largest;
        if (!ok)
            break;
        BgLabelRun run = { next + (gsize) gap, (gsize) length, (guint32) from, (guint32) to };
        g_array_append_val(runs, run);
        next = run.first + run.length;
    }
    if (!ok) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("A correction of labels does not fit its label map. Go on from the "
                              "last saved case"));
        return NULL;
    }
    return g_steal_pointer(&runs);
}

void
bg_label_runs_add(GArray *runs, gsize index, guint32 from, guint32 to)
{
    if (runs->len > 0) {
        BgLabelRun *last = &g_array_index(runs, BgLabelRun, runs->len - 1);
        if (last->first + last->length == index && last->from == from && last->to == to) {
            last->length++;
            return;
        }
    }
    BgLabelRun run = { index, 1, from, to };
    g_array_append_val(runs, run);
}

gsize
bg_label_runs_count(const GArray *runs)
{
    gsize n = 0;

    for (guint r = 0; r < runs->len; r++)
        n += g_array_index(runs, BgLabelRun, r).length;
    return n;
}

GArray *
bg_label_runs_between(BgLabelMap *before, BgLabelMap *after)
{
    const int *dims = bg_label_map_get_geometry(before)->dims;
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    g_autofree guint32 *old = g_new(guint32, dims[0]);
    g_autofree guint32 *new = g_new(guint32, dims[0]);
    gsize index = 0;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(before, j, k, old);
            bg_label_map_read_row(after, j, k, new);
            for (int i = 0; i < dims[0]; i++, index++) {
                if (old[i] != new[i])
                    bg_label_runs_add(runs, index, old[i], new[i]);
            }
        }
    }
    return runs;
}
