// SPDX-License-Identifier: Apache-2.0
#include "bg-io-scaled.h"

#include "core/base/bg-error.h"

#include <string.h>

#define BLOCK 16384 // values at a time

typedef struct {
    BgSource *inner;     // owned
    BgScale *scales;     // owned
    BgScaledParams p;    // its scales are not used
    gsize scale, n_left; // which one, and for how many values more
    gsize at, n_there;   // bytes of the block
    union {
        guint8 bytes[BLOCK * sizeof(double)];
        double aligned;
    } raw;
    float values[BLOCK];
} Scaled;

static void
scaled_free(gpointer data)
{
    Scaled *self = data;

    bg_source_free(self->inner);
    g_free(self->scales);
    g_free(self);
}

#define DEFINE_CONVERT(TYPE, name, ctype)                                            \
    static void convert_##name(Scaled *self, gsize n, const BgScale *scale)          \
    {                                                                                \
        ctype *raw = (gpointer) self->raw.bytes;                                     \
        for (gsize i = 0; i < n; i++) {                                              \
            double v = (double) raw[i];                                              \
            v = v < self->p.low ? self->p.low : v > self->p.high ? self->p.high : v; \
            if (self->p.keep_type)                                                   \
                raw[i] = (ctype) v;                                                  \
            else                                                                     \
                self->values[i] = (float) (v * scale->slope + scale->intercept);     \
        }                                                                            \
    }

BG_FOR_RAW_TYPES(DEFINE_CONVERT)

static void
convert(Scaled *self, gsize n, const BgScale *scale)
{
#define CASE(TYPE, name, ctype)         \
    case TYPE:                          \
        convert_##name(self, n, scale); \
        break;
    switch (self->p.type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
}

// The next block: never across the end of a scale.
static gboolean
fill(Scaled *self, GError **error)
{
    gsize size = bg_raw_type_size(self->p.type);

    if (self->n_left == 0) {
        self->scale++;
        self->n_left = self->p.n_each;
    }
    gsize n = MIN(self->n_left, BLOCK);
    if (!bg_source_read(self->inner, self->raw.bytes, n * size, error))
        return FALSE;
    if (self->p.big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN) && size > 1)
        bg_raw_swap(self->raw.bytes, n, size);
    convert(self, n, &self->scales[self->scale]);
    self->n_left -= n;
    self->at = 0;
    self->n_there = n * (self->p.keep_type ? size : sizeof(float));
    return TRUE;
}

static gssize
scaled_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Scaled *self = user_data;

    if (self->at == self->n_there) {
        if (self->n_left == 0 && self->scale + 1 == self->p.n_scales)
            return 0;
        if (!fill(self, error))
            return -1;
    }
    gsize n = MIN(n_bytes, self->n_there - self->at);
    const guint8 *from = self->p.keep_type ? self->raw.bytes : (const guint8 *) self->values;
    memcpy(data, from + self->at, n);
    self->at += n;
    return (gssize) n;
}

BgSource *
bg_source_new_scaled(BgSource *inner, const BgScaledParams *params)
{
    Scaled *self = g_new0(Scaled, 1);
    guint64 size = params->keep_type ? bg_raw_type_size(params->type) : sizeof(float);
    guint64 n_values = bg_source_get_limit(inner) / bg_raw_type_size(params->type);

    self->inner = inner;
    self->p = *params;
    self->scales = g_memdup2(params->scales, params->n_scales * sizeof *params->scales);
    self->p.scales = NULL;
    self->n_left = params->n_each;
    guint64 limit = n_values > G_MAXUINT64 / size ? G_MAXUINT64 : n_values * size;
    return bg_source_new_custom(scaled_read, limit, self, scaled_free);
}

gboolean
bg_scales_are_equal(const BgScale *scales, gsize n_scales)
{
    for (gsize i = 1; i < n_scales; i++) {
        if (scales[i].slope != scales[0].slope || scales[i].intercept != scales[0].intercept)
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    char *path;       // owned
    guint64 *offsets; // owned
    gsize next, n_offsets;
    gsize each;
    BgSource *segment; // owned, nullable
    GCancellable *cancellable;
} Segments;

static void
segments_free(gpointer data)
{
    Segments *self = data;

    bg_source_free(self->segment);
    g_clear_object(&self->cancellable);
    g_free(self->offsets);
    g_free(self->path);
    g_free(self);
}

static gssize
segments_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Segments *self = user_data;

    if (self->segment != NULL && bg_source_get_position(self->segment) == self->each)
        g_clear_pointer(&self->segment, bg_source_free);
    if (self->segment == NULL) {
        if (self->next == self->n_offsets)
            return 0;
        self->segment = bg_source_open(self->path, self->offsets[self->next++], BG_SOURCE_PLAIN,
                                       self->cancellable, error);
        if (self->segment == NULL)
            return -1;
    }
    gsize n = MIN(n_bytes, self->each - (gsize) bg_source_get_position(self->segment));
    return bg_source_read(self->segment, data, n, error) ? (gssize) n : -1;
}

BgSource *
bg_source_new_segments(const char *path, const guint64 *offsets, gsize n_offsets, gsize each,
                       GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) whole = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    guint64 there = whole != NULL ? bg_source_get_limit(whole) : 0;

    if (whole == NULL)
        return NULL;
    for (gsize i = 0; i < n_offsets; i++) {
        if (offsets[i] > there || each > there - offsets[i]) {
            bg_io_set_cut_short(offsets[i] > G_MAXUINT64 - each ? G_MAXUINT64 : offsets[i] + each,
                                there, error);
            return NULL;
        }
    }
    Segments *self = g_new0(Segments, 1);
    self->path = g_strdup(path);
    self->offsets = g_memdup2(offsets, n_offsets * sizeof *offsets);
    self->n_offsets = n_offsets;
    self->each = each;
    self->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
    return bg_source_new_custom(segments_read, (guint64) n_offsets * each, self, segments_free);
}
