// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"
#include "core/model/bg-transfer-function.h"

#include <math.h>
#include <string.h>

#define FULL                                                                                 \
    "{\"schema\":1,\"name\":\"Knochen ä\",\"unit\":\"HU\",\"technique\":\"iso\","           \
    "\"opacity\":[[-1000,0],[100,0],[100,0.25],[300.5,1]],"                                  \
    "\"colour\":[[0,0.1,0.2,0.3],[200,1,0.5,0]],\"gradient_opacity\":[[0,0],[50,1]],"        \
    "\"iso_value\":150.25,\"shade\":false,\"ambient\":0.1,\"diffuse\":0.7,\"specular\":0.3," \
    "\"power\":20,\"interpolation\":\"nearest\",\"unit_distance_mm\":0.5}"

static void
test_reads(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(FULL, -1, &error);

    g_assert_no_error(error);
    const BgTransferFunctionData *data = bg_transfer_function_get_data(tf);
    g_assert_cmpstr(data->name, ==, "Knochen ä");
    g_assert_cmpstr(data->unit, ==, "HU");
    g_assert_cmpint(data->technique, ==, BG_TECHNIQUE_ISO);
    g_assert_cmpuint(data->opacity->len, ==, 4);
    g_assert_cmpuint(data->colour->len, ==, 2);
    g_assert_cmpuint(data->gradient_opacity->len, ==, 2);
    g_assert_cmpfloat(data->iso_value, ==, 150.25);
    g_assert_false(data->shade);
    g_assert_cmpfloat(data->ambient, ==, 0.1);
    g_assert_cmpfloat(data->diffuse, ==, 0.7);
    g_assert_cmpfloat(data->specular, ==, 0.3);
    g_assert_cmpfloat(data->power, ==, 20.0);
    g_assert_false(data->linear);
    g_assert_cmpfloat(data->unit_distance_mm, ==, 0.5);
}

// The values are numpy.interp's (1.24) of these points, apart from the step, which it has not.
static void
test_evaluates(void)
{
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(FULL, -1, NULL);
    static const double opacities[][2] = {
        { -2000, 0 },           { 99.999, 0 }, { 100, 0.25 },
        { 200, 0.62406483791 }, { 300.5, 1 },  { 1e9, 1 },
    };
    double rgb[3];

    for (gsize i = 0; i < G_N_ELEMENTS(opacities); i++)
        g_assert_cmpfloat_with_epsilon(bg_transfer_function_opacity_at(tf, opacities[i][0]),
                                       opacities[i][1], 1e-10);
    bg_transfer_function_colour_at(tf, 50.0, rgb);
    g_assert_cmpfloat_with_epsilon(rgb[0], 0.325, 1e-12);
    g_assert_cmpfloat_with_epsilon(rgb[1], 0.275, 1e-12);
    g_assert_cmpfloat_with_epsilon(rgb[2], 0.225, 1e-12);
    bg_transfer_function_colour_at(tf, -1e9, rgb);
    g_assert_cmpfloat(rgb[2], ==, 0.3);
    g_assert_cmpfloat(bg_transfer_function_gradient_opacity_at(tf, 12.5), ==, 0.25);
    g_assert_cmpfloat(bg_transfer_function_opacity_at(tf, (double) NAN), ==, 0.0);
}

static void
test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(FULL, -1, NULL);
    g_autofree char *text = bg_transfer_function_print(tf);
    g_autoptr(BgTransferFunction) back = bg_transfer_function_parse(text, -1, &error);

    g_assert_no_error(error);
    g_assert_true(bg_transfer_function_equal(tf, back));
}

static void
test_equal_sees_every_field(void)
{
    static const char *const changes[][2] = {
        { "Knochen", "Haut" },
        { "HU", "" },
        { "\"iso\"", "\"mip\"" },
        { "300.5", "300.6" },
        { "0.25", "0.26" },
        { "0.2,0.3", "0.2,0.4" },
        { "[50,1]", "[50,0.9]" },
        { "150.25", "150" },
        { "false", "true" },
        { "0.1,\"diffuse", "0.2,\"diffuse" },
        { "0.7", "0.6" },
        { "0.3,\"power", "0.4,\"power" },
        { "\"power\":20", "\"power\":21" },
        { "nearest", "linear" },
        { "mm\":0.5", "mm\":1" },
    };
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(FULL, -1, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(GString) text = g_string_new(FULL);
        g_assert_cmpuint(g_string_replace(text, changes[i][0], changes[i][1], 1), ==, 1);
        g_autoptr(BgTransferFunction) other = bg_transfer_function_parse(text->str, -1, NULL);
        g_assert_nonnull(other);
        g_assert_false(bg_transfer_function_equal(tf, other));
    }
}

static void
test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse("{\"schema\":1}", -1, &error);

    g_assert_no_error(error);
    const BgTransferFunctionData *data = bg_transfer_function_get_data(tf);
    g_assert_cmpint(data->technique, ==, BG_TECHNIQUE_COMPOSITE);
    g_assert_true(data->shade && data->linear);
    g_assert_cmpfloat(data->unit_distance_mm, ==, 1.0);
    g_assert_null(data->gradient_opacity);
    g_assert_cmpfloat(bg_transfer_function_gradient_opacity_at(tf, 3.0), ==, 1.0);
    g_assert_cmpfloat(bg_transfer_function_opacity_at(tf, 0.5), ==, 0.5);
}

static const struct {
    const char *text;
    BgError code;
} bad[] = {
    { "", BG_ERROR_CORRUPT },
    { "[]", BG_ERROR_CORRUPT },
    { "{\"schema\":2}", BG_ERROR_INVALID },
    { "{\"opacity\":[]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1,0],[0,1]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1,1.01]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1,-0.01]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1,1,1]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[null,1]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[2e30,1]]}", BG_ERROR_INVALID },
    { "{\"opacity\":[[1e999,1]]}", BG_ERROR_CORRUPT },
    { "{\"opacity\":{}}", BG_ERROR_INVALID },
    { "{\"colour\":[[0,1,1]]}", BG_ERROR_INVALID },
    { "{\"colour\":[[0,1,1,2]]}", BG_ERROR_INVALID },
    { "{\"gradient_opacity\":[[0,7]]}", BG_ERROR_INVALID },
    { "{\"gradient_opacity\":7}", BG_ERROR_INVALID },
    { "{\"technique\":\"vr\"}", BG_ERROR_INVALID },
    { "{\"technique\":1}", BG_ERROR_INVALID },
    { "{\"shade\":1}", BG_ERROR_INVALID },
    { "{\"interpolation\":\"cubic\"}", BG_ERROR_INVALID },
    { "{\"ambient\":\"0.1\"}", BG_ERROR_INVALID },
    { "{\"ambient\":-1}", BG_ERROR_INVALID },
    { "{\"power\":1e6}", BG_ERROR_INVALID },
    { "{\"unit_distance_mm\":0}", BG_ERROR_INVALID },
    { "{\"unit_distance_mm\":null}", BG_ERROR_INVALID },
    { "{\"name\":7}", BG_ERROR_INVALID },
    { "{\"unit\":\"a unit of more than fifteen bytes\"}", BG_ERROR_INVALID },
};

static void
test_refuses(gconstpointer user_data)
{
    gsize i = GPOINTER_TO_SIZE(user_data);
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_transfer_function_parse(bad[i].text, -1, &error));
    g_assert_error(error, BG_ERROR, (int) bad[i].code);
}

static void
test_refuses_too_many_points(void)
{
    g_autoptr(GString) text = g_string_new("{\"opacity\":[[0,0]");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < BG_TRANSFER_FUNCTION_MAX_POINTS; i++)
        g_string_append_printf(text, ",[%d,0]", i);
    g_string_append(text, "]}");
    g_assert_null(bg_transfer_function_parse(text->str, -1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// Whatever is read must have passed every check, and print and read back equal.
static void
check_one(const char *text, gsize length, guint *n_refused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(text, (gssize) length, &error);

    g_assert_true((tf == NULL) == (error != NULL));
    if (error != NULL) {
        g_assert_true(error->domain == BG_ERROR);
        (*n_refused)++;
        return;
    }
    g_autofree char *printed = bg_transfer_function_print(tf);
    g_autoptr(BgTransferFunction) back = bg_transfer_function_parse(printed, -1, NULL);
    g_assert_nonnull(back);
    g_assert_true(bg_transfer_function_equal(tf, back));
    for (double value = -2000.0; value < 2000.0; value += 311.0) {
        double alpha = bg_transfer_function_opacity_at(tf, value);
        g_assert_true(alpha >= 0.0 && alpha <= 1.0);
    }
}

static void
test_malformed(void)
{
    static const char *const tokens[] = { "null",   "-1", "1e308", "\"\"", "[]", "{}", "true",
                                          "1e-300", "[[", "]]",    ",",    ":",  "NaN" };
    guint n_refused = 0;

    for (int i = 0; i < 4000; i++) {
        g_autoptr(GString) text = g_string_new(FULL);
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            gssize at = g_test_rand_int_range(0, (gint32) text->len);
            gint32 most = MIN(8, (gint32) text->len - (gint32) at);
            gssize length = g_test_rand_int_range(0, most + 1);
            const char *token = tokens[g_test_rand_int_range(0, G_N_ELEMENTS(tokens))];
            g_string_erase(text, at, length);
            if (g_test_rand_bit())
                g_string_insert(text, at, token);
        }
        if (g_test_rand_int_range(0, 10) == 0)
            g_string_truncate(text, (gsize) g_test_rand_int_range(0, (gint32) text->len));
        check_one(text->str, text->len, &n_refused);
    }
    g_assert_cmpuint(n_refused, >, 2000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/transfer-function/reads", test_reads);
    g_test_add_func("/transfer-function/evaluates", test_evaluates);
    g_test_add_func("/transfer-function/round-trip", test_round_trip);
    g_test_add_func("/transfer-function/equal-sees-every-field", test_equal_sees_every_field);
    g_test_add_func("/transfer-function/defaults", test_defaults);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *name = g_strdup_printf("/transfer-function/refuses/%zu", i);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_refuses);
    }
    g_test_add_func("/transfer-function/refuses/too-many-points", test_refuses_too_many_points);
    g_test_add_func("/transfer-function/malformed", test_malformed);
    return g_test_run();
}
