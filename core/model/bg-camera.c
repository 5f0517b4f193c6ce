// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-camera.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

#define MAX_SIZE 65535
#define HALF_FIELD_DEG 15.0
#define DEG (G_PI / 180.0)
// How far from a rotation a file's matrix may be: four digits.
#define ROTATION_TOLERANCE 1e-3
// Nearer than this in front of a perspective camera nothing can be projected.
#define MIN_DEPTH_MM 1e-9

// Rows of R: where the camera's x (right), y (down) and z (forwards) point in the patient.
static void
set_pose(BgCamera *camera, BgVec3 right, BgVec3 down, BgVec3 forwards, BgVec3 centre_mm)
{
    const BgVec3 rows[3] = { right, down, forwards };

    for (int r = 0; r < 3; r++) {
        camera->camera_from_patient.m[r][0] = rows[r].x;
        camera->camera_from_patient.m[r][1] = rows[r].y;
        camera->camera_from_patient.m[r][2] = rows[r].z;
        camera->camera_from_patient.m[r][3] = -bg_vec3_dot(rows[r], centre_mm);
    }
}

static BgVec3
get_row(const BgCamera *camera, int r)
{
    const double *m = camera->camera_from_patient.m[r];

    return bg_vec3(m[0], m[1], m[2]);
}

// R^T p: a direction of the camera's, in the patient.
static BgVec3
to_patient_vector(const BgCamera *camera, BgVec3 v)
{
    return bg_vec3_add(
        bg_vec3_add(bg_vec3_scale(get_row(camera, 0), v.x), bg_vec3_scale(get_row(camera, 1), v.y)),
        bg_vec3_scale(get_row(camera, 2), v.z));
}

static BgVec3
to_patient(const BgCamera *camera, BgVec3 p)
{
    BgVec3 t = bg_affine_column(&camera->camera_from_patient, 3);

    return to_patient_vector(camera, bg_vec3_sub(p, t));
}

BgCamera
bg_camera_from_view(const BgView *view, BgVec3 centre_mm, double radius_mm, int width, int height)
{
    BgCamera camera = { .width = width, .height = height, .parallel = view->parallel };
    double a = view->azimuth_deg * DEG, e = view->elevation_deg * DEG, r = view->roll_deg * DEG;

    // At 0 the camera is in front of the face (-y) and the patient's left (+x) is on the
    // picture's right.
    BgVec3 outwards = bg_vec3(sin(a), -cos(a), 0.0), superior = bg_vec3(0.0, 0.0, 1.0);
    BgVec3 right = bg_vec3(cos(a), sin(a), 0.0);
    BgVec3 back = bg_vec3_add(bg_vec3_scale(outwards, cos(e)), bg_vec3_scale(superior, sin(e)));
    BgVec3 up = bg_vec3_sub(bg_vec3_scale(superior, cos(e)), bg_vec3_scale(outwards, sin(e)));

    BgVec3 rolled_right = bg_vec3_sub(bg_vec3_scale(right, cos(r)), bg_vec3_scale(up, sin(r)));
    BgVec3 rolled_up = bg_vec3_add(bg_vec3_scale(right, sin(r)), bg_vec3_scale(up, cos(r)));

    BgVec3 target = bg_vec3_along(centre_mm, view->pan_x * radius_mm, rolled_right);
    target = bg_vec3_along(target, view->pan_y * radius_mm, rolled_up);
    double distance_mm = radius_mm / sin(HALF_FIELD_DEG * DEG); // the sphere touches the frustum
    set_pose(&camera, rolled_right, bg_vec3_scale(rolled_up, -1.0), bg_vec3_scale(back, -1.0),
             bg_vec3_along(target, distance_mm, back));

    double shorter = MIN(width, height);
    double f = 0.5 * shorter / tan(HALF_FIELD_DEG * DEG) * view->zoom;
    const double k[9] = { f, 0, 0.5 * (width - 1), 0, f, 0.5 * (height - 1), 0, 0, 1 };
    memcpy(camera.k, k, sizeof k);
    camera.height_mm = 2.0 * radius_mm / view->zoom * height / shorter;
    return camera;
}

double
bg_camera_mm_per_pixel(const BgCamera *camera, BgVec3 patient_mm)
{
    if (camera->parallel)
        return camera->height_mm / camera->height;
    return bg_affine_apply(&camera->camera_from_patient, patient_mm).z /
           sqrt(camera->k[0] * camera->k[4]);
}

void
bg_camera_ray(const BgCamera *camera, double u, double v, BgVec3 *origin_mm, BgVec3 *direction)
{
    const double *k = camera->k;

    if (camera->parallel) {
        double mm = camera->height_mm / camera->height;
        double x = (u - 0.5 * (camera->width - 1)) * mm, y = (v - 0.5 * (camera->height - 1)) * mm;
        *origin_mm = to_patient(camera, bg_vec3(x, y, 0.0));
        *direction = bg_vec3_normalize(get_row(camera, 2));
        return;
    }

    double y = (v - k[5]) / k[4], x = (u - k[2] - k[1] * y) / k[0];
    *origin_mm = to_patient(camera, bg_vec3(0.0, 0.0, 0.0));
    *direction = bg_vec3_normalize(to_patient_vector(camera, bg_vec3(x, y, 1.0)));
}

gboolean
bg_camera_project(const BgCamera *camera, BgVec3 patient_mm, double *u, double *v, double *depth_mm)
{
    BgVec3 p = bg_affine_apply(&camera->camera_from_patient, patient_mm);
    const double *k = camera->k;

    if (camera->parallel) {
        double mm = camera->height_mm / camera->height;
        *u = p.x / mm + 0.5 * (camera->width - 1);
        *v = p.y / mm + 0.5 * (camera->height - 1);
    } else {
        if (!(p.z > MIN_DEPTH_MM))
            return FALSE;
        *u = (k[0] * p.x + k[1] * p.y) / p.z + k[2];
        *v = k[4] * p.y / p.z + k[5];
    }
    *depth_mm = p.z;
    return TRUE;
}

BgCamera
bg_camera_resized(const BgCamera *camera, int width, int height)
{
    BgCamera to = *camera;
    double s = (double) height / camera->height;

    to.width = width;
    to.height = height;
    to.k[0] *= s;
    to.k[1] *= s;
    to.k[4] *= s;
    // The middle of the picture stays in the middle.
    to.k[2] = (camera->k[2] - 0.5 * (camera->width - 1)) * s + 0.5 * (width - 1);
    to.k[5] = (camera->k[5] - 0.5 * (camera->height - 1)) * s + 0.5 * (height - 1);
    return to;
}

static gboolean
refuse(GError **error, const char *field, const char *reason)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: the name of a field in a file, and a sentence about it
                _("The camera cannot be used: “%s”: %s"), field, reason);
    return FALSE;
}

static gboolean
read_numbers(const BgJson *json, const char *field, double *values, gsize n, GError **error)
{
    if (bg_json_to_doubles(bg_json_get(json, field), values, n))
        return TRUE;
    g_autofree char *reason = g_strdup_printf(_("A list of %zu numbers is wanted"), n);
    return refuse(error, field, reason);
}

static gboolean
read_size(const BgJson *json, BgCamera *camera, GError **error)
{
    double size[2];

    if (!read_numbers(json, "size", size, 2, error))
        return FALSE;
    for (int i = 0; i < 2; i++) {
        if (!(size[i] >= 1.0 && size[i] <= MAX_SIZE && size[i] == rint(size[i])))
            return refuse(error, "size", _("Whole numbers from 1 to 65535 are wanted"));
    }
    camera->width = (int) size[0];
    camera->height = (int) size[1];
    return TRUE;
}

static gboolean
is_rotation(const double r[9])
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            double dot =
                r[3 * i] * r[3 * j] + r[3 * i + 1] * r[3 * j + 1] + r[3 * i + 2] * r[3 * j + 2];
            if (!(fabs(dot - (i == j)) <= ROTATION_TOLERANCE))
                return FALSE;
        }
    }
    BgVec3 x = bg_vec3(r[0], r[1], r[2]), y = bg_vec3(r[3], r[4], r[5]);
    return bg_vec3_dot(bg_vec3_cross(x, y), bg_vec3(r[6], r[7], r[8])) > 0.0;
}

static gboolean
read_intrinsics(const BgJson *json, BgCamera *camera, GError **error)
{
    const double *k = camera->k;

    if (!read_numbers(json, "K", camera->k, 9, error))
        return FALSE;
    if (bg_json_get(json, "distortion") != NULL &&
        !read_numbers(json, "distortion", camera->distortion, 5, error))
        return FALSE;
    if (!(k[0] > 0.0 && k[4] > 0.0) || k[3] != 0.0 || k[6] != 0.0 || k[7] != 0.0 || k[8] != 1.0)
        return refuse(error, "K",
                      _("Focal lengths above 0, zeros below the diagonal and a last 1 are wanted"));
    return TRUE;
}

static gboolean
read_pose(const BgJson *json, BgCamera *camera, GError **error)
{
    double r[9], t[3];

    if (!read_numbers(json, "R", r, 9, error) || !read_numbers(json, "t", t, 3, error))
        return FALSE;
    if (!is_rotation(r))
        return refuse(error, "R", _("A rotation is wanted; this one scales, shears or mirrors"));
    for (int i = 0; i < 3; i++) {
        memcpy(camera->camera_from_patient.m[i], r + 3 * i, 3 * sizeof *r);
        camera->camera_from_patient.m[i][3] = t[i];
    }
    return TRUE;
}

static gboolean
has_pose(const BgJson *json)
{
    return bg_json_get(json, "R") != NULL || bg_json_get(json, "t") != NULL;
}

static gboolean
read_perspective(const BgJson *json, BgCamera *camera, GError **error)
{
    if (!has_pose(json))
        return refuse(error, "R",
                      _("It is missing, so where the camera stood is unknown. Register it first"));
    return read_intrinsics(json, camera, error) && read_pose(json, camera, error);
}

static gboolean
read_parallel(const BgJson *json, BgCamera *camera, GError **error)
{
    double c[3], d[3], u[3];

    if (!read_numbers(json, "centre_mm", c, 3, error) ||
        !read_numbers(json, "direction", d, 3, error) || !read_numbers(json, "up", u, 3, error))
        return FALSE;
    camera->height_mm = bg_json_to_double(bg_json_get(json, "height_mm"), 0.0);
    if (!(camera->height_mm > 0.0))
        return refuse(error, "height_mm", _("A number above 0 is wanted"));

    BgVec3 forwards = bg_vec3_normalize(bg_vec3(d[0], d[1], d[2]));
    BgVec3 right = bg_vec3_cross(forwards, bg_vec3_normalize(bg_vec3(u[0], u[1], u[2])));
    if (!(bg_vec3_length(right) > 1e-6)) // 0 or along the line of sight: no up
        return refuse(error, "up", _("A direction across the line of sight is wanted"));
    right = bg_vec3_normalize(right);
    set_pose(camera, right, bg_vec3_cross(forwards, right), forwards, bg_vec3(c[0], c[1], c[2]));
    return bg_affine_is_finite(&camera->camera_from_patient) ||
           refuse(error, "direction", _("The number is too large"));
}

// Returns: (transfer full): the tree, its schema looked at
static BgJson *
parse_object(const char *text, gssize length, GError **error)
{
    g_autoptr(BgJson) tree = bg_json_parse(text, length, error);

    if (tree == NULL)
        return NULL;
    if (bg_json_get_kind(tree) != BG_JSON_OBJECT) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The text holds no camera: a JSON object is wanted"));
        return NULL;
    }
    if (bg_json_get(tree, "schema") != NULL &&
        bg_json_to_integer(bg_json_get(tree, "schema"), 0) != 1) {
        refuse(error, "schema", _("Only 1 is known. Use a newer version"));
        return NULL;
    }
    return g_steal_pointer(&tree);
}

gboolean
bg_camera_parse(const char *json, gssize length, BgCamera *camera, GError **error)
{
    g_autoptr(BgJson) tree = parse_object(json, length, error);
    BgCamera read = { 0 };

    if (tree == NULL)
        return FALSE;
    const BgJson *parallel = bg_json_get(tree, "parallel");
    if (parallel != NULL && bg_json_get_kind(parallel) != BG_JSON_BOOLEAN)
        return refuse(error, "parallel", _("true or false is wanted"));
    read.parallel = bg_json_to_boolean(parallel, FALSE);
    if (!read_size(tree, &read, error) ||
        !(read.parallel ? read_parallel(tree, &read, error) : read_perspective(tree, &read, error)))
        return FALSE;
    *camera = read;
    return TRUE;
}

gboolean
bg_camera_parse_intrinsics(const char *json, gssize length, BgCamera *camera, GError **error)
{
    g_autoptr(BgJson) tree = parse_object(json, length, error);
    BgCamera read = { .camera_from_patient = bg_affine_identity() };

    if (tree == NULL)
        return FALSE;
    if (bg_json_to_boolean(bg_json_get(tree, "parallel"), FALSE))
        return refuse(error, "parallel", _("A camera with focal lengths is wanted"));
    if (!read_size(tree, &read, error) || !read_intrinsics(tree, &read, error) ||
        (has_pose(tree) && !read_pose(tree, &read, error)))
        return FALSE;
    *camera = read;
    return TRUE;
}

static void
set_vector(BgJson *json, const char *field, BgVec3 v)
{
    const double values[3] = { v.x, v.y, v.z };

    bg_json_set_doubles(json, field, values, 3);
}

char *
bg_camera_print(const BgCamera *camera)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    const double size[2] = { camera->width, camera->height };

    bg_json_set_integer(json, "schema", 1);
    if (camera->parallel) {
        bg_json_set_boolean(json, "parallel", TRUE);
        set_vector(json, "centre_mm", to_patient(camera, bg_vec3(0.0, 0.0, 0.0)));
        set_vector(json, "direction", get_row(camera, 2));
        set_vector(json, "up", bg_vec3_scale(get_row(camera, 1), -1.0));
        bg_json_set_double(json, "height_mm", camera->height_mm);
    } else {
        double r[9];
        for (int i = 0; i < 3; i++)
            memcpy(r + 3 * i, camera->camera_from_patient.m[i], 3 * sizeof *r);
        bg_json_set_doubles(json, "K", camera->k, 9);
        bg_json_set_doubles(json, "R", r, 9);
        set_vector(json, "t", bg_affine_column(&camera->camera_from_patient, 3));
        bg_json_set_doubles(json, "distortion", camera->distortion, 5);
    }
    bg_json_set_doubles(json, "size", size, 2);
    return bg_json_print(json, TRUE);
}
