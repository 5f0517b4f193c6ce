// SPDX-License-Identifier: Apache-2.0
// Lists of points, in memory: any text must give a typed error or points with sound names and places.
#include "core/base/bg-error.h"
#include "core/io/bg-landmarks-io.h"
#include "fuzz.h"

#include <math.h>

static void
check_points(BgLandmarks *landmarks)
{
    for (gsize i = 0; i < bg_landmarks_count(landmarks); i++) {
        const BgLandmark *point = bg_landmarks_get(landmarks, i);
        g_assert_true(g_utf8_validate(point->name, -1, NULL));
        g_assert_cmpint(*point->name, !=, '\0');
        g_assert_true(!point->placed ||
                      (isfinite(point->position.x) && isfinite(point->position.y) &&
                       isfinite(point->position.z)));
    }
}

static void
parse(const uint8_t *data, size_t size, BgLandmarksSpaceOfFile space)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLandmarks) landmarks =
        bg_landmarks_parse((const char *) data, (gssize) size, space, warnings, &error);

    g_assert_true((landmarks == NULL) == (error != NULL));
    if (landmarks != NULL) {
        check_points(landmarks);
    } else {
        g_assert_true(error->domain == BG_ERROR);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    for (guint i = 0; i < warnings->len; i++)
        g_assert_true(g_utf8_validate(warnings->pdata[i], -1, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size, BG_LANDMARKS_LPS);
    return 0;
}
