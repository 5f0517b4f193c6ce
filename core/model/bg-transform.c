// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-transform.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MIN_DETERMINANT 1e-12
#define NEWTON_STEPS 50
#define NEWTON_PRECISION 1e-9

struct _BgTransform {
    gatomicrefcount ref_count;
    BgTransformModel model;
    int n_axes;
    BgAffine affine;
    gsize n_centres;
    BgVec3 *centres; // owned
    BgVec3 *weights; // owned
};

G_DEFINE_BOXED_TYPE(BgTransform, bg_transform, bg_transform_ref, bg_transform_unref)

static const char *const model_names[] = { "rigid", "similarity", "affine", "tps" };

const char *
bg_transform_model_name(BgTransformModel model)
{
    return model_names[model];
}

gboolean
bg_transform_model_parse(const char *name, BgTransformModel *model)
{
    for (guint i = 0; i < G_N_ELEMENTS(model_names); i++) {
        if (g_strcmp0(name, model_names[i]) == 0) {
            *model = (BgTransformModel) i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
is_flat(const BgAffine *a)
{
    return a->m[0][2] == 0.0 && a->m[1][2] == 0.0 && a->m[2][0] == 0.0 && a->m[2][1] == 0.0 &&
           a->m[2][2] == 1.0 && a->m[2][3] == 0.0;
}

static gboolean
check_matrix(int n_axes, const BgAffine *a, GError **error)
{
    if ((n_axes != 2 && n_axes != 3) || !bg_affine_is_finite(a) || (n_axes == 2 && !is_flat(a)) ||
        !(fabs(bg_affine_determinant(a)) > MIN_DETERMINANT)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The transform cannot be used: its matrix with %d axes is not finite, or "
                      "flattens what it maps. Make it again"),
                    n_axes);
        return FALSE;
    }
    return TRUE;
}

BgTransform *
bg_transform_new(BgTransformModel model, int n_axes, const BgAffine *fixed_from_moving,
                 GError **error)
{
    g_return_val_if_fail(model != BG_TRANSFORM_TPS, NULL);
    if (!check_matrix(n_axes, fixed_from_moving, error))
        return NULL;

    BgTransform *transform = g_new0(BgTransform, 1);
    g_atomic_ref_count_init(&transform->ref_count);
    transform->model = model;
    transform->n_axes = n_axes;
    transform->affine = *fixed_from_moving;
    return transform;
}

BgTransform *
bg_transform_new_tps(int n_axes, const BgAffine *fixed_from_moving, const BgVec3 *centres,
                     const BgVec3 *weights, gsize n_centres, GError **error)
{
    if (n_centres > BG_TRANSFORM_MAX_CENTRES) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The thin-plate spline cannot be used: %" G_GSIZE_FORMAT
                      " centres, where %d are the most. Use fewer points"),
                    n_centres, BG_TRANSFORM_MAX_CENTRES);
        return NULL;
    }
    for (gsize i = 0; i < n_centres; i++) {
        if (!bg_vec3_is_finite(centres[i]) || !bg_vec3_is_finite(weights[i])) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("The thin-plate spline cannot be used: centre %" G_GSIZE_FORMAT
                          " or its weight is not a number. Make it again"),
                        i);
            return NULL;
        }
    }
    BgTransform *transform =
        bg_transform_new(BG_TRANSFORM_AFFINE, n_axes, fixed_from_moving, error);
    if (transform == NULL)
        return NULL;
    transform->model = BG_TRANSFORM_TPS;
    transform->n_centres = n_centres;
    transform->centres = g_memdup2(centres, n_centres * sizeof(BgVec3));
    transform->weights = g_memdup2(weights, n_centres * sizeof(BgVec3));
    return transform;
}

BgTransform *
bg_transform_ref(BgTransform *transform)
{
    g_atomic_ref_count_inc(&transform->ref_count);
    return transform;
}

void
bg_transform_unref(BgTransform *transform)
{
    if (!g_atomic_ref_count_dec(&transform->ref_count))
        return;
    g_free(transform->centres);
    g_free(transform->weights);
    g_free(transform);
}

BgTransformModel
bg_transform_get_model(const BgTransform *transform)
{
    return transform->model;
}

int
bg_transform_count_axes(const BgTransform *transform)
{
    return transform->n_axes;
}

const BgAffine *
bg_transform_get_affine(const BgTransform *transform)
{
    return &transform->affine;
}

gsize
bg_transform_count_centres(const BgTransform *transform)
{
    return transform->n_centres;
}

const BgVec3 *
bg_transform_get_centres(const BgTransform *transform)
{
    return transform->centres;
}

const BgVec3 *
bg_transform_get_weights(const BgTransform *transform)
{
    return transform->weights;
}

double
bg_transform_kernel(int n_axes, double r)
{
    return n_axes == 3 ? r : r > 0.0 ? r * r * log(r) : 0.0;
}

// U'(r) / r, finite where r is 0.
static double
kernel_slope(int n_axes, double r)
{
    if (!(r > 0.0))
        return 0.0;
    return n_axes == 3 ? 1.0 / r : 2.0 * log(r) + 1.0;
}

// In pictures the third coordinate is no part of the distance.
static BgVec3
offset_from(const BgTransform *transform, gsize i, BgVec3 p)
{
    BgVec3 d = bg_vec3_sub(p, transform->centres[i]);

    if (transform->n_axes == 2)
        d.z = 0.0;
    return d;
}

BgVec3
bg_transform_apply(const BgTransform *transform, BgVec3 moving)
{
    BgVec3 fixed = bg_affine_apply(&transform->affine, moving);

    for (gsize i = 0; i < transform->n_centres; i++) {
        double r = bg_vec3_length(offset_from(transform, i, moving));
        fixed =
            bg_vec3_along(fixed, bg_transform_kernel(transform->n_axes, r), transform->weights[i]);
    }
    return fixed;
}

BgAffine
bg_transform_derivative(const BgTransform *transform, BgVec3 moving)
{
    BgAffine d = transform->affine;

    for (int row = 0; row < 3; row++)
        d.m[row][3] = 0.0;
    for (gsize i = 0; i < transform->n_centres; i++) {
        BgVec3 offset = offset_from(transform, i, moving);
        double slope = kernel_slope(transform->n_axes, bg_vec3_length(offset));
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 3; column++)
                d.m[row][column] +=
                    bg_vec3_get(transform->weights[i], row) * slope * bg_vec3_get(offset, column);
    }
    return d;
}

gboolean
bg_transform_apply_inverse(const BgTransform *transform, BgVec3 fixed, BgVec3 *moving)
{
    BgAffine inverse;

    if (!bg_affine_invert(&transform->affine, &inverse))
        return FALSE;
    BgVec3 p = bg_affine_apply(&inverse, fixed);
    for (int step = 0; transform->n_centres > 0 && step < NEWTON_STEPS; step++) {
        BgVec3 miss = bg_vec3_sub(fixed, bg_transform_apply(transform, p));
        if (bg_vec3_length(miss) <= NEWTON_PRECISION)
            break;
        BgAffine slope = bg_transform_derivative(transform, p);
        if (!bg_affine_invert(&slope, &inverse))
            return FALSE;
        p = bg_vec3_add(p, bg_affine_apply_vector(&inverse, miss));
    }
    if (transform->n_centres > 0 &&
        !(bg_vec3_distance(fixed, bg_transform_apply(transform, p)) <= NEWTON_PRECISION))
        return FALSE;
    *moving = p;
    return TRUE;
}

static void
set_vectors(BgJson *json, const char *name, const BgVec3 *vectors, gsize n, int n_axes)
{
    g_autofree double *numbers = g_new(double, n *(gsize) n_axes + 1);

    for (gsize i = 0; i < n; i++)
        for (int axis = 0; axis < n_axes; axis++)
            numbers[i * (gsize) n_axes + (gsize) axis] = bg_vec3_get(vectors[i], axis);
    bg_json_set_doubles(json, name, numbers, n * (gsize) n_axes);
}

// 4x4 from 3x4, or 3x3 without the third row and column.
static void
set_matrix(BgJson *json, const BgAffine *a, int n_axes)
{
    double numbers[16] = { 0 };
    int n = n_axes + 1;

    for (int row = 0; row < n; row++)
        for (int column = 0; column < n; column++)
            numbers[row * n + column] =
                row == n_axes ? (column == n_axes) : a->m[row][column == n_axes ? 3 : column];
    bg_json_set_doubles(json, "matrix", numbers, (gsize) (n * n));
}

BgJson *
bg_transform_to_json(const BgTransform *transform)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_integer(json, "schema", 1);
    bg_json_set_string(json, "kind", "transform");
    bg_json_set_string(json, "model", bg_transform_model_name(transform->model));
    bg_json_set_string(json, "direction", "fixed_from_moving");
    bg_json_set_string(json, "space", transform->n_axes == 3 ? "LPS mm" : "pixels");
    set_matrix(json, &transform->affine, transform->n_axes);
    if (transform->model == BG_TRANSFORM_TPS) {
        set_vectors(json, "centres", transform->centres, transform->n_centres, transform->n_axes);
        set_vectors(json, "weights", transform->weights, transform->n_centres, transform->n_axes);
    }
    return json;
}

static gboolean
refuse_member(const char *member, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("The transform cannot be read: its member “%s” is missing or is not what it must "
                  "be. Write the file again"),
                member);
    return FALSE;
}

static gboolean
get_matrix(const BgJson *json, int n_axes, BgAffine *a, GError **error)
{
    double numbers[16];
    int n = n_axes + 1;

    if (!bg_json_to_doubles(bg_json_get(json, "matrix"), numbers, (gsize) (n * n)))
        return refuse_member("matrix", error);
    for (int column = 0; column < n; column++)
        if (numbers[n_axes * n + column] != (column == n_axes))
            return refuse_member("matrix", error);
    *a = bg_affine_identity();
    for (int row = 0; row < n_axes; row++)
        for (int column = 0; column < n; column++)
            a->m[row][column == n_axes ? 3 : column] = numbers[row * n + column];
    return TRUE;
}

// Returns: (transfer full): NULL with an error where the member is not there or not whole
static BgVec3 *
get_vectors(const BgJson *json, const char *name, int n_axes, gsize *n, GError **error)
{
    const BgJson *array = bg_json_get(json, name);
    gsize n_numbers = bg_json_count(array);

    *n = n_numbers / (gsize) n_axes;
    if (bg_json_get_kind(array) != BG_JSON_ARRAY || *n * (gsize) n_axes != n_numbers ||
        *n > BG_TRANSFORM_MAX_CENTRES) {
        refuse_member(name, error);
        return NULL;
    }
    g_autofree double *numbers = g_new(double, n_numbers + 1);
    if (!bg_json_to_doubles(array, numbers, n_numbers)) {
        refuse_member(name, error);
        return NULL;
    }
    BgVec3 *vectors = g_new0(BgVec3, *n + 1);
    for (gsize i = 0; i < n_numbers; i++)
        bg_vec3_set(&vectors[i / (gsize) n_axes], (int) (i % (gsize) n_axes), numbers[i]);
    return vectors;
}

static BgTransform *
read_tps(const BgJson *json, int n_axes, const BgAffine *affine, GError **error)
{
    gsize n_centres, n_weights;
    g_autofree BgVec3 *centres = get_vectors(json, "centres", n_axes, &n_centres, error);
    g_autofree BgVec3 *weights =
        centres != NULL ? get_vectors(json, "weights", n_axes, &n_weights, error) : NULL;

    if (weights == NULL)
        return NULL;
    if (n_weights != n_centres) {
        refuse_member("weights", error);
        return NULL;
    }
    return bg_transform_new_tps(n_axes, affine, centres, weights, n_centres, error);
}

BgTransform *
bg_transform_from_json(const BgJson *json, GError **error)
{
    const char *space = bg_json_to_string(bg_json_get(json, "space"), "");
    const char *direction = bg_json_to_string(bg_json_get(json, "direction"), "");
    const char *name = bg_json_to_string(bg_json_get(json, "model"), "");
    int n_axes = strcmp(space, "pixels") == 0 ? 2 : 3;
    BgTransformModel model;
    BgAffine affine;

    if (bg_json_to_integer(bg_json_get(json, "schema"), 0) != 1)
        refuse_member("schema", error);
    else if (strcmp(bg_json_to_string(bg_json_get(json, "kind"), ""), "transform") != 0)
        refuse_member("kind", error);
    else if (strcmp(direction, "fixed_from_moving") != 0)
        refuse_member("direction", error);
    else if (n_axes == 3 && strcmp(space, "LPS mm") != 0)
        refuse_member("space", error);
    else if (!bg_transform_model_parse(name, &model))
        refuse_member("model", error);
    else if (get_matrix(json, n_axes, &affine, error)) {
        return model == BG_TRANSFORM_TPS ? read_tps(json, n_axes, &affine, error)
                                         : bg_transform_new(model, n_axes, &affine, error);
    }
    return NULL;
}
