// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-affine.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define HEADER_BYTES 80
#define TRIANGLE_BYTES 50
#define HASH_DIGITS 32 // of 64: what the header has room for
#define BLOCK_TRIANGLES 4096
#define SHOWN_TRIANGLES ((BG_SNIFF_BYTES - HEADER_BYTES - 4) / TRIANGLE_BYTES)

static void
find_normal(const BgMeshData *data, gsize triangle, float normal[3])
{
    BgVec3 p[3];

    for (int i = 0; i < 3; i++) {
        const float *at = data->positions + 3 * (gsize) data->triangles[3 * triangle + (gsize) i];
        p[i] = bg_vec3(at[0], at[1], at[2]);
    }
    BgVec3 n = bg_vec3_normalize(bg_vec3_cross(bg_vec3_sub(p[1], p[0]), bg_vec3_sub(p[2], p[0])));
    normal[0] = (float) n.x;
    normal[1] = (float) n.y;
    normal[2] = (float) n.z;
}

// The 80 bytes must not begin with "solid", which is how text begins.
static char *
describe(const BgMeshJob *job)
{
    return g_strdup_printf("bregma STL SPACE=%s UNIT=mm%s%.*s", job->space,
                           job->hash[0] != '\0' ? " provenance=" : "", HASH_DIGITS, job->hash);
}

static void
write_text(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;
    g_autofree char *description = describe(job);
    float normal[3];

    bg_mesh_sink_printf(sink, "solid %s\n", description);
    for (gsize t = 0; t < data->n_triangles && sink->failure == NULL; t++) {
        find_normal(data, t, normal);
        bg_mesh_sink_text(sink, "facet normal");
        bg_mesh_sink_floats(sink, normal, 3);
        bg_mesh_sink_text(sink, "\n outer loop\n");
        for (gsize i = 0; i < 3; i++) {
            bg_mesh_sink_text(sink, "  vertex");
            bg_mesh_sink_floats(sink, data->positions + 3 * (gsize) data->triangles[3 * t + i], 3);
            bg_mesh_sink_text(sink, "\n");
        }
        bg_mesh_sink_text(sink, " endloop\nendfacet\n");
    }
    bg_mesh_sink_text(sink, "endsolid bregma\n");
}

static void
put_float(guint8 *to, float value)
{
    guint32 bits;

    memcpy(&bits, &value, sizeof bits);
    bits = GUINT32_TO_LE(bits);
    memcpy(to, &bits, sizeof bits);
}

static float
get_float(const guint8 *from)
{
    guint32 bits;
    float value;

    memcpy(&bits, from, sizeof bits);
    bits = GUINT32_FROM_LE(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

void
bg_stl_write(const BgMeshJob *job, BgMeshSink *sink)
{
    const BgMeshData *data = job->data;
    char header[HEADER_BYTES] = { 0 };
    g_autofree char *description = describe(job);
    guint32 count = GUINT32_TO_LE((guint32) data->n_triangles);
    float normal[3];

    if (job->params->ascii) {
        write_text(job, sink);
        return;
    }

    sink->n_expected = HEADER_BYTES + 4 + TRIANGLE_BYTES * (guint64) data->n_triangles;
    memcpy(header, description, MIN(strlen(description), sizeof header));
    bg_mesh_sink_bytes(sink, header, sizeof header);
    bg_mesh_sink_bytes(sink, &count, sizeof count);
    for (gsize t = 0; t < data->n_triangles && sink->failure == NULL; t++) {
        guint8 record[TRIANGLE_BYTES] = { 0 };
        find_normal(data, t, normal);
        for (gsize c = 0; c < 3; c++)
            put_float(record + 4 * c, normal[c]);
        for (gsize i = 0; i < 9; i++)
            put_float(record + 12 + 4 * i,
                      data->positions[3 * (gsize) data->triangles[3 * t + i / 3] + i % 3]);
        bg_mesh_sink_bytes(sink, record, sizeof record);
    }
}

// In

static gboolean
add_triangle(BgMeshBuilder *builder, const float corners[9], GError **error)
{
    guint32 vertices[3];

    for (int i = 0; i < 3; i++) {
        if (!bg_mesh_builder_weld_vertex(builder, corners + 3 * i, &vertices[i], error))
            return FALSE;
    }
    return bg_mesh_builder_add_triangle(builder, vertices, error);
}

static gboolean
read_binary(BgSource *source, BgMeshBuilder *builder, BgMeshNote *note, const BgProgress *progress,
            GError **error)
{
    guint8 header[HEADER_BYTES + 4];
    guint32 count;

    if (!bg_source_read(source, header, sizeof header, error))
        return FALSE;
    memcpy(&count, header + HEADER_BYTES, sizeof count);
    count = GUINT32_FROM_LE(count);
    guint64 promised = sizeof header + TRIANGLE_BYTES * (guint64) count;
    if (promised > bg_source_get_limit(source))
        return bg_io_set_cut_short(promised, bg_source_get_limit(source), error);
    g_autofree char *comment = g_strndup((const char *) header, HEADER_BYTES);
    bg_mesh_note_read(note, g_strstrip(comment));

    g_autofree guint8 *block = g_malloc(BLOCK_TRIANGLES * TRIANGLE_BYTES);
    for (guint32 done = 0; done < count;) {
        guint32 n = MIN(BLOCK_TRIANGLES, count - done);
        if (!bg_source_read(source, block, (gsize) n * TRIANGLE_BYTES, error))
            return FALSE;
        for (guint32 t = 0; t < n; t++) {
            float corners[9];
            for (gsize i = 0; i < 9; i++)
                corners[i] = get_float(block + (gsize) t * TRIANGLE_BYTES + 12 + 4 * i);
            if (!add_triangle(builder, corners, error))
                return FALSE;
        }
        done += n;
        bg_progress_report(progress, (double) done / count);
    }
    return TRUE;
}

// Goes over the first word of @line when it is @word.
static gboolean
take_word(char **line, const char *word)
{
    char *at = *line;
    gsize n = strlen(word);

    while (g_ascii_isspace(*at))
        at++;
    if (g_ascii_strncasecmp(at, word, n) != 0 || (at[n] != '\0' && !g_ascii_isspace(at[n])))
        return FALSE;
    *line = at + n;
    return TRUE;
}

// Parts of a text file: which line may follow.
typedef struct {
    gboolean in_solid, in_facet;
    int n_corners; // of this facet
    float corners[9];
    gsize n_solids;
} TextState;

static gboolean
read_line(BgMeshText *text, char *line, TextState *state, BgMeshBuilder *builder, BgMeshNote *note,
          GError **error)
{
    double p[3];

    if (take_word(&line, "vertex")) {
        if (!state->in_facet || state->n_corners == 3)
            return bg_mesh_text_refuse(text, _("A triangle has more than 3 corners"), error);
        if (!bg_mesh_text_doubles(line, p, 3, NULL))
            return bg_mesh_text_refuse(text, _("3 numbers are wanted"), error);
        for (int c = 0; c < 3; c++)
            state->corners[3 * state->n_corners + c] = (float) p[c];
        state->n_corners++;
        return TRUE;
    }
    if (take_word(&line, "facet")) {
        if (!state->in_solid || state->in_facet)
            return bg_mesh_text_refuse(text, _("A triangle begins within another"), error);
        state->in_facet = TRUE;
        state->n_corners = 0;
        return TRUE;
    }
    if (take_word(&line, "endfacet")) {
        if (state->n_corners != 3)
            return bg_mesh_text_refuse(text, _("A triangle has less than 3 corners"), error);
        state->in_facet = FALSE;
        state->n_corners = 0;
        return add_triangle(builder, state->corners, error);
    }
    if (take_word(&line, "solid")) {
        if (state->in_solid)
            return bg_mesh_text_refuse(text, _("A solid begins within another"), error);
        state->in_solid = TRUE;
        bg_mesh_note_read(note, g_strstrip(line));
        if (state->n_solids++ > 0)
            bg_mesh_builder_begin_group(builder, line, 0);
        return TRUE;
    }
    if (take_word(&line, "endsolid")) {
        if (state->in_facet)
            return bg_mesh_text_refuse(text, _("A triangle does not end"), error);
        state->in_solid = FALSE;
        return TRUE;
    }
    if (take_word(&line, "outer") || take_word(&line, "endloop") || *g_strstrip(line) == '\0')
        return TRUE;
    return bg_mesh_text_refuse(text, _("The word at its beginning is unknown"), error);
}

static gboolean
read_text(BgSource *source, BgMeshBuilder *builder, BgMeshNote *note, const BgProgress *progress,
          GError **error)
{
    guint64 n_bytes = bg_source_get_limit(source);
    TextState state = { 0 };
    BgMeshText text;
    char *line;
    GError *failure = NULL;

    bg_mesh_text_init(&text, source);
    while ((line = bg_mesh_text_next(&text, &failure)) != NULL) {
        if (!read_line(&text, line, &state, builder, note, &failure))
            break;
        if (text.line % 65536 == 0)
            bg_progress_report(progress,
                               (double) bg_source_get_position(source) / (double) n_bytes);
    }
    if (failure == NULL && state.in_solid)
        bg_mesh_text_refuse(&text, _("The end is missing: the file is cut short"), &failure);
    bg_mesh_text_clear(&text);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, failure);
    return FALSE;
}

static gboolean
begins_as_text(const guint8 *bytes, gsize n_bytes)
{
    gsize at = 0;

    while (at < n_bytes && g_ascii_isspace((char) bytes[at]))
        at++;
    return n_bytes - at >= 5 && g_ascii_strncasecmp((const char *) bytes + at, "solid", 5) == 0;
}

// Some programs begin the header of binary files with "solid": the count decides.
static gboolean
is_text(const char *path, gboolean *text, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, NULL, error);
    guint8 header[HEADER_BYTES + 4];
    guint32 count;

    if (source == NULL)
        return FALSE;
    gssize n = bg_source_read_some(source, header, sizeof header, error);
    if (n < 0)
        return FALSE;
    *text = begins_as_text(header, (gsize) n);
    if (*text && n == sizeof header) {
        memcpy(&count, header + HEADER_BYTES, sizeof count);
        *text = sizeof header + TRIANGLE_BYTES * (guint64) GUINT32_FROM_LE(count) !=
                bg_source_get_limit(source);
    }
    return TRUE;
}

// A binary file has no mark of its own: what the first triangles hold must be numbers.
static gboolean
sniff_binary(const guint8 *bytes, gsize n_bytes)
{
    guint32 count;

    if (n_bytes < HEADER_BYTES + 4)
        return FALSE;
    memcpy(&count, bytes + HEADER_BYTES, sizeof count);
    count = GUINT32_FROM_LE(count);
    if (count == 0)
        return n_bytes == HEADER_BYTES + 4;
    if (count > G_MAXINT32)
        return FALSE;
    for (gsize t = 0; t < MIN(count, SHOWN_TRIANGLES); t++) {
        const guint8 *record = bytes + HEADER_BYTES + 4 + t * TRIANGLE_BYTES;
        if (record + TRIANGLE_BYTES > bytes + n_bytes)
            return t > 0;
        for (gsize i = 0; i < 12; i++) {
            float value = fabsf(get_float(record + 4 * i));
            // Normals of some programs are not of unit length; places are within kilometres.
            if (!(value <= 1e7f) || (value != 0.0f && value < 1e-30f))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && (begins_as_text(bytes, n_bytes) || sniff_binary(bytes, n_bytes));
}

static BgFileInfo *
probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgMeshNote note = { 0 };
    char header[HEADER_BYTES + 1] = { 0 };
    gboolean text;

    if (source == NULL || !is_text(path, &text, error))
        return NULL;
    if (bg_source_read_some(source, header, HEADER_BYTES, error) < 0)
        return NULL;
    if (text)
        *(header + strcspn(header, "\r\n")) = '\0';
    bg_mesh_note_read(&note, g_strstrip(header));
    BgFileInfo *info = bg_mesh_note_info(&note, BG_FORMAT_STL, path);
    bg_mesh_note_clear(&note);
    return info;
}

static BgLoaded *
load(const char *path, const BgLoadParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgMeshNote note = { 0 };
    BgMeshBuilder builder = { 0 };
    BgMeshData data;
    BgLoaded *loaded = NULL;
    gboolean text;

    if (source != NULL && is_text(path, &text, error) &&
        (text ? read_text(source, &builder, &note, progress, error)
              : read_binary(source, &builder, &note, progress, error))) {
        bg_mesh_builder_finish(&builder, &data);
        loaded = bg_mesh_note_finish(&note, BG_FORMAT_STL, path, &data, error);
    }
    bg_mesh_builder_clear(&builder);
    bg_mesh_note_clear(&note);
    return loaded;
}

const BgReader bg_reader_stl = { "STL", sniff, probe, load };
