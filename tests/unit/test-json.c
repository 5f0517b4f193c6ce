// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-json.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static const struct {
    const char *text, *printed; // NULL: unchanged
} good[] = {
    { "null", NULL },
    { "true", NULL },
    { " false ", "false" },
    { "0", NULL },
    { "-0", NULL },
    { "-17", NULL },
    { "9223372036854775807", NULL },
    { "-9223372036854775808", NULL },
    { "9223372036854775808", "9.223372036854776e+18" }, // one more is a double, not a wrap
    { "0.1", NULL },
    { "1e3", "1000" },
    { "1E-2", "0.01" },
    { "5e-324", "4.94065645841247e-324" },
    { "1.7976931348623157e+308", NULL },
    { "0.30000000000000004", NULL },
    { "1e-400", "0" },
    { "\"\"", NULL },
    { "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"a\\\"\\\\/\\u0008\\u000c\\n\\u000d\\t\"" },
    { "\"\\u00e4\\ud83d\\ude00\"", "\"ä😀\"" },
    { "[]", NULL },
    { "{}", NULL },
    { "[1,[2,[]],{\"a\":{}}]", NULL },
    { "\xEF\xBB\xBF[1]", "[1]" },
    { "\r\n\t {\"b\" : 1 , \"a\" : [ ] } \n", "{\"b\":1,\"a\":[]}" },
};

static void
test_reads_and_prints(gconstpointer user_data)
{
    gsize i = GPOINTER_TO_SIZE(user_data);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgJson) json = bg_json_parse(good[i].text, -1, &error);

    g_assert_no_error(error);
    g_autofree char *printed = bg_json_print(json, FALSE);
    g_assert_cmpstr(printed, ==, good[i].printed != NULL ? good[i].printed : good[i].text);
}

static const char *const bad[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1e999",
    "-1e999",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "{\"a\":1,\"a\":2}",
    "\"",
    "\"a",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"a\nb\"",
    "\"\x01\"",
    "1 2",
    "{} x",
    "// c\n1",
    "/* c */ 1",
    "'a'",
    "\"\xFF\"",
    "\"\xC3\"",
    "\xEF\xBB",
    "var x = 1",
    "[1]]",
};

static void
test_refuses(gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_json_parse(user_data, -1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_says_where(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_json_parse("{\n  \"a\": 1,\n  \"b\": x\n}", -1, &error));
    g_assert_nonnull(strstr(error->message, "line 3, column 8"));
}

static char *
nested(gsize depth)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < depth; i++)
        g_string_append(text, i % 2 == 0 ? "[" : "{\"a\":");
    g_string_append(text, "1");
    for (gsize i = depth; i-- > 0;)
        g_string_append_c(text, i % 2 == 0 ? ']' : '}');
    return g_string_free(text, FALSE);
}

static void
test_depth(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *deepest = nested(BG_JSON_MAX_DEPTH);
    g_autofree char *deeper = nested(BG_JSON_MAX_DEPTH + 1);
    g_autofree char *bomb = g_strnfill(10000000, '[');

    g_autoptr(BgJson) json = bg_json_parse(deepest, -1, &error);
    g_assert_no_error(error);
    g_assert_null(bg_json_parse(deeper, -1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_null(bg_json_parse(bomb, -1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_size(void)
{
    g_autoptr(GError) error = NULL;
    const gsize n = BG_JSON_MAX_BYTES;
    g_autofree char *text = g_malloc(n + 1);

    memset(text, ' ', n + 1);
    text[0] = '7';
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) n, &error);
    g_assert_no_error(error);
    g_assert_cmpint(bg_json_to_integer(json, 0), ==, 7);
    g_assert_null(bg_json_parse(text, (gssize) n + 1, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);

    // Many small values would take many times their text's room.
    text[0] = '[';
    for (gsize i = 1; i < n; i++)
        text[i] = i % 2 == 1 ? '0' : ',';
    g_assert_null(bg_json_parse(text, (gssize) n, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_not_finite_is_null(void)
{
    const double values[3] = { (double) NAN, (double) INFINITY, 1.5 };
    g_autoptr(BgJson) json = bg_json_new_object();

    bg_json_set_double(json, "a", (double) -INFINITY);
    bg_json_set_doubles(json, "b", values, 3);
    bg_json_set_string(json, "c", NULL);
    g_autofree char *printed = bg_json_print(json, FALSE);
    g_assert_cmpstr(printed, ==, "{\"a\":null,\"b\":[null,null,1.5],\"c\":null}");
}

static void
test_doubles_read_back_equal(void)
{
    for (int i = 0; i < 20000; i++) {
        guint64 bits = (guint64) g_test_rand_int() << 32 | (guint32) g_test_rand_int();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        g_autoptr(BgJson) json = bg_json_new_double(value);
        g_autofree char *text = bg_json_print(json, FALSE);
        g_autoptr(BgJson) back = bg_json_parse(text, -1, NULL);
        g_assert_nonnull(back);
        g_assert_cmpfloat(bg_json_to_double(back, (double) NAN), ==, value);
    }
}

static void
test_any_locale(void)
{
    // Where German is not installed, this tests less, but is not wrong.
    setlocale(LC_ALL, "de_DE.UTF-8");
    g_autoptr(BgJson) json = bg_json_parse("[0.5,1e-7]", -1, NULL);
    g_autofree char *printed = bg_json_print(json, FALSE);
    double values[2];
    g_assert_true(bg_json_to_doubles(json, values, 2));
    g_assert_cmpfloat(values[0], ==, 0.5);
    g_assert_cmpstr(printed, ==, "[0.5,1e-07]");
    setlocale(LC_ALL, "C.UTF-8");
}

static void
test_members(void)
{
    g_autoptr(BgJson) json = bg_json_new_object();

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            g_autofree char *name = g_strdup_printf("m%d", i);
            bg_json_set_integer(json, name, i + round);
        }
    }
    g_assert_cmpuint(bg_json_count(json), ==, 1000);
    g_assert_cmpint(bg_json_to_integer(bg_json_get(json, "m0"), -1), ==, 1);
    g_assert_cmpint(bg_json_to_integer(bg_json_get(json, "m999"), -1), ==, 1000);
    g_assert_cmpstr(bg_json_name_at(json, 17), ==, "m17");
    g_assert_null(bg_json_get(json, "m1000"));
    g_assert_null(bg_json_get(NULL, "m1"));
    g_assert_null(bg_json_at(json, 1000));

    // What was handed over can be filled afterwards.
    BgJson *child = bg_json_new_array();
    bg_json_set(json, "child", child);
    for (int i = 0; i < 100; i++)
        bg_json_append(child, bg_json_new_integer(i));
    g_assert_cmpuint(bg_json_count(bg_json_get(json, "child")), ==, 100);

    g_autoptr(BgJson) copy = bg_json_copy(json);
    g_autofree char *a = bg_json_print(json, TRUE), *b = bg_json_print(copy, TRUE);
    g_assert_cmpstr(a, ==, b);
}

static void
test_kinds(void)
{
    g_autoptr(BgJson) json = bg_json_parse("[1.5,3,3.0,\"4\",true,null]", -1, NULL);
    double values[6];

    g_assert_cmpint(bg_json_to_integer(bg_json_at(json, 0), -1), ==, -1);
    g_assert_cmpint(bg_json_to_integer(bg_json_at(json, 2), -1), ==, 3);
    g_assert_cmpfloat(bg_json_to_double(bg_json_at(json, 1), -1.0), ==, 3.0);
    g_assert_cmpfloat(bg_json_to_double(bg_json_at(json, 3), -1.0), ==, -1.0);
    g_assert_cmpint(bg_json_to_integer(bg_json_at(json, 4), -1), ==, -1);
    g_assert_true(bg_json_to_boolean(bg_json_at(json, 4), FALSE));
    g_assert_false(bg_json_to_doubles(json, values, 6));
    g_assert_null(bg_json_to_string(bg_json_at(json, 0), NULL));
}

static void
test_pretty(void)
{
    g_autoptr(BgJson) json =
        bg_json_parse("{\"a\":[1,2.5],\"b\":[[1,2],[3,4]],\"c\":{}}", -1, NULL);
    g_autofree char *printed = bg_json_print(json, TRUE);

    g_assert_cmpstr(
        printed, ==,
        "{\n  \"a\": [1, 2.5],\n  \"b\": [\n    [1, 2],\n    [3, 4]\n  ],\n  \"c\": {}\n}");
}

// A good text with bytes changed, taken out and put in: read or refused, never worse.
static void
test_malformed(void)
{
    static const char text[] =
        "{\"schema\":1,\"a\":[1,-2.5e3,null,true],\"b\":{\"c\":\"\\u00e4\\n\",\"d\":[[],{}]}}";
    static const char letters[] = "{}[]\",:\\0123456789eE+-.untrfalse \n\xC3\xFF";
    guint n_refused = 0;

    for (int i = 0; i < 4000; i++) {
        g_autoptr(GString) broken = g_string_new(text);
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            gssize at = g_test_rand_int_range(0, (gint32) broken->len);
            char letter = letters[g_test_rand_int_range(0, sizeof letters - 1)];
            if (g_test_rand_bit())
                broken->str[at] = letter;
            else if (g_test_rand_bit())
                g_string_insert_c(broken, at, letter);
            else
                g_string_erase(broken, at, MIN(3, (gssize) broken->len - at));
        }
        g_autoptr(GError) error = NULL;
        g_autoptr(BgJson) json = bg_json_parse(broken->str, (gssize) broken->len, &error);
        g_assert_true((json == NULL) == (error != NULL));
        if (error != NULL) {
            g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
            n_refused++;
        }
    }
    g_assert_cmpuint(n_refused, >, 2000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *name = g_strdup_printf("/json/reads-and-prints/%zu", i);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_reads_and_prints);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *name = g_strdup_printf("/json/refuses/%zu", i);
        g_test_add_data_func(name, bad[i], test_refuses);
    }
    g_test_add_func("/json/says-where", test_says_where);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/size", test_size);
    g_test_add_func("/json/not-finite-is-null", test_not_finite_is_null);
    g_test_add_func("/json/doubles-read-back-equal", test_doubles_read_back_equal);
    g_test_add_func("/json/any-locale", test_any_locale);
    g_test_add_func("/json/members", test_members);
    g_test_add_func("/json/kinds", test_kinds);
    g_test_add_func("/json/pretty", test_pretty);
    g_test_add_func("/json/malformed", test_malformed);
    return g_test_run();
}
