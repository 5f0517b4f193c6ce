// SPDX-License-Identifier: Apache-2.0
#include "bg-minc-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static const char *const space_names[] = { "xspace", "yspace", "zspace" };

void
bg_minc_dim_init(BgMincDim *dim, const char *name, guint64 length)
{
    *dim = (BgMincDim){ .length = length, .step = 1.0 };
    g_strlcpy(dim->name, name, sizeof dim->name);
    for (int axis = 0; axis < 3; axis++)
        dim->cosines[axis] = strcmp(name, space_names[axis]) == 0 ? 1.0 : 0.0;
}

void
bg_minc_set_default_range(BgMinc *minc)
{
    int bits = 8 * (int) bg_raw_type_size(minc->type);
    gboolean is_signed = minc->type == BG_RAW_INT8 || minc->type == BG_RAW_INT16 ||
                         minc->type == BG_RAW_INT32 || minc->type == BG_RAW_INT64;

    minc->low = is_signed ? -ldexp(1.0, bits - 1) : 0.0;
    minc->high = ldexp(1.0, is_signed ? bits - 1 : bits) - 1.0;
}

void
bg_minc_clear(BgMinc *minc)
{
    g_clear_pointer(&minc->real_min, g_free);
    g_clear_pointer(&minc->real_max, g_free);
}

static gboolean
is_space(const BgMincDim *dim)
{
    for (int axis = 0; axis < 3; axis++) {
        if (strcmp(dim->name, space_names[axis]) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_component(const BgMincDim *dim)
{
    return strcmp(dim->name, "vector_dimension") == 0;
}

static gboolean
is_float(const BgMinc *minc)
{
    return minc->type == BG_RAW_FLOAT32 || minc->type == BG_RAW_FLOAT64;
}

static gboolean
set_order_error(const BgMinc *minc, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (int i = 0; i < minc->n_dims; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", minc->dims[i].name);
    g_autofree char *shown = g_utf8_make_valid(names->str, -1);
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("its dimensions are %s, which is no series of volumes. Reorder them with "
                  "mincreshape"),
                shown);
    return FALSE;
}

// Frames first, then space, then components: [time] z y x [vector_dimension].
static gboolean
sort_dims(const BgMinc *minc, const BgMincDim *space[3], BgFileInfo *info, GError **error)
{
    int i = 0, n_space = 0;
    guint64 n_frames = 1;

    for (; i < minc->n_dims && !is_space(&minc->dims[i]); i++)
        n_frames *= MIN(minc->dims[i].length, (guint64) G_MAXINT);
    for (; i < minc->n_dims && is_space(&minc->dims[i]); i++) {
        if (n_space == 3)
            return set_order_error(minc, error);
        space[n_space++] = &minc->dims[i];
    }
    info->n_components = 1;
    if (i < minc->n_dims && is_component(&minc->dims[i]))
        info->n_components = (int) MIN(minc->dims[i++].length, (guint64) G_MAXINT);
    if (i < minc->n_dims || n_space == 0 || n_frames > G_MAXINT ||
        info->n_components > G_MAXINT16 || info->n_components < 1)
        return set_order_error(minc, error);
    for (int a = 0; a < n_space; a++) {
        for (int b = 0; b < a; b++) {
            if (strcmp(space[a]->name, space[b]->name) == 0)
                return set_order_error(minc, error);
        }
    }
    for (; n_space < 3; n_space++)
        space[n_space] = NULL;
    info->n_frames = (int) n_frames;
    return TRUE;
}

static gboolean
check_dim(const BgMincDim *dim, BgFileInfo *info, GError **error)
{
    if (dim->irregular) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("its slices along %s are not said to be evenly spaced. Resample it with "
                      "mincresample"),
                    dim->name);
        return FALSE;
    }
    if (dim->length < 1 || dim->length > BG_VOLUME_MAX_DIM) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header says %" G_GUINT64_FORMAT " voxels along %s; it may be 1 to %d. "
                      "Get the file again"),
                    dim->length, dim->name, BG_VOLUME_MAX_DIM);
        return FALSE;
    }
    if (!dim->has_step)
        bg_file_info_warn(info, _("The file does not say how large a voxel is; 1 mm is taken"));
    return TRUE;
}

// One of the unit vectors that is not among those of @space.
static BgVec3
missing_direction(const BgMincDim *const space[3])
{
    for (int axis = 0; axis < 3; axis++) {
        gboolean used = FALSE;
        for (int i = 0; i < 3; i++)
            used = used || (space[i] != NULL && strcmp(space[i]->name, space_names[axis]) == 0);
        if (!used)
            return bg_vec3(axis == 0, axis == 1, axis == 2);
    }
    return bg_vec3(0, 0, 1);
}

// World coordinates are RAS: x to the right. The position of the first voxel is the sum of the
// starts along the directions.
static gboolean
place(const BgMincDim *const space[3], BgFileInfo *info, GError **error)
{
    BgVec3 columns[4] = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } };
    int n_space = space[1] == NULL ? 1 : space[2] == NULL ? 2 : 3;

    for (int i = 0; i < 3; i++) {
        const BgMincDim *dim = i < n_space ? space[n_space - 1 - i] : NULL; // slowest last
        if (dim == NULL) {
            info->dims[i] = 1;
            columns[i] = missing_direction(space);
            continue;
        }
        if (!check_dim(dim, info, error))
            return FALSE;
        BgVec3 direction = bg_vec3(dim->cosines[0], dim->cosines[1], dim->cosines[2]);
        info->dims[i] = (int) dim->length;
        columns[i] = bg_vec3_scale(direction, dim->step);
        columns[3] = bg_vec3_along(columns[3], dim->start, direction);
    }
    if (n_space < 2)
        columns[2] = bg_vec3_normalize(bg_vec3_cross(columns[0], columns[1]));
    BgAffine flip = bg_affine_lps_ras_flip();
    BgAffine ras = bg_affine_from_columns(columns[0], columns[1], columns[2], columns[3]);
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->geometry.patient_from_voxel = bg_affine_multiply(&flip, &ras);
    info->has_geometry = TRUE;
    info->side_known = TRUE;
    return bg_geometry_check(&info->geometry, error);
}

gboolean
bg_minc_describe(const BgMinc *minc, BgFileInfo *info, GError **error)
{
    const BgMincDim *space[3];

    if (!sort_dims(minc, space, info, error) || !place(space, info, error))
        return FALSE;
    if (!is_float(minc) && !(minc->high > minc->low)) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the valid range of its values is %g to %g. Get the file again"), minc->low,
                    minc->high);
        return FALSE;
    }
    gboolean colour = minc->type == BG_RAW_UINT8 && info->n_components == 3;
    info->datatype = colour ? "rgb24" : bg_raw_type_name(minc->type);
    if (info->n_frames > 1 && strcmp(minc->dims[0].name, "time") == 0 && minc->dims[0].has_step) {
        info->frame_spacing = fabs(minc->dims[0].step);
        info->frame_unit = "s";
    }
    bg_io_guess_kind(info);
    return TRUE;
}

gsize
bg_minc_count_frame(const BgMinc *minc, const BgFileInfo *info)
{
    gsize n = bg_geometry_count_voxels(&info->geometry);

    return g_size_checked_mul(&n, n, (gsize) info->n_components) ? n : 0;
}

// From the valid range to the real one, slice by slice.
static BgScale *
make_scales(const BgMinc *minc, gsize first, gsize n)
{
    BgScale *scales = g_new(BgScale, n);

    for (gsize i = 0; i < n; i++) {
        double low = minc->real_min[first + i], high = minc->real_max[first + i];
        scales[i].slope = (high - low) / (minc->high - minc->low);
        scales[i].intercept = low - minc->low * scales[i].slope;
    }
    return scales;
}

static gboolean
has_full_range(const BgMinc *minc)
{
    BgMinc full = *minc;

    bg_minc_set_default_range(&full);
    return minc->low <= full.low && minc->high >= full.high;
}

static gboolean
check_scales(const BgScale *scales, gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (!isfinite(scales[i].slope) || !isfinite(scales[i].intercept)) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the real range of slice %zu is not a number. Get the file again"), i);
            return FALSE;
        }
    }
    return TRUE;
}

BgLoaded *
bg_minc_load(const BgMinc *minc, BgSource *source, BgFileInfo *info, const BgLoadParams *params,
             const BgProgress *progress, GError **error)
{
    g_autoptr(BgFileInfo) owned = info;
    g_autoptr(BgSource) from = source;
    gsize n_frame = bg_minc_count_frame(minc, info);
    gboolean colour = strcmp(info->datatype, "rgb24") == 0;
    BgRawLayout layout = { .type = minc->type,
                           .big_endian = minc->big_endian,
                           .n_components = info->n_components,
                           .meaning = info->n_components == 1 ? BG_RAW_SCALAR
                                      : colour                ? BG_RAW_COLOUR
                                                              : BG_RAW_VECTOR,
                           .slope = 1.0 };

    // Real ranges count for whole numbers alone.
    if (!is_float(minc) && minc->real_min != NULL && !colour) {
        gsize n = MAX(minc->n_scales / (gsize) info->n_frames, 1);
        gsize first = minc->n_scales == 1 ? 0 : n * (gsize) params->frame;
        g_autofree BgScale *scales = make_scales(minc, first, n);
        if (n_frame % n != 0 || !check_scales(scales, n, error))
            return NULL;
        gboolean one = bg_scales_are_equal(scales, n) && scales[0].slope != 0.0;
        BgScaledParams scaled = { .type = minc->type,
                                  .big_endian = minc->big_endian,
                                  .n_each = n_frame / n,
                                  .scales = scales,
                                  .n_scales = n,
                                  .low = minc->low,
                                  .high = minc->high,
                                  .keep_type = one };
        if (!one || !has_full_range(minc)) {
            from = bg_source_new_scaled(g_steal_pointer(&from), &scaled);
            layout.type = one ? minc->type : BG_RAW_FLOAT32;
            layout.big_endian = G_BYTE_ORDER == G_BIG_ENDIAN;
        }
        if (one) {
            layout.slope = scales[0].slope;
            layout.intercept = scales[0].intercept;
        }
    }
    layout.rest_allowed = TRUE;
    layout.first_byte = bg_source_get_position(from);
    return bg_raw_load_frame(from, &layout, g_steal_pointer(&owned), params, progress, error);
}
