// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MARK "label"

// A name without blanks, which end it: "label-3-Left_hemisphere".
static char *
group_name(const BgMeshGroup *group)
{
    g_autofree char *name = g_utf8_make_valid(group->name, -1);

    for (char *p = name; *p != '\0'; p++) {
        if (g_ascii_isspace(*p) || g_ascii_iscntrl(*p))
            *p = '_';
    }
    return g_strdup_printf(GROUP_MARK "-%u-%s", group->label, name);
}

static void
write_faces(const BgMeshData *data, gsize first, gsize n, BgMeshSink *sink)
{
    for (gsize t = first; t < first + n && sink->failure == NULL; t++) {
        const guint32 *v = data->triangles + 3 * t;
        if (data->normals != NULL)
            bg_mesh_sink_printf(sink, "f %u//%u %u//%u %u//%u\n", v[0] + 1, v[0] + 1, v[1] + 1,
                                v[1] + 1, v[2] + 1, v[2] + 1);
        else
            bg_mesh_sink_printf(sink, "f %u %u %u\n", v[0] + 1, v[1] + 1, v[2] + 1);
    }
}

void
bg_obj_write(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;

    sink->n_expected = 36 * (guint64) data->n_vertices + 25 * (guint64) data->n_triangles;
    bg_mesh_sink_printf(sink, "# bregma OBJ SPACE=%s UNIT=mm\n", job->space);
    bg_mesh_sink_provenance(sink, "# ", job->params->provenance);
    for (gsize i = 0; i < data->n_vertices && sink->failure == NULL; i++) {
        bg_mesh_sink_text(sink, "v");
        bg_mesh_sink_floats(sink, data->positions + 3 * i, 3);
        bg_mesh_sink_text(sink, "\n");
    }
    for (gsize i = 0; data->normals != NULL && i < data->n_vertices; i++) {
        bg_mesh_sink_text(sink, "vn");
        bg_mesh_sink_floats(sink, data->normals + 3 * i, 3);
        bg_mesh_sink_text(sink, "\n");
    }
    if (!bg_mesh_is_grouped(data)) {
        write_faces(data, 0, data->n_triangles, sink);
        return;
    }
    for (guint i = 0; i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        g_autofree char *name = group_name(group);
        bg_mesh_sink_printf(sink, "g %s\n", name);
        write_faces(data, group->first_triangle, group->n_triangles, sink);
    }
}

// In

typedef struct {
    BgMeshText text;
    BgMeshBuilder builder;
    BgMeshNote note;
} Reading;

// "7", "7/1", "7//3", "-1": only the first number, the vertex, is used.
static gboolean
read_corner(Reading *r, char **at, guint32 *vertex, GError **error)
{
    char *after;
    gint64 number = g_ascii_strtoll(*at, &after, 10);
    gsize n = r->builder.data.n_vertices;

    if (after == *at || (*after != '\0' && *after != '/' && !g_ascii_isspace(*after)))
        return bg_mesh_text_refuse(&r->text, _("Numbers of vertices are wanted"), error);
    if (number < 0)
        number += (gint64) n + 1; // from the end
    if (number < 1 || (guint64) number > n)
        return bg_mesh_text_refuse(&r->text, _("It names a vertex that is not there"), error);
    *vertex = (guint32) (number - 1);
    while (*after != '\0' && !g_ascii_isspace(*after))
        after++;
    while (g_ascii_isspace(*after))
        after++;
    *at = after;
    return TRUE;
}

static gboolean
read_face(Reading *r, char *at, GError **error)
{
    guint32 fan[3] = { 0 };
    int n = 0;

    g_strstrip(at);
    while (*at != '\0') {
        guint32 vertex = 0;
        if (!read_corner(r, &at, &vertex, error))
            return FALSE;
        fan[MIN(n, 2)] = vertex;
        if (++n < 3)
            continue;
        if (!bg_mesh_builder_add_triangle(&r->builder, fan, error))
            return FALSE;
        fan[1] = vertex;
    }
    return n >= 3 || bg_mesh_text_refuse(&r->text, _("A face has less than 3 corners"), error);
}

static void
read_group(Reading *r, char *name)
{
    char *after;

    g_strstrip(name);
    if (g_str_has_prefix(name, GROUP_MARK "-")) {
        guint64 label = g_ascii_strtoull(name + strlen(GROUP_MARK "-"), &after, 10);
        if (*after == '-' && label <= G_MAXUINT32) {
            bg_mesh_builder_begin_group(&r->builder, g_strdelimit(after + 1, "_", ' '),
                                        (guint32) label);
            return;
        }
    }
    bg_mesh_builder_begin_group(&r->builder, name, 0);
}

static gboolean
read_vertex(Reading *r, const char *numbers, GError **error)
{
    double p[3];
    float position[3];

    if (!bg_mesh_text_doubles(numbers, p, 3, NULL))
        return bg_mesh_text_refuse(&r->text, _("3 numbers are wanted"), error);
    for (int c = 0; c < 3; c++)
        position[c] = (float) p[c];
    return bg_mesh_builder_add_vertex(&r->builder, position, error);
}

static gboolean
read_line(Reading *r, char *line, GError **error)
{
    while (g_ascii_isspace(*line))
        line++;
    gboolean one = line[0] != '\0' && (g_ascii_isspace(line[1]) || line[1] == '\0');

    if (line[0] == '#')
        bg_mesh_note_read(&r->note, g_strstrip(line + 1));
    else if (one && line[0] == 'v')
        return read_vertex(r, line + 1, error);
    else if (one && line[0] == 'f')
        return read_face(r, line + 1, error);
    else if (one && (line[0] == 'g' || line[0] == 'o'))
        read_group(r, line + 1);
    return TRUE; // colours, textures, lines: no part of the surface
}

static gboolean
read_all(Reading *r, gboolean comments_only, const BgProgress *progress, GError **error)
{
    guint64 n_bytes = bg_source_get_limit(r->text.source);
    GError *failure = NULL;
    char *line;

    while ((line = bg_mesh_text_next(&r->text, &failure)) != NULL) {
        if (comments_only && line[0] != '#' && line[0] != '\0')
            break;
        if (!read_line(r, line, &failure))
            break;
        if (r->text.line % 65536 == 0)
            bg_progress_report(progress,
                               (double) bg_source_get_position(r->text.source) / (double) n_bytes);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, failure);
    return FALSE;
}

static void
reading_clear(Reading *r)
{
    bg_mesh_text_clear(&r->text);
    bg_mesh_builder_clear(&r->builder);
    bg_mesh_note_clear(&r->note);
}

static gboolean
is_obj_line(const char *line)
{
    static const char *const words[] = {
        "v ", "vn ", "vt ", "f ", "g ", "mtllib ", "usemtl ", "o "
    };

    if (line[0] == '#')
        return strstr(line, "OBJ") != NULL || strstr(line, "Wavefront") != NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(line, words[i]))
            return TRUE;
    }
    return FALSE;
}

// Text whose first lines are comments, and one that only OBJ has.
static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    if (gzipped || memchr(bytes, '\0', n_bytes) != NULL)
        return FALSE;
    g_autofree char *text = g_strndup((const char *) bytes, n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (gsize i = 0; lines[i] != NULL; i++) {
        char *line = g_strchug(lines[i]);
        if (is_obj_line(line))
            return TRUE;
        if (line[0] != '#' && line[0] != '\0')
            return FALSE;
    }
    return FALSE;
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgFileInfo *info = NULL;
    Reading r = { 0 };

    if (source == NULL)
        return NULL;
    bg_mesh_text_init(&r.text, source);
    if (read_all(&r, TRUE, NULL, error))
        info = bg_mesh_note_info(&r.note, BG_FORMAT_OBJ, path);
    reading_clear(&r);
    return info;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgLoaded *loaded = NULL;
    BgMeshData data;
    Reading r = { 0 };

    if (source == NULL)
        return NULL;
    bg_mesh_text_init(&r.text, source);
    if (read_all(&r, FALSE, progress, error)) {
        bg_mesh_builder_finish(&r.builder, &data);
        loaded = bg_mesh_note_finish(&r.note, BG_FORMAT_OBJ, path, &data, error);
    }
    reading_clear(&r);
    return loaded;
}

const BgReader bg_reader_obj = { "OBJ", sniff, probe, load };
