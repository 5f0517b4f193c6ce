// SPDX-License-Identifier: Apache-2.0
// Poses to start from, without a guess.
#include "bg-dense-private.h"
#include "bg-pose-private.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#define FEW_POINTS 5   // up to which every triple is tried
#define FLAT 0.6       // thickness over width up to which both tilts are tried
#define SAME_TURN 1e-4 // two rotations are one below that difference of an element
#define NEWTON_STEPS 15
#define ROOT_STEPS 60
#define POLISH_STEPS 4

void
bg_pose_axes(const double *x, int n, double mean[3], double axes[9], double spread[3])
{
    double m[9] = { 0 }, values[3];

    memset(mean, 0, 3 * sizeof *mean);
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < 3; a++)
            mean[a] += x[3 * i + a] / n;
    }
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < 3; b++)
                m[3 * a + b] += (x[3 * i + a] - mean[a]) * (x[3 * i + b] - mean[b]) / n;
        }
    }
    bg_dense_eigen(m, values, axes, 3);
    for (int a = 0; a < 3; a++)
        spread[a] = sqrt(MAX(values[a], 0.0));
}

// The object-space error as a form of the nine elements r of R: sum of |L (R (x - mean) + t')|^2 with
// L = (1 0 -u; 0 1 -v), whose best t' is P r.
typedef struct {
    double omega[81];
    double p[27]; // 3 x 9
    double mean[3];
} Form;

// Sum over the points of q x_a x_b and q x_a for q = 1, u, v, u^2 + v^2.
static void
build_form(const BgPoseData *data, const double mean[3], Form *form)
{
    double q[9] = { 0 }, qa[27] = { 0 };

    memset(form->omega, 0, sizeof form->omega);
    memcpy(form->mean, mean, sizeof form->mean);
    for (int i = 0; i < data->n; i++) {
        double u = data->xy[2 * i], v = data->xy[2 * i + 1], x[3];
        const double l[9] = { 1.0, 0.0, -u, 0.0, 1.0, -v, -u, -v, u * u + v * v };
        for (int a = 0; a < 3; a++)
            x[a] = data->x[3 * i + a] - mean[a];
        for (int row = 0; row < 3; row++) {
            for (int column = 0; column < 3; column++) {
                double w = l[3 * row + column];
                q[3 * row + column] += w;
                if (w == 0.0)
                    continue;
                for (int a = 0; a < 3; a++) {
                    double wx = w * x[a];
                    qa[9 * row + 3 * column + a] += wx;
                    for (int b = 0; b < 3; b++)
                        form->omega[9 * (3 * row + a) + 3 * column + b] += wx * x[b];
                }
            }
        }
    }

    double l[9];
    memcpy(l, q, sizeof l);
    if (!bg_dense_cholesky(l, 3)) // all points on one ray: leaves t' at 0
        return;
    for (int c = 0; c < 9; c++) {
        double b[3] = { -qa[c], -qa[9 + c], -qa[18 + c] };
        bg_dense_cholesky_apply(l, b, 3);
        for (int row = 0; row < 3; row++)
            form->p[9 * row + c] = b[row];
    }
    for (int a = 0; a < 9; a++) {
        for (int b = 0; b < 9; b++) {
            for (int row = 0; row < 3; row++)
                form->omega[9 * a + b] += qa[9 * row + a] * form->p[9 * row + b];
        }
    }
}

static double
form_value(const Form *form, const double r[9], double wr[9])
{
    double sum = 0.0;

    for (int a = 0; a < 9; a++) {
        wr[a] = 0.0;
        for (int b = 0; b < 9; b++)
            wr[a] += form->omega[9 * a + b] * r[b];
        sum += r[a] * wr[a];
    }
    return sum;
}

// Newton's method on the rotations: r moves to exp([w]x) r.
static double
form_minimise(const Form *form, double r[9])
{
    double wr[9], value = form_value(form, r, wr), lambda = 0.0;

    for (int step = 0; step < NEWTON_STEPS; step++) {
        double g[27], wg[9], h[9], b[3], s[9], turn[9], to[9];
        for (int c = 0; c < 3; c++) { // rows of g: the rotation's derivatives
            g[c] = g[12 + c] = g[24 + c] = 0.0;
            g[3 + c] = -r[6 + c];
            g[6 + c] = r[3 + c];
            g[9 + c] = r[6 + c];
            g[15 + c] = -r[c];
            g[18 + c] = -r[3 + c];
            g[21 + c] = r[c];
        }
        for (int a = 0; a < 3; a++) { // S = (Omega r) R^T
            for (int c = 0; c < 3; c++)
                s[3 * a + c] = wr[3 * a] * r[3 * c] + wr[3 * a + 1] * r[3 * c + 1] +
                               wr[3 * a + 2] * r[3 * c + 2];
        }
        double trace = s[0] + s[4] + s[8], scale = 0.0;
        for (int a = 0; a < 3; a++) {
            form_value(form, g + 9 * a, wg);
            b[a] = 0.0;
            for (int e = 0; e < 9; e++)
                b[a] -= g[9 * a + e] * wr[e];
            for (int c = 0; c < 3; c++) {
                double dot = 0.5 * (s[3 * a + c] + s[3 * c + a]) - (a == c ? trace : 0.0);
                for (int e = 0; e < 9; e++)
                    dot += g[9 * c + e] * wg[e];
                h[3 * a + c] = dot;
            }
            scale += fabs(h[4 * a]);
        }
        double l[9];
        for (int try = 0; try < 12; try++) {
            memcpy(l, h, sizeof l);
            for (int a = 0; a < 3; a++)
                l[4 * a] += lambda * scale;
            if (bg_dense_cholesky(l, 3))
                break;
            lambda = MAX(4.0 * lambda, 1e-3);
        }
        double w[3] = { b[0], b[1], b[2] };
        bg_dense_cholesky_apply(l, w, 3);
        bg_dense_rotation(w, turn);
        bg_dense_multiply3(turn, r, to);
        double to_wr[9], next = form_value(form, to, to_wr);
        if (!(next <= value)) {
            lambda = MAX(4.0 * lambda, 1e-2);
            if (lambda > 1e6)
                break;
            continue;
        }
        gboolean done = value - next <= 1e-9 * value;
        memcpy(r, to, sizeof to);
        memcpy(wr, to_wr, sizeof to_wr);
        value = next;
        lambda *= 0.1;
        if (done)
            break;
    }
    return value;
}

static void
set_pose(const Form *form, const double r[9], BgRigid *pose)
{
    double turned[3];

    memcpy(pose->r, r, sizeof pose->r);
    bg_dense_apply3(r, form->mean, turned);
    for (int row = 0; row < 3; row++) {
        pose->t[row] = -turned[row];
        for (int c = 0; c < 9; c++)
            pose->t[row] += form->p[9 * row + c] * r[c];
    }
}

// The middle of the points lies in front.
static gboolean
is_in_front(const Form *form, const double r[9])
{
    double z = 0.0;

    for (int c = 0; c < 9; c++)
        z += form->p[18 + c] * r[c];
    return z > 0.0;
}

static int
add_start(const Form *form, const double r[9], BgRigid *starts, int n)
{
    if (n == BG_POSE_MAX_STARTS)
        return n;
    for (int i = 0; i < n; i++) {
        double difference = 0.0;
        for (int e = 0; e < 9; e++)
            difference = MAX(difference, fabs(starts[i].r[e] - r[e]));
        if (difference < SAME_TURN)
            return n;
    }
    set_pose(form, r, &starts[n]);
    return n + 1;
}

static double
determinant(const double m[9])
{
    return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
           m[2] * (m[3] * m[7] - m[4] * m[6]);
}

// From the directions in which the form is least.
static int
add_form_starts(const Form *form, BgRigid *starts, int n)
{
    double a[81], values[9], vectors[81];

    memcpy(a, form->omega, sizeof a);
    bg_dense_eigen(a, values, vectors, 9);
    for (int k = 0; k < 3; k++) {
        double *m = vectors + 9 * k, r[9], sign = determinant(m) < 0.0 ? -1.0 : 1.0;
        for (int e = 0; e < 9; e++)
            m[e] *= sign;
        bg_dense_nearest_rotation(m, r);
        form_minimise(form, r);
        if (is_in_front(form, r))
            n = add_start(form, r, starts, n);
        if (values[k + 1] > 1e3 * MAX(values[k], 0.0)) // the others are no candidates
            break;
    }
    return n;
}

// As if the points lay in their best plane: two columns of the rotation, and the third across.
static int
add_flat_starts(const BgPoseData *data, const Form *form, const double axes[9], BgRigid *starts,
                int n)
{
    double a[36], values[6], vectors[36];

    for (int i = 0; i < 6; i++) { // column c of R S^T along the axes S: element 3 row + c
        for (int j = 0; j < 6; j++) {
            const double *si = axes + 3 * (1 + i % 2), *sj = axes + 3 * (1 + j % 2);
            double sum = 0.0;
            for (int e = 0; e < 3; e++) {
                for (int f = 0; f < 3; f++)
                    sum += si[e] * sj[f] * form->omega[9 * (3 * (i / 2) + e) + 3 * (j / 2) + f];
            }
            a[6 * i + j] = sum;
        }
    }
    bg_dense_eigen(a, values, vectors, 6);
    for (int sign = -1; sign <= 1; sign += 2) {
        double m[9], columns[9], r[9];
        for (int row = 0; row < 3; row++) {
            columns[3 * row + 1] = sign * vectors[2 * row];
            columns[3 * row + 2] = sign * vectors[2 * row + 1];
        }
        double scale2 = 0.0; // the third as long as the others
        for (int row = 0; row < 3; row++)
            scale2 += 0.5 * (columns[3 * row + 1] * columns[3 * row + 1] +
                             columns[3 * row + 2] * columns[3 * row + 2]);
        for (int row = 0; row < 3; row++) {
            int p = (row + 1) % 3, q = (row + 2) % 3;
            columns[3 * row] = (columns[3 * p + 1] * columns[3 * q + 2] -
                                columns[3 * q + 1] * columns[3 * p + 2]) /
                               sqrt(MAX(scale2, 1e-300));
        }
        double hand = determinant(axes) < 0.0 ? -1.0 : 1.0;
        for (int row = 0; row < 3; row++)
            columns[3 * row] *= hand;
        bg_dense_multiply3(columns, axes, m);
        bg_dense_nearest_rotation(m, r);
        if (!is_in_front(form, r))
            continue;
        n = add_start(form, r, starts, n);
        BgRigid first, other;
        set_pose(form, r, &first);
        other = bg_pose_other(data, &first);
        if (is_in_front(form, other.r))
            n = add_start(form, other.r, starts, n);
    }
    return n;
}

BgRigid
bg_pose_other(const BgPoseData *data, const BgRigid *pose)
{
    double mean[3], axes[9], spread[3], c[3], l[3], m[9], n[9], turned[9], back[3];
    BgRigid other;

    bg_pose_axes(data->x, data->n, mean, axes, spread);
    bg_dense_apply3(pose->r, mean, c);
    for (int a = 0; a < 3; a++)
        c[a] += pose->t[a];
    double length = sqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]);
    for (int a = 0; a < 3; a++)
        l[a] = c[a] / MAX(length, 1e-12);
    // Mirrored along the line of sight, and back across the plane of the points.
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            m[3 * a + b] = (a == b) - 2.0 * l[a] * l[b];
            n[3 * a + b] = (a == b) - 2.0 * axes[a] * axes[b];
        }
    }
    bg_dense_multiply3(m, pose->r, turned);
    bg_dense_multiply3(turned, n, other.r);
    bg_dense_apply3(other.r, mean, back);
    for (int a = 0; a < 3; a++)
        other.t[a] = c[a] - back[a];
    return other;
}

static double
squared(double complex z)
{
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

// All roots of c[4] z^4 + ... + c[0] at once (Weierstrass; Durand 1960, Kerner 1966).
static void
quartic_roots(const double c[5], double complex z[4])
{
    double size = 1.0;

    for (int k = 0; k < 4; k++)
        size = MAX(size, pow(fabs(c[k] / c[4]), 1.0 / (4 - k)));
    for (int k = 0; k < 4; k++)
        z[k] = size * cexp((0.4 + k * M_PI_2) * (double complex) I);
    for (int step = 0; step < ROOT_STEPS; step++) {
        double change = 0.0;
        for (int k = 0; k < 4; k++) {
            double complex value = c[4], divisor = c[4];
            for (int i = 3; i >= 0; i--)
                value = value * z[k] + c[i];
            for (int i = 0; i < 4; i++)
                divisor = i == k ? divisor : divisor * (z[k] - z[i]);
            if (squared(divisor) == 0.0)
                continue;
            double complex by = value / divisor;
            z[k] -= by;
            change = MAX(change, squared(by));
        }
        if (change < 1e-28 * size * size)
            break;
    }
}

// Gauss and Newton on the law of cosines: |s_i f_i - s_j f_j|^2 = side^2.
static void
polish_distances(const double cosine[3], const double side2[3], double s[3])
{
    static const int pairs[3][2] = { { 1, 2 }, { 0, 2 }, { 0, 1 } };

    for (int step = 0; step < POLISH_STEPS; step++) {
        double j[9] = { 0 }, e[3], det;
        for (int k = 0; k < 3; k++) {
            int a = pairs[k][0], b = pairs[k][1];
            e[k] = s[a] * s[a] + s[b] * s[b] - 2.0 * s[a] * s[b] * cosine[k] - side2[k];
            j[3 * k + a] = 2.0 * (s[a] - s[b] * cosine[k]);
            j[3 * k + b] = 2.0 * (s[b] - s[a] * cosine[k]);
        }
        det = determinant(j);
        if (fabs(det) < 1e-12 * s[0] * s[1] * s[2])
            return;
        for (int k = 0; k < 3; k++) { // Cramer
            double m[9];
            memcpy(m, j, sizeof m);
            for (int row = 0; row < 3; row++)
                m[3 * row + k] = e[row];
            s[k] -= determinant(m) / det;
        }
    }
}

// Columns: along the first side, across the triangle, and in its plane.
static gboolean
triangle_frame(const double a[3], const double b[3], const double c[3], double frame[9])
{
    BgVec3 ab = bg_vec3(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
    BgVec3 ac = bg_vec3(c[0] - a[0], c[1] - a[1], c[2] - a[2]);
    BgVec3 x = bg_vec3_normalize(ab), y = bg_vec3_normalize(bg_vec3_cross(ab, ac));
    BgVec3 z = bg_vec3_cross(x, y);
    const double columns[9] = { x.x, y.x, z.x, x.y, y.y, z.y, x.z, y.z, z.z };

    memcpy(frame, columns, sizeof columns);
    return bg_vec3_length(y) > 0.5;
}

static gboolean
pose_from_triangle(const double *x[3], double f[3][3], const double s[3], BgRigid *pose)
{
    double from[9], to[9], seen[3][3], turned[3];

    for (int k = 0; k < 3; k++) {
        if (!(s[k] > 0.0) || !isfinite(s[k]))
            return FALSE;
        for (int a = 0; a < 3; a++)
            seen[k][a] = s[k] * f[k][a];
    }
    if (!triangle_frame(x[0], x[1], x[2], from) || !triangle_frame(seen[0], seen[1], seen[2], to))
        return FALSE;
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++)
            pose->r[3 * a + b] = to[3 * a] * from[3 * b] + to[3 * a + 1] * from[3 * b + 1] +
                                 to[3 * a + 2] * from[3 * b + 2];
    }
    bg_dense_apply3(pose->r, x[0], turned);
    for (int a = 0; a < 3; a++)
        pose->t[a] = seen[0][a] - turned[a];
    return TRUE;
}

static double
distance2(const double *a, const double *b)
{
    return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
           (a[2] - b[2]) * (a[2] - b[2]);
}

static double
dot3(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// Haralick, Lee, Ottenberg and Noelle 1994, "Review and analysis of solutions of the three point
// perspective pose estimation problem", equation 9; with m = (a^2 - c^2) / b^2.
static void
grunert_quartic(const double cosine[3], const double side2[3], double c[5])
{
    double ca = cosine[0], cb = cosine[1], cg = cosine[2];
    double a2 = side2[0] / side2[1], c2 = side2[2] / side2[1];
    double m = a2 - c2, p = a2 + c2;

    c[4] = (m - 1.0) * (m - 1.0) - 4.0 * c2 * ca * ca;
    c[3] = 4.0 * (m * (1.0 - m) * cb - (1.0 - p) * ca * cg + 2.0 * c2 * ca * ca * cb);
    c[2] = 2.0 * (m * m - 1.0 + 2.0 * m * m * cb * cb + 2.0 * (1.0 - c2) * ca * ca -
                  4.0 * p * ca * cb * cg + 2.0 * (1.0 - a2) * cg * cg);
    c[1] = 4.0 * (-m * (1.0 + m) * cb + 2.0 * a2 * cg * cg * cb - (1.0 - p) * ca * cg);
    c[0] = (1.0 + m) * (1.0 + m) - 4.0 * a2 * cg * cg;
}

int
bg_pose_p3p(const BgPoseData *data, const int which[3], BgRigid poses[4])
{
    const double *x[3];
    double f[3][3], c[5];
    double complex roots[4];
    int n = 0;

    for (int k = 0; k < 3; k++) {
        const double *xy = data->xy + 2 * which[k];
        double length = sqrt(xy[0] * xy[0] + xy[1] * xy[1] + 1.0);
        x[k] = data->x + 3 * which[k];
        f[k][0] = xy[0] / length;
        f[k][1] = xy[1] / length;
        f[k][2] = 1.0 / length;
    }
    const double side2[3] = { distance2(x[1], x[2]), distance2(x[0], x[2]), distance2(x[0], x[1]) };
    const double cosine[3] = { dot3(f[1], f[2]), dot3(f[0], f[2]), dot3(f[0], f[1]) };
    if (!(MIN(side2[0], MIN(side2[1], side2[2])) > 0.0))
        return 0;
    grunert_quartic(cosine, side2, c);
    if (!(fabs(c[4]) > 1e-14))
        return 0;
    quartic_roots(c, roots);

    double m = (side2[0] - side2[2]) / side2[1];
    for (int k = 0; k < 4; k++) {
        double v = creal(roots[k]), divisor = 2.0 * (cosine[2] - v * cosine[0]);
        // Noise turns a double root into a complex pair: its real part is then the best there is.
        if (fabs(cimag(roots[k])) > 0.05 * (1.0 + fabs(v)) || fabs(divisor) < 1e-12)
            continue;
        double u = ((m - 1.0) * v * v - 2.0 * m * cosine[1] * v + 1.0 + m) / divisor;
        double s1 = sqrt(side2[1] / (1.0 + v * v - 2.0 * v * cosine[1]));
        double s[3] = { s1, u * s1, v * s1 };
        if (!(u > 0.0 && v > 0.0))
            continue;
        polish_distances(cosine, side2, s);
        n += pose_from_triangle(x, f, s, &poses[n]);
    }
    return n;
}

// The best of all triples' poses, judged by all points.
static int
add_triple_starts(const BgPoseData *data, BgRigid *starts, int n)
{
    double scores[BG_POSE_MAX_STARTS];
    int first = n, last = MIN(n + 8, BG_POSE_MAX_STARTS);

    for (int a = 0; a < data->n; a++) {
        for (int b = a + 1; b < data->n; b++) {
            for (int c = b + 1; c < data->n; c++) {
                BgRigid poses[4];
                int n_poses = bg_pose_p3p(data, (const int[]){ a, b, c }, poses);
                for (int p = 0; p < n_poses; p++) {
                    double sum = 0.0;
                    for (int i = 0; i < data->n; i++)
                        sum += MIN(bg_pose_error2(data, &poses[p], 1.0, i), 1e12);
                    int at = n < last ? n : last - 1;
                    if (n == last && !(sum < scores[at]))
                        continue;
                    for (; at > first && scores[at - 1] > sum; at--) {
                        scores[at] = scores[at - 1];
                        starts[at] = starts[at - 1];
                    }
                    scores[at] = sum;
                    starts[at] = poses[p];
                    n = MIN(n + 1, last);
                }
            }
        }
    }
    return n;
}

int
bg_pose_starts(const BgPoseData *data, BgRigid starts[BG_POSE_MAX_STARTS])
{
    double mean[3], axes[9], spread[3];
    Form form = { 0 };
    int n = 0;

    bg_pose_axes(data->x, data->n, mean, axes, spread);
    build_form(data, mean, &form);
    if (data->n > FEW_POINTS && spread[0] > 1e-6 * spread[2])
        n = add_form_starts(&form, starts, n);
    if (spread[0] < FLAT * spread[1])
        n = add_flat_starts(data, &form, axes, starts, n);
    if (data->n <= FEW_POINTS)
        n = add_triple_starts(data, starts, n);
    return n;
}
