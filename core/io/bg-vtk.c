// SPDX-License-Identifier: Apache-2.0
// VTK's legacy format, binary: big-endian. Written only.
#include "bg-mesh-private.h"

#include <string.h>

#define TITLE_BYTES 255
#define HASH_DIGITS 32

static void
put_words(BgMeshSink *sink, const guint32 *words, gsize n)
{
    guint32 block[1024];

    for (gsize done = 0; done < n && sink->failure == NULL;) {
        gsize m = MIN(n - done, G_N_ELEMENTS(block));
        for (gsize i = 0; i < m; i++)
            block[i] = GUINT32_TO_BE(words[done + i]);
        bg_mesh_sink_bytes(sink, block, m * sizeof *block);
        done += m;
    }
    bg_mesh_sink_text(sink, "\n");
}

// The two highest bits of a text's length say in how many bytes it stands.
static void
put_string(BgMeshSink *sink, const char *text)
{
    guint32 n = (guint32) MIN(strlen(text), (gsize) (1u << 30) - 1);

    if (n < 1u << 6) {
        guint8 length = (guint8) (3u << 6 | n);
        bg_mesh_sink_bytes(sink, &length, sizeof length);
    } else if (n < 1u << 14) {
        guint16 length = GUINT16_TO_BE((guint16) (2u << 14 | n));
        bg_mesh_sink_bytes(sink, &length, sizeof length);
    } else {
        guint32 length = GUINT32_TO_BE(1u << 30 | n);
        bg_mesh_sink_bytes(sink, &length, sizeof length);
    }
    bg_mesh_sink_bytes(sink, text, n);
}

static void
put_fields(const BgMeshJob *job, BgMeshSink *sink)
{
    gboolean grouped = bg_mesh_is_grouped(job->data);

    if (job->params->provenance == NULL && !grouped)
        return;
    bg_mesh_sink_printf(sink, "FIELD FieldData %d\n",
                        (job->params->provenance != NULL) + (grouped ? 1 : 0));
    if (job->params->provenance != NULL) {
        g_autofree char *ascii = bg_mesh_ascii_json(job->params->provenance);
        bg_mesh_sink_text(sink, "provenance 1 1 string\n");
        put_string(sink, ascii);
        bg_mesh_sink_text(sink, "\n");
    }
    if (grouped) {
        bg_mesh_sink_printf(sink, "label_names 2 %u string\n", job->data->groups->len);
        for (guint i = 0; i < job->data->groups->len; i++) {
            const BgMeshGroup *group = &g_array_index(job->data->groups, BgMeshGroup, i);
            g_autofree char *label = g_strdup_printf("%u", group->label);
            put_string(sink, label);
            put_string(sink, group->name);
        }
        bg_mesh_sink_text(sink, "\n");
    }
}

static void
put_labels(const BgMeshData *data, BgMeshSink *sink)
{
    bg_mesh_sink_printf(sink, "CELL_DATA %zu\nSCALARS label unsigned_int 1\nLOOKUP_TABLE default\n",
                        data->n_triangles);
    for (guint i = 0; i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        guint32 label = GUINT32_TO_BE(group->label);
        for (gsize t = 0; t < group->n_triangles; t++)
            bg_mesh_sink_bytes(sink, &label, sizeof label);
    }
    bg_mesh_sink_text(sink, "\n");
}

void
bg_vtk_write(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;
    g_autofree char *title =
        g_strdup_printf("bregma SPACE=%s UNIT=mm%s%.*s", job->space,
                        job->hash[0] != '\0' ? " provenance=" : "", HASH_DIGITS, job->hash);

    sink->n_expected = 12 * (guint64) data->n_vertices + 16 * (guint64) data->n_triangles;
    bg_mesh_sink_printf(sink, "# vtk DataFile Version 3.0\n%.*s\nBINARY\nDATASET POLYDATA\n",
                        TITLE_BYTES, title);
    put_fields(job, sink);
    bg_mesh_sink_printf(sink, "POINTS %zu float\n", data->n_vertices);
    put_words(sink, (const guint32 *) (gconstpointer) data->positions, 3 * data->n_vertices);
    bg_mesh_sink_printf(sink, "POLYGONS %zu %zu\n", data->n_triangles, 4 * data->n_triangles);
    for (gsize t = 0; t < data->n_triangles && sink->failure == NULL; t++) {
        const guint32 *v = data->triangles + 3 * t;
        const guint32 cell[4] = { GUINT32_TO_BE(3), GUINT32_TO_BE(v[0]), GUINT32_TO_BE(v[1]),
                                  GUINT32_TO_BE(v[2]) };
        bg_mesh_sink_bytes(sink, cell, sizeof cell);
    }
    bg_mesh_sink_text(sink, "\n");
    if (bg_mesh_is_grouped(data))
        put_labels(data, sink);
    if ((data->normals != NULL || data->distances_mm != NULL) && data->n_vertices > 0)
        bg_mesh_sink_printf(sink, "POINT_DATA %zu\n", data->n_vertices);
    if (data->distances_mm != NULL && data->n_vertices > 0) {
        bg_mesh_sink_text(sink, "SCALARS distance_mm float 1\nLOOKUP_TABLE default\n");
        put_words(sink, (const guint32 *) (gconstpointer) data->distances_mm, data->n_vertices);
    }
    if (data->normals != NULL && data->n_vertices > 0) {
        bg_mesh_sink_text(sink, "NORMALS normals float\n");
        put_words(sink, (const guint32 *) (gconstpointer) data->normals, 3 * data->n_vertices);
    }
}
