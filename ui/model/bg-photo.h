// SPDX-License-Identifier: Apache-2.0
// Photographs of the case: which one is worked on, where its camera puts things, how it is looked at.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_photo_get: (transfer none) (nullable): the selected photograph, else the uppermost visible one */
const BgLayer *bg_photo_get(BgSession *session);

/** bg_photo_get_camera: (transfer none) (nullable): of the photograph that is worked on */
const BgPhotoCamera *bg_photo_get_camera(BgSession *session);

/** bg_photo_camera_of: (transfer none) (nullable): its own, or that of the photograph onto which it was put */
const BgPhotoCamera *bg_photo_camera_of(BgSession *session, const BgLayer *layer);

/**
 * bg_photo_get_pair:
 * @below, @over: (out) (transfer none): two photographs that lie on each other, of one size
 *
 * Returns: %FALSE unless the photograph that is worked on was registered to another one. What was put
 *   onto one whose camera is known is laid under the volume instead
 */
gboolean bg_photo_get_pair(BgSession *session, const BgLayer **below, const BgLayer **over);

/**
 * bg_photo_project:
 * @u, @v: (out): pixel of the photograph as it was taken, mirrored if it is
 *
 * Returns: %FALSE where the camera does not see @at_mm
 */
gboolean bg_photo_project(const BgPhotoCamera *camera, BgVec3 at_mm, double *u, double *v);

/** bg_photo_ray: what the photograph shows at a pixel lies on it; %FALSE as bg_camera_ray_lens() */
gboolean bg_photo_ray(const BgPhotoCamera *camera, double u, double v, BgVec3 *origin_mm,
                      BgVec3 *direction);

/**
 * bg_photo_crop_camera:
 * @u, @v: pixel of the photograph whose middle is the new picture's left upper corner's middle
 * @scale: new pixels in one of the photograph
 *
 * The camera of a part of the photograph, in another resolution. Its lens is kept; a mirrored
 * photograph's camera looks as the photograph does.
 */
BgCamera bg_photo_crop_camera(const BgPhotoCamera *camera, double u, double v, double scale,
                              int width, int height);

/** bg_photo_set_zoom: @zoom: 1 fits; @pan_px: of the picture's middle, in its pixels */
void bg_photo_set_zoom(BgSession *session, double zoom, const double pan_px[2]);
void bg_photo_set_overlay(BgSession *session, BgOverlay overlay, double amount);

/**
 * bg_photo_set_fusion:
 * @fusion: as in BgPhotoLook
 *
 * What is fused covers the photograph at first; without fusion half of the volume does.
 */
void bg_photo_set_fusion(BgSession *session, int fusion);

/** bg_photo_set_blend: @blend: -1: the photograph, 0: what is fused, 1: the volume; between them both */
void bg_photo_set_blend(BgSession *session, double blend);

/** bg_photo_set_outlines: whether labels are outlined on what is fused */
void bg_photo_set_outlines(BgSession *session, gboolean shown);

/** bg_photo_set_full_range: whether what is fused is stretched to the range of both */
void bg_photo_set_full_range(BgSession *session, gboolean stretched);

/** bg_overlay_name: for people */
const char *bg_overlay_name(BgOverlay overlay);

G_END_DECLS
