// SPDX-License-Identifier: Apache-2.0
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"

static void
free_layer(gpointer layer)
{
    bg_layer_free(layer);
}

static void
free_measurement(gpointer measurement)
{
    bg_measurement_free(measurement);
}

static void
free_landmarks(gpointer list)
{
    bg_landmark_list_free(list);
}

static void
free_registration(gpointer registration)
{
    bg_registration_free(registration);
}

static void
free_camera(gpointer camera)
{
    bg_photo_camera_free(camera);
}

static void
free_plan(gpointer plan)
{
    bg_case_plan_free(plan);
}

static void
free_override(gpointer data)
{
    BgPatientOverride *item = data;

    bg_patient_clear(&item->patient);
    g_free(item->reason);
    g_free(item);
}

void
bg_case_state_init(BgCaseState *state)
{
    *state = (BgCaseState){ .view = bg_view_default(), .radiological = TRUE };

    bg_patient_init(&state->patient);
    state->study_date = g_strdup("");
    state->study_description = g_strdup("");
    state->layers = g_ptr_array_new_with_free_func(free_layer);
    state->measurements = g_ptr_array_new_with_free_func(free_measurement);
    state->landmarks = g_ptr_array_new_with_free_func(free_landmarks);
    state->registrations = g_ptr_array_new_with_free_func(free_registration);
    state->cameras = g_ptr_array_new_with_free_func(free_camera);
    state->plans = g_ptr_array_new_with_free_func(free_plan);
    state->overrides = g_ptr_array_new_with_free_func(free_override);
    for (gsize i = 0; i < G_N_ELEMENTS(state->panes); i++)
        state->panes[i].zoom = 1.0;
    state->layout = g_strdup("planning");
    state->selected = g_strdup("");
    state->notes = g_strdup("");
}

void
bg_case_state_clear(BgCaseState *state)
{
    bg_patient_clear(&state->patient);
    g_clear_pointer(&state->study_date, g_free);
    g_clear_pointer(&state->study_description, g_free);
    g_clear_pointer(&state->layers, g_ptr_array_unref);
    g_clear_pointer(&state->measurements, g_ptr_array_unref);
    g_clear_pointer(&state->landmarks, g_ptr_array_unref);
    g_clear_pointer(&state->registrations, g_ptr_array_unref);
    g_clear_pointer(&state->cameras, g_ptr_array_unref);
    g_clear_pointer(&state->plans, g_ptr_array_unref);
    g_clear_pointer(&state->overrides, g_ptr_array_unref);
    g_clear_pointer(&state->layout, g_free);
    g_clear_pointer(&state->selected, g_free);
    g_clear_pointer(&state->notes, g_free);
}

void
bg_case_add_override(BgCaseState *state, GVariant *patient, const char *reason)
{
    BgPatientOverride *item = g_new0(BgPatientOverride, 1);

    bg_patient_init(&item->patient);
    bg_patient_from_variant(patient, &item->patient);
    item->reason = g_strdup(reason);
    g_ptr_array_add(state->overrides, item);
}

static void
add_list(GVariantBuilder *builder, const char *name, const char *type, const GPtrArray *items,
         GVariant *(*to_variant)(gconstpointer item))
{
    g_autofree char *array_type = g_strconcat("a", type, NULL);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE(array_type));
    for (guint i = 0; i < items->len; i++)
        g_variant_builder_add_value(&list, to_variant(g_ptr_array_index(items, i)));
    g_variant_builder_add(builder, "{sv}", name, g_variant_builder_end(&list));
}

static GVariant *
measurement_item(gconstpointer item)
{
    return bg_measurement_to_variant(item);
}

static GVariant *
landmarks_item(gconstpointer item)
{
    return bg_landmark_list_to_variant(item);
}

static GVariant *
registration_item(gconstpointer item)
{
    return bg_registration_to_variant(item);
}

static GVariant *
camera_item(gconstpointer item)
{
    return bg_photo_camera_to_variant(item);
}

static GVariant *
plan_item(gconstpointer item)
{
    return bg_case_plan_to_variant(item);
}

static GVariant *
override_item(gconstpointer item)
{
    const BgPatientOverride *override = item;

    return g_variant_new("(@" BG_VARIANT_PATIENT "@s)", bg_patient_to_variant(&override->patient),
                         bg_variant_string(override->reason));
}

static void
add_layers(GVariantBuilder *builder, const GPtrArray *layers)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < layers->len; i++) {
        g_autoptr(GVariant) layer = bg_layer_to_variant(g_ptr_array_index(layers, i));
        g_variant_builder_add_value(&list, layer);
    }
    g_variant_builder_add(builder, "{sv}", "layers", g_variant_builder_end(&list));
}

static void
add_view(GVariantBuilder *builder, const BgCaseState *state)
{
    const BgView *view = &state->view;
    const BgClip *clip = &state->clip;
    GVariantBuilder panes;

    g_variant_builder_init(&panes, G_VARIANT_TYPE("a(ddd)"));
    for (gsize i = 0; i < G_N_ELEMENTS(state->panes); i++)
        g_variant_builder_add(&panes, "(ddd)", state->panes[i].zoom, state->panes[i].pan_mm[0],
                              state->panes[i].pan_mm[1]);
    g_variant_builder_add(
        builder, "{sv}", "cursor",
        g_variant_new("(ddd)", state->cursor_mm.x, state->cursor_mm.y, state->cursor_mm.z));
    g_variant_builder_add(builder, "{sv}", "view",
                          g_variant_new("(ddddddb)", view->elevation_deg, view->azimuth_deg,
                                        view->roll_deg, view->zoom, view->pan_x, view->pan_y,
                                        view->parallel));
    g_variant_builder_add(builder, "{sv}", "panes", g_variant_builder_end(&panes));
    g_variant_builder_add(builder, "{sv}", "clip",
                          g_variant_new("(bdddddd)", clip->enabled, clip->low_mm.x, clip->low_mm.y,
                                        clip->low_mm.z, clip->high_mm.x, clip->high_mm.y,
                                        clip->high_mm.z));
}

GVariant *
bg_case_state_to_variant(const BgCaseState *state)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "patient", bg_patient_to_variant(&state->patient));
    g_variant_builder_add(&builder, "{sv}", "study-date", bg_variant_string(state->study_date));
    g_variant_builder_add(&builder, "{sv}", "study-description",
                          bg_variant_string(state->study_description));
    g_variant_builder_add(&builder, "{sv}", "layout", bg_variant_string(state->layout));
    g_variant_builder_add(&builder, "{sv}", "selected", bg_variant_string(state->selected));
    g_variant_builder_add(&builder, "{sv}", "notes", bg_variant_string(state->notes));
    g_variant_builder_add(&builder, "{sv}", "radiological",
                          g_variant_new_boolean(state->radiological));
    add_view(&builder, state);
    add_list(&builder, "overrides", "(" BG_VARIANT_PATIENT "s)", state->overrides, override_item);
    add_list(&builder, "measurements", BG_VARIANT_MEASUREMENT, state->measurements,
             measurement_item);
    add_list(&builder, "landmark-lists", BG_VARIANT_LANDMARKS, state->landmarks, landmarks_item);
    add_list(&builder, "alignments", BG_VARIANT_REGISTRATION, state->registrations,
             registration_item);
    add_list(&builder, "cameras", BG_VARIANT_CAMERA, state->cameras, camera_item);
    add_list(&builder, "plans", BG_VARIANT_PLAN, state->plans, plan_item);
    add_layers(&builder, state->layers);
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

// What is not there keeps its default; what is there has to be of the type.
static gboolean
look_up(GVariant *variant, const char *name, const char *type, GVariant **value, GError **error)
{
    *value = g_variant_lookup_value(variant, name, NULL);
    if (*value == NULL || g_variant_is_of_type(*value, G_VARIANT_TYPE(type)))
        return TRUE;
    g_clear_pointer(value, g_variant_unref);
    return bg_variant_refuse(name, error);
}

static gboolean
read_text(GVariant *variant, const char *name, char **text, GError **error)
{
    g_autoptr(GVariant) value = NULL;

    if (!look_up(variant, name, "s", &value, error))
        return FALSE;
    if (value != NULL)
        bg_layer_set_string(text, g_variant_get_string(value, NULL));
    return TRUE;
}

static gboolean
read_texts(BgCaseState *state, GVariant *variant, GError **error)
{
    g_autoptr(GVariant) patient = NULL;
    g_autoptr(GVariant) radiological = NULL;

    if (!look_up(variant, "patient", BG_VARIANT_PATIENT, &patient, error) ||
        !look_up(variant, "radiological", "b", &radiological, error) ||
        !read_text(variant, "study-date", &state->study_date, error) ||
        !read_text(variant, "study-description", &state->study_description, error) ||
        !read_text(variant, "layout", &state->layout, error) ||
        !read_text(variant, "selected", &state->selected, error) ||
        !read_text(variant, "notes", &state->notes, error))
        return FALSE;
    if (patient != NULL)
        bg_patient_from_variant(patient, &state->patient);
    if (radiological != NULL)
        state->radiological = g_variant_get_boolean(radiological);
    if (*state->layout == '\0')
        return bg_variant_refuse("layout", error);
    return TRUE;
}

static gboolean
read_panes(BgCaseState *state, GVariant *panes, GError **error)
{
    if (g_variant_n_children(panes) != G_N_ELEMENTS(state->panes))
        return bg_variant_refuse("panes", error);
    for (gsize i = 0; i < G_N_ELEMENTS(state->panes); i++) {
        BgPaneState *pane = &state->panes[i];
        g_variant_get_child(panes, i, "(ddd)", &pane->zoom, &pane->pan_mm[0], &pane->pan_mm[1]);
        if (!(pane->zoom > 0.0))
            return bg_variant_refuse("panes", error);
    }
    return TRUE;
}

static gboolean
read_view(BgCaseState *state, GVariant *variant, GError **error)
{
    BgView *view = &state->view;
    BgClip *clip = &state->clip;
    g_autoptr(GVariant) cursor = NULL;
    g_autoptr(GVariant) turn = NULL;
    g_autoptr(GVariant) panes = NULL;
    g_autoptr(GVariant) box = NULL;

    if (!look_up(variant, "cursor", "(ddd)", &cursor, error) ||
        !look_up(variant, "view", "(ddddddb)", &turn, error) ||
        !look_up(variant, "panes", "a(ddd)", &panes, error) ||
        !look_up(variant, "clip", "(bdddddd)", &box, error))
        return FALSE;
    if (cursor != NULL)
        g_variant_get(cursor, "(ddd)", &state->cursor_mm.x, &state->cursor_mm.y,
                      &state->cursor_mm.z);
    if (turn != NULL)
        g_variant_get(turn, "(ddddddb)", &view->elevation_deg, &view->azimuth_deg, &view->roll_deg,
                      &view->zoom, &view->pan_x, &view->pan_y, &view->parallel);
    if (!(view->zoom > 0.0))
        return bg_variant_refuse("view", error);
    if (panes != NULL && !read_panes(state, panes, error))
        return FALSE;
    if (box != NULL)
        g_variant_get(box, "(bdddddd)", &clip->enabled, &clip->low_mm.x, &clip->low_mm.y,
                      &clip->low_mm.z, &clip->high_mm.x, &clip->high_mm.y, &clip->high_mm.z);
    if (!(clip->low_mm.x <= clip->high_mm.x && clip->low_mm.y <= clip->high_mm.y &&
          clip->low_mm.z <= clip->high_mm.z))
        return bg_variant_refuse("clip", error);
    return TRUE;
}

static gboolean
read_layers(BgCaseState *state, GVariant *variant, GError **error)
{
    g_autoptr(GVariant) layers = NULL;
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

    if (!look_up(variant, "layers", "aa{sv}", &layers, error))
        return FALSE;
    for (gsize i = 0; layers != NULL && i < g_variant_n_children(layers); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(layers, i);
        BgLayer *layer = bg_layer_from_variant(child, error);

        if (layer == NULL)
            return FALSE;
        g_ptr_array_add(state->layers, layer);
        if (!g_hash_table_add(ids, layer->id))
            return bg_variant_refuse("id", error);
    }
    return TRUE;
}

static gboolean
read_overrides(BgCaseState *state, GVariant *variant, GError **error)
{
    g_autoptr(GVariant) list = NULL;

    if (!look_up(variant, "overrides", "a(" BG_VARIANT_PATIENT "s)", &list, error))
        return FALSE;
    for (gsize i = 0; list != NULL && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) patient = NULL;
        const char *reason;
        g_variant_get_child(list, i, "(@" BG_VARIANT_PATIENT "&s)", &patient, &reason);
        bg_case_add_override(state, patient, reason);
    }
    return TRUE;
}

// Lists whose items begin with an id: no two alike, and ascending where @sorted.
typedef struct {
    const char *name, *type;
    GPtrArray *items;
    gpointer (*from_variant)(GVariant *variant, GError **error);
    gboolean sorted;
    const char *older_type; // nullable: taken, too
} ListField;

static gboolean
read_list(const ListField *field, GVariant *variant, GError **error)
{
    g_autofree char *type = g_strconcat("a", field->type, NULL);
    g_autofree char *older =
        field->older_type != NULL ? g_strconcat("a", field->older_type, NULL) : NULL;
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *last = g_strdup("");

    if (older != NULL)
        list = g_variant_lookup_value(variant, field->name, G_VARIANT_TYPE(older));
    if (list == NULL && !look_up(variant, field->name, type, &list, error))
        return FALSE;
    for (gsize i = 0; list != NULL && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(list, i);
        g_autofree char *id = NULL;
        gpointer item = field->from_variant(child, error);

        if (item == NULL)
            return FALSE;
        g_ptr_array_add(field->items, item);
        g_variant_get_child(child, 0, "s", &id);
        if (field->sorted && strcmp(last, id) >= 0)
            return bg_variant_refuse(field->name, error);
        g_free(last);
        last = g_strdup(id);
        if (!g_hash_table_add(ids, g_steal_pointer(&id)))
            return bg_variant_refuse(field->name, error);
    }
    return TRUE;
}

static gpointer
read_measurement(GVariant *variant, GError **error)
{
    return bg_measurement_from_variant(variant, error);
}

static gpointer
read_landmarks(GVariant *variant, GError **error)
{
    return bg_landmark_list_from_variant(variant, error);
}

static gpointer
read_registration(GVariant *variant, GError **error)
{
    return bg_registration_from_variant(variant, error);
}

static gpointer
read_camera(GVariant *variant, GError **error)
{
    return bg_photo_camera_from_variant(variant, error);
}

static gpointer
read_plan(GVariant *variant, GError **error)
{
    return bg_case_plan_from_variant(variant, error);
}

gboolean
bg_case_state_from_variant(BgCaseState *state, GVariant *variant, GError **error)
{
    const ListField lists[] = {
        { "measurements", BG_VARIANT_MEASUREMENT, state->measurements, read_measurement, FALSE },
        { "landmark-lists", BG_VARIANT_LANDMARKS, state->landmarks, read_landmarks, TRUE },
        { "alignments", BG_VARIANT_REGISTRATION, state->registrations, read_registration, TRUE,
          BG_VARIANT_OLD_REGISTRATION },
        { "cameras", BG_VARIANT_CAMERA, state->cameras, read_camera, TRUE, BG_VARIANT_OLD_CAMERA },
        { "plans", BG_VARIANT_PLAN, state->plans, read_plan, TRUE },
    };

    if (!g_variant_is_of_type(variant, G_VARIANT_TYPE_VARDICT) || !bg_variant_doubles_ok(variant))
        return bg_variant_refuse("state", error);
    if (!read_texts(state, variant, error) || !read_view(state, variant, error) ||
        !read_overrides(state, variant, error) || !read_layers(state, variant, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (!read_list(&lists[i], variant, error))
            return FALSE;
    }
    return TRUE;
}
