// SPDX-License-Identifier: Apache-2.0
// What is written over pictures: the lists, not the pixels (but one: that something is drawn).
#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

static const char *
text_of(const GArray *marks, BgMarkRole role)
{
    const BgMark *mark = bg_annotations_find(marks, role);

    return mark != NULL ? mark->text : NULL;
}

static BgSliceFrame
pane_frame(BgPlane plane, BgConvention convention, int width, int height)
{
    BgSlicePane pane = { .plane = plane,
                         .convention = convention,
                         .spacing_mm = 0.5,
                         .width = width,
                         .height = height };

    return bg_slice_frame_for_pane(&pane);
}

static void
check_letters(const GArray *marks, const char *want)
{
    for (int edge = 0; edge < 4; edge++) {
        char letter[2] = { want[edge], '\0' };
        g_assert_cmpstr(text_of(marks, (BgMarkRole) (BG_MARK_ROLE_LETTER_LEFT + edge)), ==, letter);
    }
}

static void
test_letters(void)
{
    // left, right, top, bottom
    static const char *const want[3][2] = { { "RLAP", "LRAP" },
                                            { "RLSI", "LRSI" },
                                            { "APSI", "APSI" } };

    for (int plane = 0; plane < 3; plane++) {
        for (int convention = 0; convention < 2; convention++) {
            BgSliceFrame frame = pane_frame((BgPlane) plane, (BgConvention) convention, 400, 300);
            g_autoptr(GArray) marks = bg_annotations_new();
            BgAnnotateSlice params;
            bg_annotate_slice_init(&params, &frame);
            params.convention = (BgConvention) convention;
            bg_annotate_slice(&params, marks);
            check_letters(marks, want[plane][convention]);
            g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_CONVENTION), ==,
                            convention ? "Neurological" : "Radiological");
        }
    }
}

static void
test_directions(void)
{
    static const struct {
        double x, y, z;
        const char *letters;
    } cases[] = {
        { 1, 0, 0, "L" },       { -1, 0, 0, "R" },           { 0, -2, 0, "A" },
        { 0, 0, -0.1, "I" },    { 1, 0.2, 0, "L" },          { 1, 0.3, 0, "LP" },
        { -0.5, 0.8, 0, "PR" }, { 0.6, -0.5, -0.55, "LIA" }, { 0, 0, 0, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char letters[4];
        bg_direction_letters(bg_vec3(cases[i].x, cases[i].y, cases[i].z), letters);
        g_assert_cmpstr(letters, ==, cases[i].letters);
    }
}

static void
test_side_unknown(void)
{
    BgSliceFrame frame = pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, 400, 300);
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateSlice params;

    bg_annotate_slice_init(&params, &frame);
    params.side_known = FALSE;
    bg_annotate_slice(&params, marks);
    check_letters(marks, "??AP");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_BADGE), ==, "SIDE UNKNOWN");
}

static void
test_scale_bar(void)
{
    for (int calibrated = 0; calibrated < 2; calibrated++) {
        BgSliceFrame frame = pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, 400, 300);
        g_autoptr(GArray) marks = bg_annotations_new();
        BgAnnotateSlice params;
        bg_annotate_slice_init(&params, &frame);
        params.calibrated = calibrated;
        bg_annotate_slice(&params, marks);
        const BgMark *bar = bg_annotations_find(marks, BG_MARK_ROLE_SCALE_BAR);
        g_assert_nonnull(bar);
        // 112 px at most: 50 mm at half a millimetre a pixel; 100 px
        g_assert_cmpfloat_with_epsilon(bar->to_x - bar->x, 100.0, 1e-9);
        g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_SCALE_TEXT), ==,
                        calibrated ? "50 mm" : "100 px");
    }
}

// In the smallest panes there is no room for it beside the letters, but it is there.
static gboolean
is_forced(const BgMark *mark, double width, double height)
{
    return mark->role == BG_MARK_ROLE_NOTE && MIN(width, height) < 100.0;
}

static void
check_no_overlap(const GArray *marks, double width, double height)
{
    for (guint i = 0; i < marks->len; i++) {
        const BgMark *a = &g_array_index(marks, BgMark, i);
        double p[4], q[4];
        if ((a->kind != BG_MARK_TEXT && a->kind != BG_MARK_PILL) || is_forced(a, width, height))
            continue;
        bg_mark_get_box(a, p);
        g_assert_cmpfloat(p[0], >=, 0.0);
        g_assert_cmpfloat(p[1], >=, 0.0);
        g_assert_cmpfloat(p[0] + p[2], <=, width);
        g_assert_cmpfloat(p[1] + p[3], <=, height);
        for (guint k = i + 1; k < marks->len; k++) {
            const BgMark *b = &g_array_index(marks, BgMark, k);
            if ((b->kind != BG_MARK_TEXT && b->kind != BG_MARK_PILL) || is_forced(b, width, height))
                continue;
            bg_mark_get_box(b, q);
            if (p[0] < q[0] + q[2] && q[0] < p[0] + p[2] && p[1] < q[1] + q[3] &&
                q[1] < p[1] + p[3])
                g_error("\"%s\" and \"%s\" overlap in %g x %g", a->text, b->text, width, height);
        }
    }
}

static void
fill_words(BgAnnotateSlice *params)
{
    static const char *const badges[] = { "REDUCED 1/2", "LOSSY", NULL };

    params->title = "AXIAL";
    params->window = "W 900 L 450";
    params->other_window = "t2  W 30 L 15";
    params->value = "412";
    params->engine = "CPU";
    params->interpolation = "linear";
    params->note = "Not for diagnosis";
    params->n_slices = 181;
    params->slice = 56;
    params->has_position = TRUE;
    params->position_mm = bg_vec3(-17.6, 35.3, 12.1);
    params->has_crosshair = TRUE;
    params->plane = BG_PLANE_AXIAL;
    params->badges = badges;
}

static void
test_fits(void)
{
    int sizes[] = { 80, 120, 160, 240, 360, 700 };

    for (guint w = 0; w < G_N_ELEMENTS(sizes); w++) {
        for (guint h = 0; h < G_N_ELEMENTS(sizes); h++) {
            for (int corner = 0; corner < 10; corner++) {
                BgSliceFrame frame =
                    pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, sizes[w], sizes[h]);
                g_autoptr(GArray) marks = bg_annotations_new();
                BgAnnotateSlice params;
                double x = sizes[w] * (corner % 3) * 0.5, y = sizes[h] * (corner / 3) * 0.5;
                bg_annotate_slice_init(&params, &frame);
                fill_words(&params);
                params.crosshair_mm = bg_slice_frame_point(&frame, x, y);
                bg_annotate_slice(&params, marks);
                check_no_overlap(marks, sizes[w], sizes[h]);
                g_assert_nonnull(bg_annotations_find(marks, BG_MARK_ROLE_NOTE));
                for (int edge = 0; edge < 4; edge++)
                    g_assert_nonnull(
                        bg_annotations_find(marks, (BgMarkRole) (BG_MARK_ROLE_LETTER_LEFT + edge)));
            }
        }
    }
}

// The smallest picture says it too, in smaller letters and in several lines.
static void
test_note(void)
{
    for (int size = 24; size <= 400; size += 8) {
        BgSliceFrame frame = pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, size, size);
        g_autoptr(GArray) marks = bg_annotations_new();
        g_autoptr(GString) note = g_string_new(NULL);
        BgAnnotateSlice params;
        bg_annotate_slice_init(&params, &frame);
        fill_words(&params);
        params.has_crosshair = FALSE;
        bg_annotate_slice(&params, marks);
        double at = -1e9;
        for (guint i = 0; i < marks->len; i++) {
            const BgMark *mark = &g_array_index(marks, BgMark, i);
            double box[4];
            if (mark->role != BG_MARK_ROLE_NOTE)
                continue;
            // at the bottom the last line is laid out first
            if (mark->y < at)
                g_string_prepend_c(note, ' ');
            else if (note->len > 0)
                g_string_append_c(note, ' ');
            g_string_insert(note, mark->y < at ? 0 : -1, mark->text);
            at = mark->y;
            bg_mark_get_box(mark, box);
            g_assert_cmpfloat(mark->size, >=, 7.0);
            g_assert_cmpfloat(box[1], >=, 0.0);
            if (size >= 40)
                g_assert_cmpfloat(box[0], >=, 0.0);
        }
        g_assert_cmpstr(note->str, ==, "Not for diagnosis");
        g_assert_nonnull(bg_annotations_find(marks, BG_MARK_ROLE_LETTER_LEFT));
    }
}

static void
test_words(void)
{
    BgSliceFrame frame = pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, 700, 500);
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateSlice params;

    bg_annotate_slice_init(&params, &frame);
    fill_words(&params);
    bg_annotate_slice(&params, marks);
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_TITLE), ==, "AXIAL");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_WINDOW), ==, "W 900 L 450");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_POSITION), ==, "R 17.6  P 35.3  S 12.1 mm   412");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_SLICE), ==, "57/181");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_ENGINE), ==, "CPU");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_NOTE), ==, "Not for diagnosis");
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_INTERPOLATION), ==, "linear");
    // The crosshair is where its point is, with a gap; sagittal yellow, coronal green.
    const BgMark *line = bg_annotations_find(marks, BG_MARK_ROLE_CROSSHAIR);
    g_assert_cmpfloat_with_epsilon(line->x, 350.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(line->to_y, 250.5 - 12.0, 1e-9);
    g_assert_cmpfloat_with_epsilon((double) line->rgba[0], 0xED / 255.0, 1e-6);

    g_autofree char *position = bg_format_position(bg_vec3(-0.04, -0.06, 0.0));
    g_assert_cmpstr(position, ==, "L 0.0  A 0.1  S 0.0 mm");
    g_autofree char *window = bg_format_window(0.5, 1.25);
    g_assert_cmpstr(window, ==, "W 1.25 L 0.5");
}

// The name of what is shown is shortened, and then left out, before the plane's name is.
static void
test_series(void)
{
    static const struct {
        int width;
        const char *title;
    } cases[] = { { 700, "AXIAL  T1 MPRAGE SAGITTAL ISO CONTRAST" },
                  { 210, "AXIAL  T1 MPRAGE SAGITT…" },
                  { 140, "AXIAL  T1 MPRAG…" },
                  { 80, "AXIAL" } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BgSliceFrame frame =
            pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, cases[i].width, 500);
        g_autoptr(GArray) marks = bg_annotations_new();
        BgAnnotateSlice params;
        bg_annotate_slice_init(&params, &frame);
        params.title = "AXIAL";
        params.series = "T1 MPRAGE SAGITTAL ISO CONTRAST";
        bg_annotate_slice(&params, marks);
        g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_TITLE), ==, cases[i].title);
        check_no_overlap(marks, cases[i].width, 500);
    }
}

static void
test_view(void)
{
    static const struct {
        double elevation, azimuth;
        const char *letters;
    } cases[] = { { 0, 0, "RLSI" },
                  { 0, 90, "APSI" },
                  { 0, 180, "LRSI" },
                  { 90, 0, "RLPA" },
                  { -90, 0, "RLAP" } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BgView view = bg_view_default();
        g_autoptr(GArray) marks = bg_annotations_new();
        BgAnnotateView params;
        view.elevation_deg = cases[i].elevation;
        view.azimuth_deg = cases[i].azimuth;
        view.parallel = i == 0;
        BgCamera camera = bg_camera_from_view(&view, bg_vec3(5, 6, 7), 100.0, 400, 400);
        bg_annotate_view_init(&params, &camera, bg_vec3(5, 6, 7));
        params.engine = "CPU";
        bg_annotate_view(&params, marks);
        check_letters(marks, cases[i].letters);
        const BgMark *bar = bg_annotations_find(marks, BG_MARK_ROLE_SCALE_BAR);
        g_assert_cmpfloat_with_epsilon(
            (bar->to_x - bar->x) * bg_camera_mm_per_pixel(&camera, bg_vec3(5, 6, 7)), 50.0, 1e-9);
        g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_SCALE_TEXT), ==,
                        i == 0 ? "50 mm" : "50 mm at centre");
    }
}

static void
test_measure(void)
{
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateMeasure ruler = { .n_points = 2,
                                .points_mm = { { 0, 0, 0 }, { 3, 4, 12 } },
                                .points = { { 10, 10 }, { 40, 50 } },
                                .scale = 1.0,
                                .calibrated = TRUE };

    bg_annotate_measure(&ruler, marks);
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_MEASUREMENT_VALUE), ==, "13.0 mm");
    g_array_set_size(marks, 0);
    ruler.calibrated = FALSE;
    bg_annotate_measure(&ruler, marks);
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_MEASUREMENT_VALUE), ==, "13.0 px");
    g_array_set_size(marks, 0);
    BgAnnotateMeasure angle = { .n_points = 3,
                                .points_mm = { { 1, 0, 0 }, { 0, 0, 0 }, { 1, 1, 0 } },
                                .scale = 1.0,
                                .calibrated = TRUE };
    bg_annotate_measure(&angle, marks);
    g_assert_cmpstr(text_of(marks, BG_MARK_ROLE_MEASUREMENT_VALUE), ==, "45.0°");
    g_assert_cmpfloat_with_epsilon(
        bg_measure_angle_deg(bg_vec3(1, 0, 0), bg_vec3(0, 0, 0), bg_vec3(-1, 1e-8, 0)), 180.0,
        1e-5);
}

static void
test_draws(void)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 300, 200);
    cairo_t *cr = cairo_create(surface);
    BgSliceFrame frame = pane_frame(BG_PLANE_AXIAL, BG_CONVENTION_RADIOLOGICAL, 300, 200);
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateSlice params;
    double box[4];
    int n_bright = 0;

    bg_annotate_slice_init(&params, &frame);
    bg_annotate_slice(&params, marks);
    bg_annotations_draw(marks, cr);
    cairo_surface_flush(surface);
    bg_mark_get_box(bg_annotations_find(marks, BG_MARK_ROLE_LETTER_LEFT), box);
    const guchar *data = cairo_image_surface_get_data(surface);
    for (int y = (int) box[1]; y < (int) (box[1] + box[3]); y++)
        for (int x = (int) box[0]; x < (int) (box[0] + box[2]); x++)
            n_bright += data[y * cairo_image_surface_get_stride(surface) + 4 * x] > 150;
    g_assert_cmpint(n_bright, >, 10);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

// White letters on white: what is dark is the halo, which is darkest at the letters and ends.
static void
test_halo(void)
{
    g_autoptr(GArray) marks = bg_annotations_new();
    BgMark mark = { .kind = BG_MARK_TEXT,
                    .x = 20.3,
                    .y = 10.6,
                    .size = 22.0,
                    .rgba = { 1.0f, 1.0f, 1.0f, 1.0f },
                    .text = "I" };
    double box[4];
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 60, 50);
    cairo_t *cr = cairo_create(surface);

    g_array_append_val(marks, mark);
    bg_mark_get_box(&mark, box);
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_paint(cr);
    bg_annotations_draw(marks, cr);
    cairo_surface_flush(surface);

    const guint8 *row =
        cairo_image_surface_get_data(surface) +
        (gsize) (box[1] + 0.5 * box[3]) * (gsize) cairo_image_surface_get_stride(surface);
    int first = 60, last = -1, middle = (int) (box[0] + 0.5 * box[2]), darkest = 255;
    for (int x = 0; x < 60; x++) {
        if (row[4 * x] == 255)
            continue;
        first = MIN(first, x);
        last = MAX(last, x);
        darkest = MIN(darkest, row[4 * x]);
    }
    g_test_message("dark from %d to %d, darkest %d", first, last, darkest);
    g_assert_cmpint(row[4 * middle], >, 250); // the letter itself
    g_assert_cmpint(darkest, <, 60);          // legible on the skull of a T1
    g_assert_cmpint(middle - first, >=, 5);   // as far to both sides, six and the letter's half
    g_assert_cmpint(middle - first, <=, 10);
    g_assert_cmpint(ABS((middle - first) - (last - middle)), <=, 1);
    g_assert_cmpint(row[4 * first], >, 140); // soft at its end
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

// An expected error: an ellipse that stands as it is told to, and a veil without seams that leaves the rest alone.
static void
test_error(void)
{
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateError error = { .x = 50, .y = 40, .major = 20, .minor = 5, .angle_rad = G_PI / 2 };
    BgMark veil = { .kind = BG_MARK_VEIL,
                    .x = 0,
                    .y = 0,
                    .to_x = 8,
                    .to_y = 8,
                    .rgba = { 0.0f, 0.0f, 0.0f, 0.5f } };
    double box[4];

    bg_annotate_error(&error, marks);
    const BgMark *ellipse = bg_annotations_find(marks, BG_MARK_ROLE_EXPECTED_ERROR);
    g_assert_nonnull(ellipse);
    bg_mark_get_box(ellipse, box); // upright: 5 px to either side, 20 up and down
    g_assert_cmpfloat_with_epsilon(box[0], 45.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(box[1], 20.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(box[2], 10.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(box[3], 40.0, 1e-9);

    g_array_append_val(marks, veil);
    veil.x = 8;
    veil.to_x = 16;
    g_array_append_val(marks, veil);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 100, 80);
    cairo_t *cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_paint(cr);
    bg_annotations_draw(marks, cr);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    const guint8 *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int x = 0; x < 16; x++)
        g_assert_cmpint(abs(pixels[4 * stride + 4 * x] - 128), <=, 1);
    g_assert_cmpint(pixels[4 * stride + 4 * 17], ==, 255);
    g_assert_cmpint(pixels[12 * stride + 4 * 4], ==, 255);
    g_assert_cmpint(pixels[60 * stride + 4 * 50], <, 200);  // the ellipse's lower end ...
    g_assert_cmpint(pixels[40 * stride + 4 * 30], ==, 255); // ... is not at its side
    cairo_surface_destroy(surface);
}

// From blue at 26 degrees to red at 38.
static BgAnnotateValues
make_values(void)
{
    BgAnnotateValues values = { .low = 26.0, .high = 38.0, .unit = "°C", .title = "Temperature" };

    for (int i = 0; i < BG_ANNOTATE_BANDS; i++) {
        values.rgb[i][0] = (guint8) (i * 4);
        values.rgb[i][2] = (guint8) (252 - i * 4);
    }
    return values;
}

// Every text stands beside the colour of its own value.
static void
test_values(void)
{
    const BgAnnotateValues values = make_values();
    g_autoptr(GArray) marks = bg_annotations_new();
    int n_texts = 0;

    bg_annotate_values(&values, 400.0, 600.0, 1.0, marks);
    for (guint t = 0; t < marks->len; t++) {
        const BgMark *text = &g_array_index(marks, BgMark, t);
        double value =
            text->role == BG_MARK_ROLE_COLOUR_TEXT ? g_ascii_strtod(text->text, NULL) : 0.0;
        const BgMark *nearest = NULL;
        if (value == 0.0)
            continue;
        n_texts++;
        g_assert_true(g_str_has_suffix(text->text, " °C"));
        for (guint b = 0; b < marks->len; b++) {
            const BgMark *band = &g_array_index(marks, BgMark, b);
            if (band->kind == BG_MARK_VEIL &&
                (nearest == NULL || fabs(0.5 * (band->y + band->to_y) - text->y) <
                                        fabs(0.5 * (nearest->y + nearest->to_y) - text->y)))
                nearest = band;
        }
        g_assert_nonnull(nearest);
        double share = (value - 26.0) / 12.0;
        g_assert_cmpfloat_with_epsilon((double) nearest->rgba[0], share, 0.02);
        g_assert_cmpfloat_with_epsilon((double) nearest->rgba[2], 1.0 - share, 0.03);
    }
    g_assert_cmpint(n_texts, ==, 3);
    g_array_set_size(marks, 0);
    bg_annotate_values(&values, 120.0, 90.0, 1.0, marks);
    g_assert_cmpuint(marks->len, ==, 0); // no room for a bar that tells anything
}

static void
test_value_digits(void)
{
    static const struct {
        double low, high, value;
        const char *want;
    } cases[] = {
        { 26.0, 38.0, 31.5, "31.5 °C" },
        { -20.0, 400.0, 31.5, "32 °C" },
        { 36.1, 36.7, 36.456, "36.46 °C" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const BgAnnotateValues values = { .low = cases[i].low,
                                          .high = cases[i].high,
                                          .unit = "°C" };
        g_autofree char *text = bg_annotate_value(&values, cases[i].value);
        g_assert_cmpstr(text, ==, cases[i].want);
    }
}

// In the saved picture: the warm end above the cold one, the line where it is, on the side where it is.
static void
test_image(void)
{
    const BgAnnotateValues values = make_values();
    const BgImageFormat format = { 300, 400, 3, BG_PIXEL_UINT8 };
    guint8 *grey = bg_buffer_alloc_items(300 * 400, 3, NULL);
    g_autoptr(BgContours) lines = bg_contours_new();
    const BgContourPoint points[] = { { 200, 60 }, { 240, 60 }, { 240, 90 }, { 200, 60 } };
    gsize start = 0;
    g_autoptr(GError) error = NULL;

    memset(grey, 128, 300 * 400 * 3);
    g_autoptr(BgImage) image = bg_image_new_take(&format, grey, &error);
    g_array_append_val(lines->starts, start);
    g_array_append_vals(lines->points, points, G_N_ELEMENTS(points));
    const BgAnnotateLine line = { .lines = lines, .rgb = { 0.0, 1.0, 0.0 }, .width_px = 2.0 };
    const BgAnnotateImage params = { .right = { -1.0, 0.0, 0.0 },
                                     .down = { 0.0, 0.0, -1.0 },
                                     .side_known = TRUE,
                                     .values = &values,
                                     .lines = &line,
                                     .n_lines = 1 };
    g_autoptr(BgImage) made = bg_annotate_image(image, &params, &error);
    g_assert_no_error(error);
    const guint8 *rgb = bg_image_get_pixels(made);
    int reddest = -1, bluest = -1, n_green[2] = { 0, 0 };
    for (int y = 0; y < 400; y++) {
        const guint8 *bar = rgb + 3 * (12 + 300 * y);
        if (bar[1] < 10 && bar[0] > 240)
            reddest = y;
        if (bar[1] < 10 && bar[2] > 240 && bluest < 0)
            bluest = y;
        for (int x = 0; x < 300; x++) {
            const guint8 *pixel = rgb + 3 * (x + 300 * y);
            n_green[x >= 150] += pixel[1] > 250 && pixel[0] < 5 && pixel[2] < 5;
        }
    }
    g_assert_cmpint(reddest, >, 0);
    g_assert_cmpint(bluest, >, reddest); // hot at the top
    g_assert_cmpint(n_green[0], ==, 0);
    g_assert_cmpint(n_green[1], >, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/annotations/letters/planes-and-conventions", test_letters);
    g_test_add_func("/annotations/letters/compound", test_directions);
    g_test_add_func("/annotations/letters/side-unknown", test_side_unknown);
    g_test_add_func("/annotations/scale-bar", test_scale_bar);
    g_test_add_func("/annotations/fits-small-panes", test_fits);
    g_test_add_func("/annotations/note-is-never-lost", test_note);
    g_test_add_func("/annotations/words", test_words);
    g_test_add_func("/annotations/series", test_series);
    g_test_add_func("/annotations/view", test_view);
    g_test_add_func("/annotations/values", test_values);
    g_test_add_func("/annotations/value-digits", test_value_digits);
    g_test_add_func("/annotations/image", test_image);
    g_test_add_func("/annotations/measure", test_measure);
    g_test_add_func("/annotations/draws", test_draws);
    g_test_add_func("/annotations/halo", test_halo);
    g_test_add_func("/annotations/expected-error", test_error);
    return g_test_run();
}
