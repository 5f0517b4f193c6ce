// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_PRESET_GALLERY (bg_preset_gallery_get_type())

/**
 * BgPresetGallery:
 *
 * The shipped transfer functions as pictures of one volume, drawn one after the other on the idle
 * worker. Signal ::chosen (const char *id).
 */
G_DECLARE_FINAL_TYPE(BgPresetGallery, bg_preset_gallery, BG, PRESET_GALLERY, GtkWidget)

/**
 * bg_preset_gallery_set_volume:
 * @volume: (nullable): referenced; the same one again changes nothing
 * @modality: presets of that modality come first; "" for none
 */
void bg_preset_gallery_set_volume(BgPresetGallery *self, BgSession *session, BgVolume *volume,
                                  const char *modality);

G_END_DECLS
