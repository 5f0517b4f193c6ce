// SPDX-License-Identifier: Apache-2.0
// The makers of commands: C values in, a record out.
#include "bg-case-private.h"
#include "bg-variant-private.h"

#define TEXT(text) bg_variant_string(text)

BgCommand *
bg_command_add_layer(const BgLayer *layer)
{
    g_autoptr(GVariant) variant = bg_layer_to_variant(layer);

    return bg_command_new("add-layer",
                          g_variant_new("(@a{sv}uy)", variant, G_MAXUINT32, (guint8) BG_ADD_NEW));
}

BgCommand *
bg_command_remove_layer(const char *id)
{
    return bg_command_new("remove-layer",
                          g_variant_new("(@s(sssss)b)", TEXT(id), "", "", "", "", "", FALSE));
}

BgCommand *
bg_command_rename_layer(const char *id, const char *name)
{
    return bg_command_new("rename-layer", g_variant_new("(@s@s)", TEXT(id), TEXT(name)));
}

BgCommand *
bg_command_move_layer(const char *id, guint position)
{
    return bg_command_new("move-layer", g_variant_new("(@su)", TEXT(id), position));
}

BgCommand *
bg_command_set_visible(const char *id, gboolean visible)
{
    return bg_command_new("set-visible", g_variant_new("(@sb)", TEXT(id), visible));
}

BgCommand *
bg_command_set_opacity(const char *id, double opacity)
{
    return bg_command_new("set-opacity", g_variant_new("(@sd)", TEXT(id), opacity));
}

BgCommand *
bg_command_set_window(const char *id, double centre, double width)
{
    return bg_command_new("set-window", g_variant_new("(@sdd)", TEXT(id), centre, width));
}

BgCommand *
bg_command_set_colour_map(const char *id, const char *colour_map)
{
    return bg_command_new("set-colour-map", g_variant_new("(@s@s)", TEXT(id), TEXT(colour_map)));
}

BgCommand *
bg_command_set_transfer_function(const char *id, const BgTransferFunction *tf)
{
    g_autofree char *json = tf != NULL ? bg_transfer_function_print(tf) : NULL;

    return bg_command_new("set-transfer-function", g_variant_new("(@s@s)", TEXT(id), TEXT(json)));
}

BgCommand *
bg_command_set_labels(const char *id, const BgLabelTable *table)
{
    return bg_command_new("set-labels", g_variant_new("(@s@" BG_VARIANT_LABELS ")", TEXT(id),
                                                      bg_label_table_to_variant(table)));
}

BgCommand *
bg_command_set_label(const char *id, const BgLabelEntry *entry)
{
    return bg_command_new("set-label",
                          g_variant_new("(@su@sdddbb)", TEXT(id), entry->label, TEXT(entry->name),
                                        (double) entry->rgb[0], (double) entry->rgb[1],
                                        (double) entry->rgb[2], entry->visible, TRUE));
}

BgCommand *
bg_command_set_label_style(const char *id, double fill, double outline_px)
{
    return bg_command_new("set-label-style", g_variant_new("(@sdd)", TEXT(id), fill, outline_px));
}

BgCommand *
bg_command_set_mesh_style(const char *id, const double rgb[3], gboolean wireframe)
{
    return bg_command_new("set-mesh-style",
                          g_variant_new("(@sdddb)", TEXT(id), rgb[0], rgb[1], rgb[2], wireframe));
}

BgCommand *
bg_command_set_interpolation(const char *id, gboolean linear)
{
    return bg_command_new("set-interpolation", g_variant_new("(@sb)", TEXT(id), linear));
}

BgCommand *
bg_command_answer_geometry(const char *id, const BgGeometryAnswer *answer)
{
    return bg_command_new("answer-geometry",
                          g_variant_new("(@sbbbddd)", TEXT(id), answer->side_unknown,
                                        answer->mirrored, answer->spacing_unknown,
                                        answer->spacing_mm[0], answer->spacing_mm[1],
                                        answer->spacing_mm[2]));
}

BgCommand *
bg_command_set_frame(const char *id, int frame)
{
    return bg_command_new("set-frame", g_variant_new("(@si)", TEXT(id), frame));
}

static BgCommand *
locate(const char *id, const char *path, const char *sha256, gboolean accept)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);

    return bg_command_new("locate-layer", g_variant_new("(@s^ay^ay@sb)", TEXT(id), absolute, "",
                                                        TEXT(sha256), accept));
}

BgCommand *
bg_command_locate_layer(const char *id, const char *path, const char *sha256)
{
    return locate(id, path, sha256, FALSE);
}

BgCommand *
bg_command_accept_source(const char *id, const char *path, const char *sha256)
{
    return locate(id, path, sha256, TRUE);
}

BgCommand *
bg_command_override_patient(const BgPatient *patient, const char *reason)
{
    return bg_command_new(
        "override-patient",
        g_variant_new("(@" BG_VARIANT_PATIENT "@s)", bg_patient_to_variant(patient), TEXT(reason)));
}

BgCommand *
bg_command_set_patient(const BgPatient *patient)
{
    return bg_command_new(
        "set-patient", g_variant_new("(@" BG_VARIANT_PATIENT ")", bg_patient_to_variant(patient)));
}

BgCommand *
bg_command_set_study(const char *date, const char *description)
{
    return bg_command_new("set-study", g_variant_new("(@s@s)", TEXT(date), TEXT(description)));
}

static const char *
text_of(const char *text)
{
    return text != NULL ? text : "";
}

BgCommand *
bg_command_take_study(BgCase *the_case, const BgFileInfo *info)
{
    const BgCaseState *state = bg_case_get_state(the_case);
    const char *date = text_of(info->study_date), *description = text_of(info->study_description);
    gboolean none = *state->study_date == '\0' && *state->study_description == '\0';

    return none && (*date != '\0' || *description != '\0') ? bg_command_set_study(date, description)
                                                           : NULL;
}

BgCommand *
bg_command_set_cursor(BgVec3 cursor_mm)
{
    return bg_command_new("set-cursor",
                          g_variant_new("(ddd)", cursor_mm.x, cursor_mm.y, cursor_mm.z));
}

BgCommand *
bg_command_set_view(const BgView *view)
{
    return bg_command_new("set-view", g_variant_new("(ddddddb)", view->elevation_deg,
                                                    view->azimuth_deg, view->roll_deg, view->zoom,
                                                    view->pan_x, view->pan_y, view->parallel));
}

BgCommand *
bg_command_set_pane(guint plane, double zoom, const double pan_mm[2])
{
    return bg_command_new("set-pane", g_variant_new("(uddd)", plane, zoom, pan_mm[0], pan_mm[1]));
}

BgCommand *
bg_command_set_layout(const char *layout)
{
    return bg_command_new("set-layout", g_variant_new("(@s)", TEXT(layout)));
}

BgCommand *
bg_command_set_convention(gboolean radiological)
{
    return bg_command_new("set-convention", g_variant_new("(b)", radiological));
}

BgCommand *
bg_command_set_clip(gboolean enabled, BgVec3 low_mm, BgVec3 high_mm)
{
    return bg_command_new("set-clip", g_variant_new("(bdddddd)", enabled, low_mm.x, low_mm.y,
                                                    low_mm.z, high_mm.x, high_mm.y, high_mm.z));
}

BgCommand *
bg_command_add_measurement(const BgMeasurement *measurement)
{
    return bg_command_new("add-measurement",
                          g_variant_new("(@" BG_VARIANT_MEASUREMENT "u)",
                                        bg_measurement_to_variant(measurement), G_MAXUINT32));
}

BgCommand *
bg_command_remove_measurement(const char *id)
{
    return bg_command_new("remove-measurement", g_variant_new("(@s)", TEXT(id)));
}

BgCommand *
bg_command_change_measurement(const BgMeasurement *measurement)
{
    return bg_command_new("change-measurement", bg_measurement_to_variant(measurement));
}

BgCommand *
bg_command_set_landmarks(const BgLandmarkList *list)
{
    return bg_command_new("set-landmarks",
                          g_variant_new("(@sm@" BG_VARIANT_LANDMARKS ")", TEXT(list->id),
                                        bg_landmark_list_to_variant(list)));
}

BgCommand *
bg_command_remove_landmarks(const char *id)
{
    return bg_command_new("set-landmarks",
                          g_variant_new("(@sm@" BG_VARIANT_LANDMARKS ")", TEXT(id), NULL));
}

BgCommand *
bg_command_set_registration(const BgRegistration *registration)
{
    return bg_command_new("set-registration",
                          g_variant_new("(@sm@" BG_VARIANT_REGISTRATION ")", TEXT(registration->id),
                                        bg_registration_to_variant(registration)));
}

BgCommand *
bg_command_remove_registration(const char *id)
{
    return bg_command_new("set-registration",
                          g_variant_new("(@sm@" BG_VARIANT_REGISTRATION ")", TEXT(id), NULL));
}

BgCommand *
bg_command_set_camera(const BgPhotoCamera *camera)
{
    return bg_command_new("set-camera",
                          g_variant_new("(@sm@" BG_VARIANT_CAMERA ")", TEXT(camera->id),
                                        bg_photo_camera_to_variant(camera)));
}

BgCommand *
bg_command_remove_camera(const char *id)
{
    return bg_command_new("set-camera",
                          g_variant_new("(@sm@" BG_VARIANT_CAMERA ")", TEXT(id), NULL));
}

BgCommand *
bg_command_set_plan(const BgCasePlan *plan)
{
    return bg_command_new("set-plan", g_variant_new("(@sm@" BG_VARIANT_PLAN ")", TEXT(plan->id),
                                                    bg_case_plan_to_variant(plan)));
}

BgCommand *
bg_command_remove_plan(const char *id)
{
    return bg_command_new("set-plan", g_variant_new("(@sm@" BG_VARIANT_PLAN ")", TEXT(id), NULL));
}

BgCommand *
bg_command_set_notes(const char *notes)
{
    return bg_command_new("set-notes", g_variant_new("(@s)", TEXT(notes)));
}
