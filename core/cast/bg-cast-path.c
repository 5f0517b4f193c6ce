// SPDX-License-Identifier: Apache-2.0
// Light followed from the eye back to its sources (Kajiya 1986), through steps that are as opaque as
// those of the ray caster.
#include "bg-cast-path.h"

#include "bg-cast-point.h"

#include "core/base/bg-random.h"

#define MAX_STOPS 64       // of a path; what is left is lost
#define ROULETTE_AFTER 3   // stops
#define KEY_COSINE 0.99863 // of three degrees: how wide the key light is

// A place where a path has stopped.
typedef struct {
    BgVec3 mm;
    BgVec3 normal; // towards where the path came from; of a surface
    gboolean surface;
    float albedo[3]; // linear
} Stop;

float
bg_cast_linear_from_srgb(float x)
{
    return x <= 0.04045f ? x / 12.92f : powf((x + 0.055f) / 1.055f, 2.4f);
}

float
bg_cast_srgb_from_linear(float x)
{
    return x <= 0.0031308f ? 12.92f * x : 1.055f * powf(x, 1.0f / 2.4f) - 0.055f;
}

static BgVec3
any_across(BgVec3 axis)
{
    BgVec3 other = fabs(axis.x) < 0.6 ? bg_vec3(1.0, 0.0, 0.0) : bg_vec3(0.0, 1.0, 0.0);

    return bg_vec3_normalize(bg_vec3_cross(axis, other));
}

// Around an axis, by the cosine of the angle to it.
static BgVec3
around(BgVec3 axis, double cosine, double turn)
{
    BgVec3 u = any_across(axis), v = bg_vec3_cross(axis, u);
    double sine = sqrt(MAX(0.0, 1.0 - cosine * cosine)), angle = 2.0 * G_PI * turn;

    BgVec3 d = bg_vec3_scale(axis, cosine);
    d = bg_vec3_along(d, sine * cos(angle), u);
    return bg_vec3_along(d, sine * sin(angle), v);
}

static void
place_on(const BgCastRay *ray, double t, float at[3])
{
    for (int axis = 0; axis < 3; axis++)
        at[axis] = (float) (ray->origin[axis] + t * ray->direction[axis]);
}

// Goes along a ray until it stops. Returns: FALSE when it comes out at the other end.
static gboolean
walk(const BgCastScene *scene, const BgCastRay *ray, double last, BgRandom *random, double *t)
{
    double step = scene->step_mm, fastest = 0.0;
    float at[3];

    for (int axis = 0; axis < 3; axis++)
        fastest = MAX(fastest, fabs(ray->direction[axis]));
    double leap_mm = (1 << BG_CAST_BRICK_SHIFT) / fastest;

    *t = ray->first + step * bg_random_uniform(random);
    while (*t < last) {
        place_on(ray, *t, at);
        int distance = bg_cast_brick_at(scene, at);
        if (distance > 1)
            *t += step * floor((distance - 1) * leap_mm / step);
        if (distance == 0) {
            float alpha = bg_cast_opacity_at(scene, at, NULL);
            if (alpha > 0.0f && bg_random_uniform(random) < (double) alpha)
                return TRUE;
        }
        *t += step;
    }
    return FALSE;
}

static gboolean
is_open(const BgCastScene *scene, BgVec3 from_mm, BgVec3 direction, BgRandom *random)
{
    BgCastRay ray;
    double t;

    return !bg_cast_ray_init(scene, from_mm, direction, 0.0, &ray) ||
           !walk(scene, &ray, ray.last, random, &t);
}

// The normal of the surface at @at, towards -@direction. FALSE where there is none.
static gboolean
find_normal(const BgCastScene *scene, const float at[3], BgVec3 direction, BgVec3 *normal)
{
    const BgAffine *m = &scene->voxel_from_patient;
    float g[3];

    bg_cast_gradient_at(scene, at, g);
    if (!scene->shade || !(bg_cast_squared_mm(scene, g) > scene->flat))
        return FALSE;
    double gx = (double) g[0], gy = (double) g[1], gz = (double) g[2];
    *normal = bg_vec3_normalize(bg_vec3(m->m[0][0] * gx + m->m[1][0] * gy + m->m[2][0] * gz,
                                        m->m[0][1] * gx + m->m[1][1] * gy + m->m[2][1] * gz,
                                        m->m[0][2] * gx + m->m[1][2] * gy + m->m[2][2] * gz));
    if (bg_vec3_dot(*normal, direction) > 0.0)
        *normal = bg_vec3_scale(*normal, -1.0);
    return TRUE;
}

static void
init_stop(const BgCastScene *scene, const BgCastRay *ray, BgVec3 origin_mm, double t, Stop *stop)
{
    float at[3], rgb[3][BG_CAST_LANES] = { { 0 } }, seen[3];

    place_on(ray, t, at);
    bg_cast_opacity_at(scene, at, seen);
    for (int c = 0; c < 3; c++)
        rgb[c][0] = seen[c];
    if (scene->labels != NULL) {
        BgCastPoint point = bg_cast_point(scene, at);
        gint64 index[BG_CAST_LANES] = { 0 };
        int mask[BG_CAST_LANES] = { -1 };
        for (int axis = 0; axis < 3; axis++)
            point.index += point.share[axis] >= 0.5f ? point.step[axis] : 0;
        index[0] = (gint64) point.index;
        bg_cast_scene_tint(scene, index, mask, rgb[0], rgb[1], rgb[2]);
    }
    for (int c = 0; c < 3; c++)
        stop->albedo[c] = bg_cast_linear_from_srgb(CLAMP(rgb[c][0], 0.0f, 1.0f));
    stop->mm = bg_vec3_along(origin_mm, t, ray->direction_mm);
    stop->surface = find_normal(scene, at, ray->direction_mm, &stop->normal);
}

// What the key light alone sends on from a stop, a unit of albedo.
static double
key_light(const BgCastScene *scene, const Stop *stop, BgVec3 leave_mm, BgRandom *random)
{
    double cosine = 1.0 - bg_random_uniform(random) * (1.0 - KEY_COSINE);
    BgVec3 light = around(scene->light_mm, cosine, bg_random_uniform(random));
    double share = 0.25;

    if (stop->surface)
        share = bg_vec3_dot(stop->normal, light);
    if (!(share > 0.0) || !is_open(scene, leave_mm, light, random))
        return 0.0;
    return BG_CAST_KEY * share;
}

// The radiance that comes from a stop, linear.
static void
follow(const BgCastScene *scene, Stop stop, double off_mm, BgRandom *random, float radiance[3])
{
    float through[3] = { 1.0f, 1.0f, 1.0f };
    BgCastRay ray;
    double t;

    for (int n = 0; n < MAX_STOPS; n++) {
        BgVec3 leave = stop.mm, direction;
        if (stop.surface)
            leave = bg_vec3_along(stop.mm, off_mm, stop.normal);
        double key = key_light(scene, &stop, leave, random);
        double first = bg_random_uniform(random), second = bg_random_uniform(random);
        direction = stop.surface ? around(stop.normal, sqrt(first), second)
                                 : around(bg_vec3(0.0, 0.0, 1.0), 2.0 * first - 1.0, second);
        gboolean met = bg_cast_ray_init(scene, leave, direction, 0.0, &ray) &&
                       walk(scene, &ray, ray.last, random, &t);
        double light = key + (met ? 0.0 : BG_CAST_SKY);
        float largest = 0.0f;
        for (int c = 0; c < 3; c++) {
            through[c] *= stop.albedo[c];
            radiance[c] += through[c] * (float) light;
            largest = MAX(largest, through[c]);
        }
        if (!met)
            return;
        if (n >= ROULETTE_AFTER) {
            float chance = MIN(largest, 0.98f);
            if (!(bg_random_uniform(random) < (double) chance))
                return;
            for (int c = 0; c < 3; c++)
                through[c] /= chance;
        }
        init_stop(scene, &ray, leave, t, &stop);
    }
}

// One path of a pixel. Returns: where it first stopped, mm along the pixel's ray; infinite: nowhere.
static double
follow_pixel(const BgCastScene *scene, const BgCastRay *ray, BgVec3 origin_mm,
             const BgFragment *walls, guint n_walls, int place, BgRandom *random, float radiance[3])
{
    double t = INFINITY;
    Stop stop;

    gboolean met = ray != NULL && walk(scene, ray, ray->last, random, &t);
    if (!met)
        t = INFINITY;
    for (guint w = 0; w < n_walls && walls[w].t_mm < t; w++) {
        const BgFragment *wall = &walls[w];
        if (!(wall->mask & 1 << place) || !(bg_random_uniform(random) < (double) wall->alpha))
            continue;
        for (int c = 0; c < 3; c++)
            radiance[c] += bg_cast_linear_from_srgb(CLAMP(wall->rgb[c], 0.0f, 1.0f));
        return wall->t_mm;
    }
    if (!met)
        return INFINITY;
    init_stop(scene, ray, origin_mm, t, &stop);
    follow(scene, stop, scene->off_surface_mm, random, radiance);
    return t;
}

static int
compare_depths(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

void
bg_cast_path_pixel(const BgCastScene *scene, int u, int v, const BgFragment *walls, guint n_walls,
                   double *depths, float rgba[4], double *seen_mm)
{
    guint64 stream = (guint64) u + (guint64) scene->camera.width * (guint64) v;
    BgRandom random = bg_random(scene->seed, stream);
    float sum[3] = { 0.0f, 0.0f, 0.0f };
    BgVec3 origin, direction;
    BgCastRay ray;
    int n_met = 0, n = scene->n_paths;

    bg_cast_scene_ray(scene, u, v, &origin, &direction);
    gboolean inside =
        !scene->empty &&
        bg_cast_ray_init(scene, origin, direction, scene->camera.parallel ? -HUGE_VAL : 0.0, &ray);
    if (inside || n_walls > 0) {
        for (int p = 0; p < n; p++) {
            double t = follow_pixel(scene, inside ? &ray : NULL, origin, walls, n_walls,
                                    p % BG_FRAGMENT_SAMPLES, &random, sum);
            if (isfinite(t))
                depths[n_met++] = t;
        }
    }
    rgba[3] = (float) n_met / (float) n;
    for (int c = 0; c < 3; c++) {
        float mean = n_met > 0 ? sum[c] / (float) n_met : 0.0f;
        rgba[c] = rgba[3] * bg_cast_srgb_from_linear(CLAMP(mean, 0.0f, 1.0f));
    }
    int needed = MAX(1, (int) ceilf(scene->depth_alpha * (float) n));
    *seen_mm = INFINITY;
    if (n_met >= needed) {
        qsort(depths, (gsize) n_met, sizeof *depths, compare_depths);
        *seen_mm = depths[needed - 1];
    }
}
