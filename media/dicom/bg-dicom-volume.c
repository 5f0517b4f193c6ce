// SPDX-License-Identifier: Apache-2.0
// The slices of a stack to a volume: each read straight into its place where nothing has to be done
// to it, else through one slice of scratch a thread.
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define AIR_HU -1024.0    // what lies beside a tilted slice
#define NEAR_A_SLICE 0.02 // of two slices' distance: as even as slices have to be

typedef struct {
    const BgDcmStack *stack;
    int frame, component;
    BgSampleFormat format;
    gboolean as_values;               // slope and intercept differ: values, not samples, are kept
    gboolean direct;                  // a frame's bytes are the slice's
    BgDcmLut modality;                // entry NULL without
    guint8 *samples;                  // of the volume, owned until it is one
    gsize source_bytes, target_bytes; // of a slice of the stack, of the volume
    double fill;                      // sample
    GMutex lock;                      // of the readers and the error
    BgDcmReader **readers;
    GError *error;
    int error_slice;
    int n_done; // atomic
    int n_target;
    const BgLoadPart *part; // nullable: of the volume's grid; else all of it
    BgGeometry geometry;    // of the part
    gsize part_bytes;       // of a slice of it
    const BgProgress *progress;
    GCancellable *cancellable;
} Loader;

static gboolean
is_varied(const BgDcmStack *stack, double *slope, double *intercept)
{
    const BgDcmFrame *first = NULL, *frame;

    *slope = 1.0;
    *intercept = 0.0;
    for (guint i = 0; i < stack->places->len; i++) {
        if (bg_dcm_stack_image(stack, &g_array_index(stack->places, BgDcmPlace, i), &frame) == NULL)
            continue;
        if (first == NULL)
            first = frame;
        if (frame->slope != first->slope || frame->intercept != first->intercept)
            return TRUE;
    }
    if (first != NULL) {
        *slope = first->slope;
        *intercept = first->intercept;
    }
    return FALSE;
}

static const BgDcmImage *
any_image(const BgDcmStack *stack)
{
    const BgDcmFrame *frame;
    const BgDcmImage *image = NULL;

    for (guint i = 0; image == NULL && i < stack->places->len; i++)
        image = bg_dcm_stack_image(stack, &g_array_index(stack->places, BgDcmPlace, i), &frame);
    return image;
}

// Whether all pictures of a stack are stored alike.
static gboolean
same_storage(const BgDcmStack *stack)
{
    const BgDcmImage *first = any_image(stack), *image;
    const BgDcmFrame *frame;

    for (guint i = 0; i < stack->places->len; i++) {
        image = bg_dcm_stack_image(stack, &g_array_index(stack->places, BgDcmPlace, i), &frame);
        if (image != NULL && (image->pixels.bits_allocated != first->pixels.bits_allocated ||
                              image->pixels.is_signed != first->pixels.is_signed))
            return FALSE;
    }
    return TRUE;
}

BgSampleFormat
bg_dcm_sample_format(const BgDcmStack *stack, gboolean *as_values)
{
    const BgDcmPixels *p = &any_image(stack)->pixels;
    BgSampleFormat format = bg_sample_format_plain(BG_SAMPLE_FLOAT32);
    double slope, intercept;

    *as_values = FALSE;
    if (bg_dcm_is_colour(p)) {
        format.type = p->bits_allocated == 8 || p->photometric == BG_DCM_PALETTE ? BG_SAMPLE_UINT8
                                                                                 : BG_SAMPLE_UINT16;
        return format;
    }
    if (any_image(stack)->has_modality_lut) {
        format.type = BG_SAMPLE_UINT16;
        return format;
    }
    gboolean varied = is_varied(stack, &slope, &intercept);
    if (varied || p->is_float || p->bits_allocated == 32 || !same_storage(stack)) {
        *as_values = TRUE;
        format.converted = p->bits_allocated == 64 || (!p->is_float && p->bits_stored > 24);
        return format;
    }
    if (p->bits_allocated <= 8)
        format.type = p->is_signed ? BG_SAMPLE_INT8 : BG_SAMPLE_UINT8;
    else
        format.type = p->is_signed ? BG_SAMPLE_INT16 : BG_SAMPLE_UINT16;
    format.slope = slope;
    format.intercept = intercept;
    return format;
}

static void
note_error(Loader *loader, int slice, GError *error)
{
    g_mutex_lock(&loader->lock);
    // The first in slice order, whichever thread was faster.
    if (loader->error == NULL || slice < loader->error_slice) {
        g_clear_error(&loader->error);
        loader->error = error;
        loader->error_slice = slice;
    } else {
        g_error_free(error);
    }
    g_mutex_unlock(&loader->lock);
}

// A file of one frame is opened for it and closed; one of many stays open.
static BgDcmReader *
get_reader(Loader *loader, int index, gboolean *is_own, GError **error)
{
    const BgDcmImage *image = g_ptr_array_index(loader->stack->images, index);
    BgDcmReader *reader;

    *is_own = image->pixels.n_frames == 1;
    if (*is_own)
        return bg_dcm_reader_new(image, error);
    g_mutex_lock(&loader->lock);
    if (loader->readers[index] == NULL)
        loader->readers[index] = bg_dcm_reader_new(image, error);
    reader = loader->readers[index];
    g_mutex_unlock(&loader->lock);
    return reader;
}

// Rec. 709 weights on the stored bytes, as for the colours of other formats.
static double
colour_value(const BgDcmPixels *p, const guint8 *samples, gsize i, int component)
{
    gsize at = i * (gsize) p->n_samples;

    if (component >= 0)
        return bg_dcm_sample(p, samples, at + (gsize) component);
    return 0.2126 * bg_dcm_sample(p, samples, at) + 0.7152 * bg_dcm_sample(p, samples, at + 1) +
           0.0722 * bg_dcm_sample(p, samples, at + 2);
}

static void
store(const Loader *loader, guint8 *out, gsize i, double value)
{
    gpointer bytes = out;

    switch (loader->format.type) {
    case BG_SAMPLE_UINT8:
        out[i] = (guint8) CLAMP(lround(value), 0, 255);
        break;
    case BG_SAMPLE_INT8:
        ((gint8 *) bytes)[i] = (gint8) CLAMP(lround(value), -128, 127);
        break;
    case BG_SAMPLE_INT16:
        ((gint16 *) bytes)[i] = (gint16) CLAMP(lround(value), -32768, 32767);
        break;
    case BG_SAMPLE_UINT16:
        ((guint16 *) bytes)[i] = (guint16) CLAMP(lround(value), 0, 65535);
        break;
    case BG_SAMPLE_FLOAT32:
        ((float *) bytes)[i] = (float) value;
        break;
    }
}

static gboolean
convert_palette(Loader *loader, BgDcmReader *reader, const BgDcmPixels *p, const guint8 *raw,
                guint8 *out, GError **error)
{
    const BgDcmData *data = bg_dcm_reader_get_data(reader, error);
    gsize n = (gsize) p->rows * (gsize) p->columns;
    BgDcmPalette palette;

    if (data == NULL || !bg_dcm_palette_read(&palette, data, error))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        int at = (int) bg_dcm_sample(p, raw, i) - palette.first;
        double rgb[3];
        at = CLAMP(at, 0, palette.n_entries - 1);
        for (int c = 0; c < 3; c++)
            rgb[c] = palette.rgb[c][at] / 257.0;
        store(loader, out, i,
              loader->component >= 0 ? rgb[loader->component]
                                     : 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]);
    }
    bg_dcm_palette_clear(&palette);
    return TRUE;
}

static gboolean
convert(Loader *loader, BgDcmReader *reader, const BgDcmImage *image, const BgDcmFrame *frame,
        gboolean is_rgb, guint8 *raw, guint8 *out, GError **error)
{
    const BgDcmPixels *p = &image->pixels;
    gsize n = (gsize) p->rows * (gsize) p->columns;

    if (p->photometric == BG_DCM_PALETTE)
        return convert_palette(loader, reader, p, raw, out, error);
    if (p->n_samples >= 3) {
        if (!is_rgb)
            bg_dcm_to_rgb(p->photometric, p->bits_allocated, raw, n);
        double scale = p->bits_allocated == 32 ? 1.0 / 65537.0 : 1.0;
        for (gsize i = 0; i < n; i++)
            store(loader, out, i, scale * colour_value(p, raw, i, loader->component));
    } else if (loader->modality.entry != NULL) {
        for (gsize i = 0; i < n; i++)
            store(loader, out, i,
                  bg_dcm_lut_get(&loader->modality, (int) bg_dcm_sample(p, raw, i)));
    } else if (loader->as_values) {
        for (gsize i = 0; i < n; i++)
            ((float *) (gpointer) out)[i] =
                (float) (frame->slope * bg_dcm_sample(p, raw, i) + frame->intercept);
    } else {
        memcpy(out, raw, loader->source_bytes);
    }
    return TRUE;
}

// A slice that is there, to @out (source_bytes).
static gboolean
read_place(Loader *loader, const BgDcmPlace *place, guint8 *out, GError **error)
{
    const BgDcmFrame *frame;
    const BgDcmImage *image = bg_dcm_stack_image(loader->stack, place, &frame);
    gboolean is_own, is_rgb;
    BgDcmReader *reader = get_reader(loader, place->image, &is_own, error);
    gboolean ok = reader != NULL;

    if (ok && loader->direct) {
        ok = bg_dcm_read_frame(reader, frame->number, out, &is_rgb, error);
    } else if (ok) {
        bg_auto_buffer guint8 *raw = bg_buffer_alloc(bg_dcm_frame_bytes(&image->pixels), error);
        ok = raw != NULL && bg_dcm_read_frame(reader, frame->number, raw, &is_rgb, error) &&
             convert(loader, reader, image, frame, is_rgb, raw, out, error);
    }
    if (is_own)
        bg_dcm_reader_free(reader);
    return ok;
}

#define DEFINE_MIX(TYPE, name, ctype)                                                        \
    static void mix_##name(const guint8 *a, const guint8 *b, double t, guint8 *out, gsize n) \
    {                                                                                        \
        const ctype *p = (gconstpointer) a, *q = (gconstpointer) b;                          \
        ctype *o = (gpointer) out;                                                           \
        float w = (float) t;                                                                 \
        for (gsize i = 0; i < n; i++) {                                                      \
            float v = (float) p[i] + w * ((float) q[i] - (float) p[i]);                      \
            o[i] = TYPE == BG_SAMPLE_FLOAT32 ? (ctype) v : (ctype) floorf(v + 0.5f);         \
        }                                                                                    \
    }
BG_FOR_SAMPLE_TYPES(DEFINE_MIX)

static void
mix(const Loader *loader, const guint8 *a, const guint8 *b, double t, guint8 *out, gsize n_bytes)
{
    gsize n = n_bytes / bg_sample_type_size(loader->format.type);

#define CASE(TYPE, name, ctype)      \
    case TYPE:                       \
        mix_##name(a, b, t, out, n); \
        break;
    switch (loader->format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

static int
find_there(const Loader *loader, int from, int step)
{
    for (int s = from; s >= 0 && s < loader->stack->n_positions; s += step) {
        if (bg_dcm_stack_place(loader->stack, loader->frame, s)->image >= 0)
            return s;
    }
    return -1;
}

// The slice at position @s; one that is missing in this frame comes from its neighbours.
static gboolean
read_slice(Loader *loader, int s, guint8 *out, GError **error)
{
    const BgDcmStack *stack = loader->stack;
    const BgDcmPlace *place = bg_dcm_stack_place(stack, loader->frame, s);

    if (place->image >= 0)
        return read_place(loader, place, out, error);
    int below = find_there(loader, s, -1), above = find_there(loader, s, 1);
    if (below < 0 || above < 0)
        return read_place(loader,
                          bg_dcm_stack_place(stack, loader->frame, below < 0 ? above : below), out,
                          error);
    bg_auto_buffer guint8 *other = bg_buffer_alloc(loader->source_bytes, error);
    if (other == NULL ||
        !read_place(loader, bg_dcm_stack_place(stack, loader->frame, below), out, error) ||
        !read_place(loader, bg_dcm_stack_place(stack, loader->frame, above), other, error))
        return FALSE;
    double z0 = g_array_index(stack->position_mm, double, below);
    double z1 = g_array_index(stack->position_mm, double, above);
    double z = g_array_index(stack->position_mm, double, s);
    mix(loader, out, other, (z - z0) / (z1 - z0), out, loader->source_bytes);
    return TRUE;
}

// Moves a slice within its plane: bilinear, which is linear where only one axis moves.
#define DEFINE_MOVE(TYPE, name, ctype)                                                         \
    static void move_##name(const guint8 *in, const int size[2], const double origin[2],       \
                            double fill, guint8 *out, const int target[2])                     \
    {                                                                                          \
        const ctype *source = (gconstpointer) in;                                              \
        ctype *o = (gpointer) out;                                                             \
        for (int j = 0; j < target[1]; j++) {                                                  \
            double y = j + origin[1];                                                          \
            gboolean inside = y > -1e-6 && y < size[1] - 1 + 1e-6;                             \
            int y0 = inside ? CLAMP((int) floor(y), 0, MAX(size[1] - 2, 0)) : 0;               \
            int y1 = MIN(y0 + 1, size[1] - 1);                                                 \
            double v = CLAMP(y - y0, 0.0, 1.0);                                                \
            for (int i = 0; i < target[0]; i++) {                                              \
                double x = i + origin[0], value = fill;                                        \
                if (inside && x > -1e-6 && x < size[0] - 1 + 1e-6) {                           \
                    int x0 = CLAMP((int) floor(x), 0, MAX(size[0] - 2, 0));                    \
                    int x1 = MIN(x0 + 1, size[0] - 1);                                         \
                    double u = CLAMP(x - x0, 0.0, 1.0);                                        \
                    const ctype *r0 = source + (gsize) y0 * (gsize) size[0];                   \
                    const ctype *r1 = source + (gsize) y1 * (gsize) size[0];                   \
                    value = (1.0 - v) * ((1.0 - u) * (double) r0[x0] + u * (double) r0[x1]) +  \
                            v * ((1.0 - u) * (double) r1[x0] + u * (double) r1[x1]);           \
                }                                                                              \
                *o++ = TYPE == BG_SAMPLE_FLOAT32 ? (ctype) value : (ctype) floor(value + 0.5); \
            }                                                                                  \
        }                                                                                      \
    }
BG_FOR_SAMPLE_TYPES(DEFINE_MOVE)

static void
move_slice(const Loader *loader, int s, const guint8 *in, guint8 *out)
{
    const BgDcmStack *stack = loader->stack;
    const double *offset = (const double *) (gconstpointer) stack->offset->data + 2 * (gsize) s;
    const BgDcmImage *image = any_image(stack);
    int size[2] = { image->pixels.columns, image->pixels.rows };
    int target[2] = { stack->geometry.dims[0], stack->geometry.dims[1] };
    double origin[2] = { stack->column_shift - offset[0], stack->row_shift - offset[1] };

#define CASE(TYPE, name, ctype)                                   \
    case TYPE:                                                    \
        move_##name(in, size, origin, loader->fill, out, target); \
        break;
    switch (loader->format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
}

// The slice at position @s as it lies in the volume's grid, to @out (target_bytes).
static gboolean
read_laid(Loader *loader, int s, guint8 *out, GError **error)
{
    if (!loader->stack->resample_within)
        return read_slice(loader, s, out, error);
    bg_auto_buffer guint8 *source = bg_buffer_alloc(loader->source_bytes, error);
    if (source == NULL || !read_slice(loader, s, source, error))
        return FALSE;
    move_slice(loader, s, source, out);
    return TRUE;
}

static void
count_one(Loader *loader)
{
    int n = g_atomic_int_add(&loader->n_done, 1) + 1;

    bg_progress_report(loader->progress, (double) n / loader->geometry.dims[2]);
}

static gboolean
should_stop(Loader *loader)
{
    return g_cancellable_is_cancelled(loader->cancellable) ||
           g_atomic_pointer_get(&loader->error) != NULL;
}

// Which slice of the whole grid becomes slice @k.
static int
slice_of(const Loader *loader, gsize k)
{
    return loader->part != NULL ? loader->part->first[2] + (int) k * loader->part->step[2]
                                : (int) k;
}

// Where slice @k of the whole grid is put together: in its place, or in @scratch for a part of it.
static guint8 *
place_of(const Loader *loader, gsize k, guint8 *scratch)
{
    return loader->part != NULL ? scratch : loader->samples + k * loader->part_bytes;
}

static void
pick_part(const Loader *loader, gsize k, const guint8 *scratch)
{
    if (loader->part != NULL)
        bg_load_part_pick(loader->part, loader->stack->geometry.dims, scratch,
                          bg_sample_type_size(loader->format.type),
                          loader->samples + k * loader->part_bytes);
}

static void
load_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    Loader *loader = user_data;
    GError *error = NULL;
    bg_auto_buffer guint8 *scratch =
        loader->part != NULL ? bg_buffer_alloc(loader->target_bytes, &error) : NULL;

    if (error != NULL) {
        note_error(loader, (int) first, error);
        return;
    }
    for (gsize k = first; k < last && !should_stop(loader); k++) {
        if (read_laid(loader, slice_of(loader, k), place_of(loader, k, scratch), &error))
            pick_part(loader, k, scratch);
        else
            note_error(loader, (int) k, g_steal_pointer(&error));
        count_one(loader);
    }
}

// Two slices of the stack that a thread has at hand.
typedef struct {
    int position[2];
    guint8 *samples[2];
} Pair;

static const guint8 *
pair_get(Loader *loader, Pair *pair, int s, int keep, GError **error)
{
    for (int i = 0; i < 2; i++) {
        if (pair->position[i] == s)
            return pair->samples[i];
    }
    int slot = pair->position[0] == keep ? 1 : 0;
    pair->position[slot] = -1;
    if (!read_laid(loader, s, pair->samples[slot], error))
        return NULL;
    pair->position[slot] = s;
    return pair->samples[slot];
}

static gboolean
make_between(Loader *loader, Pair *pair, int k, guint8 *out, GError **error)
{
    const BgDcmStack *stack = loader->stack;
    int last = stack->n_positions - 1;
    double step = g_array_index(stack->position_mm, double, last) / (loader->n_target - 1);
    double z = step * k;
    int s = 0;

    while (s + 1 < last && g_array_index(stack->position_mm, double, s + 1) <= z)
        s++;
    double z0 = g_array_index(stack->position_mm, double, s);
    double z1 = g_array_index(stack->position_mm, double, s + 1);
    double t = CLAMP((z - z0) / (z1 - z0), 0.0, 1.0);
    if (t < NEAR_A_SLICE || t > 1.0 - NEAR_A_SLICE) {
        const guint8 *one = pair_get(loader, pair, t < 0.5 ? s : s + 1, -2, error);
        if (one != NULL)
            memcpy(out, one, loader->target_bytes);
        return one != NULL;
    }
    const guint8 *a = pair_get(loader, pair, s, s + 1, error);
    const guint8 *b = a != NULL ? pair_get(loader, pair, s + 1, s, error) : NULL;
    if (b == NULL)
        return FALSE;
    mix(loader, a, b, t, out, loader->target_bytes);
    return TRUE;
}

static void
load_range_between(gsize first, gsize last, guint worker, gpointer user_data)
{
    Loader *loader = user_data;
    GError *error = NULL;
    bg_auto_buffer guint8 *scratch = bg_buffer_alloc(3 * loader->target_bytes, &error);
    Pair pair = { { -1, -1 },
                  { scratch, scratch != NULL ? scratch + loader->target_bytes : NULL } };

    if (scratch == NULL) {
        note_error(loader, (int) first, error);
        return;
    }
    for (gsize k = first; k < last && !should_stop(loader); k++) {
        guint8 *third = scratch + 2 * loader->target_bytes;
        if (make_between(loader, &pair, slice_of(loader, k), place_of(loader, k, third), &error))
            pick_part(loader, k, third);
        else
            note_error(loader, (int) k, g_steal_pointer(&error));
        count_one(loader);
    }
}

// A mosaic holds all slices of its frame: it is decoded once.
static gboolean
load_mosaic(Loader *loader, GError **error)
{
    const BgDcmStack *stack = loader->stack;
    const BgDcmPlace *place = bg_dcm_stack_place(stack, loader->frame, 0);
    const BgDcmFrame *frame;
    const BgDcmImage *image = bg_dcm_stack_image(stack, place, &frame);
    gboolean is_rgb;

    if (image == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("frame %d has no slices"),
                    loader->frame + 1);
        return FALSE;
    }
    g_autoptr(BgDcmReader) reader = bg_dcm_reader_new(image, error);
    if (reader == NULL)
        return FALSE;
    bg_auto_buffer guint8 *raw = bg_buffer_alloc(bg_dcm_frame_bytes(&image->pixels), error);
    if (raw == NULL || !bg_dcm_read_frame(reader, 0, raw, &is_rgb, error))
        return FALSE;
    gsize size = bg_sample_type_size(loader->format.type);
    bg_auto_buffer guint8 *converted = NULL;
    if (!loader->direct) {
        gsize n = (gsize) image->pixels.rows * (gsize) image->pixels.columns;
        converted = bg_buffer_alloc_items(n, size, error);
        if (converted == NULL ||
            !convert(loader, reader, image, frame, is_rgb, raw, converted, error))
            return FALSE;
    }
    const guint8 *tiles = converted != NULL ? converted : raw;
    gsize row_bytes = (gsize) stack->geometry.dims[0] * size;
    gsize pitch = (gsize) image->pixels.columns * size;
    int rows = stack->geometry.dims[1];
    for (int s = 0; s < stack->n_positions; s++) {
        place = bg_dcm_stack_place(stack, loader->frame, s);
        if (bg_dcm_stack_image(stack, place, &frame) != image) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the mosaics of frame %d do not fit together"), loader->frame + 1);
            return FALSE;
        }
        const guint8 *tile = tiles + (gsize) (frame->tile / image->mosaic) * (gsize) rows * pitch +
                             (gsize) (frame->tile % image->mosaic) * row_bytes;
        for (int j = 0; j < rows; j++)
            memcpy(loader->samples + (gsize) s * loader->target_bytes + (gsize) j * row_bytes,
                   tile + (gsize) j * pitch, row_bytes);
    }
    return TRUE;
}

static gboolean
prepare(Loader *loader, const BgDcmImage *image, GError **error)
{
    const BgDcmPixels *p = &image->pixels;
    const BgDcmStack *stack = loader->stack;
    gsize size = bg_sample_type_size(loader->format.type);
    double low, high;

    loader->source_bytes = (gsize) p->columns * (gsize) p->rows * size;
    loader->target_bytes = (gsize) stack->geometry.dims[0] * (gsize) stack->geometry.dims[1] * size;
    loader->direct = !loader->as_values && !bg_dcm_is_colour(p) && !image->has_modality_lut;
    if (image->has_modality_lut && !bg_dcm_is_colour(p)) {
        g_autoptr(BgDcmData) data = bg_dcm_data_open(image->path, error);
        if (data == NULL || !bg_dcm_lut_read(&loader->modality, bg_dcm_root(data),
                                             TAG(0x0028, 0x3000), p->is_signed, error))
            return FALSE;
    }
    low = loader->format.type == BG_SAMPLE_INT16     ? -32768.0
          : loader->format.type == BG_SAMPLE_INT8    ? -128.0
          : loader->format.type == BG_SAMPLE_FLOAT32 ? -1e30
                                                     : 0.0;
    high = loader->format.type == BG_SAMPLE_FLOAT32 ? 1e30 : 127.0;
    double air = strcmp(image->modality, "CT") == 0 ? AIR_HU : 0.0;
    loader->fill = CLAMP(round((air - loader->format.intercept) / loader->format.slope), low, high);
    return TRUE;
}

static gboolean
run(Loader *loader, const BgDcmImage *image, GError **error)
{
    const BgDcmStack *stack = loader->stack;
    guint n_threads = bg_parallel_count_threads();
    gsize n = (gsize) loader->geometry.dims[2];

    if (image->mosaic > 0)
        return load_mosaic(loader, error);
    if (stack->resample_along)
        bg_parallel_for(n, MAX(n / (4 * n_threads), 4), load_range_between, loader,
                        loader->cancellable);
    else
        bg_parallel_for(n, 1, load_range, loader, loader->cancellable);
    if (g_cancellable_set_error_if_cancelled(loader->cancellable, error))
        return FALSE;
    if (loader->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&loader->error));
        return FALSE;
    }
    return TRUE;
}

BgVolume *
bg_dcm_load_volume(const BgDcmStack *stack, const BgLoadParams *params, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    const BgDcmImage *image = any_image(stack);
    Loader loader = { .stack = stack,
                      .frame = params->frame,
                      .component = params->component,
                      .n_target = stack->geometry.dims[2],
                      .progress = progress,
                      .cancellable = cancellable };
    BgVolume *volume = NULL;

    if (!bg_geometry_check(&stack->geometry, error) ||
        !bg_load_part_check(&params->part, stack->geometry.dims, error))
        return NULL;
    // A mosaic is small and decoded at once: whoever asked takes the part of it.
    if (image->mosaic == 0 && !bg_load_part_is_whole(&params->part, stack->geometry.dims))
        loader.part = &params->part;
    loader.geometry = loader.part != NULL ? bg_load_part_geometry(loader.part, &stack->geometry)
                                          : stack->geometry;
    loader.format = bg_dcm_sample_format(stack, &loader.as_values);
    g_mutex_init(&loader.lock);
    loader.readers = g_new0(BgDcmReader *, stack->images->len);
    if (prepare(&loader, image, error))
        loader.samples =
            bg_voxels_alloc(&loader.geometry, bg_sample_type_size(loader.format.type), error);
    loader.part_bytes = (gsize) loader.geometry.dims[0] * (gsize) loader.geometry.dims[1] *
                        bg_sample_type_size(loader.format.type);
    if (loader.samples != NULL && run(&loader, image, error))
        volume = bg_volume_new_take(&loader.geometry, loader.format,
                                    g_steal_pointer(&loader.samples), error);
    if (loader.samples != NULL)
        bg_voxels_free(loader.samples);
    g_clear_error(&loader.error);
    for (guint i = 0; i < stack->images->len; i++)
        bg_dcm_reader_free(loader.readers[i]);
    g_free(loader.readers);
    bg_dcm_lut_clear(&loader.modality);
    g_mutex_clear(&loader.lock);
    return volume;
}
