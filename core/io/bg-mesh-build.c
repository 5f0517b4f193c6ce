// SPDX-License-Identifier: Apache-2.0
// Surfaces that are being read: what comments say, vertices and triangles, lines of text.
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define FIRST_ROOM 1024
#define LINE_BYTES (64u << 10)
#define MAX_PROVENANCE (8u << 20)

// What comments say

static const char *
find_tag(const char *comment, const char *tag)
{
    const char *at = strstr(comment, tag);

    return at == NULL ? NULL : at + strlen(tag);
}

static void
read_provenance(BgMeshNote *note, const char *comment)
{
    const char *from = find_tag(comment, "provenance|");
    const char *to = from == NULL ? NULL : strrchr(from, '|');

    if (to == NULL)
        return;
    if (note->provenance == NULL)
        note->provenance = g_string_new(NULL);
    if (note->provenance->len < MAX_PROVENANCE)
        g_string_append_len(note->provenance, from, to - from);
}

void
bg_mesh_note_read(BgMeshNote *note, const char *comment)
{
    static const struct {
        const char *name;
        double mm;
    } units[] = { { "mm", 1.0 }, { "cm", 10.0 }, { "um", 1e-3 }, { "m", 1000.0 } };

    if (find_tag(comment, "provenance|") != NULL) {
        read_provenance(note, comment);
        return;
    }

    const char *space = find_tag(comment, "SPACE=");
    if (space != NULL && note->space == 0)
        note->space = g_str_has_prefix(space, BG_MESH_SPACE_LPS)   ? 'L'
                      : g_str_has_prefix(space, BG_MESH_SPACE_RAS) ? 'R'
                                                                   : 0;
    const char *unit = find_tag(comment, "UNIT=");
    for (gsize i = 0; unit != NULL && note->unit_mm == 0.0 && i < G_N_ELEMENTS(units); i++) {
        gsize n = strlen(units[i].name);
        if (strncmp(unit, units[i].name, n) == 0 && !g_ascii_isalnum(unit[n]))
            note->unit_mm = units[i].mm;
    }
    if (note->description == NULL && comment[0] != '\0')
        note->description = g_utf8_make_valid(comment, -1);
}

void
bg_mesh_note_clear(BgMeshNote *note)
{
    g_clear_pointer(&note->description, g_free);
    if (note->provenance != NULL)
        g_string_free(g_steal_pointer(&note->provenance), TRUE);
}

BgFileInfo *
bg_mesh_note_info(const BgMeshNote *note, BgFormat format, const char *path)
{
    BgFileInfo *info = bg_file_info_new(path);

    info->format = format;
    info->kind = BG_KIND_MESH;
    info->n_frames = 1;
    info->n_components = 3;
    info->datatype = "float32";
    info->side_known = note->space != 0;
    if (note->space == 0)
        bg_file_info_warn(info, _("The side is unknown: the file does not say whether x grows to "
                                  "the patient's left or right. Left is taken (LPS)"));
    if (note->unit_mm == 0.0)
        bg_file_info_warn(info, _("The file does not say its unit. Millimetres are taken"));
    info->description = g_strdup(note->description);
    if (note->provenance != NULL)
        info->provenance = g_utf8_make_valid(note->provenance->str, -1);
    return info;
}

BgLoaded *
bg_mesh_note_finish(const BgMeshNote *note, BgFormat format, const char *path, BgMeshData *data,
                    GError **error)
{
    g_autoptr(BgMesh) mesh = bg_mesh_new_take(data, error);
    BgAffine flip = bg_affine_lps_ras_flip(), scale = bg_affine_identity();

    *data = (BgMeshData){ 0 };
    if (mesh == NULL)
        return NULL;
    if (note->space == 'R' || (note->unit_mm != 0.0 && note->unit_mm != 1.0)) {
        for (int i = 0; i < 3; i++)
            scale.m[i][i] = note->unit_mm != 0.0 ? note->unit_mm : 1.0;
        BgAffine both = note->space == 'R' ? bg_affine_multiply(&flip, &scale) : scale;
        BgMesh *moved = bg_mesh_transform(mesh, &both, error);
        bg_mesh_unref(mesh);
        mesh = moved;
        if (mesh == NULL)
            return NULL;
    }
    BgLoaded *loaded = bg_loaded_new(bg_mesh_note_info(note, format, path));
    loaded->mesh = g_steal_pointer(&mesh);
    return loaded;
}

// Vertices and triangles

static gboolean
grow(gpointer *array, gsize *room, gsize n, gsize item, GError **error)
{
    gsize wanted = *room == 0 ? FIRST_ROOM : *room + *room / 2;

    if (n < *room)
        return TRUE;
    gpointer larger = bg_buffer_alloc_items(wanted, item, error);
    if (larger == NULL)
        return FALSE;
    if (n > 0)
        memcpy(larger, *array, n * item);
    bg_buffer_free(*array);
    *array = larger;
    *room = wanted;
    return TRUE;
}

gboolean
bg_mesh_builder_add_vertex(BgMeshBuilder *builder, const float position[3], GError **error)
{
    gpointer positions = builder->data.positions;

    if (builder->data.n_vertices >= G_MAXUINT32 - 1) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The surface has more than 4 billion vertices. Decimate it first"));
        return FALSE;
    }
    if (!grow(&positions, &builder->vertex_room, builder->data.n_vertices, 3 * sizeof(float),
              error))
        return FALSE;
    builder->data.positions = positions;
    memcpy(builder->data.positions + 3 * builder->data.n_vertices, position, 3 * sizeof(float));
    builder->data.n_vertices++;
    return TRUE;
}

static gsize
hash_position(const float position[3])
{
    guint32 bits[3];
    guint64 hash = 0;

    memcpy(bits, position, sizeof bits);
    for (int i = 0; i < 3; i++) {
        hash = (hash ^ bits[i]) * 0x9E3779B97F4A7C15u; // 2^64 over the golden ratio
        hash ^= hash >> 29;
    }
    return (gsize) hash;
}

static gsize
find_slot(const BgMeshBuilder *builder, const float position[3])
{
    gsize slot = hash_position(position) & (builder->n_slots - 1);

    while (builder->slots[slot] != 0) {
        const float *there = builder->data.positions + 3 * (gsize) (builder->slots[slot] - 1);
        if (memcmp(there, position, 3 * sizeof(float)) == 0)
            break;
        slot = (slot + 1) & (builder->n_slots - 1);
    }
    return slot;
}

// At most half full.
static gboolean
grow_slots(BgMeshBuilder *builder, GError **error)
{
    gsize n = builder->n_slots == 0 ? 4 * FIRST_ROOM : 2 * builder->n_slots;

    if (2 * builder->data.n_vertices < builder->n_slots)
        return TRUE;
    guint32 *slots = bg_buffer_alloc_items(n, sizeof *slots, error);
    if (slots == NULL)
        return FALSE;
    memset(slots, 0, n * sizeof *slots);
    bg_buffer_free(builder->slots);
    builder->slots = slots;
    builder->n_slots = n;
    for (gsize i = 0; i < builder->data.n_vertices; i++)
        slots[find_slot(builder, builder->data.positions + 3 * i)] = (guint32) i + 1;
    return TRUE;
}

gboolean
bg_mesh_builder_weld_vertex(BgMeshBuilder *builder, const float position[3], guint32 *vertex,
                            GError **error)
{
    // -0 and 0 are one place.
    const float place[3] = { position[0] + 0.0f, position[1] + 0.0f, position[2] + 0.0f };

    if (!grow_slots(builder, error))
        return FALSE;
    gsize slot = find_slot(builder, place);
    if (builder->slots[slot] == 0) {
        if (!bg_mesh_builder_add_vertex(builder, place, error))
            return FALSE;
        builder->slots[slot] = (guint32) builder->data.n_vertices;
    }
    *vertex = builder->slots[slot] - 1;
    return TRUE;
}

gboolean
bg_mesh_builder_add_triangle(BgMeshBuilder *builder, const guint32 vertices[3], GError **error)
{
    gpointer triangles = builder->data.triangles;

    if (!grow(&triangles, &builder->triangle_room, builder->data.n_triangles, 3 * sizeof(guint32),
              error))
        return FALSE;
    builder->data.triangles = triangles;
    memcpy(builder->data.triangles + 3 * builder->data.n_triangles, vertices, 3 * sizeof(guint32));
    builder->data.n_triangles++;
    return TRUE;
}

static void
end_group(BgMeshBuilder *builder)
{
    GArray *groups = builder->data.groups;

    if (groups == NULL || groups->len == 0)
        return;
    BgMeshGroup *last = &g_array_index(groups, BgMeshGroup, groups->len - 1);
    last->n_triangles = builder->data.n_triangles - last->first_triangle;
    if (last->n_triangles == 0)
        g_array_set_size(groups, groups->len - 1);
}

void
bg_mesh_builder_begin_group(BgMeshBuilder *builder, const char *name, guint32 label)
{
    BgMeshGroup group = { .first_triangle = builder->data.n_triangles, .label = label };
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    const char *end;

    if (builder->data.groups == NULL) {
        builder->data.groups = g_array_new(FALSE, TRUE, sizeof(BgMeshGroup));
        if (builder->data.n_triangles > 0) { // what came before has no name
            BgMeshGroup before = { .n_triangles = builder->data.n_triangles };
            g_array_append_val(builder->data.groups, before);
        }
    }
    end_group(builder);
    g_strlcpy(group.name, valid, sizeof group.name);
    g_utf8_validate(group.name, -1, &end); // cut within a letter
    group.name[end - group.name] = '\0';
    g_array_append_val(builder->data.groups, group);
}

void
bg_mesh_builder_finish(BgMeshBuilder *builder, BgMeshData *data)
{
    end_group(builder);
    if (builder->data.groups != NULL && builder->data.groups->len == 0)
        g_clear_pointer(&builder->data.groups, g_array_unref);
    *data = builder->data;
    builder->data = (BgMeshData){ 0 };
    bg_mesh_builder_clear(builder);
}

void
bg_mesh_builder_clear(BgMeshBuilder *builder)
{
    bg_mesh_data_clear(&builder->data);
    g_clear_pointer(&builder->slots, bg_buffer_free);
    *builder = (BgMeshBuilder){ 0 };
}

// Lines

void
bg_mesh_text_init(BgMeshText *text, BgSource *source)
{
    *text = (BgMeshText){ .source = source, .buffer = g_malloc(LINE_BYTES + 1) };
}

void
bg_mesh_text_clear(BgMeshText *text)
{
    g_clear_pointer(&text->buffer, g_free);
}

gboolean
bg_mesh_text_refuse(const BgMeshText *text, const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: a line's number, and a sentence that says what is wrong there
                _("the file is damaged: line %zu: %s"), text->line, reason);
    return FALSE;
}

static gboolean
refill(BgMeshText *text, GError **error)
{
    memmove(text->buffer, text->buffer + text->at, text->n - text->at);
    text->n -= text->at;
    text->at = 0;
    if (text->n == LINE_BYTES)
        return bg_mesh_text_refuse(text, _("It is too long"), error);
    gssize n =
        bg_source_read_some(text->source, text->buffer + text->n, LINE_BYTES - text->n, error);
    if (n < 0)
        return FALSE;
    text->ended = n == 0;
    text->n += (gsize) n;
    return TRUE;
}

char *
bg_mesh_text_next(BgMeshText *text, GError **error)
{
    char *from, *end;

    text->line++;
    for (;;) {
        from = text->buffer + text->at;
        end = memchr(from, '\n', text->n - text->at);
        if (end != NULL || text->ended)
            break;
        if (!refill(text, error))
            return NULL;
    }
    if (end == NULL) {
        if (text->at == text->n)
            return NULL;
        end = text->buffer + text->n; // there is a byte to spare for the NUL
        text->at = text->n;
    } else {
        text->at = (gsize) (end + 1 - text->buffer);
    }
    if (end > from && end[-1] == '\r')
        end--;
    *end = '\0';
    if (strlen(from) != (gsize) (end - from)) {
        bg_mesh_text_refuse(text, _("It is no text"), error);
        return NULL;
    }
    return from;
}

gboolean
bg_mesh_text_read(BgMeshText *text, gpointer data, gsize n_bytes, GError **error)
{
    // Numbers of some bytes each: not a call of the system for each of them.
    if (text->n - text->at < n_bytes && n_bytes < LINE_BYTES && !text->ended &&
        !refill(text, error))
        return FALSE;
    gsize n = MIN(n_bytes, text->n - text->at);
    memcpy(data, text->buffer + text->at, n);
    text->at += n;
    return n == n_bytes || bg_source_read(text->source, (guint8 *) data + n, n_bytes - n, error);
}

gboolean
bg_mesh_text_doubles(const char *line, double *values, int n, const char **end)
{
    char *after;

    for (int i = 0; i < n; i++) {
        values[i] = g_ascii_strtod(line, &after);
        if (after == line || !isfinite(values[i]))
            return FALSE;
        line = after;
    }
    if (end != NULL)
        *end = line;
    return TRUE;
}
