// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define BG_LANDMARKS_MAX 10000

/**
 * BgLandmarkSpace:
 * @BG_LANDMARK_PATIENT: x, y, z: LPS millimetres
 * @BG_LANDMARK_PICTURE: x right and y down in pixels, centres at integers; z is 0
 */
typedef enum {
    BG_LANDMARK_PATIENT,
    BG_LANDMARK_PICTURE,
} BgLandmarkSpace;

/**
 * BgLandmarkUse:
 * @BG_LANDMARK_FIT: a registration is made with it
 * @BG_LANDMARK_CHECK: left out of the fit; the error there is what the registration is judged by
 * @BG_LANDMARK_SKIP: neither
 */
typedef enum {
    BG_LANDMARK_FIT,
    BG_LANDMARK_CHECK,
    BG_LANDMARK_SKIP,
} BgLandmarkUse;

/**
 * BgLandmark:
 * @name: NUL-terminated UTF-8; pairs are found by it, so no two of a list have the same
 * @placed: whether @position means something; a name may wait for its place
 * @locked: may not be moved by accident
 */
typedef struct {
    char name[64];
    BgVec3 position;
    BgLandmarkUse use;
    gboolean placed;
    gboolean locked;
} BgLandmark;

/**
 * BgLandmarks:
 *
 * A list of named points in one space. Immutable, reference counted (atomically): to change one,
 * build the next.
 */
typedef struct _BgLandmarks BgLandmarks;

#define BG_TYPE_LANDMARKS (bg_landmarks_get_type())
GType bg_landmarks_get_type(void);

/**
 * bg_landmarks_new:
 * @points: copied, in this order
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID, naming the point: no name or one that
 *   is there twice or is not UTF-8, a place that is not finite, more than BG_LANDMARKS_MAX
 */
BgLandmarks *bg_landmarks_new(BgLandmarkSpace space, const BgLandmark *points, gsize n_points,
                              GError **error);

BgLandmarks *bg_landmarks_ref(BgLandmarks *landmarks);
void bg_landmarks_unref(BgLandmarks *landmarks);

BgLandmarkSpace bg_landmarks_get_space(const BgLandmarks *landmarks);
gsize bg_landmarks_count(const BgLandmarks *landmarks);
const BgLandmark *bg_landmarks_get(const BgLandmarks *landmarks, gsize index);

/** bg_landmarks_find: Returns: (transfer none) (nullable): by its name */
const BgLandmark *bg_landmarks_find(const BgLandmarks *landmarks, const char *name);

/** bg_landmarks_count_use: those that are placed and of that use */
gsize bg_landmarks_count_use(const BgLandmarks *landmarks, BgLandmarkUse use);

/** bg_landmark_use_name: "fit", "check", "skip" */
const char *bg_landmark_use_name(BgLandmarkUse use);
gboolean bg_landmark_use_parse(const char *name, BgLandmarkUse *use);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLandmarks, bg_landmarks_unref)

G_END_DECLS
