// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-tf-edit.h"

#include <string.h>

static GArray *
part_of(const BgTransferFunctionData *data, BgTfPart part)
{
    return part == BG_TF_OPACITY_POINT ? data->opacity
           : part == BG_TF_COLOUR_STOP ? data->colour
                                       : NULL;
}

// Both kinds of points begin with their value.
static double *
value_at(GArray *points, guint index)
{
    return (double *) (gpointer) (points->data + index * g_array_get_element_size(points));
}

// @data is cleared. A change that this file makes is always within the rules.
static BgTransferFunction *
finish(BgTransferFunctionData *data)
{
    BgTransferFunction *tf = bg_transfer_function_new(data, NULL);

    bg_transfer_function_data_clear(data);
    g_assert(tf != NULL);
    return tf;
}

gboolean
bg_tf_handle_exists(const BgTransferFunction *tf, BgTfHandle handle)
{
    const GArray *points = part_of(bg_transfer_function_get_data(tf), handle.part);

    return points != NULL && handle.index < points->len;
}

double
bg_tf_handle_value(const BgTransferFunction *tf, BgTfHandle handle)
{
    if (!bg_tf_handle_exists(tf, handle))
        return 0.0;
    return *value_at(part_of(bg_transfer_function_get_data(tf), handle.part), handle.index);
}

double
bg_tf_handle_alpha(const BgTransferFunction *tf, BgTfHandle handle)
{
    if (handle.part != BG_TF_OPACITY_POINT || !bg_tf_handle_exists(tf, handle))
        return 0.0;
    return g_array_index(bg_transfer_function_get_data(tf)->opacity, BgOpacityPoint, handle.index)
        .alpha;
}

BgTransferFunction *
bg_tf_add(const BgTransferFunction *tf, BgTfPart part, double value, double alpha,
          BgTfHandle *added)
{
    BgTransferFunctionData data;
    BgOpacityPoint point = { value, CLAMP(alpha, 0.0, 1.0) };
    BgColourPoint stop = { .value = value };
    guint index = 0;

    g_return_val_if_fail(part != BG_TF_NOTHING, NULL);

    bg_transfer_function_colour_at(tf, value, stop.rgb);
    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    GArray *points = part_of(&data, part);
    while (index < points->len && *value_at(points, index) <= value)
        index++;
    if (part == BG_TF_OPACITY_POINT)
        g_array_insert_val(points, index, point);
    else
        g_array_insert_val(points, index, stop);
    *added = (BgTfHandle){ part, index };
    return finish(&data);
}

BgTransferFunction *
bg_tf_move(const BgTransferFunction *tf, BgTfHandle handle, double value, double alpha)
{
    BgTransferFunctionData data;

    g_return_val_if_fail(bg_tf_handle_exists(tf, handle), NULL);

    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    GArray *points = part_of(&data, handle.part);
    if (handle.index > 0)
        value = MAX(value, *value_at(points, handle.index - 1));
    if (handle.index + 1 < points->len)
        value = MIN(value, *value_at(points, handle.index + 1));
    *value_at(points, handle.index) = value;
    if (handle.part == BG_TF_OPACITY_POINT)
        g_array_index(points, BgOpacityPoint, handle.index).alpha = CLAMP(alpha, 0.0, 1.0);
    return finish(&data);
}

BgTransferFunction *
bg_tf_set_colour(const BgTransferFunction *tf, BgTfHandle handle, const double rgb[3])
{
    BgTransferFunctionData data;

    g_return_val_if_fail(handle.part == BG_TF_COLOUR_STOP, NULL);
    g_return_val_if_fail(bg_tf_handle_exists(tf, handle), NULL);

    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    BgColourPoint *stop = &g_array_index(data.colour, BgColourPoint, handle.index);
    for (int c = 0; c < 3; c++)
        stop->rgb[c] = CLAMP(rgb[c], 0.0, 1.0);
    return finish(&data);
}

BgTransferFunction *
bg_tf_remove(const BgTransferFunction *tf, BgTfHandle handle)
{
    BgTransferFunctionData data;

    g_return_val_if_fail(bg_tf_handle_exists(tf, handle), NULL);

    if (part_of(bg_transfer_function_get_data(tf), handle.part)->len == 1)
        return NULL;
    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    g_array_remove_index(part_of(&data, handle.part), handle.index);
    return finish(&data);
}

static void
spread(GArray *points, double middle, double shift, double stretch)
{
    for (guint i = 0; i < points->len; i++)
        *value_at(points, i) = middle + shift + stretch * (*value_at(points, i) - middle);
}

BgTransferFunction *
bg_tf_shift_stretch(const BgTransferFunction *tf, double shift, double stretch)
{
    BgTransferFunctionData data;

    g_return_val_if_fail(stretch > 0.0, NULL);

    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    double first = *value_at(data.opacity, 0);
    double last = *value_at(data.opacity, data.opacity->len - 1);
    double middle = 0.5 * (first + last);
    spread(data.opacity, middle, shift, stretch);
    spread(data.colour, middle, shift, stretch);
    data.iso_value = middle + shift + stretch * (data.iso_value - middle);
    return finish(&data);
}

BgTransferFunction *
bg_tf_scale_opacity(const BgTransferFunction *tf, double factor)
{
    BgTransferFunctionData data;

    g_return_val_if_fail(factor >= 0.0, NULL);

    bg_transfer_function_data_copy(bg_transfer_function_get_data(tf), &data);
    for (guint i = 0; i < data.opacity->len; i++) {
        BgOpacityPoint *point = &g_array_index(data.opacity, BgOpacityPoint, i);
        point->alpha = MIN(point->alpha * factor, 1.0);
    }
    return finish(&data);
}
