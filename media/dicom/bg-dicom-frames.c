// SPDX-License-Identifier: Apache-2.0
// Where and when each frame was taken: the image plane module of single frames, functional groups
// of enhanced ones, the detector of NM, the offsets of RT dose, calibrated regions of ultrasound.
#include "bg-dicom-image.h"

#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define VR_DS BG_DCM_VR('D', 'S')
#define VR_IS BG_DCM_VR('I', 'S')
#define VR_US BG_DCM_VR('U', 'S')
#define VR_FD BG_DCM_VR('F', 'D')
#define MAX_SPACING_MM 1e4
#define UNIT_CM 3 // of (0018,6024): PS3.3 C.8.5.5.1.15

BgVec3
bg_dcm_frame_normal(const BgDcmFrame *frame)
{
    return bg_vec3_normalize(bg_vec3_cross(frame->row, frame->column));
}

static gboolean
is_length(double value)
{
    return value > 1e-6 && value < MAX_SPACING_MM;
}

static gboolean
read_position(BgDcmFrame *frame, BgDcmSet set)
{
    double p[3];

    if (bg_dcm_numbers(set, TAG(0x0020, 0x0032), VR_DS, p, 3) != 3)
        return FALSE;
    frame->position = bg_vec3(p[0], p[1], p[2]);
    return fabs(p[0]) < 1e6 && fabs(p[1]) < 1e6 && fabs(p[2]) < 1e6;
}

// Direction cosines: nearly unit length and square to each other, or they are none. They are made
// exactly so, as decimals of a file cannot be.
static gboolean
read_orientation(BgDcmFrame *frame, BgDcmSet set)
{
    double o[6];

    if (bg_dcm_numbers(set, TAG(0x0020, 0x0037), VR_DS, o, 6) != 6)
        return FALSE;
    BgVec3 row = bg_vec3(o[0], o[1], o[2]), column = bg_vec3(o[3], o[4], o[5]);
    double row_length = bg_vec3_length(row), column_length = bg_vec3_length(column);
    if (!(row_length > 0.9 && row_length < 1.1 && column_length > 0.9 && column_length < 1.1))
        return FALSE;
    row = bg_vec3_normalize(row);
    column = bg_vec3_normalize(column);
    double cosine = bg_vec3_dot(row, column);
    if (fabs(cosine) > 0.02)
        return FALSE;
    frame->row = row;
    frame->column = bg_vec3_normalize(bg_vec3_along(column, -cosine, row));
    return TRUE;
}

// (0028,0030): distance of rows first, then of columns.
static gboolean
read_spacing(double spacing_mm[2], BgDcmSet set, guint32 tag)
{
    double s[2];

    if (bg_dcm_numbers(set, tag, VR_DS, s, 2) != 2 || !is_length(s[0]) || !is_length(s[1]))
        return FALSE;
    spacing_mm[0] = s[1];
    spacing_mm[1] = s[0];
    return TRUE;
}

static double
read_step(BgDcmSet set)
{
    double between = fabs(bg_dcm_number(set, TAG(0x0018, 0x0088), VR_DS, 0.0));
    double thickness = bg_dcm_number(set, TAG(0x0018, 0x0050), VR_DS, 0.0);

    return is_length(between) ? between : is_length(thickness) ? thickness : 0.0;
}

gboolean
bg_dcm_frame_read_place(BgDcmFrame *frame, BgDcmSet set)
{
    frame->step_mm = read_step(set);
    frame->has_place = read_position(frame, set) && read_orientation(frame, set);
    return frame->has_place;
}

// A time of day (HHMMSS.FFFFFF) or a date with it, in seconds; -1 when there is none.
static double
read_seconds(BgDcmSet set, guint32 tag, gboolean with_date)
{
    char text[32];
    gsize skip = with_date ? 8 : 0;

    bg_dcm_copy_string(set, tag, text, sizeof text);
    if (strlen(text) < skip + 4)
        return -1.0;
    double value = g_ascii_strtod(text + skip, NULL);
    if (strlen(text) < skip + 6)
        value *= 100.0;
    double hours = floor(value / 10000.0), minutes = floor(fmod(value, 10000.0) / 100.0);
    double day = 0.0;
    if (with_date) {
        g_autofree char *date = g_strndup(text, 8);
        day = g_ascii_strtod(date, NULL);
    }
    return day * 86400.0 + hours * 3600.0 + minutes * 60.0 + fmod(value, 100.0);
}

static void
read_keys(BgDcmFrame *frame, BgDcmSet set, int instance)
{
    double *key = frame->key;

    key[BG_DCM_KEY_ECHO] = bg_dcm_number(set, TAG(0x0018, 0x0081), VR_DS, 0.0);
    if (key[BG_DCM_KEY_ECHO] == 0.0)
        key[BG_DCM_KEY_ECHO] = bg_dcm_number(set, TAG(0x0018, 0x0086), VR_IS, 0.0);
    key[BG_DCM_KEY_TEMPORAL] = bg_dcm_number(set, TAG(0x0020, 0x0100), VR_IS, 0.0);
    key[BG_DCM_KEY_TRIGGER] = bg_dcm_number(set, TAG(0x0018, 0x1060), VR_DS, 0.0);
    key[BG_DCM_KEY_ACQUISITION] = bg_dcm_number(set, TAG(0x0020, 0x0012), VR_IS, 0.0);
    key[BG_DCM_KEY_TIME] = read_seconds(set, TAG(0x0008, 0x0032), FALSE);
    key[BG_DCM_KEY_INSTANCE] = instance;
    frame->b_value = bg_dcm_read_b_value(set);
}

// Philips' floating-point values: FP = (PV * RS + RI) / (RS * SS), with SS of (2005,100E); the
// display values PV * RS + RI are not comparable between series (Chenevert et al. 2014).
static void
read_philips(BgDcmImage *image, BgDcmFrame *frame, BgDcmSet set)
{
    double scale;

    if (!g_str_has_prefix(image->manufacturer, "Philips") &&
        !g_str_has_prefix(image->manufacturer, "PHILIPS"))
        return;
    if (strcmp(image->modality, "MR") != 0)
        return;
    scale = bg_dcm_number(set, TAG(0x2005, 0x100e), VR('F', 'L'), 0.0);
    if (!(scale > 0.0) || !isfinite(1.0 / scale))
        return;
    frame->slope = 1.0 / scale;
    frame->intercept = frame->display_intercept / (frame->display_slope * scale);
    if (image->note == NULL || strstr(image->note, "Philips") == NULL)
        bg_dcm_image_set_note(image, _("Values are Philips' floating-point ones, (display value) "
                                       "/ (rescale slope x scale slope), which can be compared "
                                       "between series; a console shows others."));
}

static void
read_scale(BgDcmImage *image, BgDcmFrame *frame, BgDcmSet set)
{
    double slope = bg_dcm_number(set, TAG(0x0028, 0x1053), VR_DS, frame->slope);
    double intercept = bg_dcm_number(set, TAG(0x0028, 0x1052), VR_DS, frame->intercept);

    if (slope != 0.0 && fabs(slope) < 1e30 && fabs(intercept) < 1e30) {
        frame->slope = frame->display_slope = slope;
        frame->intercept = frame->display_intercept = intercept;
    }
}

static BgDcmFrame
first_frame(BgDcmImage *image, BgDcmSet root)
{
    BgDcmFrame frame = { .tile = -1, .slope = 1.0, .display_slope = 1.0 };

    bg_dcm_frame_read_place(&frame, root);
    read_scale(image, &frame, root);
    read_philips(image, &frame, root);
    read_keys(&frame, root, image->instance_number);
    return frame;
}

static gboolean
is_projection(const BgDcmImage *image)
{
    static const char *const names[] = { "CR", "DX", "XA", "RF", "MG", "IO", "PX", "RTIMAGE" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(image->modality, names[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

// PS3.3 10.7.1.3: what (0028,0030) of a projection means depends on (0018,1164) and (0028,0A02).
static void
read_projection_spacing(BgDcmImage *image, BgDcmFrame *frame, BgDcmSet root)
{
    double detector[2] = { 0.0, 0.0 };
    gboolean has_detector = read_spacing(detector, root, TAG(0x0018, 0x1164));
    gboolean has_pixel = read_spacing(frame->spacing_mm, root, TAG(0x0028, 0x0030));
    gboolean stated = bg_dcm_has_word(root, TAG(0x0028, 0x0a02), "FIDUCIAL") ||
                      bg_dcm_has_word(root, TAG(0x0028, 0x0a02), "GEOMETRY");

    if (has_pixel &&
        (stated || (has_detector && (fabs(detector[0] - frame->spacing_mm[0]) > 1e-4 ||
                                     fabs(detector[1] - frame->spacing_mm[1]) > 1e-4)))) {
        image->spacing_source = BG_DCM_SPACING_CALIBRATED;
    } else if (has_pixel || has_detector) {
        if (!has_pixel)
            memcpy(frame->spacing_mm, detector, sizeof detector);
        image->spacing_source = BG_DCM_SPACING_DETECTOR;
    }
}

// The largest two-dimensional region with centimetres along both axes.
static gboolean
read_region_spacing(BgDcmFrame *frame, BgDcmSet root)
{
    BgDcmItems items = bg_dcm_items(root, TAG(0x0018, 0x6011));
    BgDcmSet region;
    double best = 0.0;

    while (bg_dcm_items_next(&items, &region)) {
        double dx = fabs(bg_dcm_number(region, TAG(0x0018, 0x602c), VR_FD, 0.0)) * 10.0;
        double dy = fabs(bg_dcm_number(region, TAG(0x0018, 0x602e), VR_FD, 0.0)) * 10.0;
        double width = bg_dcm_number(region, TAG(0x0018, 0x601c), VR('U', 'L'), 0.0) -
                       bg_dcm_number(region, TAG(0x0018, 0x6018), VR('U', 'L'), 0.0);
        double height = bg_dcm_number(region, TAG(0x0018, 0x601e), VR('U', 'L'), 0.0) -
                        bg_dcm_number(region, TAG(0x0018, 0x601a), VR('U', 'L'), 0.0);
        if (bg_dcm_int(region, TAG(0x0018, 0x6024), VR_US, 0) != UNIT_CM ||
            bg_dcm_int(region, TAG(0x0018, 0x6026), VR_US, 0) != UNIT_CM || !is_length(dx) ||
            !is_length(dy) || width * height <= best)
            continue;
        best = width * height;
        frame->spacing_mm[0] = dx;
        frame->spacing_mm[1] = dy;
    }
    return best > 0.0;
}

static void
read_plain_spacing(BgDcmImage *image, BgDcmFrame *frame, BgDcmSet root)
{
    double aspect[2];

    if (is_projection(image)) {
        read_projection_spacing(image, frame, root);
    } else if (read_spacing(frame->spacing_mm, root, TAG(0x0028, 0x0030))) {
        image->spacing_source = BG_DCM_SPACING_PATIENT;
    } else if (read_region_spacing(frame, root)) {
        image->spacing_source = BG_DCM_SPACING_REGION;
    } else if (read_spacing(frame->spacing_mm, root, TAG(0x0018, 0x2010)) ||
               read_spacing(frame->spacing_mm, root, TAG(0x0018, 0x1164))) {
        image->spacing_source = BG_DCM_SPACING_DETECTOR;
    }
    if (image->spacing_source == BG_DCM_SPACING_NONE &&
        bg_dcm_numbers(root, TAG(0x0028, 0x0034), VR_IS, aspect, 2) == 2 && aspect[0] > 0.0 &&
        aspect[1] > 0.0 && aspect[0] / aspect[1] < 100.0 && aspect[1] / aspect[0] < 100.0)
        image->aspect = aspect[0] / aspect[1]; // vertical : horizontal
}

// The first item of a functional group macro: of the frame, else of all frames.
static gboolean
find_group(BgDcmSet frame, BgDcmSet shared, guint32 tag, BgDcmSet *group)
{
    return (frame.end > frame.first && bg_dcm_item(frame, tag, 0, group)) ||
           (shared.end > shared.first && bg_dcm_item(shared, tag, 0, group));
}

static void
read_group_keys(BgDcmFrame *frame, BgDcmSet per_frame, BgDcmSet shared)
{
    BgDcmSet group;
    char stack[17];

    frame->key[BG_DCM_KEY_INSTANCE] = frame->number;
    if (find_group(per_frame, shared, TAG(0x0020, 0x9111), &group)) {
        frame->key[BG_DCM_KEY_TEMPORAL] = bg_dcm_number(group, TAG(0x0020, 0x9128), VR('U', 'L'),
                                                        frame->key[BG_DCM_KEY_TEMPORAL]);
        frame->key[BG_DCM_KEY_TIME] = read_seconds(group, TAG(0x0018, 0x9074), TRUE);
        bg_dcm_copy_string(group, TAG(0x0020, 0x9056), stack, sizeof stack);
        frame->stack = (int) (g_str_hash(stack) & 0x7fffffff);
    }
    if (find_group(per_frame, shared, TAG(0x0018, 0x9114), &group))
        frame->key[BG_DCM_KEY_ECHO] = bg_dcm_number(group, TAG(0x0018, 0x9082), VR_FD, 0.0);
    if (find_group(per_frame, shared, TAG(0x0018, 0x9118), &group))
        frame->key[BG_DCM_KEY_TRIGGER] = bg_dcm_number(group, TAG(0x0020, 0x9153), VR_FD, 0.0);
    if (find_group(per_frame, shared, TAG(0x0018, 0x9117), &group))
        frame->b_value = bg_dcm_number(group, TAG(0x0018, 0x9087), VR_FD, -1.0);
}

static void
read_group(BgDcmImage *image, BgDcmFrame *frame, BgDcmSet per_frame, BgDcmSet shared)
{
    BgDcmSet group, philips;
    gboolean placed = frame->has_place;

    if (find_group(per_frame, shared, TAG(0x0020, 0x9113), &group))
        placed = read_position(frame, group);
    if (find_group(per_frame, shared, TAG(0x0020, 0x9116), &group))
        placed = read_orientation(frame, group) && placed;
    frame->has_place = placed && bg_vec3_length(frame->row) > 0.5;
    if (find_group(per_frame, shared, TAG(0x0028, 0x9110), &group)) {
        if (read_spacing(frame->spacing_mm, group, TAG(0x0028, 0x0030)))
            image->spacing_source = BG_DCM_SPACING_PATIENT;
        double step = read_step(group);
        if (step > 0.0)
            frame->step_mm = step;
    }
    if (find_group(per_frame, shared, TAG(0x0028, 0x9145), &group))
        read_scale(image, frame, group);
    if (find_group(per_frame, shared, TAG(0x2005, 0x140f), &philips))
        read_philips(image, frame, philips);
    else if (image->syntax.explicit_vr)
        read_philips(image, frame, per_frame);
    if (image->window[1] <= 0.0 && find_group(per_frame, shared, TAG(0x0028, 0x9132), &group)) {
        image->window[0] = bg_dcm_number(group, TAG(0x0028, 0x1050), VR_DS, 0.0);
        image->window[1] = bg_dcm_number(group, TAG(0x0028, 0x1051), VR_DS, 0.0);
    }
    read_group_keys(frame, per_frame, shared);
}

static void
read_enhanced(BgDcmImage *image, BgDcmFrame first, BgDcmSet root)
{
    BgDcmItems items = bg_dcm_items(root, TAG(0x5200, 0x9230));
    BgDcmSet shared = { root.data, 0, 0 }, per_frame;

    bg_dcm_item(root, TAG(0x5200, 0x9229), 0, &shared);
    for (guint32 i = 0; i < image->pixels.n_frames; i++) {
        BgDcmFrame frame = first;
        frame.number = i;
        if (!bg_dcm_items_next(&items, &per_frame))
            per_frame = (BgDcmSet){ root.data, 0, 0 };
        read_group(image, &frame, per_frame, shared);
        g_array_append_val(image->frames, frame);
    }
}

// Frames along the normal: NM's reconstructed slices, RT dose, and others with one place for all.
static gboolean
read_offsets(BgDcmImage *image, BgDcmFrame first, BgDcmSet root)
{
    guint32 n = image->pixels.n_frames;
    g_autofree double *offsets = g_try_new0(double, n);
    BgDcmSet detector;

    if (offsets == NULL)
        return FALSE;
    int n_offsets = bg_dcm_numbers(root, TAG(0x3004, 0x000c), VR_DS, offsets, (int) n);
    if (n_offsets < 2) {
        gboolean is_nm = strcmp(image->modality, "NM") == 0 || strcmp(image->modality, "PT") == 0;
        n_offsets = 0;
        if (!first.has_place && is_nm && bg_dcm_item(root, TAG(0x0054, 0x0022), 0, &detector)) {
            double step = first.step_mm;
            bg_dcm_frame_read_place(&first, detector);
            first.step_mm = step > 0.0 ? step : first.step_mm;
        }
        if (!first.has_place || first.step_mm <= 0.0 || (!is_nm && n > 1))
            return FALSE;
        // PS3.3 C.8.4.15: a negative distance runs against the normal.
        double between = bg_dcm_number(root, TAG(0x0018, 0x0088), VR_DS, first.step_mm);
        for (guint32 i = 0; i < n; i++)
            offsets[i] = (between < 0.0 ? -1.0 : 1.0) * first.step_mm * i;
        n_offsets = (int) n;
    } else if (first.has_place && fabs(offsets[0]) > 1e-3 &&
               fabs(offsets[0] - first.position.z) < 1e-3) {
        double origin = offsets[0]; // PS3.3 C.8.8.3.2: absolute z of axial planes
        for (int i = 0; i < n_offsets; i++)
            offsets[i] -= origin;
    }
    BgVec3 normal = bg_dcm_frame_normal(&first);
    for (guint32 i = 0; i < n && (int) i < n_offsets; i++) {
        BgDcmFrame frame = first;
        frame.number = i;
        frame.key[BG_DCM_KEY_INSTANCE] = i;
        frame.position = bg_vec3_along(first.position, offsets[i], normal);
        g_array_append_val(image->frames, frame);
    }
    return TRUE;
}

void
bg_dcm_image_read_frames(BgDcmImage *image, const BgDcmData *data)
{
    BgDcmSet root = bg_dcm_root(data);
    BgDcmFrame first = first_frame(image, root);

    read_plain_spacing(image, &first, root);
    if (strcmp(image->modality, "RTDOSE") == 0) {
        double scaling = bg_dcm_number(root, TAG(0x3004, 0x000e), VR_DS, 0.0);
        if (scaling > 0.0 && scaling < 1e30)
            first.slope = first.display_slope = scaling;
    }
    if (bg_dcm_find(root, TAG(0x5200, 0x9230)) != NULL ||
        bg_dcm_find(root, TAG(0x5200, 0x9229)) != NULL)
        read_enhanced(image, first, root);
    else if (image->pixels.n_frames == 1 || !read_offsets(image, first, root)) {
        for (guint32 i = 0; i < image->pixels.n_frames; i++) {
            BgDcmFrame frame = first;
            frame.number = i;
            if (image->pixels.n_frames > 1)
                frame.key[BG_DCM_KEY_INSTANCE] = i;
            g_array_append_val(image->frames, frame);
        }
    }
    if (image->frames->len < image->pixels.n_frames && image->reason == NULL)
        image->reason = g_strdup(_("fewer places are given than there are frames"));
}
