// SPDX-License-Identifier: Apache-2.0
// Lists of points: Slicer's files in both spaces, CSV, what is refused, and there and back. The two
// Slicer texts say one set of points, as Slicer 5.2 writes it in either space.
#include "core/base/bg-error.h"
#include "core/io/bg-io.h"
#include "core/io/bg-landmarks-io.h"
#include "tests/support/bg-malformed.h"

#include <glib/gstdio.h>
#include <string.h>

#define FCSV_HEAD "# Markups fiducial file version = 5.2\n# CoordinateSystem = "
#define FCSV_COLUMNS "\n# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"

static const char fcsv_ras[] =
    FCSV_HEAD "RAS" FCSV_COLUMNS "1,-10.5,20.25,30,0,0,0,1,1,1,0,nasion,,vtkMRMLScalarVolumeNode1\n"
              "2,4,-5,6.125,0,0,0,1,1,1,1,\"left, \"\"ear\"\"\",check,\n"
              "3,1e1,2e1,-3,0,0,0,1,1,0,0,F-3,whatever,\n";
static const char fcsv_lps[] =
    FCSV_HEAD "LPS" FCSV_COLUMNS "1,10.5,-20.25,30,0,0,0,1,1,1,0,nasion,,\r\n"
              "2,-4,5,6.125,0,0,0,1,1,1,1,\"left, \"\"ear\"\"\",check,\r\n"
              "3,-10,-20,-3,0,0,0,1,1,0,0,F-3,,\r\n";
static const char fcsv_number[] =
    FCSV_HEAD "0" FCSV_COLUMNS "1,-10.5,20.25,30,0,0,0,1,1,1,0,nasion,,\n"
              "2,4,-5,6.125,0,0,0,1,1,1,1,\"left, \"\"ear\"\"\",check,\n"
              "3,10,20,-3,0,0,0,1,1,0,0,F-3,,\n";
static const char slicer3[] = "# Fiducial List file /tmp/F.fcsv\n# version = 2\n# name = F\n"
                              "# columns = label,x,y,z,sel,vis\n"
                              "nasion,-10.5,20.25,30,1,1\n\"left, \"\"ear\"\"\",4,-5,6.125,1,1\n"
                              "F-3,10,20,-3,0,1\n";
#define JSON_POINTS(x1, y1, x2, y2, x3, y3)                                                  \
    "\"controlPoints\":[{\"id\":\"1\",\"label\":\"nasion\",\"position\":[" x1 "," y1         \
    ",30],\"selected\":true,\"locked\":false,\"positionStatus\":\"defined\"},{\"id\":\"2\"," \
    "\"label\":\"left, \\\"ear\\\"\",\"description\":\"check\",\"position\":[" x2 "," y2     \
    ",6.125],\"selected\":true,\"locked\":true},{\"label\":\"F-3\",\"position\":[" x3 "," y3 \
    ",-3],\"selected\":false}]}]}"
static const char json_lps[] =
    "{\"@schema\":\"markups-schema-v1.0.3.json#\",\"markups\":[{\"type\":\"Fiducial\","
    "\"coordinateSystem\":\"LPS\",\"coordinateUnits\":\"mm\"," JSON_POINTS("10.5", "-20.25", "-4",
                                                                           "5", "-10", "-20");
static const char json_ras[] =
    "{\"markups\":[{\"type\":\"Fiducial\",\"coordinateSystem\":\"RAS\"," JSON_POINTS(
        "-10.5", "20.25", "4", "-5", "10", "20");
static const char csv[] = "\xEF\xBB\xBFname,x,y,z,state\nnasion,10.5,-20.25,30,fit\n\n"
                          "\"left, \"\"ear\"\"\",-4,5,6.125,check\nF-3,-10,-20,-3,skip\n";
static const char csv_semicolon[] = "Name; X; Y; Z; State\nnasion; 10.5; -20.25; 30;\n"
                                    "\"left, \"\"ear\"\"\";-4;5;6.125;check\nF-3;-10;-20;-3;skip";

static BgLandmarks *
parse(const char *text, BgLandmarksSpaceOfFile space, GPtrArray *warnings)
{
    g_autoptr(GError) error = NULL;
    const char *body = g_str_has_prefix(text, "\xEF\xBB\xBF") ? text + 3 : text;
    BgLandmarks *landmarks = bg_landmarks_parse(body, -1, space, warnings, &error);

    g_assert_no_error(error);
    return landmarks;
}

static void
check_point(const BgLandmarks *landmarks, const char *name, BgVec3 place, BgLandmarkUse use)
{
    const BgLandmark *point = bg_landmarks_find(landmarks, name);

    g_assert_nonnull(point);
    g_assert_true(point->placed);
    g_assert_cmpfloat(bg_vec3_distance(point->position, place), ==, 0.0);
    g_assert_cmpint(point->use, ==, use);
}

static void
check_three(const BgLandmarks *landmarks, gboolean with_check)
{
    g_assert_cmpint(bg_landmarks_get_space(landmarks), ==, BG_LANDMARK_PATIENT);
    g_assert_cmpuint(bg_landmarks_count(landmarks), ==, 3);
    check_point(landmarks, "nasion", bg_vec3(10.5, -20.25, 30), BG_LANDMARK_FIT);
    check_point(landmarks, "left, \"ear\"", bg_vec3(-4, 5, 6.125),
                with_check ? BG_LANDMARK_CHECK : BG_LANDMARK_FIT);
    check_point(landmarks, "F-3", bg_vec3(-10, -20, -3), BG_LANDMARK_SKIP);
}

static void
test_reads(gconstpointer data)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(BgLandmarks) landmarks = parse(data, BG_LANDMARKS_LPS, warnings);

    check_three(landmarks, data != slicer3);
    // Without a word about the space, Slicer's files are RAS, and a warning says so.
    g_assert_cmpuint(warnings->len, ==, data == slicer3 ? 1 : 0);
}

// --space=ras is for CSV; Slicer's files say their own.
static void
test_space(void)
{
    g_autoptr(BgLandmarks) table = parse(csv, BG_LANDMARKS_RAS, NULL);
    g_autoptr(BgLandmarks) slicer = parse(fcsv_lps, BG_LANDMARKS_RAS, NULL);
    g_autoptr(BgLandmarks) json = parse(json_ras, BG_LANDMARKS_RAS, NULL);

    check_point(table, "nasion", bg_vec3(-10.5, 20.25, 30), BG_LANDMARK_FIT);
    check_three(slicer, TRUE);
    check_three(json, TRUE);
}

static void
test_picture(void)
{
    g_autoptr(BgLandmarks) landmarks =
        parse("v,name,u,note\n7.5,a,3,x\n,b,,y\n", BG_LANDMARKS_RAS, NULL);

    g_assert_cmpint(bg_landmarks_get_space(landmarks), ==, BG_LANDMARK_PICTURE);
    check_point(landmarks, "a", bg_vec3(3, 7.5, 0), BG_LANDMARK_FIT);
    g_assert_false(bg_landmarks_find(landmarks, "b")->placed);
}

static void
test_names(void)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *longest = g_strnfill(61, 'x');
    g_autofree char *text = g_strdup_printf(
        "name,x,y,z\na,1,2,3\na,4,5,6\n,7,8,9\n%s\xC3\xA9\xC3\xA9,1,1,1\n", longest);
    g_autoptr(BgLandmarks) landmarks = parse(text, BG_LANDMARKS_LPS, warnings);

    check_point(landmarks, "a (2)", bg_vec3(4, 5, 6), BG_LANDMARK_FIT);
    check_point(landmarks, "P3", bg_vec3(7, 8, 9), BG_LANDMARK_FIT);
    g_assert_cmpuint(strlen(bg_landmarks_get(landmarks, 3)->name), ==, 63);
    g_assert_cmpuint(warnings->len, ==, 2);
}

// Each of ten thousand points of one name gets its number at the first try: tried from the start for each,
// that would be fifty million names.
static void
test_one_name(void)
{
    GString *text = g_string_new("name,x,y,z\n");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < BG_LANDMARKS_MAX; i++)
        g_string_append(text, "A,1,2,3\n");
    g_autoptr(BgLandmarks) landmarks =
        bg_landmarks_parse(text->str, -1, BG_LANDMARKS_LPS, NULL, &error);
    g_string_free(text, TRUE);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_landmarks_count(landmarks), ==, BG_LANDMARKS_MAX);
    g_assert_cmpstr(bg_landmarks_get(landmarks, 0)->name, ==, "A");
    for (int i = 1; i < BG_LANDMARKS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("A (%d)", i + 1);
        g_assert_cmpstr(bg_landmarks_get(landmarks, (gsize) i)->name, ==, name);
    }
}

static void
test_refuses(void)
{
    static const struct {
        const char *text;
        int code;
        const char *says;
    } cases[] = {
        { "hello", BG_ERROR_UNSUPPORTED, "no list of points" },
        { "", BG_ERROR_UNSUPPORTED, "no list of points" },
        { "name,x,y\na,1,2\n", BG_ERROR_UNSUPPORTED, "no list of points" },
        { "name,x,y,z,u,v\na,1,2,3,4,5\n", BG_ERROR_UNSUPPORTED, "no list of points" },
        { "name,x,y,z\na,1,2,3\nb,1,2 mm,3\n", BG_ERROR_CORRUPT, "line 3" },
        { "name,x,y,z\na,1,nan,3\n", BG_ERROR_CORRUPT, "line 2" },
        { "name,x,y,z\na,1,,3\n", BG_ERROR_CORRUPT, "line 2" },
        { "name;x;y;z\na;1,5;2;3\n", BG_ERROR_CORRUPT, "1,5" },
        { "name,x,y,z\n\"a,1,2,3\n", BG_ERROR_CORRUPT, "line 2" },
        { "name,x,y,z,state\na,1,2,3,maybe\n", BG_ERROR_CORRUPT, "maybe" },
        { FCSV_HEAD "2" FCSV_COLUMNS "1,1,2,3\n", BG_ERROR_UNSUPPORTED, "not in LPS or RAS" },
        { "{\"markups\":[{\"coordinateSystem\":\"IJK\",\"controlPoints\":[]}]}",
          BG_ERROR_UNSUPPORTED, "IJK" },
        { "{\"markups\":[{\"coordinateUnits\":\"m\",\"controlPoints\":[]}]}", BG_ERROR_UNSUPPORTED,
          "mm" },
        { "{\"markups\":[{\"controlPoints\":[{\"label\":\"a\",\"position\":[1,2]}]}]}",
          BG_ERROR_CORRUPT, "position" },
        { "{\"markups\":[", BG_ERROR_CORRUPT, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].text);
        g_assert_null(bg_landmarks_parse(cases[i].text, -1, BG_LANDMARKS_LPS, NULL, &error));
        g_assert_error(error, BG_ERROR, cases[i].code);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void
test_round_trip(void)
{
    static const char *const names[] = { "l.csv", "l.fcsv", "l.mrk.json" };
    g_autofree char *folder = g_dir_make_tmp("bregma-landmarks-XXXXXX", NULL);
    g_autoptr(BgLandmarks) landmarks = parse(json_lps, BG_LANDMARKS_LPS, NULL);
    BgLandmarksSaveParams params = { .provenance = "{\"schema\":1}" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *beside = g_strconcat(path, ".json", NULL);
        g_autoptr(GError) error = NULL;
        g_assert_true(bg_landmarks_save(landmarks, path, &params, &error));
        g_assert_no_error(error);
        g_assert_false(bg_landmarks_save(landmarks, path, &params, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
        g_clear_error(&error);

        g_autoptr(BgLandmarks) again = bg_landmarks_load(path, BG_LANDMARKS_LPS, NULL, &error);
        g_assert_no_error(error);
        check_three(again, TRUE);
        g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(bg_kind_name(loaded->info->kind), ==, "landmarks");
        check_three(loaded->landmarks, TRUE);
        g_unlink(path);
        g_unlink(beside);
    }
    g_rmdir(folder);
}

static void
try_text(const char *path, const char *what, gpointer user_data)
{
    gsize *n_loaded = user_data;
    BgMalformedWatch watch;
    g_autoptr(GError) error = NULL;

    bg_malformed_watch_start(&watch);
    g_autoptr(BgLandmarks) landmarks = bg_landmarks_load(path, BG_LANDMARKS_LPS, NULL, &error);
    bg_malformed_watch_stop(&watch);
    if (watch.seconds > 2.0 || watch.peak_bytes > 64u << 20)
        g_error("%s: %.1f s, %zu bytes", what, watch.seconds, watch.peak_bytes);
    if ((landmarks == NULL) != (error != NULL) ||
        (error != NULL &&
         (error->domain != BG_ERROR || !g_utf8_validate(error->message, -1, NULL))))
        g_error("%s: no typed error", what);
    *n_loaded += landmarks != NULL;
}

static void
test_hostile(void)
{
    static const char *const texts[] = { fcsv_ras, json_lps, csv };
    static const char *const suffixes[] = { ".fcsv", ".mrk.json", ".csv" };
    gsize n = 0, n_loaded = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *other = texts[(i + 1) % 3];
        BgMalformedSeed seed = {
            suffixes[i], (const guint8 *) texts[i], strlen(texts[i]), strlen(texts[i]), TRUE,
            suffixes[i]
        };
        BgMalformedSeed second = { "other",       (const guint8 *) other,
                                   strlen(other), strlen(other),
                                   TRUE,          ".txt" };
        n += bg_malformed_run(&seed, &second, 300, try_text, &n_loaded);
    }
    g_test_message("%zu files, %zu loaded", n, n_loaded);
    g_assert_cmpuint(n, >, 2000);
    g_assert_cmpuint(n_loaded, >, 0);
    g_assert_cmpuint(n_loaded, <, n);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/landmarks-io/fcsv-ras", fcsv_ras, test_reads);
    g_test_add_data_func("/landmarks-io/fcsv-lps", fcsv_lps, test_reads);
    g_test_add_data_func("/landmarks-io/fcsv-number", fcsv_number, test_reads);
    g_test_add_data_func("/landmarks-io/fcsv-slicer3", slicer3, test_reads);
    g_test_add_data_func("/landmarks-io/json-lps", json_lps, test_reads);
    g_test_add_data_func("/landmarks-io/json-ras", json_ras, test_reads);
    g_test_add_data_func("/landmarks-io/csv", csv, test_reads);
    g_test_add_data_func("/landmarks-io/csv-semicolon", csv_semicolon, test_reads);
    g_test_add_func("/landmarks-io/space", test_space);
    g_test_add_func("/landmarks-io/picture", test_picture);
    g_test_add_func("/landmarks-io/names", test_names);
    g_test_add_func("/landmarks-io/one-name", test_one_name);
    g_test_add_func("/landmarks-io/refuses", test_refuses);
    g_test_add_func("/landmarks-io/round-trip", test_round_trip);
    g_test_add_func("/landmarks-io/hostile", test_hostile);
    return g_test_run();
}
