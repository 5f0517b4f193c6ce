// SPDX-License-Identifier: Apache-2.0
// Commands on everything but layers.
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define MIN_REASON 3 // letters and digits: what nobody types by accident

static BgCommand *
refuse_value(const char *what, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: %s is the name of a setting
                _("%s cannot have this value: it is out of range. Choose another one"), what);
    return NULL;
}

static gboolean
is_reason(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text = g_utf8_next_char(text))
        n += g_unichar_isalnum(g_utf8_get_char(text)) ? 1 : 0;
    return n >= MIN_REASON;
}

static BgCommand *
apply_override_patient(BgCase *self, GVariant *args, GError **error)
{
    g_autoptr(GVariant) patient = NULL;
    const char *reason;
    g_variant_get(args, "(@" BG_VARIANT_PATIENT "&s)", &patient, &reason);

    if (!is_reason(reason))
        return refuse_value(_("The reason for mixing two patients"), error);
    bg_case_add_override(&self->state, patient, reason);
    return bg_command_new("withdraw-override", g_variant_new("()"));
}

static BgCommand *
apply_withdraw_override(BgCase *self, GVariant *args, GError **error)
{
    guint n = self->state.overrides->len;
    if (n == 0)
        return refuse_value(_("The reason for mixing two patients"), error);

    const BgPatientOverride *last = g_ptr_array_index(self->state.overrides, n - 1);
    BgCommand *inverse = bg_command_override_patient(&last->patient, last->reason);
    g_ptr_array_remove_index(self->state.overrides, n - 1);
    return inverse;
}

static gboolean
is_overridden(const BgCaseState *state, const BgPatient *patient)
{
    for (guint i = 0; i < state->overrides->len; i++) {
        const BgPatientOverride *item = g_ptr_array_index(state->overrides, i);
        if (bg_patient_is_known(&item->patient) && bg_patient_same(&item->patient, patient))
            return TRUE;
    }
    return FALSE;
}

static BgCommand *
apply_set_patient(BgCase *self, GVariant *args, GError **error)
{
    g_autoptr(GVariant) variant = g_variant_get_child_value(args, 0);
    BgPatient patient;
    bg_patient_init(&patient);
    bg_patient_from_variant(variant, &patient);

    for (guint i = 0; i < self->state.layers->len; i++) {
        const BgLayer *layer = g_ptr_array_index(self->state.layers, i);
        if (bg_patient_same(&patient, &layer->patient) ||
            is_overridden(&self->state, &layer->patient) || is_overridden(&self->state, &patient))
            continue;
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The layer “%s” is of another patient (%s, %s) than %s, %s. Remove it, or "
                      "type the reason why both belong together"),
                    layer->name, layer->patient.name, layer->patient.id, patient.name, patient.id);
        bg_patient_clear(&patient);
        return NULL;
    }

    BgCommand *inverse = bg_command_set_patient(&self->state.patient);
    bg_patient_clear(&self->state.patient);
    self->state.patient = patient;
    return inverse;
}

static BgCommand *
apply_set_study(BgCase *self, GVariant *args, GError **error)
{
    const char *date, *description;
    g_variant_get(args, "(&s&s)", &date, &description);

    BgCommand *inverse =
        bg_command_set_study(self->state.study_date, self->state.study_description);
    bg_layer_set_string(&self->state.study_date, date);
    bg_layer_set_string(&self->state.study_description, description);
    return inverse;
}

static BgCommand *
apply_set_cursor(BgCase *self, GVariant *args, GError **error)
{
    BgVec3 p;
    g_variant_get(args, "(ddd)", &p.x, &p.y, &p.z);

    if (!bg_vec3_is_finite(p))
        return refuse_value(_("The cursor"), error);
    BgCommand *inverse = bg_command_set_cursor(self->state.cursor_mm);
    self->state.cursor_mm = p;
    return inverse;
}

static BgCommand *
apply_set_view(BgCase *self, GVariant *args, GError **error)
{
    BgView view;
    g_variant_get(args, "(ddddddb)", &view.elevation_deg, &view.azimuth_deg, &view.roll_deg,
                  &view.zoom, &view.pan_x, &view.pan_y, &view.parallel);

    if (!bg_variant_doubles_ok(args) || !(view.zoom > 0.0))
        return refuse_value(_("The 3D view"), error);
    BgCommand *inverse = bg_command_set_view(&self->state.view);
    self->state.view = view;
    return inverse;
}

static BgCommand *
apply_set_pane(BgCase *self, GVariant *args, GError **error)
{
    guint plane;
    BgPaneState pane;
    g_variant_get(args, "(uddd)", &plane, &pane.zoom, &pane.pan_mm[0], &pane.pan_mm[1]);

    if (plane >= G_N_ELEMENTS(self->state.panes) || !bg_variant_doubles_ok(args) ||
        !(pane.zoom > 0.0))
        return refuse_value(_("The zoom of a slice"), error);
    const BgPaneState *old = &self->state.panes[plane];
    BgCommand *inverse = bg_command_set_pane(plane, old->zoom, old->pan_mm);
    self->state.panes[plane] = pane;
    return inverse;
}

static BgCommand *
apply_set_layout(BgCase *self, GVariant *args, GError **error)
{
    const char *layout;
    g_variant_get(args, "(&s)", &layout);

    if (*layout == '\0')
        return refuse_value(_("The layout"), error);
    BgCommand *inverse = bg_command_set_layout(self->state.layout);
    bg_layer_set_string(&self->state.layout, layout);
    return inverse;
}

static BgCommand *
apply_set_convention(BgCase *self, GVariant *args, GError **error)
{
    BgCommand *inverse = bg_command_set_convention(self->state.radiological);

    g_variant_get(args, "(b)", &self->state.radiological);
    return inverse;
}

static BgCommand *
apply_set_clip(BgCase *self, GVariant *args, GError **error)
{
    BgClip clip;
    g_variant_get(args, "(bdddddd)", &clip.enabled, &clip.low_mm.x, &clip.low_mm.y, &clip.low_mm.z,
                  &clip.high_mm.x, &clip.high_mm.y, &clip.high_mm.z);

    BgVec3 size = bg_vec3_sub(clip.high_mm, clip.low_mm);
    if (!bg_variant_doubles_ok(args) || !(size.x >= 0.0 && size.y >= 0.0 && size.z >= 0.0))
        return refuse_value(_("The clip box"), error);
    const BgClip *old = &self->state.clip;
    BgCommand *inverse = bg_command_set_clip(old->enabled, old->low_mm, old->high_mm);
    self->state.clip = clip;
    return inverse;
}

static BgMeasurement *
find_measurement(BgCase *self, const char *id, guint *index)
{
    for (guint i = 0; i < self->state.measurements->len; i++) {
        BgMeasurement *item = g_ptr_array_index(self->state.measurements, i);
        if (g_str_equal(item->id, id)) {
            *index = i;
            return item;
        }
    }
    return NULL;
}

const BgMeasurement *
bg_case_get_measurement(BgCase *self, const char *id)
{
    guint index;

    return find_measurement(self, id, &index);
}

static BgCommand *
apply_add_measurement(BgCase *self, GVariant *args, GError **error)
{
    g_autoptr(GVariant) variant = NULL;
    guint position, index;
    g_variant_get(args, "(@" BG_VARIANT_MEASUREMENT "u)", &variant, &position);

    g_autoptr(BgMeasurement) item = bg_measurement_from_variant(variant, NULL);
    if (item == NULL || find_measurement(self, item->id, &index) != NULL)
        return refuse_value(_("The measurement"), error);
    BgCommand *inverse = bg_command_remove_measurement(item->id);
    g_ptr_array_insert(self->state.measurements, (int) MIN(position, self->state.measurements->len),
                       g_steal_pointer(&item));
    return inverse;
}

static BgCommand *
apply_remove_measurement(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    guint index;
    g_variant_get(args, "(&s)", &id);

    const BgMeasurement *item = find_measurement(self, id, &index);
    if (item == NULL)
        return refuse_value(_("The measurement"), error);
    BgCommand *inverse =
        bg_command_new("add-measurement", g_variant_new("(@" BG_VARIANT_MEASUREMENT "u)",
                                                        bg_measurement_to_variant(item), index));
    g_ptr_array_remove_index(self->state.measurements, index);
    return inverse;
}

static BgCommand *
apply_change_measurement(BgCase *self, GVariant *args, GError **error)
{
    g_autoptr(BgMeasurement) item = bg_measurement_from_variant(args, NULL);
    guint index;

    const BgMeasurement *old = item != NULL ? find_measurement(self, item->id, &index) : NULL;
    if (old == NULL)
        return refuse_value(_("The measurement"), error);
    BgCommand *inverse = bg_command_change_measurement(old);
    bg_measurement_free(g_ptr_array_index(self->state.measurements, index));
    g_ptr_array_index(self->state.measurements, index) = g_steal_pointer(&item);
    return inverse;
}

static BgCommand *
apply_set_notes(BgCase *self, GVariant *args, GError **error)
{
    const char *notes;
    g_variant_get(args, "(&s)", &notes);

    BgCommand *inverse = bg_command_set_notes(self->state.notes);
    bg_layer_set_string(&self->state.notes, notes);
    return inverse;
}

#define SETTING BG_COMMAND_SETTING
#define VIEW (BG_COMMAND_SETTING | BG_COMMAND_VIEW)

const BgCommandKind bg_state_command_kinds[] = {
    { "override-patient", N_("Mix Patients"), "(" BG_VARIANT_PATIENT "s)", 0, 0,
      apply_override_patient },
    { "withdraw-override", N_("Mix Patients"), "()", 0, 0, apply_withdraw_override },
    { "set-patient", N_("Patient"), "(" BG_VARIANT_PATIENT ")", 0, SETTING, apply_set_patient },
    { "set-study", N_("Study"), "(ss)", 0, SETTING, apply_set_study },
    { "set-cursor", N_("Move Cursor"), "(ddd)", 0, VIEW, apply_set_cursor },
    { "set-view", N_("Turn View"), "(ddddddb)", 0, VIEW, apply_set_view },
    { "set-pane", N_("Zoom"), "(uddd)", 1, VIEW, apply_set_pane },
    { "set-layout", N_("Layout"), "(s)", 0, SETTING, apply_set_layout },
    { "set-convention", N_("Sides"), "(b)", 0, SETTING, apply_set_convention },
    { "set-clip", N_("Clip Box"), "(bdddddd)", 0, SETTING, apply_set_clip },
    { "add-measurement", N_("Add Measurement"), "(" BG_VARIANT_MEASUREMENT "u)", 0, 0,
      apply_add_measurement },
    { "remove-measurement", N_("Remove Measurement"), "(s)", 1, 0, apply_remove_measurement },
    { "change-measurement", N_("Change Measurement"), BG_VARIANT_MEASUREMENT, 1, SETTING,
      apply_change_measurement },
    { "set-notes", N_("Notes"), "(s)", 0, SETTING, apply_set_notes },
    { NULL },
};
