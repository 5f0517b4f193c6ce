// SPDX-License-Identifier: Apache-2.0
// From the bytes of a file to the voxels of a volume or a label map: what all formats share.
#pragma once

#include "bg-io-private.h"
#include "bg-io-source.h"

G_BEGIN_DECLS

typedef enum {
    BG_RAW_UINT8,
    BG_RAW_INT8,
    BG_RAW_INT16,
    BG_RAW_UINT16,
    BG_RAW_INT32,
    BG_RAW_UINT32,
    BG_RAW_INT64,
    BG_RAW_UINT64,
    BG_RAW_FLOAT32,
    BG_RAW_FLOAT64,
} BgRawType;

#define BG_FOR_RAW_TYPES(X)           \
    X(BG_RAW_UINT8, uint8, guint8)    \
    X(BG_RAW_INT8, int8, gint8)       \
    X(BG_RAW_INT16, int16, gint16)    \
    X(BG_RAW_UINT16, uint16, guint16) \
    X(BG_RAW_INT32, int32, gint32)    \
    X(BG_RAW_UINT32, uint32, guint32) \
    X(BG_RAW_INT64, int64, gint64)    \
    X(BG_RAW_UINT64, uint64, guint64) \
    X(BG_RAW_FLOAT32, float32, float) \
    X(BG_RAW_FLOAT64, float64, double)

gsize bg_raw_type_size(BgRawType type);

/** bg_raw_type_name: numpy's */
const char *bg_raw_type_name(BgRawType type);

/**
 * BgRawMeaning: what several values in a voxel are, and so what component -1 shows
 * @BG_RAW_COMPLEX: two: the magnitude
 * @BG_RAW_COLOUR: red, green, blue (and alpha, left out): the luminance, Rec. 709
 * @BG_RAW_VECTOR: any number: the length
 */
typedef enum {
    BG_RAW_SCALAR,
    BG_RAW_COMPLEX,
    BG_RAW_COLOUR,
    BG_RAW_VECTOR,
} BgRawMeaning;

/**
 * BgRawLayout:
 * @n_components: values in a voxel, next to each other; 1 for scalars
 * @planar: instead, all voxels of one component, then all of the next, within a frame
 * @slope, @intercept: value = slope * stored + intercept; slope 1, intercept 0 for none
 * @first_byte: where in the source the first frame begins
 * @rest_allowed: the format has something behind the voxels, so that a rest is no reason to warn
 *
 * How the values of a frame lie in the file: x fastest.
 */
typedef struct {
    BgRawType type;
    gboolean big_endian;
    int n_components;
    BgRawMeaning meaning;
    gboolean planar;
    double slope, intercept;
    guint64 first_byte;
    gboolean rest_allowed;
} BgRawLayout;

/**
 * bg_raw_load:
 * @source: at its beginning
 * @info: (transfer full): geometry, n_frames and kind are used; freed on failure
 *
 * Loads one frame as volume or labels, as @params and @info want it; what the values tell (CT,
 * labels that are none, precision lost) goes into the info.
 *
 * Returns: (transfer full): or %NULL with the errors of bg_io_load()
 */
BgLoaded *bg_raw_load(BgSource *source, const BgRawLayout *layout, BgFileInfo *info,
                      const BgLoadParams *params, const BgProgress *progress, GError **error);

/**
 * bg_raw_load_frame:
 * @source: of the frame that @params ask for, and nothing else
 *
 * As bg_raw_load(), for formats that find their frames themselves. Whether there is such a frame has
 * been checked by bg_raw_check_frame().
 */
BgLoaded *bg_raw_load_frame(BgSource *source, const BgRawLayout *layout, BgFileInfo *info,
                            const BgLoadParams *params, const BgProgress *progress, GError **error);

/** bg_raw_check_frame: %FALSE with %BG_ERROR_INVALID */
gboolean bg_raw_check_frame(const BgFileInfo *info, const BgLoadParams *params, GError **error);

/**
 * bg_raw_looks_like_labels: whether regions are of one value, as drawn ones are: at most 2048
 * different numbers, and three in four voxels equal to the next one
 */
gboolean bg_raw_looks_like_labels(const BgLabelMap *labels);

/** bg_raw_swap: turns the bytes of @n values of @size 2, 4 or 8 round, in place, on all threads */
void bg_raw_swap(gpointer data, gsize n, gsize size);

G_END_DECLS
