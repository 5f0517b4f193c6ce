// SPDX-License-Identifier: Apache-2.0
// MINC 2: the arrays and attributes of "MINC 2.0 file format reference" (en.wikibooks.org/wiki/MINC),
// read by the one place that calls HDF5. libminc is not used: it reads what HDF5 gives it without
// looking at sizes, and prints to stderr.
#include "bg-hdf5-private.h"
#include "bg-io-grid.h"
#include "bg-minc-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define IMAGE_MIN "/minc-2.0/image/0/image-min"
#define IMAGE_MAX "/minc-2.0/image/0/image-max"
#define DIMENSIONS "/minc-2.0/dimensions/"

// BgH5Type and BgRawType name the same types in the same order.
G_STATIC_ASSERT((int) BG_H5_FLOAT64 == (int) BG_RAW_FLOAT64);

static gboolean
get_number(BgH5 *h5, const char *path, const char *name, double *value)
{
    return bg_h5_has_attribute(h5, path, name) && bg_h5_get_doubles(h5, path, name, value, 1, NULL);
}

static void
read_dimension(BgH5 *h5, const char *name, guint64 length, BgMincDim *dim)
{
    g_autofree char *path = g_strconcat(DIMENSIONS, name, NULL);

    bg_minc_dim_init(dim, name, length);
    if (strchr(name, '/') != NULL || !bg_h5_has(h5, path))
        return;
    dim->has_step = get_number(h5, path, "step", &dim->step);
    get_number(h5, path, "start", &dim->start);
    double cosines[3];
    if (bg_h5_has_attribute(h5, path, "direction_cosines") &&
        bg_h5_get_doubles(h5, path, "direction_cosines", cosines, 3, NULL))
        memcpy(dim->cosines, cosines, sizeof cosines);
    g_autofree char *spacing = bg_h5_has_attribute(h5, path, "spacing")
                                   ? bg_h5_get_string(h5, path, "spacing", NULL)
                                   : NULL;
    dim->irregular = spacing != NULL && !g_str_has_prefix(spacing, "regular");
}

static gboolean
read_dimensions(BgH5 *h5, const BgH5Shape *shape, BgMinc *minc, GError **error)
{
    g_autofree char *order = bg_h5_get_string(h5, BG_MINC2_IMAGE, "dimorder", error);
    if (order == NULL)
        return FALSE;
    g_auto(GStrv) names = g_strsplit(order, ",", 2 * BG_MINC_MAX_DIMS);

    if ((int) g_strv_length(names) < shape->rank) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("it names %u dimensions, and the image has %d. Get the file again"),
                    g_strv_length(names), shape->rank);
        return FALSE;
    }
    minc->n_dims = shape->rank;
    for (int i = 0; i < shape->rank; i++)
        read_dimension(h5, names[i], shape->dims[i], &minc->dims[i]);
    return TRUE;
}

static void
read_range(BgH5 *h5, BgMinc *minc)
{
    double range[2];

    bg_minc_set_default_range(minc);
    if (bg_h5_has_attribute(h5, BG_MINC2_IMAGE, "valid_range") &&
        bg_h5_get_doubles(h5, BG_MINC2_IMAGE, "valid_range", range, 2, NULL)) {
        minc->low = MIN(range[0], range[1]);
        minc->high = MAX(range[0], range[1]);
    }
}

static double *
read_numbers(BgH5 *h5, const char *path, const BgMinc *minc, gsize *n, GError **error)
{
    BgH5Shape shape;
    gboolean fits = bg_h5_inspect(h5, path, &shape, error);

    if (!fits)
        return NULL;
    *n = bg_h5_shape_count(&shape);
    gboolean one = *n == 1;
    fits = *n > 0 && *n <= BG_MINC_MAX_SCALES && (one || shape.rank <= minc->n_dims);
    for (int i = 0; fits && !one && i < shape.rank; i++)
        fits = shape.dims[i] == minc->dims[i].length;
    if (!fits) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("image-min and image-max do not fit the dimensions of the image. "
                              "Get the file again"));
        return NULL;
    }
    g_autofree double *numbers = g_new(double, *n);
    shape.type = BG_H5_FLOAT64;
    if (!bg_h5_read(h5, path, &shape, 0, shape.dims[0], numbers, NULL, NULL, error))
        return NULL;
    return g_steal_pointer(&numbers);
}

static gboolean
read_scales(BgH5 *h5, BgMinc *minc, GError **error)
{
    gsize n = 0;

    if (!bg_h5_has(h5, IMAGE_MIN) || !bg_h5_has(h5, IMAGE_MAX))
        return TRUE;
    minc->real_min = read_numbers(h5, IMAGE_MIN, minc, &minc->n_scales, error);
    minc->real_max = minc->real_min == NULL ? NULL : read_numbers(h5, IMAGE_MAX, minc, &n, error);
    if (minc->real_max != NULL && n != minc->n_scales) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("image-min and image-max do not fit the dimensions of the image. "
                              "Get the file again"));
        return FALSE;
    }
    return minc->real_max != NULL;
}

static char *
get_text(BgH5 *h5, const char *path, const char *name)
{
    char *text =
        bg_h5_has_attribute(h5, path, name) ? bg_h5_get_string(h5, path, name, NULL) : NULL;

    if (text != NULL && *text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

static gboolean
parse(BgH5 *h5, BgMinc *minc, BgH5Shape *shape, BgFileInfo *info, GError **error)
{
    if (!bg_h5_inspect(h5, BG_MINC2_IMAGE, shape, error))
        return FALSE;
    minc->type = (BgRawType) shape->type;
    minc->big_endian = G_BYTE_ORDER == G_BIG_ENDIAN;
    read_range(h5, minc);
    if (!read_dimensions(h5, shape, minc, error) || !read_scales(h5, minc, error))
        return FALSE;

    g_autofree char *modality = get_text(h5, BG_MINC2_IMAGE, "bregma_modality");
    g_autofree char *unit = get_text(h5, BG_MINC2_IMAGE, "bregma_unit");
    g_autofree char *kind = get_text(h5, BG_MINC2_IMAGE, "bregma_kind");
    info->format = BG_FORMAT_MINC2;
    bg_file_info_set_modality(info, modality, unit);
    info->kind_stated = kind != NULL;
    info->kind = g_strcmp0(kind, "labels") == 0 ? BG_KIND_LABELS : BG_KIND_VOLUME;
    info->provenance = get_text(h5, "/", "provenance");
    info->description = get_text(h5, BG_MINC2_IMAGE, "bregma_description");
    return bg_minc_describe(minc, info, error);
}

BgFileInfo *
bg_minc2_probe(BgH5 *h5, const char *path, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgMinc minc = { 0 };
    BgH5Shape shape;
    gboolean ok = parse(h5, &minc, &shape, info, error);

    bg_minc_clear(&minc);
    return ok ? g_steal_pointer(&info) : NULL;
}

// The steps along the slowest dimension that a frame is.
static gboolean
find_part(const BgH5Shape *shape, const BgFileInfo *info, int frame, guint64 *first, guint64 *last,
          GError **error)
{
    *first = info->n_frames > 1 ? (guint64) frame : 0;
    *last = info->n_frames > 1 ? *first + 1 : shape->dims[0];
    if (info->n_frames == 1 || shape->dims[0] == (guint64) info->n_frames)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("it has two kinds of frames. Take one of them out with mincreshape"));
    return FALSE;
}

BgLoaded *
bg_minc2_load(BgH5 *h5, const char *path, const BgLoadParams *params, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    g_autoptr(BgH5) owned = h5;
    BgMinc minc = { 0 };
    BgH5Shape shape;
    guint64 first, last;
    BgLoaded *loaded = NULL;

    if (parse(owned, &minc, &shape, info, error) && bg_raw_check_frame(info, params, error) &&
        find_part(&shape, info, params->frame, &first, &last, error)) {
        BgSource *source = bg_h5_new_stream(g_steal_pointer(&owned), BG_MINC2_IMAGE, &shape, first,
                                            last, cancellable, error);
        if (source != NULL)
            loaded = bg_minc_load(&minc, source, g_steal_pointer(&info), params, progress, error);
    }
    bg_minc_clear(&minc);
    return loaded;
}

// Out

static const char *const space_names[] = { "xspace", "yspace", "zspace" };

static gboolean
write_standard(BgH5 *h5, const char *path, const char *kind, GError **error)
{
    return bg_h5_set_fixed_string(h5, path, "varid", "MINC standard variable", error) &&
           bg_h5_set_fixed_string(h5, path, "vartype", kind, error) &&
           bg_h5_set_fixed_string(h5, path, "version", "MINC Version    1.0", error);
}

static gboolean
write_dimension(BgH5 *h5, const char *name, double step, double start, const double cosines[3],
                guint64 length, GError **error)
{
    g_autofree char *path = g_strconcat(DIMENSIONS, name, NULL);
    gboolean time = cosines == NULL;

    return bg_h5_write_scalar(h5, path, BG_H5_INT32, 0.0, error) &&
           write_standard(h5, path, "dimension____", error) &&
           bg_h5_set_doubles(h5, path, "step", &step, 1, error) &&
           bg_h5_set_doubles(h5, path, "start", &start, 1, error) &&
           (time || bg_h5_set_doubles(h5, path, "direction_cosines", cosines, 3, error)) &&
           bg_h5_set_fixed_string(h5, path, "spacing", "regular__", error) &&
           bg_h5_set_fixed_string(h5, path, "alignment", time ? "start_" : "centre", error) &&
           bg_h5_set_fixed_string(h5, path, "units", time ? "s" : "mm", error) &&
           bg_h5_set_int32(h5, path, "length", (gint32) length, error);
}

// Steps are signed so that the directions point along their patient axis, as MINC's tools expect.
static gboolean
write_space(const BgGrid *grid, BgH5 *h5, GString *order, GError **error)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgAffine ras = bg_affine_multiply(&flip, &grid->geometry.patient_from_voxel);
    BgVec3 columns[3], origin = bg_affine_column(&ras, 3);
    double steps[3];
    int axes[3], signs[3];

    bg_geometry_axes(&grid->geometry, axes, signs);
    for (int i = 0; i < 3; i++) {
        BgVec3 column = bg_affine_column(&ras, i);
        steps[i] = bg_vec3_length(column) * (bg_vec3_get(column, axes[i]) < 0.0 ? -1.0 : 1.0);
        columns[i] = bg_vec3_scale(column, 1.0 / steps[i]);
    }
    // The starts s solve: sum of s_i times direction i = origin.
    BgAffine directions =
        bg_affine_from_columns(columns[0], columns[1], columns[2], bg_vec3(0, 0, 0));
    BgAffine inverse;
    if (!bg_affine_invert(&directions, &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("the grid's axes are nearly parallel, which MINC cannot say. Save "
                              "it as .nii.gz"));
        return FALSE;
    }
    BgVec3 starts = bg_affine_apply_vector(&inverse, origin);
    for (int i = 2; i >= 0; i--) {
        double cosines[3] = { columns[i].x, columns[i].y, columns[i].z };
        const char *name = space_names[axes[i]];
        g_string_append_printf(order, "%s%s", order->len > 0 ? "," : "", name);
        if (!write_dimension(h5, name, steps[i], bg_vec3_get(starts, i), cosines,
                             (guint64) grid->geometry.dims[i], error))
            return FALSE;
    }
    return TRUE;
}

// What the stored values can be, and what that means after slope and intercept.
static void
find_range(const BgGrid *grid, double range[2], double real[2])
{
    BgMinc minc = { .type = grid->type };

    if (grid->type == BG_RAW_FLOAT32) {
        gsize n = bg_geometry_count_voxels(&grid->geometry);
        range[0] = INFINITY;
        range[1] = -INFINITY;
        for (gsize f = 0; f < grid->n_frames; f++) {
            const float *values = grid->frames[f];
            for (gsize i = 0; i < n; i++) {
                if (!isfinite(values[i]))
                    continue;
                range[0] = fmin(range[0], (double) values[i]);
                range[1] = fmax(range[1], (double) values[i]);
            }
        }
        if (!(range[1] > range[0])) {
            range[0] = isfinite(range[0]) ? range[0] : 0.0;
            range[1] = range[0] + 1.0;
        }
    } else {
        bg_minc_set_default_range(&minc);
        range[0] = minc.low;
        range[1] = minc.high;
    }
    for (int i = 0; i < 2; i++)
        real[i] = range[i] * grid->slope + grid->intercept;
}

static gboolean
write_facts(const BgGrid *grid, BgH5 *h5, const char *order, GError **error)
{
    const BgSaveParams *params = grid->params;
    double range[2], real[2];

    find_range(grid, range, real);
    return write_standard(h5, BG_MINC2_IMAGE, "group________", error) &&
           bg_h5_set_fixed_string(h5, BG_MINC2_IMAGE, "dimorder", order, error) &&
           bg_h5_set_doubles(h5, BG_MINC2_IMAGE, "valid_range", range, 2, error) &&
           bg_h5_write_scalar(h5, IMAGE_MIN, BG_H5_FLOAT64, real[0], error) &&
           bg_h5_write_scalar(h5, IMAGE_MAX, BG_H5_FLOAT64, real[1], error) &&
           write_standard(h5, IMAGE_MIN, "var_attribute", error) &&
           write_standard(h5, IMAGE_MAX, "var_attribute", error) &&
           bg_h5_create_group(h5, "/minc-2.0/info", error) &&
           bg_h5_set_fixed_string(h5, "/minc-2.0", "minc_version", "2.4.05", error) &&
           bg_h5_set_fixed_string(h5, "/minc-2.0", "history", "written by bregma " BG_VERSION "\n",
                                  error) &&
           bg_h5_set_fixed_string(h5, BG_MINC2_IMAGE, "bregma_kind",
                                  params->labels ? "labels" : "volume", error) &&
           (params->modality == NULL ||
            bg_h5_set_fixed_string(h5, BG_MINC2_IMAGE, "bregma_modality", params->modality,
                                   error)) &&
           (params->unit == NULL ||
            bg_h5_set_fixed_string(h5, BG_MINC2_IMAGE, "bregma_unit", params->unit, error)) &&
           (params->provenance == NULL ||
            bg_h5_set_string(h5, "/", "provenance", params->provenance, error));
}

gboolean
bg_grid_write_minc2(const BgGrid *grid, const char *path, const BgProgress *progress,
                    GCancellable *cancellable, GError **error)
{
    g_autoptr(BgH5) h5 = bg_h5_create(path, grid->params->force, error);
    g_autoptr(GString) order = g_string_new(NULL);

    if (h5 == NULL)
        return FALSE;
    if (grid->n_frames > 1) {
        double step = grid->params->frame_spacing_s > 0.0 ? grid->params->frame_spacing_s : 1.0;
        g_string_append(order, "time");
        if (!write_dimension(h5, "time", step, 0.0, NULL, grid->n_frames, error))
            return FALSE;
    }
    return write_space(grid, h5, order, error) &&
           bg_grid_write_h5_array(grid, h5, BG_MINC2_IMAGE, progress, cancellable, error) &&
           write_facts(grid, h5, order->str, error) && bg_h5_commit(h5, error);
}
