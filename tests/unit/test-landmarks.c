// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/model/bg-landmarks.h"

#include <math.h>
#include <string.h>

static const BgLandmark points[] = {
    { "nasion", { 1, -90, 20 }, BG_LANDMARK_FIT, TRUE, TRUE },
    { "tragus", { 70, 0, -10 }, BG_LANDMARK_CHECK, TRUE, FALSE },
    { "bregma", { 0, 0, 0 }, BG_LANDMARK_FIT, FALSE, FALSE },
};

static void
test_list(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLandmarks) list = bg_landmarks_new(BG_LANDMARK_PATIENT, points, 3, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(bg_landmarks_count(list), ==, 3);
    g_assert_cmpint(bg_landmarks_get_space(list), ==, BG_LANDMARK_PATIENT);
    g_assert_cmpstr(bg_landmarks_get(list, 1)->name, ==, "tragus");
    g_assert_cmpfloat(bg_landmarks_find(list, "nasion")->position.y, ==, -90.0);
    g_assert_null(bg_landmarks_find(list, "inion"));
    g_assert_cmpuint(bg_landmarks_count_use(list, BG_LANDMARK_FIT), ==,
                     1); // the third has no place
    g_assert_cmpuint(bg_landmarks_count_use(list, BG_LANDMARK_CHECK), ==, 1);
    g_autoptr(BgLandmarks) none = bg_landmarks_new(BG_LANDMARK_PATIENT, NULL, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_landmarks_count(none), ==, 0);
}

static void
refuse_with(void (*spoil)(BgLandmark *list))
{
    g_autoptr(GError) error = NULL;
    BgLandmark list[3];

    memcpy(list, points, sizeof list);
    spoil(list);
    g_assert_null(bg_landmarks_new(BG_LANDMARK_PATIENT, list, 3, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
spoil_twice(BgLandmark *list)
{
    strcpy(list[2].name, "nasion");
}

static void
spoil_empty(BgLandmark *list)
{
    list[0].name[0] = '\0';
}

static void
spoil_endless(BgLandmark *list)
{
    memset(list[1].name, 'x', sizeof list[1].name);
}

static void
spoil_place(BgLandmark *list)
{
    list[1].position.z = (double) NAN;
}

static void
test_refuses(void)
{
    refuse_with(spoil_twice);
    refuse_with(spoil_empty);
    refuse_with(spoil_endless);
    refuse_with(spoil_place);
}

static void
test_use_names(void)
{
    for (int i = 0; i < 3; i++) {
        BgLandmarkUse use;
        g_assert_true(bg_landmark_use_parse(bg_landmark_use_name((BgLandmarkUse) i), &use));
        g_assert_cmpint(use, ==, i);
    }
    BgLandmarkUse untouched = BG_LANDMARK_CHECK;
    g_assert_false(bg_landmark_use_parse("Fit", &untouched));
    g_assert_cmpint(untouched, ==, BG_LANDMARK_CHECK);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/landmarks/list", test_list);
    g_test_add_func("/landmarks/refuses", test_refuses);
    g_test_add_func("/landmarks/use-names", test_use_names);
    return g_test_run();
}
