// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-transfer-function.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <math.h>
#include <string.h>

struct _BgTransferFunction {
    gatomicrefcount ref_count;
    BgTransferFunctionData data; // owned
};

G_DEFINE_BOXED_TYPE(BgTransferFunction, bg_transfer_function, bg_transfer_function_ref,
                    bg_transfer_function_unref)

static const char *const technique_names[] = { "composite", "mip", "minip", "mean", "iso" };

const char *
bg_technique_name(BgTechnique technique)
{
    g_return_val_if_fail((guint) technique < G_N_ELEMENTS(technique_names), NULL);

    return technique_names[technique];
}

gboolean
bg_technique_parse(const char *name, BgTechnique *technique)
{
    for (guint i = 0; i < G_N_ELEMENTS(technique_names); i++) {
        if (g_strcmp0(name, technique_names[i]) == 0) {
            *technique = (BgTechnique) i;
            return TRUE;
        }
    }
    return FALSE;
}

void
bg_transfer_function_data_init(BgTransferFunctionData *data)
{
    *data = (BgTransferFunctionData){
        .technique = BG_TECHNIQUE_COMPOSITE,
        .opacity = g_array_new(FALSE, FALSE, sizeof(BgOpacityPoint)),
        .colour = g_array_new(FALSE, FALSE, sizeof(BgColourPoint)),
        .shade = TRUE,
        .ambient = 0.2,
        .diffuse = 0.8,
        .specular = 0.2,
        .power = 10.0,
        .linear = TRUE,
        .unit_distance_mm = 1.0,
    };
}

void
bg_transfer_function_data_clear(BgTransferFunctionData *data)
{
    g_clear_pointer(&data->opacity, g_array_unref);
    g_clear_pointer(&data->colour, g_array_unref);
    g_clear_pointer(&data->gradient_opacity, g_array_unref);
}

static GArray *
copy_points(GArray *points)
{
    return points == NULL ? NULL : g_array_copy(points);
}

void
bg_transfer_function_data_copy(const BgTransferFunctionData *from, BgTransferFunctionData *to)
{
    *to = *from;
    to->opacity = copy_points(from->opacity);
    to->colour = copy_points(from->colour);
    to->gradient_opacity = copy_points(from->gradient_opacity);
}

// Points of either kind are doubles: the value, then n_parts shares of 1.
static gboolean
check_points(const char *field, const GArray *points, gsize n_parts, GError **error)
{
    double last = -BG_TRANSFER_FUNCTION_MAX_VALUE;

    if (points == NULL || points->len == 0 || points->len > BG_TRANSFER_FUNCTION_MAX_POINTS) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: the name of a field, and two numbers
                    _("The transfer function cannot be used: “%s” has %u points; 1 to %d are "
                      "wanted"),
                    field, points == NULL ? 0 : points->len, BG_TRANSFER_FUNCTION_MAX_POINTS);
        return FALSE;
    }
    for (guint i = 0; i < points->len; i++) {
        const double *point = (const double *) (gconstpointer) points->data + i * (1 + n_parts);
        gboolean ok = point[0] >= last && point[0] <= BG_TRANSFER_FUNCTION_MAX_VALUE;
        double shown = point[0];
        for (gsize c = 1; ok && c <= n_parts; c++) {
            ok = point[c] >= 0.0 && point[c] <= 1.0;
            shown = point[c];
        }
        if (!ok) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("The transfer function cannot be used: point %u of “%s” has %g; values "
                          "that ascend, and shares from 0 to 1, are wanted"),
                        i + 1, field, shown);
            return FALSE;
        }
        last = point[0];
    }
    return TRUE;
}

static gboolean
check_number(const char *field, double value, double low, double high, GError **error)
{
    if (value >= low && value <= high)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: the name of a field, its value, and the range
                _("The transfer function cannot be used: “%s” is %g; %g to %g are wanted"), field,
                value, low, high);
    return FALSE;
}

static gboolean
check(const BgTransferFunctionData *data, GError **error)
{
    const double max_value = BG_TRANSFER_FUNCTION_MAX_VALUE;

    if ((guint) data->technique >= G_N_ELEMENTS(technique_names)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The transfer function cannot be used: technique %d is unknown"),
                    (int) data->technique);
        return FALSE;
    }
    return check_points("opacity", data->opacity, 1, error) &&
           check_points("colour", data->colour, 3, error) &&
           (data->gradient_opacity == NULL ||
            check_points("gradient_opacity", data->gradient_opacity, 1, error)) &&
           check_number("iso_value", data->iso_value, -max_value, max_value, error) &&
           check_number("ambient", data->ambient, 0.0, 1.0, error) &&
           check_number("diffuse", data->diffuse, 0.0, 1.0, error) &&
           check_number("specular", data->specular, 0.0, 1.0, error) &&
           check_number("power", data->power, 0.0, 1000.0, error) &&
           check_number("unit_distance_mm", data->unit_distance_mm, 1e-6, 1e6, error);
}

BgTransferFunction *
bg_transfer_function_new(const BgTransferFunctionData *data, GError **error)
{
    g_return_val_if_fail(data != NULL, NULL);

    if (!check(data, error))
        return NULL;
    BgTransferFunction *self = g_new0(BgTransferFunction, 1);
    g_atomic_ref_count_init(&self->ref_count);
    bg_transfer_function_data_copy(data, &self->data);
    return self;
}

BgTransferFunction *
bg_transfer_function_ref(BgTransferFunction *tf)
{
    g_return_val_if_fail(tf != NULL, NULL);

    g_atomic_ref_count_inc(&tf->ref_count);
    return tf;
}

void
bg_transfer_function_unref(BgTransferFunction *tf)
{
    g_return_if_fail(tf != NULL);

    if (!g_atomic_ref_count_dec(&tf->ref_count))
        return;
    bg_transfer_function_data_clear(&tf->data);
    g_free(tf);
}

const BgTransferFunctionData *
bg_transfer_function_get_data(const BgTransferFunction *tf)
{
    return &tf->data;
}

/*
 * Finds where @value lies among points of @n_doubles doubles each. Of several points at one value
 * the last counts from there on: so a step is two points.
 *
 * Returns: the point to the left, or the first; @t: how far to the next, 0..1
 */
static const double *
find_point(const GArray *points, gsize n_doubles, double value, double *t)
{
    const double *first = (const double *) (gconstpointer) points->data;
    gsize low = 0, high = points->len; // values before low are <= value, from high on greater

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (first[middle * n_doubles] <= value)
            low = middle + 1;
        else
            high = middle;
    }

    *t = 0.0;
    if (low == 0)
        return first;
    const double *left = first + (low - 1) * n_doubles;
    if (low < points->len)
        *t = (value - left[0]) / (left[n_doubles] - left[0]);
    return left;
}

static double
interpolate(const double *left, gsize n_doubles, gsize part, double t)
{
    return t > 0.0 ? left[part] + t * (left[n_doubles + part] - left[part]) : left[part];
}

double
bg_transfer_function_opacity_at(const BgTransferFunction *tf, double value)
{
    double t;

    if (isnan(value))
        return 0.0;
    const double *left = find_point(tf->data.opacity, 2, value, &t);
    return interpolate(left, 2, 1, t);
}

void
bg_transfer_function_colour_at(const BgTransferFunction *tf, double value, double rgb[3])
{
    double t;
    const double *left = find_point(tf->data.colour, 4, value, &t);

    for (gsize c = 0; c < 3; c++)
        rgb[c] = isnan(value) ? 0.0 : interpolate(left, 4, 1 + c, t);
}

double
bg_transfer_function_gradient_opacity_at(const BgTransferFunction *tf, double per_mm)
{
    double t;

    if (tf->data.gradient_opacity == NULL)
        return 1.0;
    if (isnan(per_mm))
        return 0.0;
    const double *left = find_point(tf->data.gradient_opacity, 2, per_mm, &t);
    return interpolate(left, 2, 1, t);
}

static gboolean
equal_points(const GArray *a, const GArray *b, gsize n_doubles)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->len == b->len && memcmp(a->data, b->data, a->len * n_doubles * sizeof(double)) == 0;
}

gboolean
bg_transfer_function_equal(const BgTransferFunction *a, const BgTransferFunction *b)
{
    const BgTransferFunctionData *p = &a->data, *q = &b->data;

    return strcmp(p->name, q->name) == 0 && strcmp(p->unit, q->unit) == 0 &&
           p->technique == q->technique && equal_points(p->opacity, q->opacity, 2) &&
           equal_points(p->colour, q->colour, 4) &&
           equal_points(p->gradient_opacity, q->gradient_opacity, 2) &&
           p->iso_value == q->iso_value && !p->shade == !q->shade && p->ambient == q->ambient &&
           p->diffuse == q->diffuse && p->specular == q->specular && p->power == q->power &&
           !p->linear == !q->linear && p->unit_distance_mm == q->unit_distance_mm;
}
