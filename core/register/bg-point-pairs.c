// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/register/bg-point-fit.h"

#include <string.h>

static BgLandmarkUse
joint_use(const BgLandmark *a, const BgLandmark *b)
{
    if (a->use == BG_LANDMARK_SKIP || b->use == BG_LANDMARK_SKIP)
        return BG_LANDMARK_SKIP;
    return a->use == BG_LANDMARK_CHECK || b->use == BG_LANDMARK_CHECK ? BG_LANDMARK_CHECK
                                                                      : BG_LANDMARK_FIT;
}

static const BgLandmark *
partner_of(const BgLandmarks *list, const char *name)
{
    const BgLandmark *found = bg_landmarks_find(list, name);

    return found != NULL && found->placed ? found : NULL;
}

GArray *
bg_point_pairs_new(const BgLandmarks *fixed, const BgLandmarks *moving, GPtrArray **unpaired,
                   GError **error)
{
    if (bg_landmarks_get_space(fixed) != bg_landmarks_get_space(moving)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_MISMATCH,
                            _("The points cannot be paired: one list is of a picture, in pixels, "
                              "the other of a patient, in millimetres. Register the camera for "
                              "that"));
        return NULL;
    }
    GArray *pairs = g_array_new(FALSE, TRUE, sizeof(BgPointPair));
    g_autoptr(GPtrArray) alone = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < bg_landmarks_count(fixed); i++) {
        const BgLandmark *a = bg_landmarks_get(fixed, i);
        const BgLandmark *b = a->placed ? partner_of(moving, a->name) : NULL;
        if (b == NULL) {
            g_ptr_array_add(alone, g_strdup(a->name));
            continue;
        }
        BgPointPair pair = {
            .fixed = a->position, .moving = b->position, .weight = 1.0, .use = joint_use(a, b)
        };
        g_strlcpy(pair.name, a->name, sizeof pair.name);
        g_array_append_val(pairs, pair);
    }
    for (gsize i = 0; i < bg_landmarks_count(moving); i++) {
        const BgLandmark *b = bg_landmarks_get(moving, i);
        if (bg_landmarks_find(fixed, b->name) == NULL)
            g_ptr_array_add(alone, g_strdup(b->name));
    }
    if (unpaired != NULL)
        *unpaired = g_steal_pointer(&alone);
    return pairs;
}
