// SPDX-License-Identifier: Apache-2.0
#include "bg-io-raw.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define CHUNK (64u << 10) // values converted at a time: in the cache, and some 0.1 ms
#define WHOLE_WITHIN 1e-3 // how far from a whole number a label may be stored

gsize
bg_raw_type_size(BgRawType type)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return sizeof(ctype);
    switch (type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
    return 0;
}

const char *
bg_raw_type_name(BgRawType type)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return #name;
    switch (type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
    return "";
}

typedef struct {
    gpointer data;
    gsize size;
} Swap;

// Samples lie where a header of any length ends: not aligned.
#define DEFINE_SWAP(bits)                           \
    static void swap_##bits(guint8 *bytes, gsize n) \
    {                                               \
        for (; n > 0; n--, bytes += bits / 8) {     \
            guint##bits x;                          \
            memcpy(&x, bytes, sizeof x);            \
            x = GUINT##bits##_SWAP_LE_BE(x);        \
            memcpy(bytes, &x, sizeof x);            \
        }                                           \
    }
DEFINE_SWAP(16)
DEFINE_SWAP(32)
DEFINE_SWAP(64)
#undef DEFINE_SWAP

static void
swap_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Swap *swap = user_data;
    guint8 *bytes = (guint8 *) swap->data + first * swap->size;

    if (swap->size == 2)
        swap_16(bytes, last - first);
    else if (swap->size == 4)
        swap_32(bytes, last - first);
    else if (swap->size == 8)
        swap_64(bytes, last - first);
}

void
bg_raw_swap(gpointer data, gsize n, gsize size)
{
    Swap swap = { data, size };

    if (n <= CHUNK)
        swap_range(0, n, 0, &swap);
    else
        bg_parallel_for(n, 1u << 20, swap_range, &swap, NULL);
}

// What got lost on the way to float32.
typedef struct {
    gsize n_inexact;   // not the same number any more
    gsize n_overflown; // finite, and beyond what float32 can say
} Loss;

// Whether a raw value is another number as float. Not by way of double where that has no room.
#define INEXACT_uint8(f, raw) FALSE
#define INEXACT_int8(f, raw) FALSE
#define INEXACT_int16(f, raw) FALSE
#define INEXACT_uint16(f, raw) FALSE
#define INEXACT_float32(f, raw) FALSE
#define INEXACT_int32(f, raw) ((double) (f) != (double) (raw))
#define INEXACT_uint32(f, raw) ((double) (f) != (double) (raw))
#define INEXACT_int64(f, raw) ((f) >= 0x1p63f || (gint64) (f) != (raw))
#define INEXACT_uint64(f, raw) ((f) >= 0x1p64f || (guint64) (f) != (raw))
#define INEXACT_float64(f, raw) ((double) (f) != (raw) && !isnan(raw))

#define DEFINE_TO_FLOAT(TYPE, name, ctype)                                          \
    static void to_float_##name(gconstpointer from, gsize n, float *to, Loss *loss) \
    {                                                                               \
        const ctype *raw = from;                                                    \
        gsize n_inexact = 0, n_overflown = 0;                                       \
        for (gsize i = 0; i < n; i++) {                                             \
            to[i] = (float) raw[i];                                                 \
            n_inexact += INEXACT_##name(to[i], raw[i]);                             \
            n_overflown += isinf(to[i]) && isfinite((double) raw[i]);               \
        }                                                                           \
        loss->n_inexact += n_inexact;                                               \
        loss->n_overflown += n_overflown;                                           \
    }

BG_FOR_RAW_TYPES(DEFINE_TO_FLOAT)

static void
to_float(BgRawType type, gconstpointer from, gsize n, float *to, Loss *loss)
{
#define CASE(TYPE, name, ctype)             \
    case TYPE:                              \
        to_float_##name(from, n, to, loss); \
        break;
    switch (type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
}

// Whole numbers are compared as they are stored: a double has no room for all of int64.
#define DEFINE_TO_LABEL(TYPE, name, ctype)                                                  \
    static gboolean to_label_##name(gconstpointer from, gsize n, const BgRawLayout *layout, \
                                    guint32 *to, double *bad)                               \
    {                                                                                       \
        const ctype *raw = from;                                                            \
        gboolean scaled = layout->slope != 1.0 || layout->intercept != 0.0;                 \
        for (gsize i = 0; i < n; i++) {                                                     \
            if ((ctype) 0.5 == 0 && !scaled) {                                              \
                if (raw[i] < 0 || (guint64) raw[i] > G_MAXUINT32) {                         \
                    *bad = (double) raw[i];                                                 \
                    return FALSE;                                                           \
                }                                                                           \
                to[i] = (guint32) raw[i];                                                   \
                continue;                                                                   \
            }                                                                               \
            double value = (double) raw[i] * layout->slope + layout->intercept;             \
            if (!(value >= -WHOLE_WITHIN && value <= (double) G_MAXUINT32) ||               \
                fabs(value - rint(value)) > WHOLE_WITHIN) {                                 \
                *bad = value;                                                               \
                return FALSE;                                                               \
            }                                                                               \
            to[i] = (guint32) rint(fmax(value, 0.0));                                       \
        }                                                                                   \
        return TRUE;                                                                        \
    }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"
BG_FOR_RAW_TYPES(DEFINE_TO_LABEL)
#pragma GCC diagnostic pop

static gboolean
to_label(const BgRawLayout *layout, gconstpointer from, gsize n, guint32 *to, GError **error)
{
    gboolean good = FALSE;
    double bad = 0.0;

#define CASE(TYPE, name, ctype)                            \
    case TYPE:                                             \
        good = to_label_##name(from, n, layout, to, &bad); \
        break;
    switch (layout->type) {
        BG_FOR_RAW_TYPES(CASE)
    }
#undef CASE
    if (!good)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The value %g is no label: labels are whole numbers from 0. Open the file "
                      "as a volume"),
                    bad);
    return good;
}

static gboolean
sample_type_of(BgRawType type, BgSampleType *sample_type)
{
    switch (type) {
    case BG_RAW_UINT8:
        *sample_type = BG_SAMPLE_UINT8;
        return TRUE;
    case BG_RAW_INT8:
        *sample_type = BG_SAMPLE_INT8;
        return TRUE;
    case BG_RAW_INT16:
        *sample_type = BG_SAMPLE_INT16;
        return TRUE;
    case BG_RAW_UINT16:
        *sample_type = BG_SAMPLE_UINT16;
        return TRUE;
    case BG_RAW_FLOAT32:
        *sample_type = BG_SAMPLE_FLOAT32;
        return TRUE;
    default:
        *sample_type = BG_SAMPLE_FLOAT32;
        return FALSE;
    }
}

// What a loop over the file works with.
typedef struct {
    BgSource *source;
    const BgRawLayout *layout;
    BgFileInfo *info;
    const BgProgress *progress;
    gsize n_voxels;
    int component; // -1: all of them, combined
} Reading;

static gboolean
needs_swap(const BgRawLayout *layout)
{
    return layout->big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN) &&
           bg_raw_type_size(layout->type) > 1;
}

static void
report(const Reading *r, gsize n_done, gsize n_all)
{
    bg_progress_report(r->progress, n_all > 0 ? (double) n_done / (double) n_all : 1.0);
}

// To the first byte of the frame, and for planes of components to that of the component.
static gboolean
go_to_frame(Reading *r, int frame, GError **error)
{
    const BgRawLayout *layout = r->layout;
    gsize plane, frame_bytes, start, end;

    if (!g_size_checked_mul(&plane, r->n_voxels, bg_raw_type_size(layout->type)) ||
        !g_size_checked_mul(&frame_bytes, plane, (gsize) layout->n_components) ||
        !g_size_checked_mul(&start, frame_bytes, (gsize) frame) ||
        !g_size_checked_add(&start, start, layout->first_byte) ||
        !g_size_checked_add(&end, start, frame_bytes))
        return bg_io_set_cut_short(G_MAXUINT64, bg_source_get_limit(r->source), error);
    if (end > bg_source_get_limit(r->source))
        return bg_io_set_cut_short(end, bg_source_get_limit(r->source), error);

    if (layout->planar && r->component > 0)
        start += plane * (gsize) r->component;
    return bg_source_skip(r->source, start - bg_source_get_position(r->source), error);
}

// The next n values as they come, in this machine's byte order.
static gboolean
read_values(Reading *r, gpointer scratch, gsize n_values, GError **error)
{
    gsize size = bg_raw_type_size(r->layout->type);

    if (!bg_source_read(r->source, scratch, n_values * size, error))
        return FALSE;
    if (needs_swap(r->layout))
        bg_raw_swap(scratch, n_values, size);
    return TRUE;
}

#define GATHER(ctype)                    \
    for (gsize i = 0; i < n_voxels; i++) \
        ((ctype *) values)[i] = ((const ctype *) values)[i * step + c];

// The chosen component of the next n voxels; @values has room for all components.
static gboolean
read_component(Reading *r, gpointer values, gsize n_voxels, GError **error)
{
    gsize step = r->layout->planar ? 1 : (gsize) r->layout->n_components;
    gsize c = step > 1 ? (gsize) r->component : 0;

    if (!read_values(r, values, n_voxels * step, error))
        return FALSE;
    if (step == 1)
        return TRUE;
    switch (bg_raw_type_size(r->layout->type)) {
    case 1:
        GATHER(guint8)
        break;
    case 2:
        GATHER(guint16)
        break;
    case 4:
        GATHER(guint32)
        break;
    default:
        GATHER(guint64)
        break;
    }
    return TRUE;
}

// How many voxels to take at a time, and room for all their values.
static gpointer
alloc_chunk(const Reading *r, gsize *n_at_once, GError **error)
{
    gsize step = r->layout->planar ? 1 : (gsize) r->layout->n_components;

    *n_at_once = CLAMP(CHUNK / step, 1, r->n_voxels);
    return bg_buffer_alloc_items(*n_at_once * step, sizeof(guint64), error);
}

// Straight into place, where the file's type is one of ours. In steps, for cancel and progress.
static gboolean
read_direct(Reading *r, guint8 *to, GError **error)
{
    gsize size = bg_raw_type_size(r->layout->type);
    gsize n_bytes = r->n_voxels * size, step = 32u << 20;

    for (gsize done = 0; done < n_bytes; done += MIN(step, n_bytes - done)) {
        if (!bg_source_read_parallel(r->source, to + done, MIN(step, n_bytes - done), error))
            return FALSE;
        report(r, done, n_bytes);
    }
    if (needs_swap(r->layout))
        bg_raw_swap(to, r->n_voxels, size);
    return TRUE;
}

// One component of several, in a type that is one of ours.
static gboolean
read_picked(Reading *r, guint8 *to, GError **error)
{
    gsize size = bg_raw_type_size(r->layout->type), n_at_once;
    bg_auto_buffer gpointer raw = alloc_chunk(r, &n_at_once, error);

    if (raw == NULL)
        return FALSE;
    for (gsize first = 0; first < r->n_voxels; first += n_at_once) {
        gsize n = MIN(n_at_once, r->n_voxels - first);
        if (!read_component(r, raw, n, error))
            return FALSE;
        memcpy(to + first * size, raw, n * size);
        report(r, first, r->n_voxels);
    }
    return TRUE;
}

static gboolean
read_as_float(Reading *r, float *to, Loss *loss, GError **error)
{
    gsize n_at_once;
    bg_auto_buffer gpointer raw = alloc_chunk(r, &n_at_once, error);

    if (raw == NULL)
        return FALSE;
    for (gsize first = 0; first < r->n_voxels; first += n_at_once) {
        gsize n = MIN(n_at_once, r->n_voxels - first);
        if (!read_component(r, raw, n, error))
            return FALSE;
        to_float(r->layout->type, raw, n, to + first, loss);
        report(r, first, r->n_voxels);
    }
    return TRUE;
}

// One number of the values of a voxel, by what they mean. Complex and vectors are scaled first: the
// length of a scaled vector is not the scaled length.
static float
combine(const float *values, const BgRawLayout *layout)
{
    double sum = 0.0;

    if (layout->meaning == BG_RAW_COLOUR && layout->n_components >= 3) {
        double grey =
            0.2126 * (double) values[0] + 0.7152 * (double) values[1] + 0.0722 * (double) values[2];
        return (float) (grey * layout->slope + layout->intercept);
    }
    for (int c = 0; c < layout->n_components; c++) {
        double value = (double) values[c] * layout->slope + layout->intercept;
        sum += value * value;
    }
    return (float) sqrt(sum);
}

// Several values a voxel, next to each other, combined into one.
static gboolean
read_interleaved(Reading *r, float *to, Loss *loss, GError **error)
{
    gsize n_components = (gsize) r->layout->n_components, n_at_once;
    bg_auto_buffer gpointer raw = alloc_chunk(r, &n_at_once, error);
    bg_auto_buffer float *values =
        raw == NULL ? NULL : bg_buffer_alloc_items(n_at_once * n_components, sizeof(float), error);

    if (values == NULL)
        return FALSE;
    for (gsize first = 0; first < r->n_voxels; first += n_at_once) {
        gsize n = MIN(n_at_once, r->n_voxels - first);
        if (!read_values(r, raw, n * n_components, error))
            return FALSE;
        to_float(r->layout->type, raw, n * n_components, values, loss);
        for (gsize i = 0; i < n; i++)
            to[first + i] = combine(values + i * n_components, r->layout);
        report(r, first, r->n_voxels);
    }
    return TRUE;
}

// Several values a voxel, one plane of voxels after the other, combined into one.
static gboolean
read_planes(Reading *r, float *to, Loss *loss, GError **error)
{
    static const double luminance[] = { 0.2126, 0.7152, 0.0722 };
    const BgRawLayout *layout = r->layout;
    gboolean colour = layout->meaning == BG_RAW_COLOUR && layout->n_components >= 3;
    int n_used = colour ? 3 : layout->n_components;
    bg_auto_buffer gpointer raw = bg_buffer_alloc(CHUNK * sizeof(double), error);
    bg_auto_buffer float *values =
        raw == NULL ? NULL : bg_buffer_alloc(CHUNK * sizeof(float), error);

    if (values == NULL)
        return FALSE;
    for (int c = 0; c < n_used; c++) {
        for (gsize first = 0; first < r->n_voxels; first += CHUNK) {
            gsize n = MIN(CHUNK, r->n_voxels - first);
            if (!read_values(r, raw, n, error))
                return FALSE;
            to_float(layout->type, raw, n, values, loss);
            for (gsize i = 0; i < n; i++) {
                double v = (double) values[i] * layout->slope + layout->intercept;
                double sum = c > 0 ? (double) to[first + i] : 0.0;
                to[first + i] = (float) (sum + (colour ? v * luminance[c] : v * v));
            }
        }
    }
    for (gsize i = 0; !colour && i < r->n_voxels; i++)
        to[i] = sqrtf(to[i]);
    return TRUE;
}

static void
tell_loss(BgFileInfo *info, const Loss *loss, gsize n_values)
{
    if (loss->n_overflown > 0)
        bg_file_info_warn(info,
                          _("%zu values are beyond the range of float32 and became infinite: "
                            "lossy"),
                          loss->n_overflown);
    if (loss->n_inexact > 0)
        bg_file_info_warn(info,
                          _("The file stores %s; %zu of %zu values were rounded to float32: lossy"),
                          info->datatype, loss->n_inexact, n_values);
}

static BgVolume *
load_volume(Reading *r, GError **error)
{
    const BgRawLayout *layout = r->layout;
    BgSampleFormat format = { .slope = layout->slope, .intercept = layout->intercept };
    Loss loss = { 0 };
    gboolean same, single = r->component >= 0;
    gboolean whole = layout->n_components == 1 || layout->planar;

    same = sample_type_of(layout->type, &format.type) && single;
    if (!single) {
        format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
        format.converted = r->component < 0;
    }
    bg_auto_buffer gpointer samples =
        bg_voxels_alloc(&r->info->geometry, bg_sample_type_size(format.type), error);
    if (samples == NULL)
        return NULL;

    gboolean good = same && whole    ? read_direct(r, samples, error)
                    : same           ? read_picked(r, samples, error)
                    : single         ? read_as_float(r, samples, &loss, error)
                    : layout->planar ? read_planes(r, samples, &loss, error)
                                     : read_interleaved(r, samples, &loss, error);
    if (!good)
        return NULL;

    format.converted = format.converted || loss.n_inexact > 0;
    tell_loss(r->info, &loss, r->n_voxels * (gsize) layout->n_components);
    return bg_volume_new_take(&r->info->geometry, format, g_steal_pointer(&samples), error);
}

static BgLabelMap *
narrow_labels(const BgGeometry *geometry, guint32 *wide, guint32 largest, GError **error)
{
    gsize n = bg_geometry_count_voxels(geometry);
    BgLabelType type = largest <= G_MAXUINT8    ? BG_LABEL_UINT8
                       : largest <= G_MAXUINT16 ? BG_LABEL_UINT16
                                                : BG_LABEL_UINT32;

    if (type == BG_LABEL_UINT32)
        return bg_label_map_new_take(geometry, type, wide, error);

    gpointer narrow = bg_voxels_alloc(geometry, bg_label_type_size(type), error);
    if (narrow != NULL && type == BG_LABEL_UINT8) {
        for (gsize i = 0; i < n; i++)
            ((guint8 *) narrow)[i] = (guint8) wide[i];
    } else if (narrow != NULL) {
        for (gsize i = 0; i < n; i++)
            ((guint16 *) narrow)[i] = (guint16) wide[i];
    }
    bg_voxels_free(wide);
    return narrow != NULL ? bg_label_map_new_take(geometry, type, narrow, error) : NULL;
}

static BgLabelMap *
load_labels(Reading *r, GError **error)
{
    const BgRawLayout *layout = r->layout;
    const BgGeometry *geometry = &r->info->geometry;
    gboolean scaled = layout->slope != 1.0 || layout->intercept != 0.0;

    if (r->component < 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A voxel holds %d values, so the file is no label map. Open it as a volume"),
                    layout->n_components);
        return NULL;
    }
    gboolean whole = layout->n_components == 1 || layout->planar;
    if (!scaled && whole && (layout->type == BG_RAW_UINT8 || layout->type == BG_RAW_UINT16)) {
        gboolean small = layout->type == BG_RAW_UINT8;
        gpointer labels = bg_voxels_alloc(geometry, small ? 1 : 2, error);
        if (labels == NULL || !read_direct(r, labels, error)) {
            bg_voxels_free(labels);
            return NULL;
        }
        return bg_label_map_new_take(geometry, small ? BG_LABEL_UINT8 : BG_LABEL_UINT16, labels,
                                     error);
    }

    gsize n_at_once;
    bg_auto_buffer gpointer raw = alloc_chunk(r, &n_at_once, error);
    bg_auto_buffer guint32 *wide =
        raw == NULL ? NULL : bg_voxels_alloc(geometry, sizeof(guint32), error);
    guint32 largest = 0;

    if (wide == NULL)
        return NULL;
    for (gsize first = 0; first < r->n_voxels; first += n_at_once) {
        gsize n = MIN(n_at_once, r->n_voxels - first);
        if (!read_component(r, raw, n, error) || !to_label(layout, raw, n, wide + first, error))
            return NULL;
        for (gsize i = 0; i < n; i++)
            largest = MAX(largest, wide[first + i]);
        report(r, first, r->n_voxels);
    }
    return narrow_labels(geometry, g_steal_pointer(&wide), largest, error);
}

gboolean
bg_raw_check_frame(const BgFileInfo *info, const BgLoadParams *params, GError **error)
{
    if (params->frame < 0 || params->frame >= info->n_frames) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is no frame %d: the file has frames 0 to %d. Choose one of them"),
                    params->frame, info->n_frames - 1);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_params(const BgRawLayout *layout, const BgFileInfo *info, const BgLoadParams *params,
             GError **error)
{
    if (!bg_raw_check_frame(info, params, error))
        return FALSE;
    if (params->component < -1 || params->component >= layout->n_components) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is no component %d: a voxel has components 0 to %d. Choose one of "
                      "them"),
                    params->component, layout->n_components - 1);
        return FALSE;
    }
    return bg_geometry_check(&info->geometry, error);
}

// What is left of a frame of which a part is read, row by row.
typedef struct {
    BgSource *inner; // borrowed
    BgLoadPart part;
    int dims[3], part_dims[3];
    gsize size;       // of a voxel
    int n_planes;     // of components
    int plane, k, j;  // of the part: the row that comes next
    guint64 position; // in the frame, of @inner
    guint8 *row;      // owned, two of them: as it is read and as it is wanted
    gsize at, n_there;
} Part;

static void
part_free(gpointer data)
{
    Part *self = data;

    g_free(self->row);
    g_free(self);
}

static gboolean
part_next_row(Part *self, GError **error)
{
    const BgLoadPart *part = &self->part;
    guint64 y = (guint64) part->first[1] + (guint64) self->j * (guint64) part->step[1];
    guint64 z = (guint64) part->first[2] + (guint64) self->k * (guint64) part->step[2];
    guint64 plane = (guint64) self->plane * (guint64) self->dims[2] + z;
    guint64 row = plane * (guint64) self->dims[1] + y;
    guint64 start = (row * (guint64) self->dims[0] + (guint64) part->first[0]) * self->size;
    gsize n_bytes = (gsize) (part->last[0] - part->first[0] + 1) * self->size;
    const int one[3] = { part->last[0] - part->first[0] + 1, 1, 1 };
    const BgLoadPart along = { .last = { one[0] - 1 }, .step = { part->step[0], 1, 1 } };
    guint8 *wanted = self->row + n_bytes;

    if (!bg_source_skip(self->inner, start - self->position, error) ||
        !bg_source_read(self->inner, self->row, n_bytes, error))
        return FALSE;
    self->position = start + n_bytes;
    bg_load_part_pick(&along, one, self->row, self->size, wanted);
    self->at = 0;
    self->n_there = (gsize) self->part_dims[0] * self->size;
    if (++self->j == self->part_dims[1]) {
        self->j = 0;
        if (++self->k == self->part_dims[2]) {
            self->k = 0;
            self->plane++;
        }
    }
    return TRUE;
}

static gssize
part_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Part *self = user_data;
    gsize row_bytes = (gsize) (self->part.last[0] - self->part.first[0] + 1) * self->size;

    if (self->at == self->n_there) {
        if (self->plane == self->n_planes)
            return 0;
        if (!part_next_row(self, error))
            return -1;
    }
    gsize n = MIN(n_bytes, self->n_there - self->at);
    memcpy(data, self->row + row_bytes + self->at, n);
    self->at += n;
    return (gssize) n;
}

// From here on a reading is of a part: of the grid that the info tells, too.
static BgSource *
read_only_part(Reading *r, const BgLoadPart *part)
{
    const BgRawLayout *layout = r->layout;
    BgFileInfo *info = r->info;
    Part *self = g_new0(Part, 1);

    self->inner = r->source;
    self->part = *part;
    memcpy(self->dims, info->geometry.dims, sizeof self->dims);
    bg_load_part_dims(part, self->dims, self->part_dims);
    self->size =
        bg_raw_type_size(layout->type) * (gsize) (layout->planar ? 1 : layout->n_components);
    self->n_planes = layout->planar && r->component < 0 ? layout->n_components : 1;
    self->row = g_malloc(2 * (gsize) (part->last[0] - part->first[0] + 1) * self->size);

    info->geometry = bg_load_part_geometry(part, &info->geometry);
    if (info->has_alternative_geometry)
        info->alternative_geometry = bg_load_part_geometry(part, &info->alternative_geometry);
    r->n_voxels = bg_geometry_count_voxels(&info->geometry);
    r->source = bg_source_new_custom(part_read, r->n_voxels * self->size * (guint64) self->n_planes,
                                     self, part_free);
    return r->source;
}

// The last frame read to its end: test the checksum, and say what else is there.
static gboolean
finish(const Reading *r, GError **error)
{
    gsize n_left;

    if (!bg_source_finish(r->source, &n_left, error))
        return FALSE;
    if (n_left > 0 && !r->layout->rest_allowed)
        bg_file_info_warn(r->info, _("The file goes on behind its last voxel; that was not read"));
    return TRUE;
}

BgLoaded *
bg_raw_load(BgSource *source, const BgRawLayout *layout, BgFileInfo *info,
            const BgLoadParams *params, const BgProgress *progress, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_loaded_new(info);
    Reading r = { .source = source,
                  .layout = layout,
                  .info = info,
                  .progress = progress,
                  .n_voxels = bg_geometry_count_voxels(&info->geometry),
                  .component = layout->n_components == 1 ? 0 : params->component };

    if (!check_params(layout, info, params, error) ||
        !bg_load_part_check(&params->part, info->geometry.dims, error) ||
        !go_to_frame(&r, params->frame, error))
        return NULL;
    gboolean in_part = !bg_load_part_is_whole(&params->part, info->geometry.dims);
    g_autoptr(BgSource) part = in_part ? read_only_part(&r, &params->part) : NULL;

    gboolean as_labels = params->as == BG_LOAD_LABELS ||
                         (params->as == BG_LOAD_AUTO && info->kind == BG_KIND_LABELS);
    if (as_labels)
        loaded->labels = load_labels(&r, error);
    else
        loaded->volume = load_volume(&r, error);
    if (loaded->labels == NULL && loaded->volume == NULL)
        return NULL;

    gboolean whole = !in_part && (!layout->planar || params->component < 0 ||
                                  params->component == layout->n_components - 1);
    if (params->frame == info->n_frames - 1 && whole && !finish(&r, error))
        return NULL;

    info->kind = as_labels ? BG_KIND_LABELS : BG_KIND_VOLUME;
    if (as_labels)
        bg_file_info_set_modality(info, "SEG", "");
    else if (info->modality[0] == '\0' && layout->n_components == 1 &&
             bg_volume_looks_like_ct(loaded->volume))
        bg_file_info_set_modality(info, "CT", "HU");
    bg_progress_report(progress, 1.0);
    return g_steal_pointer(&loaded);
}

BgLoaded *
bg_raw_load_frame(BgSource *source, const BgRawLayout *layout, BgFileInfo *info,
                  const BgLoadParams *params, const BgProgress *progress, GError **error)
{
    BgLoadParams first = *params;
    int n_frames = info->n_frames;

    first.frame = 0;
    info->n_frames = 1;
    BgLoaded *loaded = bg_raw_load(source, layout, info, &first, progress, error);
    if (loaded != NULL)
        loaded->info->n_frames = n_frames;
    return loaded;
}
