// SPDX-License-Identifier: Apache-2.0
// Encapsulated STL (PS3.3 A.85): a binary STL in the patient's coordinates, millimetres.
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define STL_HEADER 84
#define STL_TRIANGLE 50
#define NOWHERE G_MAXUINT32

// Vertices of equal coordinates become one: open addressing over the number of the vertex.
typedef struct {
    guint32 *slots;
    gsize mask;
    float *positions;
    guint32 n_vertices;
} Weld;

static gsize
hash_position(const float p[3])
{
    guint32 bits[3];

    memcpy(bits, p, sizeof bits);
    return (gsize) (bits[0] * 73856093u ^ bits[1] * 19349663u ^ bits[2] * 83492791u);
}

static guint32
weld(Weld *w, const float p[3])
{
    gsize at = hash_position(p) * 0x9e3779b97f4a7c15u >> 20 & w->mask;

    while (w->slots[at] != NOWHERE) {
        if (memcmp(w->positions + 3 * (gsize) w->slots[at], p, 3 * sizeof(float)) == 0)
            return w->slots[at];
        at = (at + 1) & w->mask;
    }
    memcpy(w->positions + 3 * (gsize) w->n_vertices, p, 3 * sizeof(float));
    w->slots[at] = w->n_vertices;
    return w->n_vertices++;
}

static guint32
get32le(const guint8 *p)
{
    return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

static BgMesh *
read_triangles(const guint8 *bytes, gsize n, GError **error)
{
    BgMeshData data = { 0 };
    Weld w = { 0 };
    gsize n_slots = 64;

    while (n_slots < n * 6)
        n_slots *= 2;
    w.mask = n_slots - 1;
    bg_auto_buffer guint32 *slots = bg_buffer_alloc_items(n_slots, sizeof(guint32), error);
    w.slots = slots;
    data.positions =
        slots != NULL ? bg_buffer_alloc_items(MAX(9 * n, 1), sizeof(float), error) : NULL;
    data.triangles = data.positions != NULL
                         ? bg_buffer_alloc_items(MAX(3 * n, 1), sizeof(guint32), error)
                         : NULL;
    if (data.triangles == NULL) {
        bg_mesh_data_clear(&data);
        return NULL;
    }
    memset(slots, 0xff, n_slots * sizeof(guint32));
    w.positions = data.positions;
    for (gsize t = 0; t < n; t++) {
        const guint8 *triangle = bytes + STL_HEADER + STL_TRIANGLE * t;
        guint32 corner[3];
        for (gsize c = 0; c < 3; c++) {
            float p[3];
            for (gsize a = 0; a < 3; a++) {
                guint32 bits = get32le(triangle + 12 + 12 * c + 4 * a);
                memcpy(&p[a], &bits, 4);
                p[a] = p[a] == 0.0f ? 0.0f : p[a]; // one zero
            }
            corner[c] = weld(&w, p);
        }
        if (corner[0] == corner[1] || corner[1] == corner[2] || corner[0] == corner[2])
            continue;
        memcpy(data.triangles + 3 * data.n_triangles++, corner, sizeof corner);
    }
    data.n_vertices = w.n_vertices;
    return bg_mesh_new_take(&data, error);
}

BgMesh *
bg_dcm_load_mesh(const BgDcmImage *image, GError **error)
{
    g_autoptr(BgDcmData) data = bg_dcm_data_open(image->path, error);

    if (data == NULL)
        return NULL;
    BgDcmSet root = bg_dcm_root(data);
    const BgDcmElement *element = bg_dcm_find(root, BG_DCM_TAG(0x0042, 0x0011));
    const guint8 *bytes = bg_dcm_value(root, element);
    if (bytes == NULL || element->length < STL_HEADER ||
        get32le(bytes + 80) > (element->length - STL_HEADER) / STL_TRIANGLE) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("%s: the surface in it is no binary STL, or cut short"), image->path);
        return NULL;
    }
    BgMesh *mesh = read_triangles(bytes, get32le(bytes + 80), error);
    if (mesh == NULL)
        g_prefix_error(error, "%s: ", image->path);
    return mesh;
}
