// SPDX-License-Identifier: Apache-2.0
// DICOM as it is meant to be looked at: windows, tables, photometric interpretation, overlays, shape of
// pixels, against the formulas of PS3.3 C.11.2.1 and C.9.2.
#include "../support/bg-dicom-make.h"
#include "media/dicom/bg-dicom.h"

#include <math.h>

#define TAG BG_DICOM_TAG
#define WIDTH 8
#define HEIGHT 6

typedef struct {
    const char *photometric; // NULL: MONOCHROME2
    double slope, intercept;
    double window[2]; // width 0: none
    const char *function;
    gboolean voi_lut, overlay, tall;
} Look;

// A sequence of one LUT: 48 entries of 8 bits from 0, falling.
static void
put_lut(BgDcmEncoder *e)
{
    static const guint8 descriptor[6] = { 48, 0, 0, 0, 8, 0 };
    guint8 entries[96] = { 0 };

    for (int i = 0; i < 48; i++)
        entries[2 * i] = (guint8) (250 - 5 * i);
    bg_dcm_begin_sequence(e, TAG(0x0028, 0x3010));
    bg_dcm_begin_item(e);
    bg_dcm_put_bytes(e, TAG(0x0028, 0x3002), "US", descriptor, 6);
    bg_dcm_put_bytes(e, TAG(0x0028, 0x3006), "OW", entries, 96);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
}

static GBytes *
make_file(const Look *look)
{
    g_auto(BgDcmEncoder) e = { 0 };
    guint8 pixels[2 * WIDTH * HEIGHT] = { 0 };
    guint8 preamble[128] = { 0 };

    for (int i = 0; i < WIDTH * HEIGHT; i++)
        pixels[2 * i] = (guint8) i;
    bg_dcm_encoder_init(&e, 1);
    g_byte_array_append(e.bytes, preamble, sizeof preamble);
    g_byte_array_append(e.bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1");
    bg_dcm_put_text(&e, TAG(0x0008, 0x0060), "CS", "CR");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000e), "UI", "1.2.3");
    bg_dcm_put_us(&e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0004), "CS",
                    look->photometric != NULL ? look->photometric : "MONOCHROME2");
    bg_dcm_put_us(&e, TAG(0x0028, 0x0010), HEIGHT);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0011), WIDTH);
    if (look->tall)
        bg_dcm_put_text(&e, TAG(0x0028, 0x0034), "IS", "2\\1");
    bg_dcm_put_us(&e, TAG(0x0028, 0x0100), 16);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0101), 16);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0102), 15);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0103), 0);
    if (look->window[1] > 0.0) {
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1050), &look->window[0], 1);
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1051), &look->window[1], 1);
    }
    if (look->slope != 0.0) {
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1052), &look->intercept, 1);
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1053), &look->slope, 1);
    }
    if (look->function != NULL)
        bg_dcm_put_text(&e, TAG(0x0028, 0x1056), "CS", look->function);
    if (look->voi_lut)
        put_lut(&e);
    if (look->overlay) { // one pixel, (3, 2), of a plane that begins at (2, 1)
        static const guint8 origin[4] = { 2, 0, 3, 0 }, bits[2] = { 0x02, 0 };
        bg_dcm_put_us(&e, TAG(0x6000, 0x0010), 2);
        bg_dcm_put_us(&e, TAG(0x6000, 0x0011), 4);
        bg_dcm_put_bytes(&e, TAG(0x6000, 0x0050), "SS", origin, 4);
        bg_dcm_put_bytes(&e, TAG(0x6000, 0x3000), "OW", bits, 2);
    }
    bg_dcm_put_bytes(&e, TAG(0x7fe0, 0x0010), "OW", pixels, sizeof pixels);
    return g_byte_array_free_to_bytes(g_steal_pointer(&e.bytes));
}

static BgImage *
show(const Look *look)
{
    char *folder = bg_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.dcm", NULL);
    g_autoptr(GBytes) bytes = make_file(look);
    g_autoptr(GError) error = NULL;
    gsize n;
    const char *data = g_bytes_get_data(bytes, &n);

    g_assert_true(g_file_set_contents(path, data, (gssize) n, NULL));
    g_autoptr(GPtrArray) list = bg_dicom_scan(path, NULL, NULL, &error);
    g_assert_no_error(error);
    BgImage *image = bg_dicom_load_picture(list->pdata[0], 0, 0, 0, NULL, &error);
    g_assert_no_error(error);
    bg_remove_folder(folder);
    return image;
}

// C.11.2.1.2.1, C.11.2.1.3.2 and C.11.2.1.3.1, to 0..255.
static double
expected(const Look *look, double x)
{
    double c = look->window[0], w = look->window[1], y;

    if (look->voi_lut)
        y = 250.0 - 5.0 * x;
    else if (g_strcmp0(look->function, "SIGMOID") == 0)
        y = 255.0 / (1.0 + exp(-4.0 * (x - c) / w));
    else if (g_strcmp0(look->function, "LINEAR_EXACT") == 0)
        y = x <= c - w / 2 ? 0.0 : x > c + w / 2 ? 255.0 : ((x - c) / w + 0.5) * 255.0;
    else if (x <= c - 0.5 - (w - 1) / 2)
        y = 0.0;
    else if (x > c - 0.5 + (w - 1) / 2)
        y = 255.0;
    else
        y = ((x - (c - 0.5)) / (w - 1) + 0.5) * 255.0;
    return g_strcmp0(look->photometric, "MONOCHROME1") == 0 ? 255.0 - y : y;
}

static void
test_looks(void)
{
    static const Look looks[] = {
        { .window = { 20, 21 } },
        { .window = { 20, 2 } },
        { .window = { 30, 40 }, .slope = 2.0, .intercept = -10.0 },
        { .window = { 20, 21 }, .function = "LINEAR_EXACT" },
        { .window = { 20, 21 }, .function = "SIGMOID" },
        { .window = { 20, 21 }, .photometric = "MONOCHROME1" },
        { .voi_lut = TRUE },
    };

    for (gsize n = 0; n < G_N_ELEMENTS(looks); n++) {
        const Look *look = &looks[n];
        g_autoptr(BgImage) image = show(look);
        const guint8 *grey = bg_image_get_pixels(image);
        g_assert_cmpint(bg_image_get_format(image)->width, ==, WIDTH);
        g_assert_cmpint(bg_image_get_format(image)->height, ==, HEIGHT);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            double x = look->slope != 0.0 ? look->slope * i + look->intercept : i;
            if (fabs(grey[i] - expected(look, x)) > 1.0)
                g_error("look %zu, value %d: %d, not %g", n, i, grey[i], expected(look, x));
        }
    }
}

static void
test_no_window(void)
{
    Look look = { 0 };
    g_autoptr(BgImage) image = show(&look);
    const guint8 *grey = bg_image_get_pixels(image);

    g_assert_cmpint(grey[0], ==, 0);
    g_assert_cmpint(grey[WIDTH * HEIGHT - 1], ==, 255);
}

static void
test_overlay(void)
{
    Look plain = { .window = { 200, 300 } }, drawn = { .window = { 200, 300 }, .overlay = TRUE };
    g_autoptr(BgImage) before = show(&plain);
    g_autoptr(BgImage) after = show(&drawn);
    const guint8 *a = bg_image_get_pixels(before), *b = bg_image_get_pixels(after);

    for (int i = 0; i < WIDTH * HEIGHT; i++)
        g_assert_cmpint(b[i], ==, i == 1 * WIDTH + 3 ? 255 : a[i]); // row 2, column 4, from 1
}

static void
test_tall_pixels(void)
{
    Look look = { .window = { 24, 48 }, .tall = TRUE };
    g_autoptr(BgImage) image = show(&look);

    g_assert_cmpint(bg_image_get_format(image)->width, ==, WIDTH);
    g_assert_cmpint(bg_image_get_format(image)->height, ==, 2 * HEIGHT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dicom-picture/windows-and-tables", test_looks);
    g_test_add_func("/dicom-picture/no-window", test_no_window);
    g_test_add_func("/dicom-picture/overlay", test_overlay);
    g_test_add_func("/dicom-picture/tall-pixels", test_tall_pixels);
    return g_test_run();
}
