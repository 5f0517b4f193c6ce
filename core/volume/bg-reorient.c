// SPDX-License-Identifier: Apache-2.0
#include "core/volume/bg-reorient.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

// The patient axis (0 = L/R, 1 = P/A, 2 = S/I) of a letter, and whether the index grows with it.
static int
axis_of_letter(char letter, int *sign)
{
    static const char plus[] = "LPS", minus[] = "RAI";

    for (int axis = 0; axis < 3; axis++) {
        if (g_ascii_toupper(letter) == plus[axis] || g_ascii_toupper(letter) == minus[axis]) {
            *sign = g_ascii_toupper(letter) == plus[axis] ? 1 : -1;
            return axis;
        }
    }
    return -1;
}

static gboolean
parse_code(const char *code, int patient_axis[3], int sign[3], GError **error)
{
    gboolean seen[3] = { FALSE };
    gboolean good = strlen(code) == 3;

    for (int i = 0; good && i < 3; i++) {
        patient_axis[i] = axis_of_letter(code[i], &sign[i]);
        good = patient_axis[i] >= 0 && !seen[patient_axis[i]];
        if (good)
            seen[patient_axis[i]] = TRUE;
    }
    if (!good)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("“%s” is not an orientation: give three letters, one each of L or R, P or "
                      "A, S or I, such as LPS"),
                    code);
    return good;
}

gboolean
bg_geometry_reorient(const BgGeometry *source, const char *code, int source_axis[3],
                     gboolean flipped[3], BgGeometry *geometry, GError **error)
{
    int wanted_axis[3], wanted_sign[3], have_axis[3], have_sign[3];
    BgVec3 columns[3], origin_mm = bg_geometry_origin_mm(source);
    BgGeometry new;

    g_return_val_if_fail(code != NULL, FALSE);

    if (!parse_code(code, wanted_axis, wanted_sign, error))
        return FALSE;

    bg_geometry_axes(source, have_axis, have_sign);
    for (int axis = 0; axis < 3; axis++) {
        int from = 0;
        while (have_axis[from] != wanted_axis[axis])
            from++;
        gboolean flip = have_sign[from] != wanted_sign[axis];
        BgVec3 column = bg_affine_column(&source->patient_from_voxel, from);

        if (flip) {
            origin_mm = bg_vec3_along(origin_mm, source->dims[from] - 1, column);
            column = bg_vec3_sub(bg_vec3(0.0, 0.0, 0.0), column);
        }
        columns[axis] = column;
        new.dims[axis] = source->dims[from];
        if (source_axis != NULL)
            source_axis[axis] = from;
        if (flipped != NULL)
            flipped[axis] = flip;
    }
    new.patient_from_voxel = bg_affine_from_columns(columns[0], columns[1], columns[2], origin_mm);
    *geometry = new;
    return TRUE;
}

// How far apart neighbours of the new order are in the old one.
typedef struct {
    gconstpointer source; // borrowed
    gpointer result;      // borrowed
    gsize size;           // of a sample: 1, 2 or 4 bytes
    int dims[3];          // new
    gssize first;         // in samples
    gssize steps[3];      // in samples
} Reorder;

#define DEFINE_REORDER(ctype)                                                                \
    static void reorder_##ctype(const Reorder *job, gsize k)                                 \
    {                                                                                        \
        const ctype *source = (const ctype *) job->source + job->first;                      \
        ctype *to = (ctype *) job->result + k * (gsize) job->dims[0] * (gsize) job->dims[1]; \
        for (int j = 0; j < job->dims[1]; j++) {                                             \
            const ctype *from = source + (gssize) k * job->steps[2] + j * job->steps[1];     \
            for (int i = 0; i < job->dims[0]; i++)                                           \
                *to++ = from[i * job->steps[0]];                                             \
        }                                                                                    \
    }

DEFINE_REORDER(guint8)
DEFINE_REORDER(guint16)
DEFINE_REORDER(guint32)

static void
reorder_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Reorder *job = user_data;

    for (gsize k = first; k < last; k++) {
        if (job->size == 1)
            reorder_guint8(job, k);
        else if (job->size == 2)
            reorder_guint16(job, k);
        else
            reorder_guint32(job, k);
    }
}

// (transfer full): the samples in their new order
static gpointer
reorder(gconstpointer source, const BgGeometry *old, const BgGeometry *new, gsize size,
        const int source_axis[3], const gboolean flipped[3], GError **error)
{
    const gssize strides[3] = { 1, old->dims[0], (gssize) old->dims[0] * old->dims[1] };
    Reorder job = { .source = source, .size = size };

    for (int axis = 0; axis < 3; axis++) {
        gssize stride = strides[source_axis[axis]];
        job.dims[axis] = new->dims[axis];
        job.steps[axis] = flipped[axis] ? -stride : stride;
        job.first += flipped[axis] ? stride * (new->dims[axis] - 1) : 0;
    }
    job.result = bg_voxels_alloc(new, size, error);
    if (job.result != NULL)
        bg_parallel_for((gsize) new->dims[2], 1, reorder_slices, &job, NULL);
    return job.result;
}

static gboolean
is_same_order(const int source_axis[3], const gboolean flipped[3])
{
    for (int axis = 0; axis < 3; axis++) {
        if (source_axis[axis] != axis || flipped[axis])
            return FALSE;
    }
    return TRUE;
}

BgVolume *
bg_volume_reorient(BgVolume *volume, const char *code, GError **error)
{
    int source_axis[3];
    gboolean flipped[3];
    BgGeometry new;

    g_return_val_if_fail(volume != NULL, NULL);

    const BgGeometry *old = bg_volume_get_geometry(volume);
    BgSampleFormat format = bg_volume_get_format(volume);
    if (!bg_geometry_reorient(old, code, source_axis, flipped, &new, error))
        return NULL;
    if (is_same_order(source_axis, flipped))
        return bg_volume_ref(volume);

    gpointer samples = reorder(bg_volume_get_samples(volume), old, &new,
                               bg_sample_type_size(format.type), source_axis, flipped, error);
    return samples != NULL ? bg_volume_new_take(&new, format, samples, error) : NULL;
}

BgLabelMap *
bg_label_map_reorient(BgLabelMap *labels, const char *code, GError **error)
{
    int source_axis[3];
    gboolean flipped[3];
    BgGeometry new;

    g_return_val_if_fail(labels != NULL, NULL);

    const BgGeometry *old = bg_label_map_get_geometry(labels);
    BgLabelType type = bg_label_map_get_label_type(labels);
    if (!bg_geometry_reorient(old, code, source_axis, flipped, &new, error))
        return NULL;
    if (is_same_order(source_axis, flipped))
        return bg_label_map_ref(labels);

    gpointer result = reorder(bg_label_map_get_labels(labels), old, &new, bg_label_type_size(type),
                              source_axis, flipped, error);
    return result != NULL ? bg_label_map_new_take(&new, type, result, error) : NULL;
}
