// SPDX-License-Identifier: Apache-2.0
// Photographs of the phantom's exposed cortex, with all that is to be found known.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-landmarks.h"

G_BEGIN_DECLS

#define BG_PHANTOM_CELSIUS_LOW 26.0 // what 0 and 65535 of the thermal photograph mean
#define BG_PHANTOM_CELSIUS_HIGH 38.0

/**
 * BgPhantomPhotoParams:
 * @seed: of the head: as of its volumes
 * @shot: of the camera's place, the lens, noise and landmarks
 * @width, @height: of the optical photograph, 64..4096; the thermal one has half of that
 * @noise: of the optical photograph's pixels, one standard deviation in 8-bit greys; 0 for none
 * @landmark_noise_px: of the points placed in the photographs, one standard deviation an axis
 * @n_landmarks: 4..40: points for the fit
 * @mirror_optical, @mirror_thermal: left and right swapped, as some cameras store them
 * @thermal: take the thermal photograph too
 */
typedef struct {
    guint64 seed, shot;
    int width, height;
    double noise;
    double landmark_noise_px;
    int n_landmarks;
    gboolean mirror_optical, mirror_thermal;
    gboolean thermal;
    gboolean varied;
} BgPhantomPhotoParams;

/** bg_phantom_photo_params: of 640 x 480, noise 4, 2 px and 8 landmarks, thermal */
BgPhantomPhotoParams bg_phantom_photo_params(guint64 seed);

/**
 * BgPhantomPhoto:
 * @optical: RGB8
 * @thermal: (nullable): grey, 16 bits: BG_PHANTOM_CELSIUS_LOW to BG_PHANTOM_CELSIUS_HIGH
 * @camera, @thermal_camera: true K, lens and pose; of a mirrored photograph: before it was mirrored
 * @in_volume: landmarks L1, L2, ... (fit), T1 ... T6 on the cortex and D1 20 mm below it (check), LPS mm
 * @in_optical, @in_thermal: the same in the photographs as they are; L with noise, T and D exact.
 *   Those that the thermal camera does not see are left out there
 * @centre_mm: the middle of the opening in the skull, on the brain's hull
 */
typedef struct {
    BgImage *optical, *thermal;
    BgCamera camera, thermal_camera;
    BgLandmarks *in_volume, *in_optical, *in_thermal;
    BgVec3 centre_mm;
} BgPhantomPhoto;

/**
 * bg_phantom_photo_new:
 *
 * Looks through an opening of 70 mm over the right hemisphere from 360 to 480 mm. Seen are gyri,
 * sulci and the vessels that the T1 with contrast shows too, lit from beside the camera, through a
 * lens with distortion. The thermal photograph is warm where vessels and the tumour are.
 *
 * Returns: (transfer full): the same for the same @params; or %NULL with %BG_ERROR_INVALID for a
 *   number out of its range, %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgPhantomPhoto *bg_phantom_photo_new(const BgPhantomPhotoParams *params, const BgProgress *progress,
                                     GCancellable *cancellable, GError **error);
void bg_phantom_photo_free(BgPhantomPhoto *photo);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgPhantomPhoto, bg_phantom_photo_free)

G_END_DECLS
