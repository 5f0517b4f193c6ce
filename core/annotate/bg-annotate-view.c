// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-i18n.h"

void
bg_annotate_view_init(BgAnnotateView *params, const BgCamera *camera, BgVec3 centre_mm)
{
    *params = (BgAnnotateView){ .camera = *camera,
                                .centre_mm = centre_mm,
                                .scale = 1.0,
                                .calibrated = TRUE,
                                .side_known = TRUE };
}

// Returns: whether the note found its place, which it does not have first of all
static gboolean
lay_out(const BgAnnotateView *params, gboolean note_first, GArray *marks)
{
    BgAnnotateLayout layout;

    // The camera's axes in the patient are the rows of its rotation: x right, y down.
    const BgAffine *r = &params->camera.camera_from_patient;
    BgVec3 right = bg_vec3(r->m[0][0], r->m[0][1], r->m[0][2]);
    BgVec3 down = bg_vec3(r->m[1][0], r->m[1][1], r->m[1][2]);

    bg_annotate_layout_init(&layout, marks, params->camera.width, params->camera.height,
                            params->scale);
    bg_annotate_letters(&layout, right, down, params->side_known);
    if (note_first)
        bg_annotate_note(&layout, params->note);
    bg_annotate_badges(&layout, params->badges, params->side_known);
    bg_annotate_scale_bar(&layout, bg_camera_mm_per_pixel(&params->camera, params->centre_mm),
                          params->calibrated,
                          // Translators: behind "50 mm": the scale of a perspective picture
                          params->camera.parallel ? "" : _(" at centre"));
    if (params->distance_range_mm > 0.0)
        bg_annotate_distance_bar(&layout, params->distance_range_mm, params->distance_to);
    bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT, BG_MARK_ROLE_ENGINE, params->engine);
    bg_annotate_in_corner(&layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_TITLE, params->title);
    bg_annotate_in_corner(&layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_OTHER, params->preset);
    gboolean noted = note_first || bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT,
                                                         BG_MARK_ROLE_NOTE, params->note);
    bg_annotate_layout_clear(&layout);
    return noted;
}

void
bg_annotate_view(const BgAnnotateView *params, GArray *marks)
{
    g_return_if_fail(params != NULL && params->scale > 0.0);
    g_return_if_fail(marks != NULL);

    guint n_marks = marks->len;
    if (lay_out(params, FALSE, marks) || params->note == NULL)
        return;
    g_array_set_size(marks, n_marks);
    lay_out(params, TRUE, marks);
}
