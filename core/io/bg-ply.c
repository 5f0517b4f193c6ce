// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define MAX_PROPERTIES 64
#define MAX_ELEMENTS 16
#define MAX_CORNERS 65535 // of one polygon
#define GROUP_MARK "group "
#define DISTANCE "distance_mm" // a property of vertices

static void
write_header(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;
    const char *order =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? "binary_little_endian" : "binary_big_endian";

    bg_mesh_sink_printf(sink, "ply\nformat %s 1.0\n", job->params->ascii ? "ascii" : order);
    bg_mesh_sink_printf(sink, "comment bregma PLY SPACE=%s UNIT=mm\n", job->space);
    bg_mesh_sink_provenance(sink, "comment ", job->params->provenance);
    for (guint i = 0; bg_mesh_is_grouped(data) && i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        g_autofree char *name = g_strdelimit(g_utf8_make_valid(group->name, -1), "\r\n", ' ');
        bg_mesh_sink_printf(sink, "comment " GROUP_MARK "%u %zu %s\n", group->label,
                            group->n_triangles, name);
    }
    bg_mesh_sink_printf(sink, "element vertex %zu\n", data->n_vertices);
    bg_mesh_sink_text(sink, "property float x\nproperty float y\nproperty float z\n");
    if (data->normals != NULL)
        bg_mesh_sink_text(sink, "property float nx\nproperty float ny\nproperty float nz\n");
    if (data->distances_mm != NULL)
        bg_mesh_sink_text(sink, "property float " DISTANCE "\n");
    bg_mesh_sink_printf(sink, "element face %zu\nproperty list uchar int vertex_indices\n",
                        data->n_triangles);
    if (bg_mesh_is_grouped(data))
        bg_mesh_sink_text(sink, "property uint label\n");
    bg_mesh_sink_text(sink, "end_header\n");
}

static void
write_vertex(const BgMeshJob *job, gsize i, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;

    if (!job->params->ascii) {
        bg_mesh_sink_bytes(sink, data->positions + 3 * i, 3 * sizeof(float));
        if (data->normals != NULL)
            bg_mesh_sink_bytes(sink, data->normals + 3 * i, 3 * sizeof(float));
        if (data->distances_mm != NULL)
            bg_mesh_sink_bytes(sink, data->distances_mm + i, sizeof(float));
        return;
    }
    bg_mesh_sink_floats(sink, data->positions + 3 * i, 3);
    if (data->normals != NULL)
        bg_mesh_sink_floats(sink, data->normals + 3 * i, 3);
    if (data->distances_mm != NULL)
        bg_mesh_sink_floats(sink, data->distances_mm + i, 1);
    bg_mesh_sink_text(sink, "\n");
}

static void
write_face(const BgMeshJob *job, gsize t, const BgMeshGroup *group, BgMeshSink *sink)
{
    const guint32 *v = job->data->triangles + 3 * t;
    guint8 record[17] = { 3 };

    if (job->params->ascii) {
        bg_mesh_sink_printf(sink, "3 %u %u %u", v[0], v[1], v[2]);
        if (group != NULL)
            bg_mesh_sink_printf(sink, " %u", group->label);
        bg_mesh_sink_text(sink, "\n");
        return;
    }
    memcpy(record + 1, v, 3 * sizeof *v);
    if (group != NULL)
        memcpy(record + 13, &group->label, sizeof group->label);
    bg_mesh_sink_bytes(sink, record, group != NULL ? 17 : 13);
}

void
bg_ply_write(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;

    sink->n_expected = 12 * (guint64) data->n_vertices + 13 * (guint64) data->n_triangles;
    write_header(job, sink);
    for (gsize i = 0; i < data->n_vertices && sink->failure == NULL; i++)
        write_vertex(job, i, sink);
    if (!bg_mesh_is_grouped(data)) {
        for (gsize t = 0; t < data->n_triangles && sink->failure == NULL; t++)
            write_face(job, t, NULL, sink);
        return;
    }
    for (guint i = 0; i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        for (gsize t = 0; t < group->n_triangles && sink->failure == NULL; t++)
            write_face(job, group->first_triangle + t, group, sink);
    }
}

// In

typedef enum {
    INT8,
    UINT8,
    INT16,
    UINT16,
    INT32,
    UINT32,
    FLOAT32,
    FLOAT64,
} Type;

static const struct {
    const char *name, *other_name;
    gsize size;
} types[] = {
    { "char", "int8", 1 },     { "uchar", "uint8", 1 },    { "short", "int16", 2 },
    { "ushort", "uint16", 2 }, { "int", "int32", 4 },      { "uint", "uint32", 4 },
    { "float", "float32", 4 }, { "double", "float64", 8 },
};

// What a property is to us.
typedef enum {
    IGNORED,
    X,
    Y,
    Z,
    NX,
    NY,
    NZ,
    AWAY,
    LABEL,
    CORNERS,
    N_ROLES,
} Role;

typedef struct {
    Type type, count_type;
    gboolean list;
    Role role;
} Property;

typedef struct {
    gboolean is_vertex, is_face;
    gboolean has_normals, has_distance; // once the header is read
    guint64 count;
    gsize n_properties;
    Property properties[MAX_PROPERTIES];
} Element;

typedef enum {
    ASCII,
    BINARY_LE,
    BINARY_BE,
} Coding;

typedef struct {
    BgMeshText text;
    char *line; // ASCII: what is left of this one
    Coding coding;
    gsize n_elements;
    Element elements[MAX_ELEMENTS];
    BgMeshBuilder builder;
    BgMeshNote note;
    GArray *groups;    // owned: of BgMeshGroup, as comments name them; counts are of faces
    GArray *normals;   // owned, nullable: of float
    GArray *distances; // likewise
    GArray *fan;       // owned: of guint32: the corners of this face
    double values[N_ROLES];
    guint32 last_label;
} Reading;

static gboolean
find_type(const char *name, Type *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_strcmp0(name, types[i].name) == 0 || g_strcmp0(name, types[i].other_name) == 0) {
            *type = (Type) i;
            return TRUE;
        }
    }
    return FALSE;
}

static Role
find_role(const Element *element, const char *name, gboolean list)
{
    static const char *const names[] = {
        [X] = "x", [Y] = "y", [Z] = "z", [NX] = "nx", [NY] = "ny", [NZ] = "nz", [AWAY] = DISTANCE
    };

    for (Role role = X; element->is_vertex && !list && role <= AWAY; role++) {
        if (strcmp(name, names[role]) == 0)
            return role;
    }
    if (element->is_face && list &&
        (strcmp(name, "vertex_indices") == 0 || strcmp(name, "vertex_index") == 0))
        return CORNERS;
    return element->is_face && !list && strcmp(name, "label") == 0 ? LABEL : IGNORED;
}

static void
read_group(Reading *r, const char *comment)
{
    BgMeshGroup group = { 0 };
    char *after;

    group.label = (guint32) g_ascii_strtoull(comment, &after, 10);
    group.n_triangles = (gsize) g_ascii_strtoull(after, &after, 10);
    g_strlcpy(group.name, *after == ' ' ? after + 1 : after, sizeof group.name);
    g_array_append_val(r->groups, group);
}

static gboolean
read_element(Reading *r, char **words, GError **error)
{
    if (words[1] == NULL || words[2] == NULL || r->n_elements == MAX_ELEMENTS)
        return bg_mesh_text_refuse(&r->text, _("An element cannot be understood"), error);
    Element *element = &r->elements[r->n_elements++];
    element->is_vertex = strcmp(words[1], "vertex") == 0;
    element->is_face = strcmp(words[1], "face") == 0;
    if (!g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXINT64, &element->count, NULL))
        return bg_mesh_text_refuse(&r->text, _("An element cannot be understood"), error);
    return TRUE;
}

static gboolean
read_property(Reading *r, char **words, GError **error)
{
    guint n_words = g_strv_length(words);
    Element *element = r->n_elements == 0 ? NULL : &r->elements[r->n_elements - 1];
    gboolean list = n_words == 5 && strcmp(words[1], "list") == 0;
    Property property = { .list = list };

    if (element == NULL || element->n_properties == MAX_PROPERTIES || (n_words != 3 && !list) ||
        !find_type(words[list ? 3 : 1], &property.type) ||
        (list && (!find_type(words[2], &property.count_type) || property.count_type >= FLOAT32)))
        return bg_mesh_text_refuse(&r->text, _("A property cannot be understood"), error);
    property.role = find_role(element, words[n_words - 1], list);
    element->properties[element->n_properties++] = property;
    return TRUE;
}

static gboolean
read_format(Reading *r, char **words, GError **error)
{
    static const char *const names[] = { "ascii", "binary_little_endian", "binary_big_endian" };

    for (gsize i = 0; words[1] != NULL && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(words[1], names[i]) == 0) {
            r->coding = (Coding) i;
            return TRUE;
        }
    }
    return bg_mesh_text_refuse(&r->text, _("Its format is unknown"), error);
}

static gboolean
read_header_line(Reading *r, char *line, GError **error)
{
    if (g_str_has_prefix(line, "comment ")) {
        char *comment = line + strlen("comment ");
        if (g_str_has_prefix(comment, GROUP_MARK))
            read_group(r, comment + strlen(GROUP_MARK));
        else
            bg_mesh_note_read(&r->note, comment);
        return TRUE;
    }
    g_auto(GStrv) words = g_strsplit_set(g_strstrip(line), " \t", 8);
    if (words[0] == NULL || g_str_has_prefix(words[0], "comment") ||
        strcmp(words[0], "obj_info") == 0)
        return TRUE;
    if (strcmp(words[0], "format") == 0)
        return read_format(r, words, error);
    if (strcmp(words[0], "element") == 0)
        return read_element(r, words, error);
    if (strcmp(words[0], "property") == 0)
        return read_property(r, words, error);
    return bg_mesh_text_refuse(&r->text, _("The word at its beginning is unknown"), error);
}

static gboolean
has_role(const Element *element, Role role)
{
    for (gsize i = 0; i < element->n_properties; i++) {
        if (element->properties[i].role == role)
            return TRUE;
    }
    return FALSE;
}

// No element may promise more than the bytes that there are can hold.
static gboolean
check_elements(Reading *r, GError **error)
{
    guint64 there = bg_source_get_limit(r->text.source);
    guint64 n_vertices = 0;
    gboolean surface = FALSE;

    for (gsize e = 0; e < r->n_elements; e++) {
        const Element *element = &r->elements[e];
        guint64 each = 0;
        for (gsize i = 0; i < element->n_properties; i++) {
            const Property *p = &element->properties[i];
            each += r->coding == ASCII ? 2 : types[p->list ? p->count_type : p->type].size;
        }
        if (element->count > 0 && (each == 0 || element->count > there / each + 1))
            return bg_io_set_cut_short(element->count, there, error);
        if (element->is_vertex &&
            !(has_role(element, X) && has_role(element, Y) && has_role(element, Z)))
            return bg_mesh_text_refuse(&r->text, _("The vertices have no x, y and z"), error);
        if (element->is_vertex)
            n_vertices += element->count;
        surface |= element->is_face && has_role(element, CORNERS);
    }
    if (surface || n_vertices == 0)
        return TRUE;
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("the file holds points and no faces. Make a surface of them first"));
    return FALSE;
}

static gboolean
read_header(Reading *r, GError **error)
{
    GError *failure = NULL;
    char *line = bg_mesh_text_next(&r->text, &failure);

    if (line != NULL && strcmp(g_strchomp(line), "ply") != 0)
        return bg_mesh_text_refuse(&r->text, _("“ply” is missing"), error);
    while (line != NULL && (line = bg_mesh_text_next(&r->text, &failure)) != NULL) {
        if (g_str_has_prefix(line, "end_header"))
            return check_elements(r, error);
        if (!read_header_line(r, line, error))
            return FALSE;
    }
    if (failure == NULL)
        return bg_mesh_text_refuse(&r->text, _("The end of the header is missing"), error);
    g_propagate_error(error, failure);
    return FALSE;
}

static double
decode(const guint8 *bytes, Type type, gboolean swap)
{
    guint8 b[8];
    gsize size = types[type].size;

    for (gsize i = 0; i < size; i++)
        b[i] = bytes[swap ? size - 1 - i : i];
#define AS(ctype)                        \
    {                                    \
        ctype value;                     \
        memcpy(&value, b, sizeof value); \
        return (double) value;           \
    }
    switch (type) {
    case INT8:
        AS(gint8)
    case UINT8:
        AS(guint8)
    case INT16:
        AS(gint16)
    case UINT16:
        AS(guint16)
    case INT32:
        AS(gint32)
    case UINT32:
        AS(guint32)
    case FLOAT32:
        AS(float)
    case FLOAT64:
        AS(double)
    }
#undef AS
    return 0.0;
}

static gboolean
read_number(Reading *r, Type type, double *value, GError **error)
{
    guint8 bytes[8];
    const char *end;

    if (r->coding == ASCII) {
        if (r->line == NULL || !bg_mesh_text_doubles(r->line, value, 1, &end))
            return bg_mesh_text_refuse(&r->text, _("A number is missing"), error);
        r->line = (char *) end;
        return TRUE;
    }
    if (!bg_mesh_text_read(&r->text, bytes, types[type].size, error))
        return FALSE;
    *value = decode(bytes, type, (r->coding == BINARY_LE) != (G_BYTE_ORDER == G_LITTLE_ENDIAN));
    return TRUE;
}

static gboolean
read_list(Reading *r, const Property *property, GError **error)
{
    double count, value;

    if (!read_number(r, property->count_type, &count, error))
        return FALSE;
    if (!(count >= 0.0 && count <= MAX_CORNERS && count == rint(count)))
        return bg_mesh_text_refuse(&r->text, _("A list has an impossible length"), error);
    if (property->role == CORNERS)
        g_array_set_size(r->fan, 0);
    for (int i = 0; i < (int) count; i++) {
        if (!read_number(r, property->type, &value, error))
            return FALSE;
        if (property->role != CORNERS)
            continue;
        if (!(value >= 0.0 && value < (double) r->builder.data.n_vertices && value == rint(value)))
            return bg_mesh_text_refuse(&r->text, _("It names a vertex that is not there"), error);
        guint32 corner = (guint32) value;
        g_array_append_val(r->fan, corner);
    }
    return TRUE;
}

static gboolean
add_vertex(Reading *r, const Element *element, GError **error)
{
    float position[3], normal[3], distance_mm = (float) r->values[AWAY];

    for (int c = 0; c < 3; c++) {
        position[c] = (float) r->values[X + c];
        normal[c] = (float) r->values[NX + c];
    }
    if (element->has_normals)
        g_array_append_vals(r->normals, normal, 3);
    if (element->has_distance)
        g_array_append_val(r->distances, distance_mm);
    return bg_mesh_builder_add_vertex(&r->builder, position, error);
}

// The comments name a label's group; without them it is named by its number alone.
static const char *
find_name(const Reading *r, guint32 label)
{
    for (guint i = 0; i < r->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(r->groups, BgMeshGroup, i);
        if (group->label == label)
            return group->name;
    }
    return "";
}

static gboolean
add_face(Reading *r, gboolean has_label, GError **error)
{
    guint32 label = has_label && r->values[LABEL] >= 0.0 && r->values[LABEL] <= G_MAXUINT32
                        ? (guint32) r->values[LABEL]
                        : 0;
    const guint32 *fan = (const guint32 *) (gconstpointer) r->fan->data;

    if (has_label && (r->builder.data.groups == NULL || label != r->last_label))
        bg_mesh_builder_begin_group(&r->builder, find_name(r, label), label);
    r->last_label = label;
    if (r->fan->len < 3)
        return bg_mesh_text_refuse(&r->text, _("A face has less than 3 corners"), error);
    for (guint i = 2; i < r->fan->len; i++) {
        const guint32 triangle[3] = { fan[0], fan[i - 1], fan[i] };
        if (!bg_mesh_builder_add_triangle(&r->builder, triangle, error))
            return FALSE;
    }
    return TRUE;
}

// The next line that is not blank.
static gboolean
next_line(Reading *r, GError **error)
{
    GError *failure = NULL;

    do {
        r->line = bg_mesh_text_next(&r->text, &failure);
    } while (r->line != NULL && r->line[strspn(r->line, " \t")] == '\0');
    if (r->line != NULL)
        return TRUE;
    if (failure == NULL)
        return bg_mesh_text_refuse(&r->text, _("The end is missing: the file is cut short"), error);
    g_propagate_error(error, failure);
    return FALSE;
}

static gboolean
read_record(Reading *r, const Element *element, GError **error)
{
    if (r->coding == ASCII && !next_line(r, error))
        return FALSE;
    for (gsize i = 0; i < element->n_properties; i++) {
        const Property *p = &element->properties[i];
        double value;
        if (p->list) {
            if (!read_list(r, p, error))
                return FALSE;
        } else {
            if (!read_number(r, p->type, &value, error))
                return FALSE;
            r->values[p->role] = value;
        }
    }
    return TRUE;
}

static gboolean
read_elements(Reading *r, const BgProgress *progress, GError **error)
{
    guint64 n_bytes = bg_source_get_limit(r->text.source);

    for (gsize e = 0; e < r->n_elements; e++) {
        Element *element = &r->elements[e];
        element->has_normals =
            has_role(element, NX) && has_role(element, NY) && has_role(element, NZ);
        element->has_distance = has_role(element, AWAY);
        gboolean has_label = has_role(element, LABEL), has_corners = has_role(element, CORNERS);
        if (element->is_vertex && element->has_normals && r->normals == NULL)
            r->normals = g_array_new(FALSE, FALSE, sizeof(float));
        if (element->has_distance && r->distances == NULL)
            r->distances = g_array_new(FALSE, FALSE, sizeof(float));
        for (guint64 i = 0; i < element->count; i++) {
            if (!read_record(r, element, error) ||
                (element->is_vertex && !add_vertex(r, element, error)) ||
                (has_corners && !add_face(r, has_label, error)))
                return FALSE;
            if (i % 65536 == 0)
                bg_progress_report(progress, (double) bg_source_get_position(r->text.source) /
                                                 (double) n_bytes);
        }
    }
    return TRUE;
}

// Normals that are there for every vertex, made unit length.
static gboolean
take_normals(Reading *r, BgMeshData *data, GError **error)
{
    if (r->normals == NULL || r->normals->len != 3 * data->n_vertices || data->n_vertices == 0)
        return TRUE;
    data->normals = bg_buffer_alloc_items(3 * data->n_vertices, sizeof(float), error);
    if (data->normals == NULL)
        return FALSE;
    memcpy(data->normals, r->normals->data, 3 * data->n_vertices * sizeof(float));
    for (float *n = data->normals; n < data->normals + 3 * data->n_vertices; n += 3) {
        float length = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
        for (int c = 0; c < 3 && fabsf(length - 1.0f) > 1e-5f; c++)
            n[c] = length > 0.0f && isfinite(length) ? n[c] / length : 0.0f;
    }
    return TRUE;
}

static gboolean
take_distances(Reading *r, BgMeshData *data, GError **error)
{
    if (r->distances == NULL || r->distances->len != data->n_vertices || data->n_vertices == 0)
        return TRUE;
    data->distances_mm = bg_buffer_alloc_items(data->n_vertices, sizeof(float), error);
    if (data->distances_mm == NULL)
        return FALSE;
    memcpy(data->distances_mm, r->distances->data, data->n_vertices * sizeof(float));
    return TRUE;
}

static void
reading_init(Reading *r, BgSource *source)
{
    bg_mesh_text_init(&r->text, source);
    r->groups = g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
    r->fan = g_array_new(FALSE, FALSE, sizeof(guint32));
}

static void
reading_free(Reading *r)
{
    bg_mesh_text_clear(&r->text);
    bg_mesh_builder_clear(&r->builder);
    bg_mesh_note_clear(&r->note);
    g_clear_pointer(&r->groups, g_array_unref);
    g_clear_pointer(&r->fan, g_array_unref);
    g_clear_pointer(&r->normals, g_array_unref);
    g_clear_pointer(&r->distances, g_array_unref);
    g_free(r);
}

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 4 && memcmp(bytes, "ply", 3) == 0 &&
           (bytes[3] == '\n' || bytes[3] == '\r' || bytes[3] == ' ');
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgFileInfo *info = NULL;

    if (source == NULL)
        return NULL;
    Reading *r = g_new0(Reading, 1);
    reading_init(r, source);
    if (read_header(r, error))
        info = bg_mesh_note_info(&r->note, BG_FORMAT_PLY, path);
    reading_free(r);
    return info;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgLoaded *loaded = NULL;
    BgMeshData data = { 0 };

    if (source == NULL)
        return NULL;
    Reading *r = g_new0(Reading, 1);
    reading_init(r, source);
    if (read_header(r, error) && read_elements(r, progress, error)) {
        bg_mesh_builder_finish(&r->builder, &data);
        if (take_normals(r, &data, error) && take_distances(r, &data, error))
            loaded = bg_mesh_note_finish(&r->note, BG_FORMAT_PLY, path, &data, error);
        else
            bg_mesh_data_clear(&data);
    }
    reading_free(r);
    return loaded;
}

const BgReader bg_reader_ply = { "PLY", sniff, probe, load };
