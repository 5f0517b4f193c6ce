// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/case/bg-provenance.h"

#include <string.h>

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
test_round_trip(void)
{
    g_autoptr(BgProvenance) written = bg_provenance_new("mesh");
    bg_provenance_add_input(written, "/data/ch2.nii.gz", SHA);
    bg_provenance_add_input(written, "quote\" and\nline.nii", NULL);
    bg_provenance_set_backend(written, "cuda");
    bg_provenance_set_seed(written, 42);
    bg_json_set_double(bg_provenance_get_parameters(written), "iso", 0.1);

    g_autofree char *text = bg_provenance_print(written);
    g_assert_null(strchr(text, '\n'));
    g_assert_nonnull(strstr(text, "\"schema\":1"));
    g_assert_nonnull(strstr(text, "Not for diagnosis"));

    g_autoptr(GError) error = NULL;
    g_autoptr(BgProvenance) read = bg_provenance_parse(text, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(bg_provenance_get_command(read), ==, "mesh");
    g_assert_cmpstr(bg_provenance_get_backend(read), ==, "cuda");
    g_assert_cmpstr(bg_provenance_get_version(read), ==, BG_VERSION);
    g_assert_cmpint(bg_provenance_get_seed(read), ==, 42);
    g_assert_cmpuint(bg_provenance_count_inputs(read), ==, 2);
    g_assert_cmpstr(bg_provenance_get_input_path(read, 0), ==, "/data/ch2.nii.gz");
    g_assert_cmpstr(bg_provenance_get_input_sha256(read, 0), ==, SHA);
    g_assert_cmpstr(bg_provenance_get_input_path(read, 1), ==, "quote\" and\nline.nii");
    g_assert_null(bg_provenance_get_input_sha256(read, 1));
    const BgJson *iso = bg_json_get(bg_provenance_get_parameters(read), "iso");
    g_assert_cmpfloat(bg_json_to_double(iso, 0.0), ==, 0.1);

    g_autofree char *again = bg_provenance_print(read);
    g_assert_cmpstr(again, ==, text);
}

static void
test_refuses(void)
{
    static const struct {
        const char *text;
        BgError code;
    } cases[] = {
        { "", BG_ERROR_CORRUPT },
        { "[]", BG_ERROR_CORRUPT },
        { "{\"schema\":1}", BG_ERROR_CORRUPT },
        { "{\"schema\":2}", BG_ERROR_UNSUPPORTED },
        { "{\"schema\":1,\"command\":\"a\",\"version\":\"1\",\"parameters\":{}}",
          BG_ERROR_CORRUPT },
        { "{\"schema\":1,\"command\":7,\"version\":\"1\",\"parameters\":{},\"inputs\":[]}",
          BG_ERROR_CORRUPT },
        { "{\"schema\":1,\"command\":\"a\",\"version\":\"1\",\"parameters\":[],\"inputs\":[]}",
          BG_ERROR_CORRUPT },
        { "{\"schema\":1,\"command\":\"a\",\"version\":\"1\",\"parameters\":{},\"inputs\":[{}]}",
          BG_ERROR_CORRUPT },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BgProvenance) read = bg_provenance_parse(cases[i].text, -1, &error);
        g_assert_null(read);
        g_assert_error(error, BG_ERROR, (int) cases[i].code);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provenance/round-trip", test_round_trip);
    g_test_add_func("/provenance/refuses", test_refuses);
    return g_test_run();
}
