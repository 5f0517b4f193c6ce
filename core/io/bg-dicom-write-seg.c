// SPDX-License-Identifier: Apache-2.0
// Label maps as segmentations (PS3.3 A.51, C.8.20): one bit a pixel, frames without padding between.
#include "bg-dicom-encode.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DICOM_TAG
#define SOP_SEG "1.2.840.10008.5.1.4.1.1.66.4"
#define MAX_SHEAR_DEG 0.05
#define MAX_SEGMENTS 65535
#define SAME_SLICE 0.02 // of the distance of slices

typedef struct {
    guint segment; // from 1
    int k;
} SegFrame;

typedef struct {
    BgLabelMap *labels;
    BgLabelTable *table;
    GArray *counts;     // BgLabelCount
    GArray *frames;     // SegFrame
    GHashTable *number; // label -> segment
    GStrv sources; // owned, nullable: the SOP instance of each slice of the labels, "" for none
} SegWriter;

// Frames in the order of segments and slices: those where a label occurs.
static void
find_frames(SegWriter *w)
{
    const BgGeometry *g = bg_label_map_get_geometry(w->labels);
    guint n = w->counts->len;
    g_autofree guint8 *occurs = g_new0(guint8, (gsize) n * (gsize) g->dims[2]);
    g_autofree guint32 *row = g_new(guint32, g->dims[0]);

    for (int k = 0; k < g->dims[2]; k++) {
        for (int j = 0; j < g->dims[1]; j++) {
            guint32 last = 0;
            bg_label_map_read_row(w->labels, j, k, row);
            for (int i = 0; i < g->dims[0]; i++) {
                if (row[i] == last || row[i] == 0)
                    continue;
                last = row[i];
                guint segment =
                    GPOINTER_TO_UINT(g_hash_table_lookup(w->number, GUINT_TO_POINTER(last)));
                occurs[(gsize) (segment - 1) * (gsize) g->dims[2] + (gsize) k] = 1;
            }
        }
    }
    for (guint s = 0; s < n; s++) {
        for (int k = 0; k < g->dims[2]; k++) {
            SegFrame frame = { s + 1, k };
            if (occurs[(gsize) s * (gsize) g->dims[2] + (gsize) k])
                g_array_append_val(w->frames, frame);
        }
    }
}

// PS3.3 C.10.7.1.1: CIE L*a*b* (D50 by the standard's sRGB profile), scaled to 16 bits.
static void
put_colour(BgDcmEncoder *e, const float rgb[3])
{
    double linear[3], xyz[3], f[3];

    for (int c = 0; c < 3; c++) {
        double v = (double) rgb[c];
        linear[c] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    // sRGB to XYZ, adapted to D50 (Bradford).
    xyz[0] = (0.4360747 * linear[0] + 0.3850649 * linear[1] + 0.1430804 * linear[2]) / 0.96422;
    xyz[1] = 0.2225045 * linear[0] + 0.7168786 * linear[1] + 0.0606169 * linear[2];
    xyz[2] = (0.0139322 * linear[0] + 0.0971045 * linear[1] + 0.7141733 * linear[2]) / 0.82521;
    for (int c = 0; c < 3; c++)
        f[c] = xyz[c] > 216.0 / 24389.0 ? cbrt(xyz[c]) : (24389.0 / 27.0 * xyz[c] + 16.0) / 116.0;
    double lab[3] = { 116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2]) };
    guint16 stored[3] = { (guint16) CLAMP(lround(lab[0] / 100.0 * 65535.0), 0, 65535),
                          (guint16) CLAMP(lround((lab[1] + 128.0) / 255.0 * 65535.0), 0, 65535),
                          (guint16) CLAMP(lround((lab[2] + 128.0) / 255.0 * 65535.0), 0, 65535) };
    guint8 bytes[6];
    for (int c = 0; c < 3; c++) {
        bytes[2 * c] = (guint8) stored[c];
        bytes[2 * c + 1] = (guint8) (stored[c] >> 8);
    }
    bg_dcm_put_bytes(e, TAG(0x0062, 0x000d), "US", bytes, 6);
}

static void
put_segments(BgDcmEncoder *e, const SegWriter *w)
{
    bg_dcm_begin_sequence(e, TAG(0x0062, 0x0002));
    for (guint s = 0; s < w->counts->len; s++) {
        guint32 label = g_array_index(w->counts, BgLabelCount, s).label;
        const BgLabelEntry *entry = w->table != NULL ? bg_label_table_find(w->table, label) : NULL;
        g_autofree char *name = entry != NULL && entry->name[0] != '\0'
                                    ? g_strdup(entry->name)
                                    : g_strdup_printf("label %u", label);
        bg_dcm_begin_item(e);
        bg_dcm_put_text(e, TAG(0x0029, 0x0010), "LO", "BREGMA");
        bg_dcm_put_ul(e, TAG(0x0029, 0x1002), label);
        bg_dcm_put_code(e, TAG(0x0062, 0x0003), "123037004", "SCT", "Anatomical Structure");
        bg_dcm_put_us(e, TAG(0x0062, 0x0004), (int) s + 1);
        bg_dcm_put_text(e, TAG(0x0062, 0x0005), "LO", name);
        bg_dcm_put_text(e, TAG(0x0062, 0x0008), "CS", "SEMIAUTOMATIC");
        bg_dcm_put_text(e, TAG(0x0062, 0x0009), "LO", "bregma");
        if (entry != NULL)
            put_colour(e, entry->rgb);
        bg_dcm_put_code(e, TAG(0x0062, 0x000f), "85756007", "SCT", "Tissue");
        bg_dcm_end_item(e);
    }
    bg_dcm_end_sequence(e);
}

static void
put_dimensions(BgDcmEncoder *e)
{
    g_autofree char *uid = bg_dcm_make_uid(e);
    static const guint8 pointers[2][2][4] = {
        { { 0x62, 0x00, 0x0b, 0x00 }, { 0x62, 0x00, 0x0a, 0x00 } }, // segment number
        { { 0x20, 0x00, 0x32, 0x00 }, { 0x20, 0x00, 0x13, 0x91 } }, // position
    };

    bg_dcm_begin_sequence(e, TAG(0x0020, 0x9221));
    bg_dcm_begin_item(e);
    bg_dcm_put_text(e, TAG(0x0020, 0x9164), "UI", uid);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
    bg_dcm_begin_sequence(e, TAG(0x0020, 0x9222));
    for (int d = 0; d < 2; d++) {
        bg_dcm_begin_item(e);
        bg_dcm_put_text(e, TAG(0x0020, 0x9164), "UI", uid);
        bg_dcm_put_bytes(e, TAG(0x0020, 0x9165), "AT", pointers[d][0], 4);
        bg_dcm_put_bytes(e, TAG(0x0020, 0x9167), "AT", pointers[d][1], 4);
        bg_dcm_end_item(e);
    }
    bg_dcm_end_sequence(e);
}

static void
put_shared(BgDcmEncoder *e, const BgGeometry *g)
{
    BgVec3 spacing = bg_geometry_spacing_mm(g);
    BgVec3 row = bg_geometry_direction(g, 0), column = bg_geometry_direction(g, 1);
    double orientation[6] = { row.x, row.y, row.z, column.x, column.y, column.z };
    double rows_first[2] = { spacing.y, spacing.x };

    bg_dcm_begin_sequence(e, TAG(0x5200, 0x9229));
    bg_dcm_begin_item(e);
    bg_dcm_begin_sequence(e, TAG(0x0020, 0x9116));
    bg_dcm_begin_item(e);
    bg_dcm_put_ds(e, TAG(0x0020, 0x0037), orientation, 6);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
    bg_dcm_begin_sequence(e, TAG(0x0028, 0x9110));
    bg_dcm_begin_item(e);
    bg_dcm_put_ds(e, TAG(0x0018, 0x0050), &spacing.z, 1);
    bg_dcm_put_ds(e, TAG(0x0018, 0x0088), &spacing.z, 1);
    bg_dcm_put_ds(e, TAG(0x0028, 0x0030), rows_first, 2);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
}

// Which slice of the series a slice of the labels lies in, all of it; -1 for none.
static int
find_source(const BgGeometry *labels, const BgGeometry *series, int k)
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(series);
    const double corners[3][2] = { { 0.0, 0.0 },
                                   { labels->dims[0] - 1.0, 0.0 },
                                   { 0.0, labels->dims[1] - 1.0 } };
    int found = -1;

    for (int c = 0; c < 3; c++) {
        BgVec3 p =
            bg_affine_apply(&labels->patient_from_voxel, bg_vec3(corners[c][0], corners[c][1], k));
        double z = bg_affine_apply(&voxel_from_patient, p).z;
        if (fabs(z - rint(z)) > SAME_SLICE || z < -0.5 || z > series->dims[2] - 0.5 ||
            (c > 0 && (int) rint(z) != found))
            return -1;
        found = (int) rint(z);
    }
    return found;
}

static void
find_sources(SegWriter *w, const BgDicomWriteParams *p)
{
    const BgGeometry *g = bg_label_map_get_geometry(w->labels);

    if (p->referenced_instances == NULL || p->referenced_class == NULL ||
        p->referenced_grid == NULL)
        return;
    g_auto(GStrv) uids = g_strsplit(p->referenced_instances, " ", -1);
    if ((int) g_strv_length(uids) != p->referenced_grid->dims[2])
        return;
    w->sources = g_new0(char *, g->dims[2] + 1);
    for (int k = 0; k < g->dims[2]; k++) {
        int source = find_source(g, p->referenced_grid, k);
        w->sources[k] = g_strdup(source >= 0 ? uids[source] : "");
    }
}

// PS3.3 C.7.6.16.2.6: the slice that a frame was drawn on.
static void
put_source(BgDcmEncoder *e, const char *sop_class, const char *uid)
{
    bg_dcm_begin_sequence(e, TAG(0x0008, 0x9124));
    bg_dcm_begin_item(e);
    bg_dcm_begin_sequence(e, TAG(0x0008, 0x2112));
    bg_dcm_begin_item(e);
    bg_dcm_put_text(e, TAG(0x0008, 0x1150), "UI", sop_class);
    bg_dcm_put_text(e, TAG(0x0008, 0x1155), "UI", uid);
    bg_dcm_put_code(e, TAG(0x0040, 0xa170), "121322", "DCM",
                    "Source image for image processing operation");
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
    bg_dcm_put_code(e, TAG(0x0008, 0x9215), "113076", "DCM", "Segmentation");
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
}

static void
put_frame_groups(BgDcmEncoder *e, const SegWriter *w, const char *source_class)
{
    const BgGeometry *g = bg_label_map_get_geometry(w->labels);

    bg_dcm_begin_sequence(e, TAG(0x5200, 0x9230));
    for (guint f = 0; f < w->frames->len; f++) {
        const SegFrame *frame = &g_array_index(w->frames, SegFrame, f);
        BgVec3 p = bg_affine_apply(&g->patient_from_voxel, bg_vec3(0.0, 0.0, frame->k));
        double position[3] = { p.x, p.y, p.z };
        guint32 index[2] = { GUINT32_TO_LE(frame->segment), GUINT32_TO_LE((guint32) frame->k + 1) };
        bg_dcm_begin_item(e);
        if (w->sources != NULL && w->sources[frame->k][0] != '\0')
            put_source(e, source_class, w->sources[frame->k]);
        bg_dcm_begin_sequence(e, TAG(0x0020, 0x9111));
        bg_dcm_begin_item(e);
        bg_dcm_put_bytes(e, TAG(0x0020, 0x9157), "UL", index, 8);
        bg_dcm_end_item(e);
        bg_dcm_end_sequence(e);
        bg_dcm_begin_sequence(e, TAG(0x0020, 0x9113));
        bg_dcm_begin_item(e);
        bg_dcm_put_ds(e, TAG(0x0020, 0x0032), position, 3);
        bg_dcm_end_item(e);
        bg_dcm_end_sequence(e);
        bg_dcm_begin_sequence(e, TAG(0x0062, 0x000a));
        bg_dcm_begin_item(e);
        bg_dcm_put_us(e, TAG(0x0062, 0x000b), (int) frame->segment);
        bg_dcm_end_item(e);
        bg_dcm_end_sequence(e);
        bg_dcm_end_item(e);
    }
    bg_dcm_end_sequence(e);
}

static gboolean
put_bits(BgDcmEncoder *e, const SegWriter *w, GError **error)
{
    const BgGeometry *g = bg_label_map_get_geometry(w->labels);
    guint64 slice = (guint64) g->dims[0] * (guint64) g->dims[1];
    guint64 n_bytes = (slice * w->frames->len + 7) / 8;
    g_autofree guint32 *row = g_new(guint32, g->dims[0]);

    if (!bg_dcm_fits(n_bytes, error))
        return FALSE;
    bg_auto_buffer guint8 *bits = bg_buffer_alloc((gsize) n_bytes, error);
    if (bits == NULL)
        return FALSE;
    memset(bits, 0, (gsize) n_bytes);
    for (guint f = 0; f < w->frames->len; f++) {
        const SegFrame *frame = &g_array_index(w->frames, SegFrame, f);
        guint32 label = g_array_index(w->counts, BgLabelCount, frame->segment - 1).label;
        guint64 at = slice * f;
        for (int j = 0; j < g->dims[1]; j++) {
            bg_label_map_read_row(w->labels, j, frame->k, row);
            for (int i = 0; i < g->dims[0]; i++, at++) {
                if (row[i] == label)
                    bits[at / 8] |= (guint8) (1u << (at % 8));
            }
        }
    }
    bg_dcm_put_bytes(e, TAG(0x7fe0, 0x0010), "OB", bits, (gsize) n_bytes);
    return TRUE;
}

static GBytes *
write_all(const SegWriter *w, const BgDicomWriteParams *params, GError **error)
{
    const BgGeometry *g = bg_label_map_get_geometry(w->labels);
    g_auto(BgDcmEncoder) e = { 0 };
    g_auto(BgDcmObject) object = {
        .sop_class = SOP_SEG, .modality = "SEG", .image_type = "DERIVED\\PRIMARY", .params = params
    };
    g_autofree char *n_frames = g_strdup_printf("%u", w->frames->len);

    bg_dcm_encoder_init(&e, params->seed);
    bg_dcm_put_start(&e, &object);
    bg_dcm_put_equipment(&e);
    bg_dcm_put_relation(&e, &object, TRUE);
    put_dimensions(&e);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
    bg_dcm_put_text(&e, TAG(0x0028, 0x0008), "IS", n_frames);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0010), g->dims[1]);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0011), g->dims[0]);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0100), 1);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0101), 1);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0102), 0);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0103), 0);
    bg_dcm_put_text(&e, TAG(0x0028, 0x2110), "CS", "00");
    bg_dcm_put_provenance(&e, &object);
    bg_dcm_put_text(&e, TAG(0x0062, 0x0001), "CS", "BINARY");
    put_segments(&e, w);
    bg_dcm_put_text(&e, TAG(0x0070, 0x0080), "CS", "SEGMENTATION");
    bg_dcm_put_text(&e, TAG(0x0070, 0x0081), "LO", params->series_description);
    bg_dcm_put_text(&e, TAG(0x0070, 0x0084), "PN", NULL);
    put_shared(&e, g);
    put_frame_groups(&e, w, params->referenced_class);
    if (!put_bits(&e, w, error))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&e.bytes));
}

GBytes *
bg_dicom_make_seg(BgLabelMap *labels, BgLabelTable *table, const BgDicomWriteParams *params,
                  GError **error)
{
    g_autoptr(GArray) counts = bg_label_map_count(labels);
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(SegFrame));
    g_autoptr(GHashTable) number = g_hash_table_new(NULL, NULL);
    SegWriter w = { labels, table, counts, frames, number, NULL };

    if (counts->len == 0 || counts->len > MAX_SEGMENTS) {
        g_set_error(error, BG_ERROR, counts->len == 0 ? BG_ERROR_INVALID : BG_ERROR_UNSUPPORTED,
                    _("a segmentation has 1 to 65535 labels, not %u"), counts->len);
        return NULL;
    }
    if (bg_geometry_shear_deg(bg_label_map_get_geometry(labels)) > MAX_SHEAR_DEG) {
        g_set_error_literal(
            error, BG_ERROR, BG_ERROR_UNSUPPORTED,
            _("a sheared grid cannot be written as DICOM: resample the labels first"));
        return NULL;
    }
    for (guint s = 0; s < counts->len; s++)
        g_hash_table_insert(number, GUINT_TO_POINTER(g_array_index(counts, BgLabelCount, s).label),
                            GUINT_TO_POINTER(s + 1));
    find_frames(&w);
    find_sources(&w, params);
    GBytes *bytes = write_all(&w, params, error);
    g_strfreev(w.sources);
    return bytes;
}
