// SPDX-License-Identifier: Apache-2.0
// Segmentations (PS3.3 A.51): frames of one segment and one plane each, in any order and with empty
// ones left out, to one label map.
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/volume/bg-resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define MAX_SLICES 65535
#define SAME_PLANE_MM 0.01

typedef enum { SEG_BINARY, SEG_FRACTIONAL, SEG_LABELMAP } SegType;

typedef struct {
    const BgDcmImage *image;
    BgDcmData *data;
    SegType type;
    double full;  // of FRACTIONAL: what means wholly inside
    int *segment; // of each frame
    int *slice;   // of each frame, in the map
    guint32 highest;
    BgGeometry geometry;
    guint64 n_overlaps;
} Seg;

static void
seg_clear(Seg *seg)
{
    g_clear_pointer(&seg->data, bg_dcm_data_free);
    g_clear_pointer(&seg->segment, g_free);
    g_clear_pointer(&seg->slice, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seg, seg_clear)

static gboolean
damaged(const BgDcmImage *image, GError **error, const char *what)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("%s: the segmentation cannot be read: %s"),
                image->path, what);
    return FALSE;
}

// The segment of each frame: in its own functional groups, or in the shared ones.
static gboolean
read_segments(Seg *seg, GError **error)
{
    BgDcmSet root = bg_dcm_root(seg->data), shared, group, frame;
    BgDcmItems items = bg_dcm_items(root, TAG(0x5200, 0x9230));
    guint32 n = seg->image->pixels.n_frames;
    int common = 0;

    seg->segment = g_new0(int, n);
    if (seg->type == SEG_LABELMAP)
        return TRUE;
    if (bg_dcm_item(root, TAG(0x5200, 0x9229), 0, &shared) &&
        bg_dcm_item(shared, TAG(0x0062, 0x000a), 0, &group))
        common = bg_dcm_int(group, TAG(0x0062, 0x000b), VR('U', 'S'), 0);
    for (guint32 f = 0; f < n; f++) {
        int segment = common;
        if (bg_dcm_items_next(&items, &frame) && bg_dcm_item(frame, TAG(0x0062, 0x000a), 0, &group))
            segment = bg_dcm_int(group, TAG(0x0062, 0x000b), VR('U', 'S'), common);
        if (segment < 1 || segment > 65535)
            return damaged(seg->image, error, _("a frame does not say which segment it is of"));
        seg->segment[f] = segment;
        seg->highest = MAX(seg->highest, (guint32) segment);
    }
    return TRUE;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

// The smallest distance of two planes that are not the same.
static double
smallest_step(const double *sorted, guint n)
{
    double step = HUGE_VAL;

    for (guint i = 1; i < n; i++) {
        if (sorted[i] - sorted[i - 1] > SAME_PLANE_MM)
            step = MIN(step, sorted[i] - sorted[i - 1]);
    }
    return step;
}

static gboolean
lay_out(Seg *seg, GError **error)
{
    const BgDcmImage *image = seg->image;
    const BgDcmFrame *first = &g_array_index(image->frames, BgDcmFrame, 0);
    guint n = image->frames->len;
    g_autofree double *z = g_new(double, n);
    g_autofree double *sorted = g_new(double, n);

    if (!first->has_place || first->spacing_mm[0] <= 0.0)
        return damaged(image, error, _("its frames have no place in the patient"));
    BgVec3 normal = bg_dcm_frame_normal(first);
    for (guint f = 0; f < n; f++) {
        const BgDcmFrame *frame = &g_array_index(image->frames, BgDcmFrame, f);
        if (!frame->has_place || bg_vec3_dot(bg_dcm_frame_normal(frame), normal) < 0.999)
            return damaged(image, error, _("its frames are not parallel"));
        z[f] = sorted[f] = bg_vec3_dot(frame->position, normal);
    }
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    double step = smallest_step(sorted, n);
    if (!isfinite(step))
        step = first->step_mm > 0.0 ? first->step_mm : 1.0;
    double total = sorted[n - 1] - sorted[0];
    // The file's own distance counts where the planes agree with it: empty frames may be left out.
    if (first->step_mm > 0.0 && first->step_mm < step * 0.99 &&
        fabs(step / first->step_mm - round(step / first->step_mm)) < 0.02)
        step = first->step_mm;
    if (total / step + 1.0 > MAX_SLICES)
        return damaged(image, error, _("its frames lie too far apart"));
    int n_slices = (int) lround(total / step) + 1;
    seg->slice = g_new(int, n);
    for (guint f = 0; f < n; f++)
        seg->slice[f] = CLAMP((int) lround((z[f] - sorted[0]) / step), 0, n_slices - 1);
    int dims[3] = { image->pixels.columns, image->pixels.rows, n_slices };
    memcpy(seg->geometry.dims, dims, sizeof dims);
    BgVec3 origin = bg_vec3_along(first->position, sorted[0] - z[0], normal);
    seg->geometry.patient_from_voxel = bg_affine_from_columns(
        bg_vec3_scale(first->row, first->spacing_mm[0]),
        bg_vec3_scale(first->column, first->spacing_mm[1]), bg_vec3_scale(normal, step), origin);
    return bg_geometry_check(&seg->geometry, error);
}

static void
name_segments(const Seg *seg, BgFileInfo *info)
{
    BgDcmItems items = bg_dcm_items(bg_dcm_root(seg->data), TAG(0x0062, 0x0002));
    BgDcmSet item;
    g_autoptr(GString) names = g_string_new(NULL);

    while (bg_dcm_items_next(&items, &item) && names->len < 4000) {
        g_autofree char *label = bg_dcm_text(item, TAG(0x0062, 0x0005));
        int number = bg_dcm_int(item, TAG(0x0062, 0x0004), VR('U', 'S'), 0);
        g_string_append_printf(names, "%s%d %s", names->len > 0 ? ", " : "", number, label);
    }
    if (names->len > 0) {
        g_free(info->description);
        info->description = g_strdup(names->str);
    }
}

// Files that we wrote say which label a segment was.
static void
restore_labels(Seg *seg)
{
    BgDcmItems items = bg_dcm_items(bg_dcm_root(seg->data), TAG(0x0062, 0x0002));
    g_autoptr(GHashTable) labels = g_hash_table_new(NULL, NULL);
    BgDcmSet item;

    while (bg_dcm_items_next(&items, &item)) {
        int number = bg_dcm_int(item, TAG(0x0062, 0x0004), VR('U', 'S'), 0);
        double label = bg_dcm_number(item, TAG(0x0029, 0x1002), VR('U', 'L'), 0.0);
        if (number >= 1 && label >= 1.0 && label <= 65535.0 &&
            bg_dcm_has_word(item, TAG(0x0029, 0x0010), "BREGMA"))
            g_hash_table_insert(labels, GINT_TO_POINTER(number), GINT_TO_POINTER((int) label));
    }
    for (guint32 f = 0; f < seg->image->pixels.n_frames; f++) {
        int label = GPOINTER_TO_INT(g_hash_table_lookup(labels, GINT_TO_POINTER(seg->segment[f])));
        if (label > 0)
            seg->segment[f] = label;
    }
}

// A frame's pixels into its slice.
static void
draw_frame(Seg *seg, guint32 f, const guint8 *pixels, guint16 *slice)
{
    const BgDcmPixels *p = &seg->image->pixels;
    gsize n = (gsize) p->rows * (gsize) p->columns;
    guint16 segment = (guint16) seg->segment[f];

    for (gsize i = 0; i < n; i++) {
        double value = bg_dcm_sample(p, pixels, i);
        if (seg->type == SEG_LABELMAP) {
            if (value >= 1.0)
                slice[i] = (guint16) MIN(value, 65535.0);
            continue;
        }
        if (seg->type == SEG_FRACTIONAL ? value * 2.0 < seg->full : value < 0.5)
            continue;
        seg->n_overlaps += slice[i] != 0 && slice[i] != segment;
        slice[i] = segment;
    }
}

static guint16 *
draw_all(Seg *seg, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    gsize slice_size = (gsize) seg->geometry.dims[0] * (gsize) seg->geometry.dims[1];
    guint32 n = seg->image->pixels.n_frames;
    g_autoptr(BgDcmReader) reader = bg_dcm_reader_new(seg->image, error);
    bg_auto_buffer guint8 *pixels =
        reader != NULL ? bg_buffer_alloc(bg_dcm_frame_bytes(&seg->image->pixels), error) : NULL;
    guint16 *labels =
        pixels != NULL ? bg_voxels_alloc(&seg->geometry, sizeof(guint16), error) : NULL;
    gboolean is_rgb, ok = labels != NULL;

    if (ok)
        memset(labels, 0, bg_geometry_count_voxels(&seg->geometry) * sizeof(guint16));
    for (guint32 f = 0; ok && f < n; f++) {
        ok = bg_dcm_read_frame(reader, f, pixels, &is_rgb, error) &&
             !g_cancellable_set_error_if_cancelled(cancellable, error);
        if (ok)
            draw_frame(seg, f, pixels, labels + slice_size * (gsize) seg->slice[f]);
        bg_progress_report(progress, (f + 1.0) / n);
    }
    if (!ok && labels != NULL) {
        bg_voxels_free(labels);
        labels = NULL;
    }
    return labels;
}

static BgLabelMap *
load_map(Seg *seg, BgFileInfo *info, const BgProgress *progress, GCancellable *cancellable,
         GError **error)
{
    BgDcmSet root;
    char type[17];

    seg->data = bg_dcm_data_open(seg->image->path, error);
    if (seg->data == NULL)
        return NULL;
    root = bg_dcm_root(seg->data);
    bg_dcm_copy_string(root, TAG(0x0062, 0x0001), type, sizeof type);
    seg->type = strcmp(type, "FRACTIONAL") == 0 ? SEG_FRACTIONAL
                : strcmp(type, "LABELMAP") == 0 ? SEG_LABELMAP
                                                : SEG_BINARY;
    seg->full = bg_dcm_number(root, TAG(0x0062, 0x000e), VR('U', 'S'), 255.0);
    if (seg->image->pixels.n_samples != 1 || seg->image->pixels.bits_allocated > 16) {
        damaged(seg->image, error, _("its pixels are of another kind"));
        return NULL;
    }
    if (!read_segments(seg, error) || !lay_out(seg, error))
        return NULL;
    name_segments(seg, info);
    restore_labels(seg);
    guint16 *labels = draw_all(seg, progress, cancellable, error);
    if (labels == NULL)
        return NULL;
    if (seg->n_overlaps > 0)
        bg_file_info_warn(info,
                          _("Segments overlap in %" G_GUINT64_FORMAT " voxels: there the later one "
                            "is shown."),
                          seg->n_overlaps);
    if (seg->type == SEG_FRACTIONAL)
        bg_file_info_warn(info, _("The segments are fractional: half and more counts as inside."));
    return bg_label_map_new_take(&seg->geometry, BG_LABEL_UINT16, labels, error);
}

static BgLabelMap *
lay_onto(BgLabelMap *labels, const BgGeometry *geometry, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    if (geometry == NULL || bg_geometry_equal(geometry, bg_label_map_get_geometry(labels), 1e-3))
        return bg_label_map_ref(labels);
    BgResampleParams params = bg_resample_params(geometry);
    return bg_resample_labels(labels, &params, progress, cancellable, error);
}

BgLoaded *
bg_dcm_load_seg(const BgDcmImage *image, const BgGeometry *geometry, BgFileInfo *info,
                const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_auto(Seg) seg = { .image = image };
    g_autoptr(BgFileInfo) owned = info;
    g_autoptr(BgLabelMap) labels = load_map(&seg, info, progress, cancellable, error);

    if (labels == NULL)
        return NULL;
    BgLabelMap *laid = lay_onto(labels, geometry, progress, cancellable, error);
    if (laid == NULL)
        return NULL;
    BgLoaded *loaded = g_new0(BgLoaded, 1);
    loaded->labels = laid;
    loaded->info = g_steal_pointer(&owned);
    info->geometry = *bg_label_map_get_geometry(laid);
    memcpy(info->dims, info->geometry.dims, sizeof info->dims);
    info->has_geometry = TRUE;
    info->side_known = TRUE;
    info->kind = BG_KIND_LABELS;
    info->n_frames = 1;
    return loaded;
}
