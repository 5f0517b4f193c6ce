// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/register/bg-landmark-plane.h"
#include "core/volume/bg-crop.h"

#include <string.h>

#define FACE_MM 1e-9      // how far outside a face still belongs to it: rounding
#define CIRCLE_CORNERS 64 // of a cylinder's mesh

static gboolean
refuse(const char *text, GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, text);
    return FALSE;
}

static int
compare_points(gconstpointer a, gconstpointer b)
{
    const BgContourPoint *p = a, *q = b;

    return p->x != q->x ? (p->x < q->x ? -1 : 1) : p->y < q->y ? -1 : p->y > q->y;
}

static double
side_of(const BgContourPoint *a, const BgContourPoint *b, const BgContourPoint *p)
{
    return (b->x - a->x) * (p->y - a->y) - (b->y - a->y) * (p->x - a->x);
}

// Andrew's monotone chain: counter-clockwise, without points on its edges.
static GArray *
convex_hull(BgContourPoint *points, gsize n)
{
    GArray *hull = g_array_new(FALSE, FALSE, sizeof(BgContourPoint));

    qsort(points, n, sizeof *points, compare_points);
    for (int pass = 0; pass < 2; pass++) {
        guint base = hull->len;
        for (gsize k = 0; k < n; k++) {
            const BgContourPoint *p = &points[pass == 0 ? k : n - 1 - k];
            while (hull->len >= base + 2 &&
                   side_of(&g_array_index(hull, BgContourPoint, hull->len - 2),
                           &g_array_index(hull, BgContourPoint, hull->len - 1), p) <= 0.0)
                g_array_set_size(hull, hull->len - 1);
            g_array_append_val(hull, *p);
        }
        g_array_set_size(hull, hull->len - 1); // the next pass begins with it
    }
    return hull;
}

// Each edge moves outwards; neighbours meet in their new corner.
static void
widen(GArray *hull, double margin)
{
    guint n = hull->len;
    g_autofree BgContourPoint *old = g_memdup2(hull->data, n * sizeof(BgContourPoint));

    for (guint i = 0; i < n; i++) {
        const BgContourPoint *p = &old[(i + n - 1) % n], *q = &old[i], *r = &old[(i + 1) % n];
        double a = hypot(q->x - p->x, q->y - p->y), b = hypot(r->x - q->x, r->y - q->y);
        double nx = (q->y - p->y) / a, ny = -(q->x - p->x) / a;
        double mx = (r->y - q->y) / b, my = -(r->x - q->x) / b;
        double meet = margin / (1.0 + nx * mx + ny * my);
        BgContourPoint *out = &g_array_index(hull, BgContourPoint, i);
        out->x = q->x + meet * (nx + mx);
        out->y = q->y + meet * (ny + my);
    }
}

static gboolean
make_outline(BgPrism *prism, const BgVec3 *points, gsize n, double margin, GError **error)
{
    g_autofree BgContourPoint *flat = g_new(BgContourPoint, n);

    for (gsize i = 0; i < n; i++) {
        BgVec3 d = bg_vec3_sub(points[i], prism->origin_mm);
        flat[i].x = bg_vec3_dot(d, prism->u);
        flat[i].y = bg_vec3_dot(d, prism->v);
        prism->radius_mm = fmax(prism->radius_mm, hypot(flat[i].x, flat[i].y) + margin);
    }
    if (prism->is_cylinder)
        return prism->radius_mm > 0.0 ||
               refuse(_("There is nothing to crop: all points lie in one place"), error);
    prism->outline = convex_hull(flat, n);
    if (prism->outline->len < 3)
        return refuse(_("There is nothing to crop: the points lie on one line. Place one off it, "
                        "or take a cylinder"),
                      error);
    widen(prism->outline, margin);
    return TRUE;
}

BgPrism *
bg_prism_new(const BgLandmarkPlane *plane, BgVec3 origin_mm, const BgVec3 *points, gsize n_points,
             BgPrismShape shape, double depth_mm, double margin_mm, GError **error)
{
    if (!(depth_mm > 0.0) || !isfinite(depth_mm) || !(margin_mm >= 0.0) || !isfinite(margin_mm)) {
        refuse(_("There is nothing to crop: the depth must be above 0 and the margin not below 0. "
                 "Choose other lengths"),
               error);
        return NULL;
    }
    g_autoptr(BgPrism) prism = g_new0(BgPrism, 1);
    prism->origin_mm = origin_mm;
    prism->normal = plane->normal;
    prism->u = plane->u;
    prism->v = plane->v;
    prism->depth_mm = depth_mm;
    prism->is_cylinder = shape == BG_PRISM_CYLINDER;
    if (!make_outline(prism, points, n_points, margin_mm, error))
        return NULL;
    return g_steal_pointer(&prism);
}

void
bg_prism_free(BgPrism *prism)
{
    g_clear_pointer(&prism->outline, g_array_unref);
    g_free(prism);
}

BgVec3
bg_prism_get_bottom(const BgPrism *prism)
{
    return bg_vec3_along(prism->origin_mm, prism->depth_mm, prism->normal);
}

gboolean
bg_prism_contains(const BgPrism *prism, BgVec3 patient_mm)
{
    BgVec3 d = bg_vec3_sub(patient_mm, prism->origin_mm);
    double s = bg_vec3_dot(d, prism->normal);
    BgContourPoint p = { bg_vec3_dot(d, prism->u), bg_vec3_dot(d, prism->v) };

    if (!(s >= -FACE_MM && s <= prism->depth_mm + FACE_MM))
        return FALSE;
    if (prism->is_cylinder)
        return hypot(p.x, p.y) <= prism->radius_mm + FACE_MM;
    for (guint i = 0; i < prism->outline->len; i++) {
        const BgContourPoint *a = &g_array_index(prism->outline, BgContourPoint, i);
        const BgContourPoint *b =
            &g_array_index(prism->outline, BgContourPoint, (i + 1) % prism->outline->len);
        if (side_of(a, b, &p) < -FACE_MM * hypot(b->x - a->x, b->y - a->y))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    const BgPrism *prism;
    const BgGeometry *geometry;
    guint8 *mask;
} MaskJob;

static void
mask_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const MaskJob *job = user_data;
    const int *dims = job->geometry->dims;

    for (gsize r = first; r < last; r++) {
        guint8 *row = job->mask + r * (gsize) dims[0];
        int j = (int) (r % (gsize) dims[1]), k = (int) (r / (gsize) dims[1]);
        for (int i = 0; i < dims[0]; i++)
            row[i] = bg_prism_contains(
                job->prism, bg_affine_apply(&job->geometry->patient_from_voxel, bg_vec3(i, j, k)));
    }
}

BgLabelMap *
bg_prism_mask(const BgPrism *prism, const BgGeometry *geometry, GCancellable *cancellable,
              GError **error)
{
    gsize n_rows = (gsize) geometry->dims[1] * (gsize) geometry->dims[2];
    MaskJob job = { prism, geometry, bg_voxels_alloc(geometry, 1, error) };

    if (job.mask == NULL)
        return NULL;
    if (!bg_parallel_for(n_rows, 32, mask_rows, &job, cancellable)) {
        bg_voxels_free(job.mask);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    if (memchr(job.mask, 1, n_rows * (gsize) geometry->dims[0]) == NULL) {
        bg_voxels_free(job.mask);
        refuse(_("There is nothing to crop: no voxel of the volume lies between the planes. Check "
                 "that the landmarks belong to it"),
               error);
        return NULL;
    }
    return bg_label_map_new_take(geometry, BG_LABEL_UINT8, job.mask, error);
}

// One sample of @volume's type for @value.
static void
store_outside(BgVolume *volume, double value, void *sample)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    double stored = (value - format.intercept) / format.slope;

#define STORE(TYPE, name, ctype, low, high)                \
    case TYPE: {                                           \
        ctype s = (ctype) CLAMP(round(stored), low, high); \
        memcpy(sample, &s, sizeof s);                      \
        break;                                             \
    }
    switch (format.type) {
        STORE(BG_SAMPLE_UINT8, uint8, guint8, 0.0, 255.0)
        STORE(BG_SAMPLE_INT8, int8, gint8, -128.0, 127.0)
        STORE(BG_SAMPLE_INT16, int16, gint16, -32768.0, 32767.0)
        STORE(BG_SAMPLE_UINT16, uint16, guint16, 0.0, 65535.0)
    case BG_SAMPLE_FLOAT32: {
        float s = (float) stored;
        memcpy(sample, &s, sizeof s);
        break;
    }
    }
#undef STORE
}

BgVolume *
bg_prism_crop(BgVolume *volume, BgLabelMap *mask, double outside_value, GError **error)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    gsize size = bg_sample_type_size(format.type);
    guint8 outside[sizeof(double)];
    BgVoxelBox box;

    g_return_val_if_fail(
        bg_geometry_equal(bg_volume_get_geometry(volume), bg_label_map_get_geometry(mask), 1e-6),
        NULL);
    if (!bg_label_map_bounds(mask, 0, 0.0, &box, error))
        return NULL;
    g_autoptr(BgVolume) part = bg_volume_crop(volume, &box, error);
    g_autoptr(BgLabelMap) inside = part != NULL ? bg_label_map_cut(mask, &box, error) : NULL;
    if (inside == NULL)
        return NULL;
    const BgGeometry *geometry = bg_volume_get_geometry(part);
    gsize n = bg_geometry_count_voxels(geometry);
    guint8 *samples = bg_voxels_alloc(geometry, size, error);
    if (samples == NULL)
        return NULL;
    const guint8 *labels = bg_label_map_get_labels(inside);
    memcpy(samples, bg_volume_get_samples(part), n * size);
    store_outside(volume, outside_value, outside);
    for (gsize i = 0; i < n; i++)
        if (labels[i] == 0)
            memcpy(samples + i * size, outside, size);
    return bg_volume_new_take(geometry, format, samples, error);
}

static void
get_corner(const BgPrism *prism, guint i, guint n, double depth, float *out)
{
    double angle = 2.0 * G_PI * i / n;
    BgContourPoint p = { prism->radius_mm * cos(angle), prism->radius_mm * sin(angle) };

    if (!prism->is_cylinder)
        p = g_array_index(prism->outline, BgContourPoint, i);
    BgVec3 at = bg_vec3_along(bg_vec3_along(prism->origin_mm, p.x, prism->u), p.y, prism->v);
    at = bg_vec3_along(at, depth, prism->normal);
    out[0] = (float) at.x;
    out[1] = (float) at.y;
    out[2] = (float) at.z;
}

// u, v, normal are right-handed and the outline counter-clockwise, so that the top faces -normal.
BgMesh *
bg_prism_to_mesh(const BgPrism *prism, GError **error)
{
    guint n = prism->is_cylinder ? CIRCLE_CORNERS : prism->outline->len, at = 0;
    BgMeshData data = { .n_vertices = 2 * n, .n_triangles = 4 * n - 4 };

    data.positions = bg_buffer_alloc_items(3 * data.n_vertices, sizeof(float), error);
    if (data.positions == NULL)
        return NULL;
    data.triangles = bg_buffer_alloc_items(3 * data.n_triangles, sizeof(guint32), error);
    if (data.triangles == NULL) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        guint next = (i + 1) % n;
        const guint32 wall[6] = { i, next, n + next, i, n + next, n + i };
        get_corner(prism, i, n, 0.0, data.positions + 3 * i);
        get_corner(prism, i, n, prism->depth_mm, data.positions + 3 * (n + i));
        memcpy(data.triangles + at, wall, sizeof wall);
        at += 6;
    }
    for (guint i = 1; i + 1 < n; i++) {
        const guint32 faces[6] = { 0, i + 1, i, n, n + i, n + i + 1 };
        memcpy(data.triangles + at, faces, sizeof faces);
        at += 6;
    }
    return bg_mesh_new_take(&data, error);
}
