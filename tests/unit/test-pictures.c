// SPDX-License-Identifier: Apache-2.0
// Small pictures of every kind against the pixels that PIL reads (tests/reference/picture-cases.json,
// made by make_picture_cases.py beside it), EXIF's eight orientations among them, and the thermal
// camera's temperatures and all photographs of the shared folder.
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io.h"
#include "media/picture/bg-pictures.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static BgJson *
read_json(const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    BgJson *json = bg_json_parse(text, -1, &error);
    g_assert_no_error(error);
    return json;
}

static gboolean
is_media(const char *path)
{
    return g_str_has_suffix(path, ".jpg") || g_str_has_suffix(path, ".tif") ||
           g_str_has_suffix(path, ".heic");
}

static BgLoaded *
load(const char *path, int frame, GError **error)
{
    BgLoadParams params = bg_load_params_default();

    params.frame = frame;
    return is_media(path) ? bg_pictures_load(path, &params, NULL, NULL, error)
                          : bg_io_load(path, &params, NULL, NULL, error);
}

static BgFileInfo *
probe(const char *path, GError **error)
{
    return is_media(path) ? bg_pictures_probe(path, NULL, error) : bg_io_probe(path, NULL, error);
}

static double
get_pixel(const BgImage *image, gsize i)
{
    gconstpointer pixels = bg_image_get_pixels(image);

    switch (bg_image_get_format(image)->type) {
    case BG_PIXEL_UINT8:
        return ((const guint8 *) pixels)[i];
    case BG_PIXEL_UINT16:
        return ((const guint16 *) pixels)[i];
    case BG_PIXEL_FLOAT32:
        break;
    }
    return (double) ((const float *) pixels)[i];
}

static int
get_int(const BgJson *object, const char *name)
{
    return (int) bg_json_to_integer(bg_json_get(object, name), 0);
}

static void
check_pixels(const char *name, const BgImage *image, const BgJson *facts)
{
    gsize n_bytes, n = (gsize) get_int(facts, "width") * (gsize) get_int(facts, "height") *
                       (gsize) get_int(facts, "channels");
    gboolean small = get_int(facts, "bytes") != 0;
    double tolerance = bg_json_to_double(bg_json_get(facts, "tolerance"), 0.0);
    g_autofree guchar *bytes =
        g_base64_decode(bg_json_to_string(bg_json_get(facts, "pixels"), ""), &n_bytes);

    g_assert_cmpuint(n_bytes, ==, n * (small ? 1 : 4));
    for (gsize i = 0; i < n; i++) {
        float wide;
        memcpy(&wide, bytes + (small ? 0 : 4 * i), sizeof wide);
        double expected = small ? bytes[i] : (double) wide, got = get_pixel(image, i);
        // What is transparent has any colour.
        if (get_int(facts, "alpha") != 0 && i % 4 != 3 && bytes[i / 4 * 4 + 3] == 0)
            continue;
        if (!(fabs(got - expected) <= tolerance))
            g_error("%s: pixel %zu is %g, expected %g", name, i, got, expected);
    }
}

static gboolean
has_warning(const BgFileInfo *info, const char *word)
{
    for (guint i = 0; i < info->warnings->len; i++) {
        if (strstr(info->warnings->pdata[i], word) != NULL)
            return TRUE;
    }
    return FALSE;
}

static void
check_camera(const BgFileInfo *info, int orientation, gboolean exif)
{
    g_assert_true(has_warning(info, "orientation") == (orientation > 1));
    if (!exif)
        return;
    g_assert_cmpstr(info->camera, ==, "Maker Model 1");
    g_assert_cmpfloat(info->focal_length_mm, ==, 17.5);
    g_assert_cmpfloat(info->focal_length_35mm, ==, 26.0);
    // 48 pixels at 20 a centimetre
    g_assert_cmpfloat_with_epsilon(info->sensor_mm[0], 24.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(info->sensor_mm[1], 16.0, 1e-9);
}

// "turned-ANGLE-MODE.heic": irot's quarter turns against the clock, then imir's mirror.
static void
check_heic(const BgFileInfo *info, const char *name)
{
    static const struct {
        const char *file, *words;
    } turns[] = {
        { "turned-0-0", "(4) was followed: the picture was mirrored upside down" },
        { "turned-0-1", "(2) was followed: the picture was mirrored left to right" },
        { "turned-1-None", "(8) was followed: the picture was turned by 90° counter-clockwise" },
        { "turned-1-0", "(5) was followed: the picture was mirrored along the diagonal" },
        { "turned-1-1", "(7) was followed: the picture was mirrored along the other diagonal" },
        { "turned-2-None", "(3) was followed: the picture was turned by 180°" },
        { "turned-2-0", "(2) was followed: the picture was mirrored left to right" },
        { "turned-2-1", "(4) was followed: the picture was mirrored upside down" },
        { "turned-3-None", "(6) was followed: the picture was turned by 90° clockwise" },
        { "turned-3-0", "(7) was followed: the picture was mirrored along the other diagonal" },
        { "turned-3-1", "(5) was followed: the picture was mirrored along the diagonal" },
    };
    gboolean found = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
        g_autofree char *file = g_strconcat(turns[i].file, ".heic", NULL);
        if (!g_str_equal(file, name))
            continue;
        g_assert_true(has_warning(info, turns[i].words));
        found = TRUE;
    }
    g_assert_true(found == has_warning(info, "orientation"));
    g_assert_true(found || g_str_equal(name, "upright.heic"));
}

static void
check_case(const char *folder, const BgJson *facts)
{
    const char *name = bg_json_to_string(bg_json_get(facts, "name"), "");
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    gsize n;
    g_autofree guchar *bytes =
        g_base64_decode(bg_json_to_string(bg_json_get(facts, "file"), ""), &n);

    g_test_message("%s", name);
    g_assert_true(g_file_set_contents(path, (const char *) bytes, (gssize) n, NULL));
    g_autoptr(BgFileInfo) info = probe(path, &error);
    if (g_str_has_suffix(name, ".heic") &&
        g_error_matches(error, BG_ERROR, BG_ERROR_UNSUPPORTED)) { // built without libheif
        g_unlink(path);
        return;
    }
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = load(path, 0, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->image);
    const BgImageFormat *format = bg_image_get_format(loaded->image);
    g_assert_cmpint(format->width, ==, get_int(facts, "width"));
    g_assert_cmpint(format->height, ==, get_int(facts, "height"));
    g_assert_cmpint(format->n_channels, ==, get_int(facts, "channels"));
    g_assert_cmpint(info->dims[0], ==, format->width);
    g_assert_cmpint(info->dims[1], ==, format->height);
    g_assert_cmpstr(loaded->info->datatype, ==,
                    bg_json_to_string(bg_json_get(facts, "datatype"), ""));
    g_assert_cmpstr(info->datatype, ==, loaded->info->datatype);
    g_assert_cmpint(info->kind, ==, BG_KIND_IMAGE);
    check_pixels(name, loaded->image, facts);
    if (bg_json_get(facts, "orientation") != NULL)
        check_camera(loaded->info, get_int(facts, "orientation"), g_str_has_suffix(name, ".jpg"));
    if (g_str_has_suffix(name, ".heic"))
        check_heic(loaded->info, name);
    if (g_str_has_suffix(name, ".jpg") || g_str_has_suffix(name, ".heic"))
        g_assert_true(has_warning(loaded->info, "lossy"));
    g_unlink(path);
}

static void
test_cases(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-pictures-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "reference",
                                             "picture-cases.json", NULL);
    g_autoptr(BgJson) cases = read_json(file);

    g_assert_cmpuint(bg_json_count(cases), >=, 76);
    for (gsize i = 0; i < bg_json_count(cases); i++)
        check_case(folder, bg_json_at(cases, i));
    g_rmdir(folder);
}

static const char *
shared(void)
{
    const char *folder = g_getenv("BREGMA_TEST_SHARED");

    return folder != NULL && g_file_test(folder, G_FILE_TEST_IS_DIR) ? folder : NULL;
}

// PIL's JPEG decoder is the same library in another version: means agree closely.
static void
check_shared(const char *folder, const char *name, const BgJson *facts)
{
    g_autofree char *path = g_build_filename(shared(), folder, name, NULL);
    gboolean grey = strcmp(bg_json_to_string(bg_json_get(facts, "mode"), ""), "RGB") != 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLoaded) loaded = load(path, 0, &error);
    double low = INFINITY, high = -INFINITY, sum = 0.0;

    g_assert_no_error(error);
    const BgImageFormat *format = bg_image_get_format(loaded->image);
    const BgJson *size = bg_json_get(facts, "size");
    g_assert_cmpint(format->width, ==, bg_json_to_integer(bg_json_at(size, 0), 0));
    g_assert_cmpint(format->height, ==, bg_json_to_integer(bg_json_at(size, 1), 0));
    g_assert_cmpint(format->n_channels, ==, grey ? 1 : 3);
    gsize n = (gsize) format->width * (gsize) format->height * (gsize) format->n_channels;
    for (gsize i = 0; i < n; i++) {
        double v = get_pixel(loaded->image, i);
        low = fmin(low, v);
        high = fmax(high, v);
        sum += v;
    }
    double tolerance = is_media(path) ? 0.05 : 1e-3;
    g_test_message("%s: %g %g %g", name, low, high, sum / (double) n);
    g_assert_cmpfloat_with_epsilon(low, bg_json_to_double(bg_json_get(facts, "min"), NAN),
                                   is_media(path) ? 1.5 : 0.5);
    g_assert_cmpfloat_with_epsilon(high, bg_json_to_double(bg_json_get(facts, "max"), NAN),
                                   is_media(path) ? 1.5 : 0.5);
    g_assert_cmpfloat_with_epsilon(sum / (double) n,
                                   bg_json_to_double(bg_json_get(facts, "mean"), NAN), tolerance);
}

static void
test_shared(gconstpointer data)
{
    const char *folder = data;
    int n_checked = 0;

    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    g_autofree char *file = g_build_filename(shared(), folder, "expected.json", NULL);
    g_autoptr(BgJson) expected = read_json(file);
    for (gsize i = 0; i < bg_json_count(expected); i++) {
        const BgJson *facts = bg_json_value_at(expected, i);
        const char *mode = bg_json_to_string(bg_json_get(facts, "mode"), "");
        // Pictures with alpha or a palette are counted in another way there.
        if (strcmp(mode, "RGB") != 0 && strcmp(mode, "L") != 0 && strcmp(mode, "I") != 0)
            continue;
        check_shared(folder, bg_json_name_at(expected, i), facts);
        n_checked++;
    }
    g_test_message("%s: %d pictures", folder, n_checked);
    g_assert_cmpint(n_checked, >, 0);
}

// Least and highest temperature by the stated formula.
static void
test_temperatures(void)
{
    int n_checked = 0;

    if (shared() == NULL) {
        g_test_skip("no shared data");
        return;
    }
    g_autofree char *file = g_build_filename(shared(), "thermal_optical", "expected.json", NULL);
    g_autoptr(BgJson) expected = read_json(file);
    const BgJson *series = bg_json_get(expected, "_series");
    for (gsize i = 0; i < bg_json_count(series); i++) {
        const BgJson *facts = bg_json_value_at(series, i);
        const BgJson *celsius = bg_json_get(facts, "temp_C_no_atmosphere");
        g_autofree char *path =
            g_build_filename(shared(), "thermal_optical", bg_json_name_at(series, i), NULL);
        g_autoptr(GError) error = NULL;
        if (celsius == NULL)
            continue;
        g_autoptr(BgLoaded) loaded = load(path, 1, &error);
        g_assert_no_error(error);
        const BgImageFormat *format = bg_image_get_format(loaded->image);
        gsize n = (gsize) format->width * (gsize) format->height;
        double low = INFINITY, high = -INFINITY, sum = 0.0;
        for (gsize p = 0; p < n; p++) {
            double v = get_pixel(loaded->image, p);
            low = fmin(low, v);
            high = fmax(high, v);
            sum += v;
        }
        g_test_message("%s: %d x %d: %.4f %.4f %.4f", path, format->width, format->height, low,
                       high, sum / (double) n);
        g_assert_cmpint(format->type, ==, BG_PIXEL_FLOAT32);
        g_assert_cmpstr(loaded->info->unit, ==, "°C");
        g_assert_cmpint(format->width, ==, get_int(bg_json_get(facts, "raw"), "w"));
        g_assert_cmpint(format->height, ==, get_int(bg_json_get(facts, "raw"), "h"));
        g_assert_cmpfloat_with_epsilon(low, bg_json_to_double(bg_json_get(celsius, "min"), NAN),
                                       1e-3);
        g_assert_cmpfloat_with_epsilon(high, bg_json_to_double(bg_json_get(celsius, "max"), NAN),
                                       1e-3);
        g_assert_cmpfloat_with_epsilon(sum / (double) n,
                                       bg_json_to_double(bg_json_get(celsius, "mean"), NAN), 1e-3);
        n_checked++;
    }
    g_assert_cmpint(n_checked, >=, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pictures/cases", test_cases);
    g_test_add_func("/pictures/temperatures", test_temperatures);
    g_test_add_data_func("/pictures/shared/thermal-optical", "thermal_optical", test_shared);
    g_test_add_data_func("/pictures/shared/fusion2d", "fusion2d", test_shared);
    g_test_add_data_func("/pictures/shared/calibration", "calibration", test_shared);
    return g_test_run();
}
