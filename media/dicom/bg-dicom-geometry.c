// SPDX-License-Identifier: Apache-2.0
// The grid of a stack: where its slices lie, and what is said when they do not lie evenly.
#include "bg-dicom-stack.h"

#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EVEN_TOLERANCE 0.02     // of the distance, and at least EVEN_TOLERANCE_MM
#define EVEN_TOLERANCE_MM 0.011 // decimals of positions
#define MULTIPLE_TOLERANCE 0.08 // of a whole number of distances
#define TILT_MIN_DEG 0.1
#define SHIFT_MIN_PX 0.5
#define MAX_INSERTED 8 // times as many slices as there are
#define NAMED_GAPS 4

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
position(const BgDcmStack *stack, int index)
{
    return g_array_index(stack->position_mm, double, index);
}

static const BgDcmFrame *
first_frame_at(const BgDcmStack *stack, int slice)
{
    const BgDcmFrame *frame = NULL;

    for (int f = 0; f < stack->n_frames; f++) {
        if (bg_dcm_stack_image(stack, bg_dcm_stack_place(stack, f, slice), &frame) != NULL)
            return frame;
    }
    return NULL;
}

static void
name_gaps(BgDcmStack *stack, double step)
{
    g_autoptr(GString) gaps = g_string_new(NULL);
    int n_missing = 0, n_gaps = 0;
    const BgDcmFrame *first = first_frame_at(stack, 0);
    double z0 = first != NULL ? bg_vec3_dot(bg_dcm_frame_normal(first), first->position) : 0.0;

    for (int s = 0; s + 1 < stack->n_positions; s++) {
        int n = (int) lround((position(stack, s + 1) - position(stack, s)) / step) - 1;
        if (n < 1)
            continue;
        n_missing += n;
        if (n_gaps++ < NAMED_GAPS)
            g_string_append_printf(gaps, "%s%.1f..%.1f mm", gaps->len > 0 ? ", " : "",
                                   z0 + position(stack, s), z0 + position(stack, s + 1));
    }
    bg_dcm_stack_warn(
        stack, BG_DICOM_BADGE_MISSING,
        ngettext("%d slice is missing (%s along the normal); it is interpolated.",
                 "%d slices are missing (%s along the normal); they are interpolated.",
                 (gulong) n_missing),
        n_missing, gaps->str);
}

// The distance of slices of the grid, and its number of slices.
static double
settle_steps(BgDcmStack *stack, int *n_slices)
{
    int n = stack->n_positions;
    double total = position(stack, n - 1);
    g_autofree double *steps = g_new(double, n);
    double low = HUGE_VAL, high = 0.0;

    *n_slices = n;
    for (int s = 0; s + 1 < n; s++) {
        steps[s] = position(stack, s + 1) - position(stack, s);
        low = MIN(low, steps[s]);
        high = MAX(high, steps[s]);
    }
    double mean = total / (n - 1);
    if (high - low <= MAX(EVEN_TOLERANCE * mean, EVEN_TOLERANCE_MM))
        return mean;

    qsort(steps, (gsize) n - 1, sizeof *steps, compare_doubles);
    double median = steps[(n - 1) / 2];
    double base = median;
    gboolean multiples = low > median * (1.0 - MULTIPLE_TOLERANCE);
    for (int s = 0; s + 1 < n && multiples; s++)
        multiples = fabs(steps[s] / median - round(steps[s] / median)) < MULTIPLE_TOLERANCE;
    if (!multiples) { // the finest of the usual distances
        for (int s = n - 2; s >= 0; s--) {
            if (steps[s] >= 0.5 * median)
                base = steps[s];
        }
    }
    double wanted = round(total / base);
    stack->resample_along = TRUE;
    gboolean too_far = wanted + 1.0 > (double) n * MAX_INSERTED || wanted + 1.0 > BG_VOLUME_MAX_DIM;
    if (too_far)
        wanted = n - 1;
    *n_slices = (int) wanted + 1;
    if (too_far)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNEVEN,
                          _("Slices are at uneven distances (%.2f to %.2f mm), too far apart to "
                            "fill in: %d slices are resampled to %d at %.2f mm, and what was "
                            "measured between those is not shown. Open its files one by one."),
                          low, high, n, *n_slices, total / wanted);
    else if (multiples)
        name_gaps(stack, total / wanted);
    else
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNEVEN,
                          _("Slices are at uneven distances (%.2f to %.2f mm): %d slices are "
                            "resampled to %d at %.2f mm."),
                          low, high, n, *n_slices, total / wanted);
    return total / wanted;
}

// How far each slice lies beside the line along the normal through the first one.
static void
find_offsets(BgDcmStack *stack, const BgDcmFrame *first, double low[2], double high[2])
{
    BgVec3 normal = bg_dcm_frame_normal(first);
    BgVec3 axis[2] = { first->row, first->column };

    low[0] = low[1] = high[0] = high[1] = 0.0;
    for (int s = 0; s < stack->n_positions; s++) {
        const BgDcmFrame *frame = first_frame_at(stack, s);
        double offset[2] = { 0.0, 0.0 };
        if (stack->has_place && frame != NULL) {
            BgVec3 d = bg_vec3_sub(frame->position, first->position);
            d = bg_vec3_along(d, -bg_vec3_dot(d, normal), normal);
            for (int a = 0; a < 2; a++)
                offset[a] = bg_vec3_dot(d, axis[a]) / MAX(first->spacing_mm[a], 1e-6);
        }
        for (int a = 0; a < 2; a++) {
            low[a] = MIN(low[a], offset[a]);
            high[a] = MAX(high[a], offset[a]);
        }
        g_array_append_vals(stack->offset, offset, 1);
    }
}

// Whether the offsets are so regular and small that a sheared grid says it exactly.
static gboolean
is_slight_shear(BgDcmStack *stack, double shear_deg, double widest)
{
    int n = stack->n_positions;
    const double *last = (const double *) stack->offset->data + 2 * (gsize) (n - 1);

    if (shear_deg >= TILT_MIN_DEG && widest >= SHIFT_MIN_PX)
        return FALSE;
    for (int s = 0; s < n; s++) {
        const double *o = (const double *) stack->offset->data + 2 * (gsize) s;
        double share = position(stack, s) / position(stack, n - 1);
        if (fabs(o[0] - share * last[0]) > 0.1 || fabs(o[1] - share * last[1]) > 0.1)
            return FALSE;
    }
    return TRUE;
}

static void
lay_out_within(BgDcmStack *stack, const BgDcmFrame *first, BgVec3 *step)
{
    double low[2], high[2];
    int n = stack->n_positions;

    find_offsets(stack, first, low, high);
    double widest = MAX(MAX(high[0] - low[0], high[1] - low[1]), 0.0);
    if (n < 2 || widest < 1e-9)
        return;
    const double *last = (const double *) stack->offset->data + 2 * (gsize) (n - 1);
    BgVec3 across = bg_vec3_along(bg_vec3_scale(first->row, last[0] * first->spacing_mm[0]),
                                  last[1] * first->spacing_mm[1], first->column);
    double total = position(stack, n - 1);
    double shear_deg = atan2(bg_vec3_length(across), total) * 180.0 / G_PI;
    if (is_slight_shear(stack, shear_deg, widest)) {
        *step = bg_vec3_along(*step, bg_vec3_length(*step) / total, across);
        return;
    }
    if (widest < SHIFT_MIN_PX)
        return;
    // A tilt stays within the picture's own size many times over; more is no stack of slices.
    if (widest > 4.0 * MAX(stack->geometry.dims[0], stack->geometry.dims[1])) {
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNREADABLE,
                          _("The slices do not lie above each other: they form no volume."));
        return;
    }
    stack->resample_within = TRUE;
    stack->column_shift = (int) floor(low[0] + 1e-3);
    stack->row_shift = (int) floor(low[1] + 1e-3);
    stack->geometry.dims[0] += (int) ceil(high[0] - 1e-3) - stack->column_shift;
    stack->geometry.dims[1] += (int) ceil(high[1] - 1e-3) - stack->row_shift;
    bg_dcm_stack_warn(stack, BG_DICOM_BADGE_TILT,
                      _("The gantry was tilted by %.1f degrees: each slice is moved within its "
                        "plane to make a right-angled volume."),
                      shear_deg);
}

static void
warn_about_spacing(BgDcmStack *stack, const BgDcmImage *image, double aspect)
{
    switch (image->spacing_source) {
    case BG_DCM_SPACING_NONE:
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNCALIBRATED,
                          aspect == 1.0 ? _("The file gives no pixel spacing: 1 mm is assumed, and "
                                            "lengths are not true.")
                                        : _("The file gives no pixel spacing but the shape of a "
                                            "pixel: lengths are not true."));
        break;
    case BG_DCM_SPACING_DETECTOR:
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_UNCALIBRATED,
                          _("The pixel spacing is that at the detector, not calibrated in the "
                            "patient: lengths are magnified."));
        break;
    case BG_DCM_SPACING_CALIBRATED:
    case BG_DCM_SPACING_PATIENT:
    case BG_DCM_SPACING_REGION:
        break;
    }
    if (!stack->has_place)
        bg_dcm_stack_warn(stack, BG_DICOM_BADGE_NO_GEOMETRY,
                          _("The file gives no position and orientation in the patient: the side "
                            "is unknown."));
}

static void
warn_about_images(BgDcmStack *stack)
{
    for (guint i = 0; i < stack->places->len; i++) {
        const BgDcmFrame *frame;
        const BgDcmImage *image =
            bg_dcm_stack_image(stack, &g_array_index(stack->places, BgDcmPlace, i), &frame);
        if (image == NULL)
            continue;
        stack->badges |= image->badges;
        if (image->badges & BG_DICOM_BADGE_BURNED_IN)
            bg_dcm_stack_warn(stack, BG_DICOM_BADGE_BURNED_IN,
                              _("Text is burned into the pixels; it may name the patient."));
        if (image->note != NULL) {
            g_auto(GStrv) lines = g_strsplit(image->note, "\n", 16);
            for (char **line = lines; *line != NULL; line++)
                bg_dcm_stack_warn(stack, 0, "%s", *line);
        }
    }
}

static void
set_affine(BgDcmStack *stack, const BgDcmFrame *first, const double spacing[2], BgVec3 step)
{
    BgVec3 row = first->row, column = first->column, origin = first->position;

    if (!stack->has_place) { // as if lying, head first: a picture stands upright in the axial pane
        row = bg_vec3(1.0, 0.0, 0.0);
        column = bg_vec3(0.0, 1.0, 0.0);
        origin = bg_vec3(0.0, 0.0, 0.0);
    }
    origin = bg_vec3_along(origin, stack->column_shift * spacing[0], row);
    origin = bg_vec3_along(origin, stack->row_shift * spacing[1], column);
    stack->geometry.patient_from_voxel = bg_affine_from_columns(
        bg_vec3_scale(row, spacing[0]), bg_vec3_scale(column, spacing[1]), step, origin);
}

void
bg_dcm_stack_lay_out(BgDcmStack *stack)
{
    const BgDcmFrame *first = first_frame_at(stack, 0);
    const BgDcmPlace *place = bg_dcm_stack_place(stack, 0, 0);
    int n_slices = 1;

    for (int f = 0; place->image < 0; f++)
        place = bg_dcm_stack_place(stack, f, 0);
    const BgDcmImage *image = g_ptr_array_index(stack->images, place->image);
    int tiles = MAX(image->mosaic, 1);
    double spacing[2] = { first->spacing_mm[0], first->spacing_mm[1] };
    if (spacing[0] <= 0.0 || spacing[1] <= 0.0) {
        spacing[0] = 1.0;
        spacing[1] = image->aspect;
    }
    double step_mm = first->step_mm > 0.0 ? first->step_mm : 1.0;
    if (stack->n_positions > 1)
        step_mm = settle_steps(stack, &n_slices);
    stack->geometry.dims[0] = image->pixels.columns / tiles;
    stack->geometry.dims[1] = image->pixels.rows / tiles;
    stack->geometry.dims[2] = n_slices;
    stack->side_known = stack->has_place;
    BgVec3 normal = stack->has_place ? bg_dcm_frame_normal(first) : bg_vec3(0.0, 0.0, 1.0);
    BgVec3 step = bg_vec3_scale(normal, step_mm);
    BgDcmFrame spaced = *first;
    memcpy(spaced.spacing_mm, spacing, sizeof spacing);
    lay_out_within(stack, &spaced, &step);
    set_affine(stack, &spaced, spacing, step);
    warn_about_spacing(stack, image, image->aspect);
    if (stack->n_positions == 1 && stack->n_frames > 1 && stack->has_place && image->mosaic == 0 &&
        image->pixels.n_frames == 1)
        bg_dcm_stack_warn(stack, 0,
                          _("All %d pictures lie at one place: they are frames, not slices."),
                          stack->n_frames);
    warn_about_images(stack);
}
