// SPDX-License-Identifier: Apache-2.0
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stddef.h>
#include <string.h>

#define MAX_FRAMES 1000000

// What is stored member by member: s text, y a file name (any bytes), b, d, i, x, 3 three doubles.
typedef struct {
    const char *name;
    char type;
    gsize offset;
} Field;

#define FIELD(name, type, member)             \
    {                                         \
        name, type, offsetof(BgLayer, member) \
    }

static const Field fields[] = {
    FIELD("id", 's', id),
    FIELD("name", 's', name),
    FIELD("modality", 's', modality),
    FIELD("unit", 's', unit),
    FIELD("visible", 'b', visible),
    FIELD("opacity", 'd', opacity),
    FIELD("window-centre", 'd', window_centre),
    FIELD("window-width", 'd', window_width),
    FIELD("colour-map", 's', colour_map),
    FIELD("label-fill", 'd', label_fill),
    FIELD("label-outline", 'd', label_outline),
    FIELD("mesh-rgb", '3', mesh_rgb),
    FIELD("mesh-wireframe", 'b', mesh_wireframe),
    FIELD("linear", 'b', linear),
    FIELD("frame", 'i', frame),
    FIELD("n-frames", 'i', n_frames),
    FIELD("source-path", 'y', source.path),
    FIELD("source-relative-path", 'y', source.relative_path),
    FIELD("source-sha256", 's', source.sha256),
    FIELD("source-series", 's', source.series),
    FIELD("source-frame", 'i', source.frame),
    FIELD("source-component", 'i', source.component),
    FIELD("generated-by", 's', generated_by),
    FIELD("parameters", 's', parameters),
    FIELD("content-tag", 'x', content_tag),
    FIELD("blob", 's', blob_id),
    FIELD("frame-of-reference", 's', frame_of_reference),
    FIELD("override-reason", 's', override_reason),
    FIELD("side-unknown", 'b', side_unknown),
    FIELD("spacing-unknown", 'b', spacing_unknown),
    FIELD("answer-mirrored", 'b', answer_mirrored),
    FIELD("answer-spacing", '3', answer_spacing_mm),
    FIELD("warnings", 's', warnings),
};

static const char *
type_string(char type)
{
    switch (type) {
    case 's':
        return "s";
    case 'y':
        return "ay";
    case 'b':
        return "b";
    case 'd':
        return "d";
    case 'i':
        return "i";
    case 'x':
        return "x";
    default:
        return "(ddd)";
    }
}

static GVariant *
field_to_variant(const BgLayer *layer, const Field *field)
{
    const char *at = (const char *) layer + field->offset;
    const double *numbers = (const double *) (gconstpointer) at;

    switch (field->type) {
    case 's':
        return bg_variant_string(*(char *const *) (gconstpointer) at);
    case 'y':
        return g_variant_new_bytestring(*(char *const *) (gconstpointer) at);
    case 'b':
        return g_variant_new_boolean(*(const gboolean *) (gconstpointer) at);
    case 'd':
        return g_variant_new_double(numbers[0]);
    case 'i':
        return g_variant_new_int32(*(const int *) (gconstpointer) at);
    case 'x':
        return g_variant_new_int64(*(const gint64 *) (gconstpointer) at);
    default:
        return g_variant_new("(ddd)", numbers[0], numbers[1], numbers[2]);
    }
}

static void
field_from_variant(BgLayer *layer, const Field *field, GVariant *value)
{
    char *at = (char *) layer + field->offset;
    double *numbers = (double *) (gpointer) at;
    char **text = (char **) (gpointer) at;

    switch (field->type) {
    case 's':
        g_free(*text);
        *text = g_variant_dup_string(value, NULL);
        break;
    case 'y':
        g_free(*text);
        *text = g_variant_dup_bytestring(value, NULL);
        break;
    case 'b':
        *(gboolean *) (gpointer) at = g_variant_get_boolean(value);
        break;
    case 'd':
        numbers[0] = g_variant_get_double(value);
        break;
    case 'i':
        *(int *) (gpointer) at = g_variant_get_int32(value);
        break;
    case 'x':
        *(gint64 *) (gpointer) at = g_variant_get_int64(value);
        break;
    default:
        g_variant_get(value, "(ddd)", &numbers[0], &numbers[1], &numbers[2]);
    }
}

// First, last and step along i, j, k.
static GVariant *
part_to_variant(const BgLoadPart *part)
{
    const int *p[] = { part->first, part->last, part->step };
    gint32 numbers[9];

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        numbers[i] = p[i / 3][i % 3];
    return g_variant_new_fixed_array(G_VARIANT_TYPE_INT32, numbers, G_N_ELEMENTS(numbers),
                                     sizeof numbers[0]);
}

static gboolean
part_from_variant(GVariant *variant, BgLoadPart *part)
{
    gsize n;
    const gint32 *numbers = g_variant_get_fixed_array(variant, &n, sizeof *numbers);
    int *p[] = { part->first, part->last, part->step };

    if (n != 9)
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        gboolean step = i >= 6;
        if (numbers[i] < (step ? 1 : 0) || numbers[i] > BG_VOLUME_MAX_DIM)
            return FALSE;
        p[i / 3][i % 3] = numbers[i];
    }
    return TRUE;
}

GVariant *
bg_layer_to_variant(const BgLayer *layer)
{
    GVariantBuilder builder;
    g_autofree char *tf = layer->transfer_function != NULL
                              ? bg_transfer_function_print(layer->transfer_function)
                              : g_strdup("");

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "kind",
                          g_variant_new_string(bg_kind_name(layer->kind)));
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_variant_builder_add(&builder, "{sv}", fields[i].name,
                              field_to_variant(layer, &fields[i]));
    g_variant_builder_add(&builder, "{sv}", "source-as",
                          g_variant_new_int32((gint32) layer->source.as));
    if (layer->source.part.step[0] != 0)
        g_variant_builder_add(&builder, "{sv}", "source-part",
                              part_to_variant(&layer->source.part));
    g_variant_builder_add(&builder, "{sv}", "transfer-function", g_variant_new_string(tf));
    g_variant_builder_add(&builder, "{sv}", "labels", bg_label_table_to_variant(layer->labels));
    g_variant_builder_add(&builder, "{sv}", "patient", bg_patient_to_variant(&layer->patient));
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static gboolean
read_kind(GVariant *variant, BgKind *kind)
{
    static const BgKind kinds[] = { BG_KIND_VOLUME, BG_KIND_LABELS, BG_KIND_IMAGE, BG_KIND_MESH };
    const char *name;

    if (!g_variant_lookup(variant, "kind", "&s", &name))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(name, bg_kind_name(kinds[i]))) {
            *kind = kinds[i];
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
read_fields(BgLayer *self, GVariant *variant, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(variant, fields[i].name, NULL);

        // A field that an older version did not write keeps its default.
        if (value == NULL)
            continue;
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE(type_string(fields[i].type))))
            return bg_variant_refuse(fields[i].name, error);
        field_from_variant(self, &fields[i], value);
    }
    return TRUE;
}

// The value, or NULL when it is not there; anything of another type sets @bad.
static GVariant *
look_up(GVariant *variant, const char *name, const char *type, gboolean *bad)
{
    GVariant *value = g_variant_lookup_value(variant, name, NULL);

    if (value != NULL && !g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
        *bad = TRUE;
        g_clear_pointer(&value, g_variant_unref);
    }
    return value;
}

static gboolean
read_rest(BgLayer *self, GVariant *variant, GError **error)
{
    gboolean bad = FALSE;
    g_autoptr(GVariant) as = look_up(variant, "source-as", "i", &bad);
    g_autoptr(GVariant) part = look_up(variant, "source-part", "ai", &bad);
    g_autoptr(GVariant) tf = look_up(variant, "transfer-function", "s", &bad);
    g_autoptr(GVariant) labels = look_up(variant, "labels", BG_VARIANT_LABELS, &bad);
    g_autoptr(GVariant) patient = look_up(variant, "patient", BG_VARIANT_PATIENT, &bad);

    if (bad || (labels != NULL && !bg_variant_doubles_ok(labels)))
        return bg_variant_refuse("layer", error);
    if (as != NULL) {
        gint32 value = g_variant_get_int32(as);
        if (value < BG_LOAD_AUTO || value > BG_LOAD_LABELS)
            return bg_variant_refuse("source-as", error);
        self->source.as = (BgLoadAs) value;
    }
    if (part != NULL && !part_from_variant(part, &self->source.part))
        return bg_variant_refuse("source-part", error);
    if (tf != NULL && *g_variant_get_string(tf, NULL) != '\0') {
        self->transfer_function =
            bg_transfer_function_parse(g_variant_get_string(tf, NULL), -1, error);
        if (self->transfer_function == NULL)
            return FALSE;
    }
    if (labels != NULL)
        self->labels = bg_label_table_from_variant(labels);
    if (patient != NULL)
        bg_patient_from_variant(patient, &self->patient);
    return TRUE;
}

gboolean
bg_layer_check(const BgLayer *layer, GError **error)
{
    const char *field = NULL;

    if (*layer->id == '\0')
        field = "id";
    else if (!(layer->opacity >= 0.0 && layer->opacity <= 1.0))
        field = "opacity";
    else if (!isfinite(layer->window_centre) || !(layer->window_width > 0.0) ||
             !isfinite(layer->window_width))
        field = "window";
    else if (!(layer->label_fill >= 0.0 && layer->label_fill <= 1.0))
        field = "label-fill";
    else if (!(layer->label_outline >= 0.0 && layer->label_outline <= 20.0))
        field = "label-outline";
    else if (layer->n_frames < 1 || layer->n_frames > MAX_FRAMES || layer->frame < 0 ||
             layer->frame >= layer->n_frames)
        field = "frame";
    else if (layer->source.frame < 0 || layer->source.component < -1)
        field = "source";
    for (int c = 0; c < 3; c++) {
        if (!(layer->mesh_rgb[c] >= 0.0 && layer->mesh_rgb[c] <= 1.0))
            field = "mesh-rgb";
        if (!(layer->answer_spacing_mm[c] >= 0.0 && layer->answer_spacing_mm[c] <= 1e4))
            field = "answer-spacing";
    }
    if (field == NULL)
        return TRUE;

    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: names of a layer and of one of its fields
                _("The layer “%s” cannot have this %s. Choose another value"), layer->name, field);
    return FALSE;
}

BgLayer *
bg_layer_from_variant(GVariant *variant, GError **error)
{
    g_return_val_if_fail(g_variant_is_of_type(variant, G_VARIANT_TYPE_VARDICT), NULL);

    BgKind kind;
    if (!read_kind(variant, &kind)) {
        bg_variant_refuse("kind", error);
        return NULL;
    }

    g_autoptr(BgLayer) self = bg_layer_new(kind, "");
    g_autoptr(GError) reason = NULL;
    if (!read_fields(self, variant, error) || !read_rest(self, variant, error))
        return NULL;
    if (!bg_layer_check(self, &reason)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT, reason->message);
        return NULL;
    }
    return g_steal_pointer(&self);
}
