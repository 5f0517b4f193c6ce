// SPDX-License-Identifier: Apache-2.0
// The JSON form of transfer functions, as docs/formats.md has it.
#include "core/model/bg-transfer-function.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

static gboolean
refuse(GError **error, const char *field, const char *reason)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: the name of a field in a file, and a sentence about it
                _("The transfer function cannot be used: “%s”: %s"), field, reason);
    return FALSE;
}

// The read_ functions leave what is not there as it was.

static gboolean
read_text(const BgJson *json, const char *field, char *text, gsize size, GError **error)
{
    const BgJson *value = bg_json_get(json, field);

    if (value == NULL)
        return TRUE;
    if (bg_json_get_kind(value) != BG_JSON_STRING)
        return refuse(error, field, _("A text is wanted"));
    if (strlen(bg_json_to_string(value, "")) >= size)
        return refuse(error, field, _("The text is too long"));
    g_strlcpy(text, bg_json_to_string(value, ""), size);
    return TRUE;
}

static gboolean
read_number(const BgJson *json, const char *field, double *number, GError **error)
{
    const BgJson *value = bg_json_get(json, field);
    BgJsonKind kind = bg_json_get_kind(value);

    if (value == NULL)
        return TRUE;
    if (kind != BG_JSON_DOUBLE && kind != BG_JSON_INTEGER)
        return refuse(error, field, _("A number is wanted"));
    *number = bg_json_to_double(value, 0.0);
    return TRUE;
}

static gboolean
read_points(const BgJson *json, const char *field, gsize n_doubles, GArray *points, GError **error)
{
    const BgJson *list = bg_json_get(json, field);
    double point[4];

    if (list == NULL)
        return TRUE;
    if (bg_json_get_kind(list) != BG_JSON_ARRAY)
        return refuse(error, field, _("A list of points is wanted"));

    g_array_set_size(points, 0);
    gsize n = MIN(bg_json_count(list), BG_TRANSFER_FUNCTION_MAX_POINTS + 1);
    for (gsize i = 0; i < n; i++) {
        if (!bg_json_to_doubles(bg_json_at(list, i), point, n_doubles))
            return refuse(error, field,
                          n_doubles == 2 ? _("Points of two numbers, value and share, are wanted")
                                         : _("Points of four numbers, value, red, green and blue, "
                                             "are wanted"));
        g_array_append_vals(points, point, 1);
    }
    return TRUE;
}

static gboolean
read_choices(const BgJson *json, BgTransferFunctionData *data, GError **error)
{
    const BgJson *technique = bg_json_get(json, "technique");
    const BgJson *shade = bg_json_get(json, "shade");
    const BgJson *interpolation = bg_json_get(json, "interpolation");

    if (technique != NULL &&
        !bg_technique_parse(bg_json_to_string(technique, NULL), &data->technique))
        return refuse(error, "technique", _("composite, mip, minip, mean or iso is wanted"));
    if (shade != NULL && bg_json_get_kind(shade) != BG_JSON_BOOLEAN)
        return refuse(error, "shade", _("true or false is wanted"));
    data->shade = bg_json_to_boolean(shade, data->shade);
    if (interpolation != NULL) {
        const char *name = bg_json_to_string(interpolation, "");
        data->linear = strcmp(name, "linear") == 0;
        if (!data->linear && strcmp(name, "nearest") != 0)
            return refuse(error, "interpolation", _("linear or nearest is wanted"));
    }
    return TRUE;
}

// What a file leaves out: white, and opaque from 1 on.
static void
set_default_points(BgTransferFunctionData *data)
{
    const BgOpacityPoint opacity[] = { { 0.0, 0.0 }, { 1.0, 1.0 } };
    const BgColourPoint colour = { 0.0, { 1.0, 1.0, 1.0 } };

    g_array_append_vals(data->opacity, opacity, G_N_ELEMENTS(opacity));
    g_array_append_val(data->colour, colour);
}

static gboolean
read_fields(const BgJson *json, BgTransferFunctionData *data, GError **error)
{
    if (bg_json_get(json, "schema") != NULL &&
        bg_json_to_integer(bg_json_get(json, "schema"), 0) != 1)
        return refuse(error, "schema", _("Only 1 is known. Use a newer version"));

    const BgJson *gradient = bg_json_get(json, "gradient_opacity");
    if (gradient != NULL && bg_json_get_kind(gradient) != BG_JSON_NULL &&
        !(bg_json_get_kind(gradient) == BG_JSON_ARRAY && bg_json_count(gradient) == 0)) {
        data->gradient_opacity = g_array_new(FALSE, FALSE, sizeof(BgOpacityPoint));
        if (!read_points(json, "gradient_opacity", 2, data->gradient_opacity, error))
            return FALSE;
    }
    return read_text(json, "name", data->name, sizeof data->name, error) &&
           read_text(json, "unit", data->unit, sizeof data->unit, error) &&
           read_choices(json, data, error) &&
           read_points(json, "opacity", 2, data->opacity, error) &&
           read_points(json, "colour", 4, data->colour, error) &&
           read_number(json, "iso_value", &data->iso_value, error) &&
           read_number(json, "ambient", &data->ambient, error) &&
           read_number(json, "diffuse", &data->diffuse, error) &&
           read_number(json, "specular", &data->specular, error) &&
           read_number(json, "power", &data->power, error) &&
           read_number(json, "unit_distance_mm", &data->unit_distance_mm, error);
}

BgTransferFunction *
bg_transfer_function_parse(const char *json, gssize length, GError **error)
{
    g_autoptr(BgJson) tree = bg_json_parse(json, length, error);
    BgTransferFunctionData data;

    if (tree == NULL)
        return NULL;
    if (bg_json_get_kind(tree) != BG_JSON_OBJECT) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The text holds no transfer function: a JSON object is wanted"));
        return NULL;
    }

    bg_transfer_function_data_init(&data);
    set_default_points(&data);
    BgTransferFunction *tf =
        read_fields(tree, &data, error) ? bg_transfer_function_new(&data, error) : NULL;
    bg_transfer_function_data_clear(&data);
    return tf;
}

static BgJson *
points_to_json(const GArray *points, gsize n_doubles)
{
    BgJson *list = bg_json_new_array();

    for (guint i = 0; points != NULL && i < points->len; i++)
        bg_json_append(
            list, bg_json_new_doubles((const double *) (gconstpointer) points->data + i * n_doubles,
                                      n_doubles));
    return list;
}

char *
bg_transfer_function_print(const BgTransferFunction *tf)
{
    const BgTransferFunctionData *data = bg_transfer_function_get_data(tf);
    g_autoptr(BgJson) json = bg_json_new_object();

    bg_json_set_integer(json, "schema", 1);
    bg_json_set_string(json, "name", data->name);
    bg_json_set_string(json, "unit", data->unit);
    bg_json_set_string(json, "technique", bg_technique_name(data->technique));
    bg_json_set(json, "opacity", points_to_json(data->opacity, 2));
    bg_json_set(json, "colour", points_to_json(data->colour, 4));
    bg_json_set(json, "gradient_opacity", points_to_json(data->gradient_opacity, 2));
    bg_json_set_double(json, "iso_value", data->iso_value);
    bg_json_set_boolean(json, "shade", data->shade);
    bg_json_set_double(json, "ambient", data->ambient);
    bg_json_set_double(json, "diffuse", data->diffuse);
    bg_json_set_double(json, "specular", data->specular);
    bg_json_set_double(json, "power", data->power);
    bg_json_set_string(json, "interpolation", data->linear ? "linear" : "nearest");
    bg_json_set_double(json, "unit_distance_mm", data->unit_distance_mm);
    return bg_json_print(json, TRUE);
}
