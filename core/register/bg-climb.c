// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-climb-private.h"

#include <string.h>

#define N_MOST 12
#define ARMIJO 1e-4 // share of the predicted gain that a step must bring
#define MAX_HALVINGS 8

BgAffine
bg_affine_rotation(BgVec3 turn)
{
    double angle = bg_vec3_length(turn), c = cos(angle), s = sin(angle);
    BgVec3 k = bg_vec3_normalize(turn), columns[3];

    for (int axis = 0; axis < 3; axis++) {
        BgVec3 e = { axis == 0, axis == 1, axis == 2 };
        columns[axis] = bg_vec3_along(bg_vec3_along(bg_vec3_scale(e, c), s, bg_vec3_cross(k, e)),
                                      (1.0 - c) * bg_vec3_dot(k, e), k);
    }
    return bg_affine_from_columns(columns[0], columns[1], columns[2], bg_vec3(0, 0, 0));
}

BgAffine
bg_affine_about(const BgAffine *map, const BgAffine *turn, BgVec3 centre, BgVec3 shift)
{
    BgAffine about = *turn;
    BgVec3 moved = bg_vec3_sub(centre, bg_affine_apply_vector(turn, centre));

    about.m[0][3] = moved.x + shift.x;
    about.m[1][3] = moved.y + shift.y;
    about.m[2][3] = moved.z + shift.z;
    return bg_affine_multiply(&about, map);
}

static BgAffine
apply_step(const BgAffine *map, const BgMiSamples *samples, int n_params, const double *q)
{
    BgVec3 centre = bg_affine_apply(map, samples->centre);
    double r = samples->radius_mm;
    BgAffine turn = bg_affine_identity();

    if (n_params == 6)
        turn = bg_affine_rotation(bg_vec3(q[3] / r, q[4] / r, q[5] / r));
    for (int i = 0; n_params == 12 && i < 9; i++)
        turn.m[i / 3][i % 3] += q[3 + i] / r;
    return bg_affine_about(map, &turn, centre, bg_vec3(q[0], q[1], q[2]));
}

// Of what is minimised: the negative metric.
static void
get_gradient(const BgMiResult *result, double radius_mm, int n_params, double *g)
{
    const double(*s)[3] = result->stretch;

    for (int i = 0; i < 3; i++)
        g[i] = -result->shift[i];
    if (n_params == 6) {
        g[3] = -(s[2][1] - s[1][2]) / radius_mm;
        g[4] = -(s[0][2] - s[2][0]) / radius_mm;
        g[5] = -(s[1][0] - s[0][1]) / radius_mm;
    }
    for (int i = 0; n_params == 12 && i < 9; i++)
        g[3 + i] = -s[i / 3][i % 3] / radius_mm;
}

static double
dot(const double *a, const double *b, int n)
{
    double sum = 0.0;

    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

typedef struct {
    BgMi *mi;
    const BgMiSamples *samples;
    const BgClimb *climb;
    BgAffine map;
    BgMiResult result;
    double g[N_MOST], step[N_MOST];
    double h[N_MOST][N_MOST]; // inverse Hessian
    gboolean is_scaled;       // h holds more than the unit matrix
    guint n_evaluations;
} State;

static void
reset_hessian(State *s)
{
    memset(s->h, 0, sizeof s->h);
    for (int i = 0; i < s->climb->n_params; i++)
        s->h[i][i] = 1.0;
    s->is_scaled = FALSE;
}

// Returns: FALSE on level ground
static gboolean
choose_direction(State *s)
{
    int n = s->climb->n_params;

    for (int i = 0; i < n; i++)
        s->step[i] = -dot(s->h[i], s->g, n);
    if (dot(s->step, s->g, n) >= 0.0) {
        reset_hessian(s);
        for (int i = 0; i < n; i++)
            s->step[i] = -s->g[i];
    }
    double length = sqrt(dot(s->step, s->step, n));
    if (!(length > 0.0))
        return FALSE;
    double most = s->is_scaled ? s->climb->max_step_mm : 0.5 * s->climb->max_step_mm;
    if (length > most || !s->is_scaled)
        for (int i = 0; i < n; i++)
            s->step[i] *= most / length;
    return TRUE;
}

static void
update_hessian(State *s, const double *y)
{
    int n = s->climb->n_params;
    double sy = dot(s->step, y, n), yy = dot(y, y, n), hy[N_MOST];

    if (!(sy > 1e-10 * sqrt(yy * dot(s->step, s->step, n))))
        return;
    if (!s->is_scaled) {
        for (int i = 0; i < n; i++)
            s->h[i][i] = sy / yy;
        s->is_scaled = TRUE;
    }
    for (int i = 0; i < n; i++)
        hy[i] = dot(s->h[i], y, n);
    double yhy = dot(y, hy, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            s->h[i][j] += (1.0 + yhy / sy) * s->step[i] * s->step[j] / sy -
                          (hy[i] * s->step[j] + s->step[i] * hy[j]) / sy;
}

// Shortens the step until it gains; FALSE when it never does.
static gboolean
take_step(State *s)
{
    int n = s->climb->n_params;
    double slope = dot(s->step, s->g, n), old_g[N_MOST], y[N_MOST];

    for (int halving = 0; halving < MAX_HALVINGS; halving++) {
        BgMiResult there;
        BgAffine map = apply_step(&s->map, s->samples, n, s->step);
        bg_mi_evaluate(s->mi, &map, TRUE, &there);
        s->n_evaluations++;
        double gain = there.value - s->result.value;
        if (there.value >= 0.0 && gain >= -ARMIJO * slope) {
            memcpy(old_g, s->g, sizeof old_g);
            s->map = map;
            s->result = there;
            get_gradient(&there, s->samples->radius_mm, n, s->g);
            for (int i = 0; i < n; i++)
                y[i] = s->g[i] - old_g[i];
            update_hessian(s, y);
            return TRUE;
        }
        // The parabola through both values and the slope has its lowest point there.
        double shorter = -slope / (2.0 * (-gain - slope));
        shorter = there.value < 0.0 ? 0.25 : CLAMP(shorter, 0.1, 0.5);
        for (int i = 0; i < n; i++)
            s->step[i] *= shorter;
        slope *= shorter;
    }
    return FALSE;
}

guint
bg_climb(BgMi *mi, const BgMiSamples *samples, const BgClimb *climb, BgAffine *moving_from_fixed,
         BgMiResult *result, GCancellable *cancellable)
{
    State s = { .mi = mi, .samples = samples, .climb = climb, .map = *moving_from_fixed };
    int n = climb->n_params, n_short = 0;

    reset_hessian(&s);
    bg_mi_evaluate(mi, &s.map, TRUE, &s.result);
    s.n_evaluations = 1;
    get_gradient(&s.result, samples->radius_mm, n, s.g);
    for (int i = 0; i < climb->max_steps && s.result.value >= 0.0; i++) {
        if (g_cancellable_is_cancelled(cancellable) || !choose_direction(&s))
            break;
        if (!take_step(&s)) {
            if (!s.is_scaled)
                break;
            reset_hessian(&s); // once more straight uphill
            continue;
        }
        // Two short steps in a row: one alone may be a bad direction.
        n_short = sqrt(dot(s.step, s.step, n)) < climb->tolerance_mm ? n_short + 1 : 0;
        if (n_short == 2)
            break;
    }
    *moving_from_fixed = s.map;
    *result = s.result;
    return s.n_evaluations;
}
