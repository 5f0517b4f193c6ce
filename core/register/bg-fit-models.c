// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-fit-private.h"

#include "core/base/bg-linear.h"

#include <float.h>
#include <string.h>

static double
sum_of_weights(const BgFitSet *set)
{
    double sum = 0.0;

    for (gsize i = 0; i < set->n; i++)
        sum += set->weights[i];
    return sum;
}

// Weighted mean, and rms extents along the principal axes.
static BgVec3
measure(const BgFitSet *set, const BgVec3 *points, double extent[3])
{
    double total = sum_of_weights(set), c[9] = { 0 }, vectors[9];
    BgVec3 mean = { 0, 0, 0 };

    for (gsize i = 0; i < set->n; i++)
        mean = bg_vec3_along(mean, set->weights[i] / total, points[i]);
    for (gsize i = 0; i < set->n; i++) {
        BgVec3 d = bg_vec3_sub(points[i], mean);
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 3; column++)
                c[3 * row + column] +=
                    set->weights[i] / total * bg_vec3_get(d, row) * bg_vec3_get(d, column);
    }
    bg_linear_eigen_symmetric(c, 3, extent, vectors);
    for (int axis = 0; axis < 3; axis++)
        extent[axis] = sqrt(fmax(extent[axis], 0.0));
    return mean;
}

void
bg_fit_set_init(BgFitSet *set, int n_axes, const BgVec3 *fixed, const BgVec3 *moving,
                const double *weights, gsize n)
{
    set->n_axes = n_axes;
    set->n = n;
    set->fixed = fixed;
    set->moving = moving;
    set->weights = weights;
    set->fixed_centre = measure(set, fixed, set->fixed_extent);
    set->moving_centre = measure(set, moving, set->moving_extent);
}

// s[a][b] = sum of w * moving_a * fixed_b about the centres.
static void
correlate(const BgVec3 *fixed, const BgVec3 *moving, const double *weights, gsize n,
          BgVec3 fixed_centre, BgVec3 moving_centre, double s[3][3])
{
    memset(s, 0, 9 * sizeof(double));
    for (gsize i = 0; i < n; i++) {
        double w = weights != NULL ? weights[i] : 1.0;
        BgVec3 m = bg_vec3_scale(bg_vec3_sub(moving[i], moving_centre), w);
        BgVec3 f = bg_vec3_sub(fixed[i], fixed_centre);
        s[0][0] += m.x * f.x, s[0][1] += m.x * f.y, s[0][2] += m.x * f.z;
        s[1][0] += m.y * f.x, s[1][1] += m.y * f.y, s[1][2] += m.y * f.z;
        s[2][0] += m.z * f.x, s[2][1] += m.z * f.y, s[2][2] += m.z * f.z;
    }
}

static BgAffine
matrix_of_quaternion(double w, double x, double y, double z)
{
    return (BgAffine){ {
        { w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y), 0 },
        { 2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x), 0 },
        { 2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z, 0 },
    } };
}

// Horn 1987, section 4: the rotation is the eigenvector of the largest eigenvalue. Of -S (moving points
// turned inside out) it is that of the smallest, so one decomposition answers both.
static BgAffine
rotation_3d(double s[3][3], gboolean mirrored)
{
    double n[16] = {
        s[0][0] + s[1][1] + s[2][2],
        s[1][2] - s[2][1],
        s[2][0] - s[0][2],
        s[0][1] - s[1][0],
        s[1][2] - s[2][1],
        s[0][0] - s[1][1] - s[2][2],
        s[0][1] + s[1][0],
        s[2][0] + s[0][2],
        s[2][0] - s[0][2],
        s[0][1] + s[1][0],
        -s[0][0] + s[1][1] - s[2][2],
        s[1][2] + s[2][1],
        s[0][1] - s[1][0],
        s[2][0] + s[0][2],
        s[1][2] + s[2][1],
        -s[0][0] - s[1][1] + s[2][2],
    };
    double values[4], v[16];
    int at = mirrored ? 3 : 0;

    bg_linear_eigen_symmetric(n, 4, values, v);
    BgAffine r = matrix_of_quaternion(v[at], v[4 + at], v[8 + at], v[12 + at]);
    for (int row = 0; mirrored && row < 3; row++)
        for (int column = 0; column < 3; column++)
            r.m[row][column] = -r.m[row][column];
    return r;
}

static BgAffine
rotation_2d(double s[3][3], gboolean mirrored)
{
    double sign = mirrored ? -1.0 : 1.0; // of moving x
    double angle = atan2(sign * s[0][1] - s[1][0], sign * s[0][0] + s[1][1]);
    BgAffine r = bg_affine_identity();

    r.m[0][0] = sign * cos(angle);
    r.m[0][1] = -sin(angle);
    r.m[1][0] = sign * sin(angle);
    r.m[1][1] = cos(angle);
    return r;
}

// Umeyama 1991, eq. 42: the scale of least squares in the fixed frame.
static double
best_scale(const BgAffine *r, double s[3][3], double moving_square)
{
    double sum = 0.0;

    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            sum += r->m[b][a] * s[a][b];
    return moving_square > 0.0 ? sum / moving_square : 1.0;
}

static BgAffine
place(const BgAffine *r, double scale, int n_axes, BgVec3 fixed_centre, BgVec3 moving_centre)
{
    BgAffine a = *r;

    for (int row = 0; row < n_axes; row++)
        for (int column = 0; column < n_axes; column++)
            a.m[row][column] *= scale;
    BgVec3 shift = bg_vec3_sub(fixed_centre, bg_affine_apply_vector(&a, moving_centre));
    for (int row = 0; row < n_axes; row++)
        a.m[row][3] = bg_vec3_get(shift, row);
    return a;
}

double
bg_fit_rotation(const BgFitSet *set, BgTransformModel model, gboolean mirrored,
                BgAffine *fixed_from_moving)
{
    double s[3][3], scale = 1.0;

    correlate(set->fixed, set->moving, set->weights, set->n, set->fixed_centre, set->moving_centre,
              s);
    BgAffine r = set->n_axes == 3 ? rotation_3d(s, mirrored) : rotation_2d(s, mirrored);
    if (model == BG_TRANSFORM_SIMILARITY) {
        double square = 0.0;
        for (gsize i = 0; i < set->n; i++) {
            BgVec3 d = bg_vec3_sub(set->moving[i], set->moving_centre);
            square += set->weights[i] * bg_vec3_dot(d, d);
        }
        scale = best_scale(&r, s, square);
    }
    *fixed_from_moving = place(&r, scale, set->n_axes, set->fixed_centre, set->moving_centre);
    return bg_fit_rms(set, fixed_from_moving);
}

void
bg_point_fit_rigid(BgTransformModel model, const BgVec3 *fixed, const BgVec3 *moving,
                   const double *weights, gsize n, BgAffine *fixed_from_moving)
{
    BgVec3 fixed_centre = { 0, 0, 0 }, moving_centre = { 0, 0, 0 };
    double total = 0.0, square = 0.0, s[3][3];

    for (gsize i = 0; i < n; i++) {
        double w = weights != NULL ? weights[i] : 1.0;
        fixed_centre = bg_vec3_along(fixed_centre, w, fixed[i]);
        moving_centre = bg_vec3_along(moving_centre, w, moving[i]);
        total += w;
    }
    fixed_centre = bg_vec3_scale(fixed_centre, 1.0 / total);
    moving_centre = bg_vec3_scale(moving_centre, 1.0 / total);
    correlate(fixed, moving, weights, n, fixed_centre, moving_centre, s);
    for (gsize i = 0; model == BG_TRANSFORM_SIMILARITY && i < n; i++) {
        BgVec3 d = bg_vec3_sub(moving[i], moving_centre);
        square += (weights != NULL ? weights[i] : 1.0) * bg_vec3_dot(d, d);
    }
    BgAffine r = rotation_3d(s, FALSE);
    *fixed_from_moving =
        place(&r, model == BG_TRANSFORM_SIMILARITY ? best_scale(&r, s, square) : 1.0, 3,
              fixed_centre, moving_centre);
}

double
bg_fit_rms(const BgFitSet *set, const BgAffine *fixed_from_moving)
{
    double sum = 0.0;

    for (gsize i = 0; i < set->n; i++) {
        BgVec3 d = bg_vec3_sub(bg_affine_apply(fixed_from_moving, set->moving[i]), set->fixed[i]);
        sum += set->weights[i] * bg_vec3_dot(d, d);
    }
    return sqrt(sum / sum_of_weights(set));
}

// By the singular values of the centred moving points, so that the condition counts once, not squared.
gboolean
bg_fit_affine(const BgFitSet *set, BgAffine *fixed_from_moving)
{
    gsize d = (gsize) set->n_axes, n = set->n;
    g_autofree double *u = g_new(double, n *d);
    double values[3], v[9], a[9] = { 0 };

    if (n <= d)
        return FALSE;
    for (gsize i = 0; i < n; i++)
        for (gsize c = 0; c < d; c++)
            u[i * d + c] = sqrt(set->weights[i]) *
                           bg_vec3_get(bg_vec3_sub(set->moving[i], set->moving_centre), (int) c);
    bg_linear_svd(u, n, d, values, v);
    if (!(values[d - 1] > DBL_EPSILON * (double) n * values[0]))
        return FALSE;
    for (gsize row = 0; row < d; row++) {
        for (gsize k = 0; k < d; k++) {
            double sum = 0.0;
            for (gsize i = 0; i < n; i++)
                sum += u[i * d + k] * sqrt(set->weights[i]) *
                       bg_vec3_get(bg_vec3_sub(set->fixed[i], set->fixed_centre), (int) row);
            for (gsize c = 0; c < d; c++)
                a[row * d + c] += sum / values[k] * v[c * d + k];
        }
    }
    BgAffine matrix = bg_affine_identity();
    for (gsize row = 0; row < d; row++)
        for (gsize c = 0; c < d; c++)
            matrix.m[row][c] = a[row * d + c];
    *fixed_from_moving = place(&matrix, 1.0, set->n_axes, set->fixed_centre, set->moving_centre);
    return TRUE;
}

// The saddle system of a spline in coordinates about the centre, in units of the rms radius.
static void
fill_tps(const BgFitSet *set, double smoothing, double radius, double *a)
{
    gsize n = set->n, size = n + (gsize) set->n_axes + 1;
    // U is negative about the centres in two dimensions and positive in three; both are
    // conditionally definite, of opposite sign, so that what is added must differ in sign too.
    double sign = set->n_axes == 3 ? -1.0 : 1.0;

    memset(a, 0, size * size * sizeof(double));
    for (gsize i = 0; i < n; i++) {
        BgVec3 p = bg_vec3_scale(bg_vec3_sub(set->moving[i], set->moving_centre), 1.0 / radius);
        for (gsize j = 0; j < n; j++)
            a[i * size + j] = bg_transform_kernel(
                set->n_axes, bg_vec3_distance(set->moving[i], set->moving[j]) / radius);
        a[i * size + i] += sign * smoothing / set->weights[i];
        a[i * size + n] = a[n * size + i] = 1.0;
        for (gsize axis = 0; axis < (gsize) set->n_axes; axis++)
            a[i * size + n + 1 + axis] = a[(n + 1 + axis) * size + i] = bg_vec3_get(p, (int) axis);
    }
}

// Back to the moving frame's own units: in two dimensions r^2 ln(r / R) differs from r^2 ln r by a
// quadratic that the side conditions cancel, but for a constant and a linear part.
static BgTransform *
take_tps(const BgFitSet *set, double radius, const double *x)
{
    gsize n = set->n;
    g_autofree BgVec3 *weights = g_new(BgVec3, n);
    double unit = set->n_axes == 3 ? 1.0 / radius : 1.0 / (radius * radius);
    BgAffine a = bg_affine_identity();
    BgVec3 shift = { x[3 * n], x[3 * n + 1], x[3 * n + 2] };

    for (gsize i = 0; i < n; i++)
        weights[i] = bg_vec3_scale(bg_vec3(x[3 * i], x[3 * i + 1], x[3 * i + 2]), unit);
    for (int axis = 0; axis < set->n_axes; axis++)
        for (int row = 0; row < set->n_axes; row++)
            a.m[row][axis] = x[3 * (n + 1 + (gsize) axis) + (gsize) row] / radius;
    if (set->n_axes == 2) {
        // sum w |p - c|^2 ln R, with sum w = 0 and sum w c = 0, is ln R sum w |c|^2: a constant.
        for (gsize i = 0; i < n; i++) {
            BgVec3 c = bg_vec3_sub(set->moving[i], set->moving_centre);
            shift = bg_vec3_along(shift, -log(radius) * bg_vec3_dot(c, c), weights[i]);
        }
    }
    BgAffine placed = place(&a, 1.0, set->n_axes, bg_vec3(0, 0, 0), set->moving_centre);
    for (int row = 0; row < set->n_axes; row++)
        placed.m[row][3] += bg_vec3_get(shift, row);
    return bg_transform_new_tps(set->n_axes, &placed, set->moving, weights, n, NULL);
}

double *
bg_fit_tps_inverse(const BgFitSet *set, double smoothing, double *radius)
{
    gsize size = set->n + (gsize) set->n_axes + 1;
    const double *extent = set->moving_extent;
    double r = sqrt(extent[0] * extent[0] + extent[1] * extent[1] + extent[2] * extent[2]);

    if (!(r > 0.0))
        return NULL;
    g_autofree double *a = g_new(double, size *size);
    fill_tps(set, smoothing, r, a);
    if (!bg_linear_invert(a, size))
        return NULL;
    *radius = r;
    return g_steal_pointer(&a);
}

BgTransform *
bg_fit_tps(const BgFitSet *set, double smoothing, double *left_out)
{
    gsize n = set->n, size = n + (gsize) set->n_axes + 1;
    double radius;
    g_autofree double *a = bg_fit_tps_inverse(set, smoothing, &radius);
    g_autofree double *x = g_new0(double, 3 * size);

    if (a == NULL)
        return NULL;
    for (gsize i = 0; i < size; i++)
        for (gsize j = 0; j < n; j++)
            for (gsize c = 0; c < 3; c++)
                x[3 * i + c] += a[i * size + j] * bg_vec3_get(set->fixed[j], (int) c);
    // Rippa, Adv. Comput. Math. 11, 1999, eq. 3: the error at a point that is left out is its
    // coefficient over the inverse's diagonal.
    for (gsize i = 0; left_out != NULL && i < n; i++) {
        double d = a[i * size + i];
        left_out[i] = d != 0.0
                          ? bg_vec3_length(bg_vec3(x[3 * i], x[3 * i + 1], x[3 * i + 2])) / fabs(d)
                          : (double) NAN;
    }
    return take_tps(set, radius, x);
}
