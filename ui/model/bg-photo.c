// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-photo.h"

#include "core/base/bg-i18n.h"
#include "core/model/bg-distortion.h"
#include "core/register/bg-pose.h"
#include "ui/model/bg-moved.h"

#define ZOOM_MIN 0.2
#define ZOOM_MAX 80.0

const BgLayer *
bg_photo_get(BgSession *session)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;
    const BgLayer *selected = bg_session_get_selected(session);

    if (selected != NULL && selected->payload.image != NULL)
        return selected;
    for (guint i = layers->len; i > 0; i--) {
        const BgLayer *layer = g_ptr_array_index(layers, i - 1);
        if (layer->payload.image != NULL && layer->visible)
            return layer;
    }
    return NULL;
}

const BgPhotoCamera *
bg_photo_camera_of(BgSession *session, const BgLayer *layer)
{
    BgCase *bg_case = bg_session_get_case(session);
    const BgPhotoCamera *own = bg_case_get_camera(bg_case, layer->id);
    const BgLayer *fixed =
        own == NULL && bg_moved_is(layer) ? bg_moved_get_fixed(session, layer) : NULL;

    return fixed != NULL ? bg_case_get_camera(bg_case, fixed->id) : own;
}

gboolean
bg_photo_get_pair(BgSession *session, const BgLayer **below, const BgLayer **over)
{
    const BgLayer *layer = bg_photo_get(session);
    const BgLayer *moved = layer != NULL ? bg_moved_of(session, layer->id) : NULL;
    const BgLayer *fixed = moved != NULL ? bg_moved_get_fixed(session, moved) : NULL;

    if (fixed == NULL || fixed->payload.image == NULL || moved->payload.image == NULL ||
        (moved == layer && bg_photo_camera_of(session, moved) != NULL))
        return FALSE;
    *below = fixed;
    *over = moved;
    return TRUE;
}

const BgPhotoCamera *
bg_photo_get_camera(BgSession *session)
{
    const BgLayer *layer = bg_photo_get(session);

    return layer != NULL ? bg_photo_camera_of(session, layer) : NULL;
}

gboolean
bg_photo_project(const BgPhotoCamera *camera, BgVec3 at_mm, double *u, double *v)
{
    double depth_mm;

    if (!bg_camera_project_lens(&camera->camera, at_mm, u, v, &depth_mm))
        return FALSE;
    if (camera->mirrored)
        *u = camera->camera.width - 1 - *u;
    return TRUE;
}

gboolean
bg_photo_ray(const BgPhotoCamera *camera, double u, double v, BgVec3 *origin_mm, BgVec3 *direction)
{
    double taken_u = camera->mirrored ? camera->camera.width - 1 - u : u;

    return bg_camera_ray_lens(&camera->camera, taken_u, v, origin_mm, direction);
}

BgCamera
bg_photo_crop_camera(const BgPhotoCamera *camera, double u, double v, double scale, int width,
                     int height)
{
    BgCamera cropped = camera->camera;

    // A mirror image's left is the picture's right: the part is taken out there, and turned when drawn.
    if (camera->mirrored)
        u = cropped.width - 1 - (u + (width - 1) / scale);
    for (int i = 0; i < 6; i++)
        cropped.k[i] *= scale;
    cropped.k[2] -= u * scale;
    cropped.k[5] -= v * scale;
    cropped.width = width;
    cropped.height = height;
    return cropped;
}

void
bg_photo_set_zoom(BgSession *session, double zoom, const double pan_px[2])
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    look.zoom = CLAMP(zoom, ZOOM_MIN, ZOOM_MAX);
    look.pan_px[0] = pan_px[0];
    look.pan_px[1] = pan_px[1];
    bg_session_set_photo_look(session, &look);
}

void
bg_photo_set_overlay(BgSession *session, BgOverlay overlay, double amount)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    look.overlay = overlay;
    look.amount = CLAMP(amount, 0.0, 1.0);
    bg_session_set_photo_look(session, &look);
}

void
bg_photo_set_fusion(BgSession *session, int fusion)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    if ((look.fusion == 0) != (fusion == 0)) {
        look.overlay = BG_OVERLAY_OPACITY;
        look.amount = fusion == 0 ? 0.5 : 1.0;
        look.volume = 0.0;
    }
    look.fusion = CLAMP(fusion, 0, (int) BG_FUSION_N_METHODS);
    bg_session_set_photo_look(session, &look);
}

void
bg_photo_set_blend(BgSession *session, double blend)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    look.overlay = BG_OVERLAY_OPACITY;
    look.amount = CLAMP(1.0 + blend, 0.0, 1.0);
    look.volume = CLAMP(blend, 0.0, 1.0);
    bg_session_set_photo_look(session, &look);
}

void
bg_photo_set_outlines(BgSession *session, gboolean shown)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    look.no_outlines = !shown;
    bg_session_set_photo_look(session, &look);
}

void
bg_photo_set_full_range(BgSession *session, gboolean stretched)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);

    look.full_range = stretched;
    bg_session_set_photo_look(session, &look);
}

const char *
bg_overlay_name(BgOverlay overlay)
{
    switch (overlay) {
    case BG_OVERLAY_OPACITY:
        return _("opacity");
    case BG_OVERLAY_SWIPE:
        return _("swipe");
    case BG_OVERLAY_CHECKER:
        return _("checkerboard");
    case BG_OVERLAY_SPYGLASS:
        return _("spyglass");
    case BG_N_OVERLAYS:
        break;
    }
    return "";
}
