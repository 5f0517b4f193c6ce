// SPDX-License-Identifier: Apache-2.0
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

GVariant *
bg_variant_string(const char *text)
{
    if (text == NULL)
        return g_variant_new_string("");
    if (g_utf8_validate(text, -1, NULL))
        return g_variant_new_string(text);
    return g_variant_new_take_string(g_utf8_make_valid(text, -1));
}

gboolean
bg_variant_doubles_ok(GVariant *variant)
{
    if (g_variant_is_of_type(variant, G_VARIANT_TYPE_DOUBLE))
        return isfinite(g_variant_get_double(variant));
    if (!g_variant_is_container(variant))
        return TRUE;

    for (gsize i = 0; i < g_variant_n_children(variant); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(variant, i);
        if (!bg_variant_doubles_ok(child))
            return FALSE;
    }
    return TRUE;
}

gboolean
bg_variant_refuse(const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: %s is the name of a field
                _("The case is damaged: “%s” is missing or has no possible value. Open an older "
                  "copy of it"),
                field);
    return FALSE;
}

GVariant *
bg_label_entry_to_variant(const BgLabelEntry *entry)
{
    return g_variant_new("(u@sdddb)", entry->label, bg_variant_string(entry->name),
                         (double) entry->rgb[0], (double) entry->rgb[1], (double) entry->rgb[2],
                         entry->visible);
}

BgLabelEntry
bg_label_entry_from_variant(GVariant *variant)
{
    BgLabelEntry entry = { 0 };
    const char *name;
    double rgb[3];

    g_variant_get(variant, "(u&sdddb)", &entry.label, &name, &rgb[0], &rgb[1], &rgb[2],
                  &entry.visible);
    for (int c = 0; c < 3; c++)
        entry.rgb[c] = (float) CLAMP(rgb[c], 0.0, 1.0);

    // Cut at a character, so that what is kept is text.
    gsize length = strlen(name);
    while (length >= sizeof entry.name)
        length = (gsize) (g_utf8_find_prev_char(name, name + length) - name);
    memcpy(entry.name, name, length);
    return entry;
}

GVariant *
bg_label_table_to_variant(const BgLabelTable *table)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(BG_VARIANT_LABELS));
    for (gsize i = 0; table != NULL && i < bg_label_table_count(table); i++)
        g_variant_builder_add_value(&builder,
                                    bg_label_entry_to_variant(bg_label_table_get(table, i)));
    return g_variant_builder_end(&builder);
}

BgLabelTable *
bg_label_table_from_variant(GVariant *variant)
{
    gsize n = g_variant_n_children(variant);
    if (n == 0)
        return NULL;

    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(BgLabelEntry));
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(variant, i);
        BgLabelEntry entry = bg_label_entry_from_variant(child);
        g_array_append_val(entries, entry);
    }
    return bg_label_table_new(entries);
}

GVariant *
bg_patient_to_variant(const BgPatient *patient)
{
    return g_variant_new("(@s@s@s@s@s)", bg_variant_string(patient->name),
                         bg_variant_string(patient->id), bg_variant_string(patient->issuer),
                         bg_variant_string(patient->birth_date), bg_variant_string(patient->sex));
}

void
bg_patient_from_variant(GVariant *variant, BgPatient *patient)
{
    bg_patient_clear(patient);
    g_variant_get(variant, BG_VARIANT_PATIENT, &patient->name, &patient->id, &patient->issuer,
                  &patient->birth_date, &patient->sex);
}

GVariant *
bg_measurement_to_variant(const BgMeasurement *measurement)
{
    GVariantBuilder points;

    g_variant_builder_init(&points, G_VARIANT_TYPE("a(ddd)"));
    for (int i = 0; i < bg_measurement_count_points(measurement->kind); i++) {
        BgVec3 p = measurement->points_mm[i];
        g_variant_builder_add(&points, "(ddd)", p.x, p.y, p.z);
    }
    return g_variant_new("(@su@s@sa(ddd)@s)", bg_variant_string(measurement->id),
                         (guint32) measurement->kind, bg_variant_string(measurement->name),
                         bg_variant_string(measurement->plane), &points,
                         bg_variant_string(measurement->layer_id));
}

BgMeasurement *
bg_measurement_from_variant(GVariant *variant, GError **error)
{
    guint32 kind;
    const char *id, *name, *plane, *layer_id;
    g_autoptr(GVariant) points = NULL;
    BgVec3 points_mm[3];

    g_variant_get(variant, "(&su&s&s@a(ddd)&s)", &id, &kind, &name, &plane, &points, &layer_id);
    if (*id == '\0' || kind > BG_MEASURE_ANGLE || !bg_variant_doubles_ok(points) ||
        g_variant_n_children(points) != (gsize) bg_measurement_count_points((BgMeasureKind) kind)) {
        bg_variant_refuse("measurement", error);
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(points); i++)
        g_variant_get_child(points, i, "(ddd)", &points_mm[i].x, &points_mm[i].y, &points_mm[i].z);

    BgMeasurement *self = bg_measurement_new((BgMeasureKind) kind, points_mm);
    bg_layer_set_string(&self->id, id);
    bg_layer_set_string(&self->name, name);
    bg_layer_set_string(&self->plane, plane);
    bg_layer_set_string(&self->layer_id, layer_id);
    return self;
}
