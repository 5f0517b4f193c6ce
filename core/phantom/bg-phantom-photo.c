// SPDX-License-Identifier: Apache-2.0
#include "core/phantom/bg-phantom-photo.h"

#include "bg-phantom-cortex-private.h"
#include "bg-phantom-private.h"
#include "bg-phantom-tumour-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/model/bg-distortion.h"

#include <stdatomic.h>
#include <string.h>

#define OPENING_MM 35.0f // radius
#define RIM_MM 4.0f      // of bone and dura around it
#define STEP_MM 0.4f     // of the march along a ray
#define NEAR_HULL_MM 2.5f
#define DEEPEST_MM 26.0f // below the hull: no sulcus is deeper
#define N_TARGETS 6
#define DEEP_MM 20.0
#define APART_MM 7.0 // landmarks are at least so far from each other
#define MAX_TRIES 4000
#define THERMAL_BLUR_PX 1.2f
#define THERMAL_NOISE_K 0.04f

typedef enum { NOTHING, DRAPE, RIM, CORTEX, VESSEL } Seen;

typedef struct {
    BgPhantomCortex cortex;
    BgPhantomPhotoParams params;
    BgCamera camera;
    BgVec3 centre_mm, axis; // of the opening, outwards
    BgVec3 light_mm;
    Point tumour;
    guint64 key;
    guint8 *rgb;    // borrowed: one of the two
    float *celsius; // borrowed
    const BgProgress *progress;
    atomic_int n_done;
} Shot;

typedef struct {
    Seen seen;
    BgVec3 at_mm;
    float hull;
} Hit;

BgPhantomPhotoParams
bg_phantom_photo_params(guint64 seed)
{
    return (BgPhantomPhotoParams){ .seed = seed,
                                   .shot = seed,
                                   .width = 640,
                                   .height = 480,
                                   .noise = 4.0,
                                   .landmark_noise_px = 2.0,
                                   .n_landmarks = 8,
                                   .thermal = TRUE };
}

static Point
to_point(BgVec3 v)
{
    return (Point){ (float) v.x, (float) v.y, (float) v.z };
}

static float
hull_at(const Shot *shot, BgVec3 at_mm)
{
    BgPhantomCortexAt at;

    bg_phantom_cortex_at(&shot->cortex, to_point(at_mm), -1e6f, &at);
    return at.hull;
}

// Below 0 inside of brain or vessel.
static float
scene_at(const Shot *shot, BgVec3 at_mm, gboolean *is_vessel)
{
    BgPhantomCortexAt at;

    if (!bg_phantom_cortex_at(&shot->cortex, to_point(at_mm), NEAR_HULL_MM, &at)) {
        *is_vessel = FALSE;
        return at.hull;
    }
    *is_vessel = at.vessel < at.pial;
    return MIN(at.vessel, at.pial);
}

// Where the line is in the opening: below 0 inside. The edge is not round.
static float
opening_at(const Shot *shot, BgVec3 at_mm)
{
    BgVec3 from = bg_vec3_sub(at_mm, shot->centre_mm);
    BgVec3 across = bg_vec3_along(from, -bg_vec3_dot(from, shot->axis), shot->axis);
    float wave = sinf(0.11f * (float) across.z + shot->cortex.phases[0]) +
                 sinf(0.13f * (float) across.y + shot->cortex.phases[4]);

    return (float) bg_vec3_length(across) - OPENING_MM - 1.5f * wave;
}

static Hit
follow_ray(const Shot *shot, BgVec3 origin, BgVec3 direction)
{
    Hit hit = { NOTHING, origin, 0.0f };
    double t = bg_vec3_distance(origin, shot->centre_mm) - 90.0;

    // To the hull by its distance; a ray that passes by ends behind the head.
    for (int step = 0; step < 200; step++) {
        float hull = hull_at(shot, bg_vec3_along(origin, t, direction));
        if (hull < NEAR_HULL_MM)
            break;
        t += MAX(0.7 * (double) (hull - NEAR_HULL_MM), 0.2);
        if (t > 900.0)
            return hit;
    }
    hit.at_mm = bg_vec3_along(origin, t, direction);
    float opening = opening_at(shot, hit.at_mm);
    if (opening > 0.0f) {
        hit.seen = opening < RIM_MM ? RIM : DRAPE;
        return hit;
    }
    gboolean is_vessel = FALSE;
    double before = t;
    for (int step = 0; step < 400; step++) {
        BgVec3 at = bg_vec3_along(origin, t, direction);
        float d = scene_at(shot, at, &is_vessel);
        if (d < 0.0f)
            break;
        before = t;
        t += MAX((double) STEP_MM, 0.25 * (double) d);
        if (hull_at(shot, at) < -DEEPEST_MM)
            break;
    }
    for (int k = 0; k < 12; k++) { // halve the last step
        double middle = 0.5 * (before + t);
        gboolean vessel;
        if (scene_at(shot, bg_vec3_along(origin, middle, direction), &vessel) < 0.0f) {
            t = middle;
            is_vessel = vessel;
        } else
            before = middle;
    }
    hit.at_mm = bg_vec3_along(origin, t, direction);
    hit.hull = hull_at(shot, hit.at_mm);
    hit.seen = is_vessel ? VESSEL : CORTEX;
    return hit;
}

static BgVec3
normal_at(const Shot *shot, BgVec3 p)
{
    const double h = 0.3;
    gboolean vessel;
    BgVec3 n = { (double) (scene_at(shot, bg_vec3(p.x + h, p.y, p.z), &vessel) -
                           scene_at(shot, bg_vec3(p.x - h, p.y, p.z), &vessel)),
                 (double) (scene_at(shot, bg_vec3(p.x, p.y + h, p.z), &vessel) -
                           scene_at(shot, bg_vec3(p.x, p.y - h, p.z), &vessel)),
                 (double) (scene_at(shot, bg_vec3(p.x, p.y, p.z + h), &vessel) -
                           scene_at(shot, bg_vec3(p.x, p.y, p.z - h), &vessel)) };

    return bg_vec3_normalize(n);
}

static gboolean
ray_of(const Shot *shot, double u, double v, BgVec3 *origin, BgVec3 *direction)
{
    return bg_camera_ray_lens(&shot->camera, u, v, origin, direction);
}

// Blinn's reflection, darker down in the sulci; sRGB, 0..1.
static void
shade(const Shot *shot, const Hit *hit, BgVec3 direction, float rgb[3])
{
    static const float colours[][3] = {
        [NOTHING] = { 0.05f, 0.07f, 0.08f }, [DRAPE] = { 0.16f, 0.34f, 0.36f },
        [RIM] = { 0.78f, 0.70f, 0.58f },     [CORTEX] = { 0.84f, 0.60f, 0.55f },
        [VESSEL] = { 0.45f, 0.09f, 0.11f },
    };
    float light = 1.0f, gloss = 0.0f;

    if (hit->seen == CORTEX || hit->seen == VESSEL) {
        BgVec3 n = normal_at(shot, hit->at_mm);
        BgVec3 l = bg_vec3_normalize(bg_vec3_sub(shot->light_mm, hit->at_mm));
        BgVec3 half = bg_vec3_normalize(bg_vec3_sub(l, direction));
        float deep = expf(0.09f * MIN(hit->hull, 0.0f));
        light = (0.30f + 0.70f * (float) MAX(bg_vec3_dot(n, l), 0.0)) * deep;
        gloss = 0.25f * powf((float) MAX(bg_vec3_dot(n, half), 0.0), 60.0f);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = colours[hit->seen][c] * light + gloss;
}

static float
celsius_of(const Shot *shot, const Hit *hit)
{
    if (hit->seen == NOTHING || hit->seen == DRAPE)
        return 27.5f;
    if (hit->seen == RIM)
        return 31.0f;
    float dx = (float) hit->at_mm.x - shot->tumour.x, dy = (float) hit->at_mm.y - shot->tumour.y;
    float dz = (float) hit->at_mm.z - shot->tumour.z;
    float warm = expf(-(dx * dx + dy * dy + dz * dz) * (1.0f / (2.0f * 18.0f * 18.0f)));
    return 33.0f + (hit->seen == VESSEL ? 1.6f : 0.0f) + 0.9f * warm - 0.05f * MIN(hit->hull, 0.0f);
}

static void
draw_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Shot *shot = user_data;
    int w = shot->camera.width, h = shot->camera.height;

    for (gsize v = first; v < last; v++) {
        for (int u = 0; u < w; u++) {
            gsize at = v * (gsize) w + (gsize) u;
            BgVec3 origin, direction;
            Hit hit = { NOTHING, { 0 }, 0.0f };
            if (ray_of(shot, u, (double) v, &origin, &direction))
                hit = follow_ray(shot, origin, direction);
            if (shot->celsius != NULL) {
                shot->celsius[at] = celsius_of(shot, &hit);
                continue;
            }
            float rgb[3], x = (float) u / w - 0.5f, y = (float) v / h - 0.5f;
            shade(shot, &hit, direction, rgb);
            for (int c = 0; c < 3; c++) {
                float noise = bg_phantom_normal(shot->key + 3 * at + (gsize) c);
                float value = 255.0f * rgb[c] * (1.0f - 0.5f * (x * x + y * y));
                value += (float) shot->params.noise * noise;
                shot->rgb[3 * at + (gsize) c] = (guint8) CLAMP(value + 0.5f, 0.0f, 255.0f);
            }
        }
        int n_done = atomic_fetch_add(&shot->n_done, 1) + 1;
        bg_progress_report(shot->progress, (double) n_done / h);
    }
}

// Rows: right, down, forwards.
static void
look_at(BgCamera *camera, BgVec3 eye, BgVec3 target, double roll)
{
    BgVec3 forwards = bg_vec3_normalize(bg_vec3_sub(target, eye));
    BgVec3 right = bg_vec3_normalize(bg_vec3_cross(forwards, bg_vec3(0, 0, 1)));
    BgVec3 down = bg_vec3_cross(forwards, right);
    BgVec3 turned = bg_vec3_along(bg_vec3_scale(right, cos(roll)), sin(roll), down);
    const BgVec3 rows[3] = { turned, bg_vec3_cross(forwards, turned), forwards };

    for (int r = 0; r < 3; r++) {
        camera->camera_from_patient.m[r][0] = rows[r].x;
        camera->camera_from_patient.m[r][1] = rows[r].y;
        camera->camera_from_patient.m[r][2] = rows[r].z;
        camera->camera_from_patient.m[r][3] = -bg_vec3_dot(rows[r], eye);
    }
}

static void
place_opening(Shot *shot)
{
    BgVec3 inside = bg_vec3(0, 0, 26);

    shot->axis = bg_vec3_normalize(bg_vec3(-0.78, -0.25, 0.57));
    double low = 20.0, high = 120.0; // the hull along the axis, by halving
    for (int k = 0; k < 40; k++) {
        double middle = 0.5 * (low + high);
        if (hull_at(shot, bg_vec3_along(inside, middle, shot->axis)) < 0.0f)
            low = middle;
        else
            high = middle;
    }
    shot->centre_mm = bg_vec3_along(inside, low, shot->axis);
}

static double
random_at(const Shot *shot, guint n)
{
    return bg_phantom_uniform(shot->params.shot * 7919u + 17u, n);
}

// @aside_mm: to the camera's right: where the thermal camera stands beside the optical one.
static void
place_camera(Shot *shot, int width, int height, double aside_mm, guint n)
{
    BgCamera *camera = &shot->camera;
    BgVec3 right = bg_vec3_normalize(bg_vec3_cross(shot->axis, bg_vec3(0, 0, 1)));
    BgVec3 up = bg_vec3_cross(right, shot->axis);
    double far_mm = 420.0 + 60.0 * random_at(shot, 0);
    BgVec3 way = bg_vec3_along(shot->axis, 0.3 * random_at(shot, 1), right);
    way = bg_vec3_normalize(bg_vec3_along(way, 0.3 * random_at(shot, 2), up));
    BgVec3 eye = bg_vec3_along(shot->centre_mm, far_mm, way);
    BgVec3 target = bg_vec3_along(shot->centre_mm, 4.0 * random_at(shot, n), right);

    *camera = (BgCamera){ .width = width, .height = height };
    eye = bg_vec3_along(eye, aside_mm, right);
    target = bg_vec3_along(target, 4.0 * random_at(shot, n + 1), up);
    look_at(camera, eye, target, 0.5 * random_at(shot, n + 2));
    double f = 4.6 * height * (1.0 + 0.04 * random_at(shot, n + 3));
    camera->k[0] = f;
    camera->k[4] = f * (1.0 + 0.01 * random_at(shot, n + 4));
    camera->k[2] = 0.5 * (width - 1) + 0.01 * width * random_at(shot, n + 5);
    camera->k[5] = 0.5 * (height - 1) + 0.01 * height * random_at(shot, n + 6);
    camera->k[8] = 1.0;
    camera->distortion[0] = -0.8 + 0.3 * random_at(shot, n + 7);
    camera->distortion[1] = 3.0 * random_at(shot, n + 8);
    camera->distortion[2] = 0.003 * random_at(shot, n + 9);
    camera->distortion[3] = 0.003 * random_at(shot, n + 10);
    shot->light_mm = bg_vec3_along(bg_vec3_along(eye, 120.0, up), 60.0, right);
}

static void
shot_init(Shot *shot, const BgPhantomPhotoParams *params, const BgProgress *progress)
{
    BgPhantomTumour tumours[BG_PHANTOM_MAX_TUMOURS];
    guint64 seed = params->seed;

    *shot = (Shot){ .params = *params, .progress = progress };
    bg_phantom_cortex_init(&shot->cortex, seed);
    bg_phantom_tumours_init(&shot->cortex, seed, params->varied, tumours);
    shot->tumour = tumours[0].oedema.centre;
    shot->key = bg_phantom_hash(params->shot ^ 0x5bd1e995u) << 8;
    place_opening(shot);
}

static gboolean
draw(Shot *shot, GCancellable *cancellable, GError **error)
{
    shot->n_done = 0;
    if (bg_parallel_for((gsize) shot->camera.height, 4, draw_rows, shot, cancellable))
        return TRUE;
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return FALSE;
}

static BgImage *
take_optical(Shot *shot, GCancellable *cancellable, GError **error)
{
    const BgPhantomPhotoParams *p = &shot->params;
    BgImageFormat format = { p->width, p->height, 3, BG_PIXEL_UINT8 };

    place_camera(shot, p->width, p->height, 0.0, 20);
    shot->rgb = bg_buffer_alloc(3 * (gsize) p->width * (gsize) p->height, error);
    if (shot->rgb == NULL)
        return NULL;
    if (!draw(shot, cancellable, error)) {
        bg_buffer_free(shot->rgb);
        return NULL;
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, shot->rgb, error);
    shot->rgb = NULL;
    if (image == NULL || !p->mirror_optical)
        return g_steal_pointer(&image);
    return bg_image_mirrored(image, error);
}

// By a Gaussian: the lens and the skin of the cortex.
static void
soften(const float *from, float *to, int w, int h)
{
    for (int v = 0; v < h; v++) {
        for (int u = 0; u < w; u++) {
            float sum = 0.0f, weight = 0.0f;
            for (int j = -3; j <= 3; j++) {
                for (int i = -3; i <= 3; i++) {
                    int x = CLAMP(u + i, 0, w - 1), y = CLAMP(v + j, 0, h - 1);
                    float g =
                        expf(-(float) (i * i + j * j) / (2.0f * THERMAL_BLUR_PX * THERMAL_BLUR_PX));
                    sum += g * from[(gsize) y * (gsize) w + (gsize) x];
                    weight += g;
                }
            }
            to[(gsize) v * (gsize) w + (gsize) u] = sum / weight;
        }
    }
}

static BgImage *
take_thermal(Shot *shot, GCancellable *cancellable, GError **error)
{
    const BgPhantomPhotoParams *p = &shot->params;
    int w = p->width / 2, h = p->height / 2;
    gsize n = (gsize) w * (gsize) h;
    BgImageFormat format = { w, h, 1, BG_PIXEL_UINT16 };
    bg_auto_buffer float *sharp = bg_buffer_alloc_items(n, sizeof *sharp, error);
    bg_auto_buffer float *soft =
        sharp != NULL ? bg_buffer_alloc_items(n, sizeof *soft, error) : NULL;

    if (soft == NULL)
        return NULL;
    place_camera(shot, w, h, 30.0, 40);
    shot->celsius = sharp;
    gboolean done = draw(shot, cancellable, error);
    shot->celsius = NULL;
    guint16 *pixels = done ? bg_buffer_alloc(2 * n, error) : NULL;
    if (pixels == NULL)
        return NULL;
    soften(sharp, soft, w, h);
    for (gsize i = 0; i < n; i++) {
        double value = (double) (soft[i] + THERMAL_NOISE_K * bg_phantom_normal(shot->key - 1 - i));
        double share =
            (value - BG_PHANTOM_CELSIUS_LOW) / (BG_PHANTOM_CELSIUS_HIGH - BG_PHANTOM_CELSIUS_LOW);
        pixels[i] = (guint16) lrint(65535.0 * CLAMP(share, 0.0, 1.0));
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, error);
    if (image == NULL || !p->mirror_thermal)
        return g_steal_pointer(&image);
    return bg_image_mirrored(image, error);
}

static void
name_landmark(BgLandmark *landmark, char letter, int number, BgLandmarkUse use, BgVec3 at)
{
    *landmark = (BgLandmark){ .position = at, .use = use, .placed = TRUE };
    g_snprintf(landmark->name, sizeof landmark->name, "%c%d", letter, number);
}

// Places that the camera sees on the cortex, apart from each other.
static guint
choose_places(const Shot *shot, BgVec3 *places, guint n_wanted)
{
    guint n = 0;

    for (guint attempt = 0; attempt < MAX_TRIES && n < n_wanted; attempt++) {
        double u = 0.5 * (1.0 + random_at(shot, 1000 + 2 * attempt)) * shot->camera.width;
        double v = 0.5 * (1.0 + random_at(shot, 1001 + 2 * attempt)) * shot->camera.height;
        BgVec3 origin, direction;
        if (!ray_of(shot, u, v, &origin, &direction))
            continue;
        Hit hit = follow_ray(shot, origin, direction);
        gboolean good = (hit.seen == CORTEX || hit.seen == VESSEL) && hit.hull > -3.0f &&
                        opening_at(shot, hit.at_mm) < -2.0f;
        for (guint i = 0; i < n && good; i++)
            good = bg_vec3_distance(places[i], hit.at_mm) > APART_MM;
        if (good)
            places[n++] = hit.at_mm;
    }
    return n;
}

static BgLandmarks *
landmarks_in_picture(const Shot *shot, const BgCamera *camera, const BgLandmark *points, guint n,
                     gboolean mirrored, guint first_random, GError **error)
{
    g_autofree BgLandmark *seen = g_new0(BgLandmark, n);
    guint n_seen = 0;

    for (guint i = 0; i < n; i++) {
        double u, v, depth_mm;
        if (!bg_camera_project_lens(camera, points[i].position, &u, &v, &depth_mm) || u < 0 ||
            v < 0 || u > camera->width - 1 || v > camera->height - 1)
            continue;
        if (points[i].use == BG_LANDMARK_FIT) {
            guint64 key = shot->key + ((guint64) (first_random + i) << 40);
            u += shot->params.landmark_noise_px * (double) bg_phantom_normal(key);
            v += shot->params.landmark_noise_px * (double) bg_phantom_normal(key + 1);
        }
        seen[n_seen] = points[i];
        seen[n_seen++].position = bg_vec3(mirrored ? camera->width - 1 - u : u, v, 0.0);
    }
    return bg_landmarks_new(BG_LANDMARK_PICTURE, seen, n_seen, error);
}

static gboolean
place_landmarks(const Shot *shot, BgPhantomPhoto *photo, GError **error)
{
    const BgPhantomPhotoParams *p = &shot->params;
    guint n_fit = (guint) p->n_landmarks, n = n_fit + N_TARGETS;
    g_autofree BgVec3 *places = g_new0(BgVec3, n);
    g_autofree BgLandmark *points = g_new0(BgLandmark, n + 1);

    n = choose_places(shot, places, n);
    if (n < n_fit + N_TARGETS) { // a small picture: fewer of both
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A photograph of the phantom with %d landmarks cannot be made: there is room "
                      "for %u. Ask for fewer"),
                    p->n_landmarks, n > N_TARGETS ? n - N_TARGETS : 0);
        return FALSE;
    }
    for (guint i = 0; i < n; i++) {
        gboolean fit = i < n_fit;
        name_landmark(&points[i], fit ? 'L' : 'T', (int) (fit ? i : i - n_fit) + 1,
                      fit ? BG_LANDMARK_FIT : BG_LANDMARK_CHECK, places[i]);
    }
    name_landmark(&points[n], 'D', 1, BG_LANDMARK_CHECK,
                  bg_vec3_along(shot->centre_mm, -DEEP_MM, shot->axis));
    n++;
    photo->in_volume = bg_landmarks_new(BG_LANDMARK_PATIENT, points, n, error);
    photo->in_optical =
        photo->in_volume != NULL
            ? landmarks_in_picture(shot, &photo->camera, points, n, p->mirror_optical, 1, error)
            : NULL;
    if (photo->in_optical == NULL || !p->thermal)
        return photo->in_optical != NULL;
    photo->in_thermal = landmarks_in_picture(shot, &photo->thermal_camera, points, n,
                                             p->mirror_thermal, 101, error);
    return photo->in_thermal != NULL;
}

static gboolean
check_params(const BgPhantomPhotoParams *p, GError **error)
{
    if (p->width >= 64 && p->height >= 64 && p->width <= 4096 && p->height <= 4096 &&
        p->noise >= 0.0 && p->noise <= 100.0 && p->landmark_noise_px >= 0.0 &&
        p->landmark_noise_px <= 1000.0 && p->n_landmarks >= 4 && p->n_landmarks <= 40)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("A photograph of the phantom of %d x %d pixels with %d landmarks cannot be made: "
                  "give 64 to 4096 pixels and 4 to 40 landmarks"),
                p->width, p->height, p->n_landmarks);
    return FALSE;
}

BgPhantomPhoto *
bg_phantom_photo_new(const BgPhantomPhotoParams *params, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgPhantomPhoto) photo = NULL;
    BgProgressSpan span;
    Shot shot;

    if (!check_params(params, error))
        return NULL;
    photo = g_new0(BgPhantomPhoto, 1);
    shot_init(&shot, params, NULL);
    photo->centre_mm = shot.centre_mm;
    if (params->thermal) {
        shot.progress = bg_progress_span_init(&span, progress, 0.0, 0.2);
        photo->thermal = take_thermal(&shot, cancellable, error);
        if (photo->thermal == NULL)
            return NULL;
        photo->thermal_camera = shot.camera;
    }
    shot.progress = bg_progress_span_init(&span, progress, params->thermal ? 0.2 : 0.0, 1.0);
    photo->optical = take_optical(&shot, cancellable, error);
    if (photo->optical == NULL)
        return NULL;
    photo->camera = shot.camera;
    if (!place_landmarks(&shot, photo, error))
        return NULL;
    return g_steal_pointer(&photo);
}

void
bg_phantom_photo_free(BgPhantomPhoto *photo)
{
    if (photo == NULL)
        return;
    g_clear_pointer(&photo->optical, bg_image_unref);
    g_clear_pointer(&photo->thermal, bg_image_unref);
    g_clear_pointer(&photo->in_volume, bg_landmarks_unref);
    g_clear_pointer(&photo->in_optical, bg_landmarks_unref);
    g_clear_pointer(&photo->in_thermal, bg_landmarks_unref);
    g_free(photo);
}
