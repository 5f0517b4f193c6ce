// SPDX-License-Identifier: Apache-2.0
// How the things of a case lie to each other: lists of points, registrations, cameras.
#pragma once

#include "core/base/bg-affine.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-landmarks.h"

G_BEGIN_DECLS

/**
 * BgLandmarkList:
 * @layer_id: on what the points lie, or "". They are in the space of the layer's file, so that they
 *   go with it when it is registered: bg_case_get_placement() puts them where they are shown
 * @points: owned reference; never %NULL
 */
typedef struct {
    char *id, *name, *layer_id;
    BgLandmarks *points;
} BgLandmarkList;

/** bg_landmark_list_new: @points: (nullable): referenced; an empty list of patient space when %NULL */
BgLandmarkList *bg_landmark_list_new(const char *id, const char *name, const char *layer_id,
                                     BgLandmarks *points);
void bg_landmark_list_free(BgLandmarkList *list);

/**
 * BgApproval:
 * @by: who looked at the result and found it good, or "" while nobody has
 * @at: when: ISO 8601, UTC
 */
typedef struct {
    char *by, *at;
} BgApproval;

/**
 * BgRegistration:
 * @moving, @fixed: ids of layers; @fixed_from_moving is between the spaces of their files. The moving one is shown where @fixed_from_moving puts it, and so are
 *   the layers of its frame of reference
 * @method: "landmarks", "mutual-information", "manual", "file"
 * @model: "rigid", "similarity", "affine"
 * @moving_points, @fixed_points: ids of the lists it was made from, or ""
 * @error_mm: root mean square at the points of the fit, or -1 when there are none. Not an accuracy
 * @check_mm: the same at points that were left out of the fit, or -1
 * @words: what was said of it when it was made, for people, or ""
 */
typedef struct {
    char *id, *moving, *fixed, *method, *model, *moving_points, *fixed_points, *words;
    BgAffine fixed_from_moving;
    double error_mm, check_mm;
    BgApproval approval;
} BgRegistration;

BgRegistration *bg_registration_new(const char *id, const char *moving, const char *fixed);
BgRegistration *bg_registration_copy(const BgRegistration *registration);
void bg_registration_free(BgRegistration *registration);

/**
 * BgPhotoCamera:
 * @layer_id: the photograph's layer
 * @method: "landmarks", "mutual-information", "file"
 * @patient_points, @picture_points: ids of the lists it was made from, or ""
 * @camera: the pose is in the space of the case
 * @error_px: root mean square of the reprojection at the points of the fit, or -1. Not an accuracy
 * @mirrored: the photograph is a mirror image: u runs from right to left
 * @words: what was said of it when it was made, for people, or ""
 *
 * From where a photograph was taken.
 */
typedef struct {
    char *id, *layer_id, *method, *patient_points, *picture_points, *words;
    BgCamera camera;
    double error_px;
    gboolean mirrored;
    BgApproval approval;
} BgPhotoCamera;

BgPhotoCamera *bg_photo_camera_new(const char *id, const char *layer_id, const BgCamera *camera);
BgPhotoCamera *bg_photo_camera_copy(const BgPhotoCamera *camera);
void bg_photo_camera_free(BgPhotoCamera *camera);

/** bg_approval_set: @by: (nullable): %NULL or "" takes it back; the time is now */
void bg_approval_set(BgApproval *approval, const char *by);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgLandmarkList, bg_landmark_list_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgRegistration, bg_registration_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPhotoCamera, bg_photo_camera_free)

G_END_DECLS
