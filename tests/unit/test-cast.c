// SPDX-License-Identifier: Apache-2.0
// The ray caster against an integration in double with short steps, written here once more from the
// text of its header, and against pictures whose formula is known.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/cast/bg-cast-private.h"

#include <math.h>
#include <string.h>

typedef struct {
    BgSampleType type;
    double slope, intercept;
} Store;

static const Store as_int16 = { BG_SAMPLE_INT16, 1.0, 0.0 };

// A lump with a hole, a bar and a slope, 0..1000, as a function of the patient's millimetres.
static double
lumps(BgVec3 p)
{
    double r = bg_vec3_length(bg_vec3(p.x, 1.2 * p.y, p.z));
    double value = 900.0 / (1.0 + exp((r - 11.0) / 1.5));

    value -=
        500.0 *
        exp(-(bg_vec3_dot(bg_vec3_sub(p, bg_vec3(4, -5, 3)), bg_vec3_sub(p, bg_vec3(4, -5, 3)))) /
            12.0);
    value += 600.0 * exp(-((p.y + 6.0) * (p.y + 6.0) + (p.z - 8.0) * (p.z - 8.0)) / 8.0) /
             (1.0 + exp(fabs(p.x) - 12.0));
    return CLAMP(value + 3.0 * p.x, 0.0, 1000.0);
}

static BgVolume *
make_volume(const BgGeometry *geometry, Store store, double (*field)(BgVec3 patient_mm))
{
    BgSampleFormat format = { store.type, store.slope, store.intercept, FALSE };
    gpointer samples = bg_voxels_alloc(geometry, bg_sample_type_size(store.type), NULL);
    gsize at = 0;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++, at++) {
                BgVec3 p = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                double s = (field(p) - store.intercept) / store.slope;
#define CASE(TYPE, name, ctype)                                                      \
    case TYPE:                                                                       \
        ((ctype *) samples)[at] = (ctype) (TYPE == BG_SAMPLE_FLOAT32 ? s : rint(s)); \
        break;
                switch (store.type) {
                    BG_FOR_SAMPLE_TYPES(CASE)
                }
#undef CASE
            }
        }
    }
    GError *error = NULL;
    BgVolume *volume = bg_volume_new_take(geometry, format, samples, &error);
    g_assert_no_error(error);
    return volume;
}

static BgGeometry
cube(int n, double spacing_mm)
{
    const int dims[3] = { n, n, n };

    return bg_geometry_new_regular(dims, bg_vec3(spacing_mm, spacing_mm, spacing_mm));
}

static BgTransferFunction *
make_tf(const char *json)
{
    GError *error = NULL;
    BgTransferFunction *tf = bg_transfer_function_parse(json, -1, &error);

    g_assert_no_error(error);
    return tf;
}

#define COLOURS "\"colour\":[[0,0.2,0.1,0.1],[300,0.9,0.5,0.3],[700,0.9,0.9,0.6],[1000,0.5,0.8,1]]"
#define SOFT                                                                                      \
    "{\"technique\":\"composite\",\"opacity\":[[100,0],[400,0.15],[800,0.6],[1000,0.8]]," COLOURS \
    ",\"shade\":true,\"ambient\":0.2,\"diffuse\":0.7,\"specular\":0.3,\"power\":12}"
#define CLEAR                                                                                     \
    "{\"technique\":\"composite\",\"opacity\":[[50,0],[300,0.06],[700,0.02],[1000,0.3]]," COLOURS \
    ",\"shade\":false,\"unit_distance_mm\":2}"
#define EDGES                                                                         \
    "{\"technique\":\"composite\",\"opacity\":[[50,0],[300,0.5],[1000,0.9]]," COLOURS \
    ",\"gradient_opacity\":[[5,0],[60,0.5],[200,1]],\"shade\":true,\"specular\":0.1}"
#define PLAIN_EDGES                                                                   \
    "{\"technique\":\"composite\",\"opacity\":[[50,0],[300,0.5],[1000,0.9]]," COLOURS \
    ",\"gradient_opacity\":[[5,0],[60,0.5],[200,1]],\"shade\":false}"
#define FLAT(technique) \
    "{\"technique\":\"" technique "\",\"opacity\":[[0,0.2],[600,1]]," COLOURS ",\"shade\":false}"
#define LOWEST "{\"technique\":\"minip\",\"opacity\":[[0,1]]," COLOURS ",\"shade\":false}"
#define ISO                                                                 \
    "{\"technique\":\"iso\",\"iso_value\":450,\"opacity\":[[0,1]]," COLOURS \
    ",\"shade\":true,\"specular\":0.2}"
#define NEAREST                                                                                           \
    "{\"technique\":\"composite\",\"interpolation\":\"nearest\",\"opacity\":[[100,0],[900,0.3]]," COLOURS \
    ",\"shade\":false}"

// The reference: everything in double, nothing skipped, nothing ended early.
typedef struct {
    BgVolume *volume;
    const BgTransferFunctionData *data;
    BgTransferFunction *tf;
    BgAffine voxel_from_patient;
    const int *dims;
} Truth;

static double
truth_value(const Truth *t, const double at[3])
{
    int low[3];
    double share[3], sum = 0.0;

    for (int axis = 0; axis < 3; axis++) {
        double x = CLAMP(at[axis], 0.0, t->dims[axis] - 1.0);
        if (!t->data->linear)
            x = floor(x + 0.5);
        low[axis] = (int) MIN(floor(x), MAX(t->dims[axis] - 2, 0));
        share[axis] = x - low[axis];
    }
    for (int corner = 0; corner < 8; corner++) {
        double weight = 1.0;
        int v[3];
        for (int axis = 0; axis < 3; axis++) {
            int up = (corner >> axis) & 1;
            v[axis] = MIN(low[axis] + up, t->dims[axis] - 1);
            weight *= up ? share[axis] : 1.0 - share[axis];
        }
        if (weight > 0.0)
            sum += weight * bg_volume_get_value(t->volume, v[0], v[1], v[2]);
    }
    return sum;
}

// In the unit per mm, LPS: the transpose of voxel_from_patient times the differences per voxel.
static BgVec3
truth_gradient(const Truth *t, const double at[3])
{
    double g[3], inside[3];

    for (int axis = 0; axis < 3; axis++)
        inside[axis] = CLAMP(at[axis], 0.0, t->dims[axis] - 1.0);
    for (int axis = 0; axis < 3; axis++) {
        double before[3], after[3];
        memcpy(before, inside, sizeof before);
        memcpy(after, inside, sizeof after);
        before[axis] -= 1.0;
        after[axis] += 1.0;
        g[axis] = 0.5 * (truth_value(t, after) - truth_value(t, before));
    }
    const double(*m)[4] = t->voxel_from_patient.m;
    return bg_vec3(m[0][0] * g[0] + m[1][0] * g[1] + m[2][0] * g[2],
                   m[0][1] * g[0] + m[1][1] * g[1] + m[2][1] * g[2],
                   m[0][2] * g[0] + m[1][2] * g[1] + m[2][2] * g[2]);
}

static void
truth_shade(const Truth *t, BgVec3 gradient, BgVec3 light, BgVec3 direction, double rgb[3])
{
    double length = bg_vec3_length(gradient), diffuse = 1.0, specular = 0.0;

    if (!t->data->shade)
        return;
    if (length > 1e-9) {
        BgVec3 n = bg_vec3_scale(gradient, 1.0 / length), view = bg_vec3_scale(direction, -1.0);
        double nl = bg_vec3_dot(n, light);
        BgVec3 mirrored = bg_vec3_sub(bg_vec3_scale(n, 2.0 * nl), light);
        diffuse = fabs(nl);
        specular = pow(MAX(0.0, bg_vec3_dot(mirrored, view)), t->data->power);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] =
            rgb[c] * (t->data->ambient + t->data->diffuse * diffuse) + t->data->specular * specular;
}

static gboolean
truth_span(const Truth *t, BgVec3 origin, BgVec3 direction, double span[2])
{
    span[0] = -1e4;
    span[1] = 1e4;
    for (int axis = 0; axis < 3; axis++) {
        const double *row = t->voxel_from_patient.m[axis];
        double o = row[0] * origin.x + row[1] * origin.y + row[2] * origin.z + row[3];
        double d = row[0] * direction.x + row[1] * direction.y + row[2] * direction.z;
        double a = (-0.5 - o) / d, b = (t->dims[axis] - 0.5 - o) / d;
        span[0] = MAX(span[0], MIN(a, b));
        span[1] = MIN(span[1], MAX(a, b));
    }
    return span[0] < span[1];
}

// @over: (out): the colour over black.
static void
truth_ray(const Truth *t, BgVec3 origin, BgVec3 direction, BgVec3 light, double step,
          double over[3])
{
    double span[2], clear = 1.0, best = NAN, sum = 0.0, rgb[3];

    over[0] = over[1] = over[2] = 0.0;
    if (!truth_span(t, origin, direction, span))
        return;
    int n = (int) ceil((span[1] - span[0]) / step);
    double length = (span[1] - span[0]) / n;
    for (int s = 0; s < n; s++) {
        BgVec3 p = bg_vec3_along(origin, span[0] + (s + 0.5) * length, direction);
        BgVec3 q = bg_affine_apply(&t->voxel_from_patient, p);
        const double at[3] = { q.x, q.y, q.z };
        double value = truth_value(t, at);
        BgTechnique technique = t->data->technique;
        sum += value / n;
        if (isnan(best) || (technique == BG_TECHNIQUE_MINIP ? value < best : value > best))
            best = value;
        if (technique == BG_TECHNIQUE_ISO && value >= t->data->iso_value) {
            bg_transfer_function_colour_at(t->tf, t->data->iso_value, over);
            truth_shade(t, truth_gradient(t, at), light, direction, over);
            return;
        }
        double alpha = bg_transfer_function_opacity_at(t->tf, value);
        if (technique != BG_TECHNIQUE_COMPOSITE || alpha <= 0.0)
            continue;
        BgVec3 gradient = truth_gradient(t, at);
        if (t->data->gradient_opacity)
            alpha *= bg_transfer_function_gradient_opacity_at(t->tf, bg_vec3_length(gradient));
        alpha = 1.0 - pow(1.0 - alpha, length / t->data->unit_distance_mm);
        bg_transfer_function_colour_at(t->tf, value, rgb);
        truth_shade(t, gradient, light, direction, rgb);
        for (int c = 0; c < 3; c++)
            over[c] += clear * alpha * rgb[c];
        clear *= 1.0 - alpha;
    }
    if (t->data->technique == BG_TECHNIQUE_COMPOSITE || t->data->technique == BG_TECHNIQUE_ISO)
        return;
    double value = t->data->technique == BG_TECHNIQUE_MEAN ? sum : best;
    bg_transfer_function_colour_at(t->tf, value, rgb);
    for (int c = 0; c < 3; c++)
        over[c] = bg_transfer_function_opacity_at(t->tf, value) * rgb[c];
}

// Whether the ray meets the surface for certain, or misses it for certain: where it only grazes one, or
// touches one at the edge between two cells, any finite step may miss it.
static gboolean
is_certain(const Truth *t, BgVec3 origin, BgVec3 direction, BgVec3 light, double step)
{
    BgTransferFunctionData data = *t->data;
    Truth other = *t;
    double low[3], high[3];

    if (data.technique != BG_TECHNIQUE_ISO)
        return TRUE;
    other.data = &data;
    data.shade = FALSE;
    data.iso_value = t->data->iso_value - 5.0;
    truth_ray(&other, origin, direction, light, step, low);
    data.iso_value = t->data->iso_value + 5.0;
    truth_ray(&other, origin, direction, light, step, high);
    return (low[0] > 0.0) == (high[0] > 0.0);
}

static double
psnr_against_truth(BgVolume *volume, BgTransferFunction *tf, const BgCastParams *params,
                   const BgCastImage *image, double step)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    Truth t = { volume, bg_transfer_function_get_data(tf), tf,
                bg_geometry_voxel_from_patient(geometry), geometry->dims };
    const guint8 *rgba = bg_image_get_pixels(image->colour);
    const double(*m)[4] = params->camera.camera_from_patient.m;
    BgVec3 light = bg_vec3(-m[2][0], -m[2][1], -m[2][2]);
    double sum = 0.0, brightest = 0.0;
    gsize n = 0, n_unsure = 0;

    for (int v = 0; v < params->camera.height; v++) {
        for (int u = 0; u < params->camera.width; u++) {
            BgVec3 origin, direction;
            double over[3];
            bg_camera_ray(&params->camera, u, v, &origin, &direction);
            truth_ray(&t, origin, direction, light, step, over);
            if (!is_certain(&t, origin, direction, light, step)) {
                n_unsure++;
                continue;
            }
            for (int c = 0; c < 3; c++, n++) {
                double want = CLAMP(over[c], 0.0, 1.0) * 255.0;
                double got = rgba[4 * (u + (gsize) params->camera.width * v) + c];
                sum += (want - got) * (want - got);
                brightest = MAX(brightest, want);
            }
        }
    }
    g_assert_cmpuint(n_unsure, <, 20);
    g_assert_cmpfloat(brightest, >, 40.0); // there is something to see
    return 10.0 * log10(255.0 * 255.0 / (sum / (double) n));
}

static void
set_view(BgCastParams *params, BgVolume *volume, BgView view, int width, int height)
{
    BgVec3 centre;
    double radius;

    bg_cast_fit(volume, NULL, 0, &centre, &radius);
    params->camera = bg_camera_from_view(&view, centre, radius, width, height);
}

static BgCastImage *
cast(BgVolume *volume, const BgCastParams *params)
{
    GError *error = NULL;
    BgCastImage *image = bg_cast(volume, params, NULL, NULL, &error);

    g_assert_no_error(error);
    return image;
}

static int
max_difference(const BgCastImage *a, const BgCastImage *b)
{
    const guint8 *p = bg_image_get_pixels(a->colour), *q = bg_image_get_pixels(b->colour);
    int most = 0;

    for (gsize i = 0; i < bg_image_get_n_bytes(a->colour); i++)
        most = MAX(most, ABS(p[i] - q[i]));
    return most;
}

typedef struct {
    const char *json;
    BgView view;
    Store store;
    double step; // of a voxel
} TruthCase;

static BgGeometry
skewed_grid(void)
{
    const int dims[3] = { 25, 33, 21 };
    BgGeometry g = { .dims = { dims[0], dims[1], dims[2] } };
    BgVec3 i = bg_vec3(-1.1, 0.3, 0.2), j = bg_vec3(0.25, 0.9, -0.2), k = bg_vec3(0.3, 0.1, 1.5);
    BgVec3 middle =
        bg_vec3_add(bg_vec3_add(bg_vec3_scale(i, 12), bg_vec3_scale(j, 16)), bg_vec3_scale(k, 10));

    g.patient_from_voxel = bg_affine_from_columns(i, j, k, bg_vec3_scale(middle, -1.0));
    return g;
}

// clang-format off
static const TruthCase truth_cases[] = {
    { SOFT,              { 0, 0, 0, 1.3, 0, 0, FALSE },         { BG_SAMPLE_INT16, 1, 0 },       0.25 },
    { SOFT,              { 20, 50, 10, 1.5, 0, 0, TRUE },       { BG_SAMPLE_FLOAT32, 1, 0 },     0.25 },
    { SOFT,              { -70, -130, 0, 1.3, 0.1, -0.1, FALSE }, { BG_SAMPLE_UINT8, 4, 0 },     0.25 },
    { CLEAR,             { 20, 50, 10, 1.3, 0, 0, FALSE },      { BG_SAMPLE_UINT16, 0.1, -20 },  1.0 },
    { CLEAR,             { 0, 180, 0, 2, 0, 0, TRUE },          { BG_SAMPLE_INT8, 8, 500 },      1.0 },
    { EDGES,             { 35, 20, 0, 1.3, 0, 0, FALSE },       { BG_SAMPLE_INT16, -0.5, 1100 }, 0.25 },
    { EDGES,             { 35, 20, 0, 1.3, 0, 0, FALSE },       { BG_SAMPLE_FLOAT32, 0.1, 1100 }, 0.25 },
    { PLAIN_EDGES,       { 35, 20, 0, 1.3, 0, 0, FALSE },       { BG_SAMPLE_INT16, 1, 0 },       0.25 },
    { NEAREST,           { 35, 20, 0, 1.3, 0, 0, FALSE },       { BG_SAMPLE_INT16, 1, 0 },       0.25 },
    { FLAT("mip"),       { 10, -60, 0, 1.3, 0, 0, FALSE },      { BG_SAMPLE_INT16, 1, 0 },       0.25 },
    { FLAT("mip"),       { 10, -60, 0, 1.3, 0, 0, FALSE },      { BG_SAMPLE_INT16, -1, 1000 },   0.25 },
    { LOWEST,              { 10, -60, 0, 3, 0, 0, TRUE },         { BG_SAMPLE_UINT16, 1, -7 },     0.25 },
    { FLAT("mean"),      { 10, -60, 0, 1.3, 0, 0, FALSE },      { BG_SAMPLE_FLOAT32, 1, 0 },     0.5 },
    { ISO,               { 10, -60, 0, 1.3, 0, 0, FALSE },      { BG_SAMPLE_INT16, 1, 0 },       0.25 },
    { ISO,               { 60, 100, 30, 1.3, 0, 0, TRUE },      { BG_SAMPLE_INT16, -1, 1000 },   0.25 },
};
// clang-format on

static void
test_truth(void)
{
    for (int skewed = 0; skewed < 2; skewed++) {
        for (gsize c = 0; c < G_N_ELEMENTS(truth_cases); c++) {
            const TruthCase *tc = &truth_cases[c];
            BgGeometry geometry = skewed ? skewed_grid() : cube(32, 1.0);
            g_autoptr(BgVolume) volume = make_volume(&geometry, tc->store, lumps);
            g_autoptr(BgTransferFunction) tf = make_tf(tc->json);
            BgCastParams params;
            bg_cast_params_init(&params);
            params.tf = tf;
            BgVec3 spacing = bg_geometry_spacing_mm(&geometry);
            params.step_mm = tc->step * MIN(spacing.x, MIN(spacing.y, spacing.z));
            set_view(&params, volume, tc->view, 37, 29);
            g_autoptr(BgCastImage) image = cast(volume, &params);
            // The first place inside has to be met closely by marching, so shorter steps there.
            double step = strstr(tc->json, "iso") ? 1.0 / 32.0 : 1.0 / 16.0;
            double psnr = psnr_against_truth(volume, tf, &params, image, step);
            g_test_message("case %d %s: %.1f dB", (int) c, skewed ? "skewed" : "cube", psnr);
            g_assert_cmpfloat(psnr, >=, 55.0); // a metric that is 10 % wrong gives 54
        }
    }
}

static double
constant(BgVec3 p)
{
    return 500.0;
}

// A slab of one value, seen straight on: 1 - (1 - a)^(thickness / unit), for any step.
static void
test_slab(void)
{
    const int dims[3] = { 20, 12, 20 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 0.7, 1.0));
    g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, constant);
    g_autoptr(BgTransferFunction) tf =
        make_tf("{\"technique\":\"composite\",\"opacity\":[[400,0.1]],\"colour\":[[400,1,1,1]],"
                "\"shade\":false,\"unit_distance_mm\":1.5}");
    const double steps[] = { 0.05, 0.31, 0.7, 1.0, 2.0, 7.0, 100.0 };

    for (gsize s = 0; s < G_N_ELEMENTS(steps); s++) {
        BgCastParams params;
        bg_cast_params_init(&params);
        params.tf = tf;
        params.transparent = TRUE;
        params.step_mm = steps[s];
        set_view(&params, volume, (BgView){ .zoom = 1.0, .parallel = TRUE }, 9, 9);
        g_autoptr(BgCastImage) image = cast(volume, &params);
        const guint8 *rgba = bg_image_get_pixels(image->colour);
        double want = 255.0 * (1.0 - pow(0.9, 12 * 0.7 / 1.5));
        g_assert_cmpfloat(fabs(rgba[4 * 40 + 3] - want), <=, 0.51);
        g_assert_cmpint(rgba[4 * 40], ==, 255); // straight alpha
        g_assert_cmpint(rgba[3], ==, 0);        // beside the slab
    }
}

static double
ball(BgVec3 p)
{
    return 100.0 * (14.0 - bg_vec3_distance(p, bg_vec3(1.0, -2.0, 0.5)));
}

static void
test_sphere(void)
{
    BgGeometry geometry = cube(48, 0.9);
    g_autoptr(BgVolume) volume =
        make_volume(&geometry, (Store){ BG_SAMPLE_FLOAT32, 1.0, 0.0 }, ball);
    g_autoptr(BgTransferFunction) tf = make_tf(
        "{\"technique\":\"iso\",\"iso_value\":0,\"opacity\":[[0,1]],\"colour\":[[0,1,1,1]]}");
    BgCastParams params;
    int n_seen = 0;

    bg_cast_params_init(&params);
    params.tf = tf;
    set_view(&params, volume, (BgView){ .elevation_deg = 30, .azimuth_deg = 40, .zoom = 1.0 }, 40,
             40);
    g_autoptr(BgCastImage) image = cast(volume, &params);
    for (int v = 0; v < 40; v++) {
        for (int u = 0; u < 40; u++) {
            BgVec3 origin, direction, picked;
            const BgVec3 middle = bg_vec3(1.0, -2.0, 0.5);
            bg_camera_ray(&params.camera, u, v, &origin, &direction);
            double along = bg_vec3_dot(bg_vec3_sub(middle, origin), direction);
            double off = bg_vec3_distance(bg_vec3_along(origin, along, direction), middle);
            gboolean seen = bg_cast_image_pick(image, u + 0.3, v - 0.3, &picked);
            if (fabs(off - 14.0) < 0.5)
                continue; // grazing
            g_assert_cmpint(seen, ==, off < 14.0);
            if (!seen)
                continue;
            BgVec3 want = bg_vec3_along(origin, along - sqrt(14.0 * 14.0 - off * off), direction);
            // What is left is the trilinear ball's, which is a little smaller.
            g_assert_cmpfloat(bg_vec3_distance(picked, want), <, 0.06);
            n_seen++;
        }
    }
    g_assert_cmpint(n_seen, >, 150);
    BgVec3 unused;
    g_assert_false(bg_cast_image_pick(image, -1.0, 0.0, &unused));
    g_assert_false(bg_cast_image_pick(image, 0.0, NAN, &unused));
}

// The same samples read along other axes are the same patient.
static void
test_axis_codes(void)
{
    const int turns[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                              { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    BgGeometry geometry = cube(20, 1.0);
    g_autoptr(BgTransferFunction) tf = make_tf(SOFT);
    BgCastParams params;
    g_autoptr(BgCastImage) first = NULL;

    bg_cast_params_init(&params);
    params.tf = tf;
    for (int code = 0; code < 48; code++) {
        BgVec3 column[3], origin = bg_vec3(0, 0, 0);
        for (int axis = 0; axis < 3; axis++) {
            double sign = (code >> axis) & 1 ? -1.0 : 1.0;
            column[axis] = bg_vec3(0, 0, 0);
            bg_vec3_set(&column[axis], turns[code / 8][axis], 1.4 * sign);
            origin = bg_vec3_along(origin, -9.5, column[axis]);
        }
        BgGeometry turned = geometry;
        turned.patient_from_voxel = bg_affine_from_columns(column[0], column[1], column[2], origin);
        g_autoptr(BgVolume) volume = make_volume(&turned, as_int16, lumps);
        set_view(&params, volume, (BgView){ .elevation_deg = 15, .azimuth_deg = 25, .zoom = 1.4 },
                 48, 48);
        BgCastImage *image = cast(volume, &params);
        if (!first) {
            first = image;
            continue;
        }
        g_assert_cmpint(max_difference(first, image), <=, 2);
        bg_cast_image_free(image);
    }
}

// Bright at the patient's right, and only there and low down.
static double
right_block(BgVec3 p)
{
    return p.x < -4.0 && p.z < -2.0 ? 1000.0 : 0.0;
}

static void
test_sides(void)
{
    const char *const techniques[] = { SOFT, FLAT("mip"), ISO };

    for (gsize t = 0; t < G_N_ELEMENTS(techniques); t++) {
        for (int code = 0; code < 8; code++) {
            BgGeometry geometry = cube(24, 1.0);
            BgAffine *a = &geometry.patient_from_voxel;
            for (int axis = 0; axis < 3; axis++) {
                double sign = (code >> axis) & 1 ? -1.0 : 1.0;
                a->m[axis][axis] = sign;
                a->m[axis][3] = -11.5 * sign;
            }
            g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, right_block);
            g_autoptr(BgTransferFunction) tf = make_tf(techniques[t]);
            BgCastParams params;
            double quarters[4] = { 0, 0, 0, 0 };
            bg_cast_params_init(&params);
            params.tf = tf;
            set_view(&params, volume, bg_view_default(), 40, 40);
            g_autoptr(BgCastImage) image = cast(volume, &params);
            const guint8 *rgba = bg_image_get_pixels(image->colour);
            for (int v = 0; v < 40; v++) {
                for (int u = 0; u < 40; u++) {
                    int value = rgba[4 * (u + 40 * v) + 1];
                    quarters[(u >= 20) + 2 * (v >= 20)] += value > 60 ? value : 0;
                }
            }
            // Low on the left, nowhere else.
            g_assert_cmpfloat(quarters[2], >, 1000.0);
            g_assert_cmpfloat(quarters[0] + quarters[1] + quarters[3], ==, 0.0);
        }
    }
}

static void
test_threads(void)
{
    BgGeometry geometry = cube(32, 1.0);
    g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, lumps);
    g_autoptr(BgTransferFunction) tf = make_tf(SOFT);
    BgCastParams params;

    bg_cast_params_init(&params);
    params.tf = tf;
    set_view(&params, volume, (BgView){ .elevation_deg = 20, .azimuth_deg = 70, .zoom = 1.2 }, 131,
             77);
    bg_parallel_set_threads(1);
    g_autoptr(BgCastImage) one = cast(volume, &params);
    bg_parallel_set_threads(5);
    g_autoptr(BgCastImage) five = cast(volume, &params);
    bg_parallel_set_threads(0);
    g_assert_cmpint(max_difference(one, five), ==, 0);
    g_assert_cmpmem(bg_image_get_pixels(one->depth), bg_image_get_n_bytes(one->depth),
                    bg_image_get_pixels(five->depth), bg_image_get_n_bytes(five->depth));
}

// The fast loops against the plain ones; the packed voxels against the volume's own.
static void
test_paths(void)
{
    for (int round = 0; round < 2; round++) {
        for (gsize c = 0; c < G_N_ELEMENTS(truth_cases); c++) {
            BgGeometry geometry = skewed_grid();
            g_autoptr(BgVolume) volume = make_volume(&geometry, truth_cases[c].store, lumps);
            g_autoptr(BgTransferFunction) tf = make_tf(truth_cases[c].json);
            BgCastParams params;
            bg_cast_params_init(&params);
            params.tf = tf;
            set_view(&params, volume, truth_cases[c].view, 90, 70);
            g_autoptr(BgCastImage) fast = cast(volume, &params);
            if (round == 0)
                bg_cast_force_plain(TRUE);
            else
                bg_cast_set_cache_bytes(0);
            g_autoptr(BgCastImage) other = cast(volume, &params);
            bg_cast_force_plain(FALSE);
            bg_cast_set_cache_bytes((gsize) 640 << 20);
            const guint8 *p = bg_image_get_pixels(fast->colour),
                         *q = bg_image_get_pixels(other->colour);
            gsize n_off = 0, n = bg_image_get_n_bytes(fast->colour);
            for (gsize i = 0; i < n; i++)
                n_off += ABS(p[i] - q[i]) > 1;
            // Where nearest voxels change, or a root is grazed, one digit decides.
            g_assert_cmpuint(n_off, <=, n / 500);
        }
    }
}

static double
with_hole(BgVec3 p)
{
    return p.x > 0.0 ? (double) NAN : lumps(p);
}

static void
test_not_a_number(void)
{
    BgGeometry geometry = cube(32, 1.0);
    Store store = { BG_SAMPLE_FLOAT32, 1.0, 0.0 };
    g_autoptr(BgVolume) whole = make_volume(&geometry, store, lumps);
    g_autoptr(BgVolume) half = make_volume(&geometry, store, with_hole);
    const char *const techniques[] = { SOFT,          CLEAR,        EDGES, FLAT("mip"),
                                       FLAT("minip"), FLAT("mean"), ISO };

    for (gsize t = 0; t < G_N_ELEMENTS(techniques); t++) {
        g_autoptr(BgTransferFunction) tf = make_tf(techniques[t]);
        BgCastParams params;
        bg_cast_params_init(&params);
        params.tf = tf;
        params.step_mm = 0.5;
        set_view(&params, whole, (BgView){ .zoom = 1.2, .parallel = TRUE }, 64, 64);
        g_autoptr(BgCastImage) a = cast(whole, &params);
        g_autoptr(BgCastImage) b = cast(half, &params);
        const guint8 *p = bg_image_get_pixels(a->colour), *q = bg_image_get_pixels(b->colour);
        for (int v = 0; v < 64; v++) {
            for (int u = 0; u < 28; u++) { // the patient's right: nothing missing there
                for (int c = 0; c < 3; c++)
                    g_assert_cmpint(ABS(p[4 * (u + 64 * v) + c] - q[4 * (u + 64 * v) + c]), <=, 1);
            }
            for (int u = 36; u < 64; u++)
                g_assert_cmpint(q[4 * (u + 64 * v)], ==, 0);
        }
    }
}

static void
test_thin(void)
{
    const int shapes[][3] = { { 1, 16, 16 }, { 16, 1, 16 }, { 16, 16, 1 },
                              { 1, 1, 1 },   { 2, 2, 2 },   { 5, 4, 9 } };

    for (gsize s = 0; s < G_N_ELEMENTS(shapes); s++) {
        for (gsize c = 0; c < G_N_ELEMENTS(truth_cases); c++) {
            BgGeometry geometry = bg_geometry_new_regular(shapes[s], bg_vec3(2, 2, 2));
            g_autoptr(BgVolume) volume = make_volume(&geometry, truth_cases[c].store, constant);
            g_autoptr(BgTransferFunction) tf = make_tf(truth_cases[c].json);
            BgCastParams params;
            bg_cast_params_init(&params);
            params.tf = tf;
            params.transparent = TRUE;
            set_view(&params, volume,
                     (BgView){ .elevation_deg = 40, .azimuth_deg = 40, .zoom = 1.0 }, 33, 33);
            g_autoptr(BgCastImage) image = cast(volume, &params);
            const guint8 *rgba = bg_image_get_pixels(image->colour);
            gboolean by_gradient = strstr(truth_cases[c].json, "gradient_opacity") != NULL;
            g_assert_cmpint(rgba[4 * (16 + 33 * 16) + 3] > 0, ==, !by_gradient);
        }
    }
}

static void
test_inside(void)
{
    BgGeometry geometry = cube(32, 1.0);
    g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, constant);
    g_autoptr(BgTransferFunction) tf = make_tf(FLAT("mean"));
    BgCastParams params;
    BgView view = bg_view_default();

    bg_cast_params_init(&params);
    params.tf = tf;
    params.camera =
        bg_camera_from_view(&view, bg_vec3(0, 0, 0), 2.0, 20, 20); // 8 mm before the middle
    g_autoptr(BgCastImage) mean = cast(volume, &params);
    g_autoptr(BgTransferFunction) soft = make_tf(SOFT);
    params.tf = soft;
    g_autoptr(BgCastImage) image = cast(volume, &params);
    const float *depth = bg_image_get_pixels(image->depth);
    for (int i = 0; i < 400; i++)
        g_assert_true(depth[i] > 0.0f && depth[i] < 5.0f);
    g_assert_cmpint(((const guint8 *) bg_image_get_pixels(mean->colour))[0], >, 100);
}

static void
test_refuses(void)
{
    BgGeometry geometry = cube(8, 1.0);
    g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, constant);
    g_autoptr(BgTransferFunction) tf = make_tf(SOFT);

    for (int what = 0; what < 11; what++) {
        BgCastParams params;
        GError *error = NULL;
        bg_cast_params_init(&params);
        params.tf = tf;
        set_view(&params, volume, bg_view_default(), 8, 8);
        params.camera.width = what == 0 ? 0 : what == 1 ? 16385 : 8;
        params.step_mm = what == 2 ? -1.0 : what == 3 ? 1e-6 : what == 4 ? (double) NAN : 0.0;
        params.clip_box = what == 5;
        params.clip_low = bg_vec3(1, 0, 0);
        params.n_planes = what == 6 ? 1 : what == 7 ? BG_CAST_MAX_PLANES + 1 : 0;
        params.early_alpha = what == 8 ? 0.0 : 0.99;
        if (what == 9)
            params.camera.camera_from_patient.m[1][3] = NAN;
        if (what == 10)
            params.tf = NULL;
        g_assert_null(bg_cast(volume, &params, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_clear_error(&error);
    }
}

static void
test_cancelled(void)
{
    BgGeometry geometry = cube(8, 1.0);
    g_autoptr(BgVolume) volume = make_volume(&geometry, as_int16, constant);
    g_autoptr(BgTransferFunction) tf = make_tf(SOFT);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgCastParams params;
    GError *error = NULL;

    bg_cast_params_init(&params);
    params.tf = tf;
    set_view(&params, volume, bg_view_default(), 64, 64);
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_cast(volume, &params, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_clear_error(&error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cast/agrees-with/short-steps", test_truth);
    g_test_add_func("/cast/agrees-with/slab-formula", test_slab);
    g_test_add_func("/cast/agrees-with/sphere-formula", test_sphere);
    g_test_add_func("/cast/same-for/axis-codes", test_axis_codes);
    g_test_add_func("/cast/same-for/threads", test_threads);
    g_test_add_func("/cast/same-for/loops", test_paths);
    g_test_add_func("/cast/shows/right-on-the-left", test_sides);
    g_test_add_func("/cast/leaves-out/not-a-number", test_not_a_number);
    g_test_add_func("/cast/draws/thin-volumes", test_thin);
    g_test_add_func("/cast/draws/from-inside", test_inside);
    g_test_add_func("/cast/refuses/parameters", test_refuses);
    g_test_add_func("/cast/stops/when-cancelled", test_cancelled);
    return g_test_run();
}
