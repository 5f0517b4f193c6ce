// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-affine.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define BUFFER_BYTES (1u << 20) // between two looks at the cancellable
#define PROVENANCE_LINE 900     // VTK's reader of PLY files takes lines of 4 KiB at most

typedef struct {
    const char *suffix;
    void (*write)(const BgMeshJob *job, BgMeshSink *sink);
} Writer;

static const Writer writers[] = {
    { ".stl", bg_stl_write }, { ".ply", bg_ply_write }, { ".obj", bg_obj_write },
    { ".glb", bg_glb_write }, { ".vtk", bg_vtk_write },
};

static gboolean
has_suffix(const char *path, const char *suffix)
{
    gsize n = strlen(path), n_suffix = strlen(suffix);

    return n > n_suffix && g_ascii_strcasecmp(path + n - n_suffix, suffix) == 0;
}

static const Writer *
find_writer(const char *path)
{
    for (gsize i = 0; i < G_N_ELEMENTS(writers); i++) {
        if (has_suffix(path, writers[i].suffix))
            return &writers[i];
    }
    return NULL;
}

gboolean
bg_mesh_can_save(const char *path)
{
    return find_writer(path) != NULL;
}

static void
flush_buffer(BgMeshSink *sink)
{
    if (sink->failure == NULL &&
        !g_cancellable_set_error_if_cancelled(sink->cancellable, &sink->failure))
        bg_output_write(sink->output, sink->buffer->data, sink->buffer->len, &sink->failure);
    sink->n_done += sink->buffer->len;
    if (sink->n_expected > 0)
        bg_progress_report(sink->progress,
                           MIN(1.0, (double) sink->n_done / (double) sink->n_expected));
    g_byte_array_set_size(sink->buffer, 0);
}

void
bg_mesh_sink_bytes(BgMeshSink *sink, gconstpointer data, gsize n_bytes)
{
    const guint8 *from = data;

    while (n_bytes > 0 && sink->failure == NULL) {
        gsize n = MIN(n_bytes, BUFFER_BYTES);
        g_byte_array_append(sink->buffer, from, (guint) n);
        from += n;
        n_bytes -= n;
        if (sink->buffer->len >= BUFFER_BYTES)
            flush_buffer(sink);
    }
}

void
bg_mesh_sink_text(BgMeshSink *sink, const char *text)
{
    bg_mesh_sink_bytes(sink, text, strlen(text));
}

void
bg_mesh_sink_printf(BgMeshSink *sink, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    bg_mesh_sink_text(sink, text);
}

void
bg_mesh_sink_floats(BgMeshSink *sink, const float *values, int n)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < n; i++) {
        text[0] = ' ';
        g_ascii_formatd(text + 1, sizeof text - 1, "%.9g", (double) values[i]);
        bg_mesh_sink_text(sink, text);
    }
}

char *
bg_mesh_ascii_json(const char *json)
{
    g_autofree char *valid = g_utf8_make_valid(json, -1);
    GString *ascii = g_string_new(NULL);

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c < 0x20)
            g_string_append_c(ascii, ' '); // between values: in texts JSON has them escaped
        else if (c < 0x7F)
            g_string_append_c(ascii, (char) c);
        else if (c < 0x10000)
            g_string_append_printf(ascii, "\\u%04x", c);
        else
            g_string_append_printf(ascii, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                                   0xDC00 + ((c - 0x10000) & 0x3FF));
    }
    return g_string_free(ascii, FALSE);
}

void
bg_mesh_sink_provenance(BgMeshSink *sink, const char *prefix, const char *json)
{
    g_autofree char *ascii = json == NULL ? g_strdup("") : bg_mesh_ascii_json(json);
    gsize n = strlen(ascii);

    // Each piece between bars: readers may take blanks off the ends of a line.
    for (gsize at = 0; at < n; at += PROVENANCE_LINE)
        bg_mesh_sink_printf(sink, "%sprovenance|%.*s|\n", prefix, PROVENANCE_LINE, ascii + at);
}

gboolean
bg_mesh_sink_flush(BgMeshSink *sink, GError **error)
{
    flush_buffer(sink);
    if (sink->failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&sink->failure));
    return FALSE;
}

static gboolean
sink_open(BgMeshSink *sink, const char *path, gboolean force, GError **error)
{
    sink->output = bg_output_new(path, force, error);
    sink->buffer = g_byte_array_new();
    return sink->output != NULL;
}

static void
sink_clear(gpointer data)
{
    BgMeshSink *sink = data;

    g_clear_pointer(&sink->output, bg_output_free);
    g_clear_pointer(&sink->buffer, g_byte_array_unref);
    g_clear_error(&sink->failure);
}

gboolean
bg_mesh_is_grouped(const BgMeshData *data)
{
    if (data->groups == NULL || data->groups->len == 0)
        return FALSE;
    const BgMeshGroup *first = &g_array_index(data->groups, BgMeshGroup, 0);
    return data->groups->len > 1 || first->label != 0 || first->name[0] != '\0';
}

static gboolean
is_split(const BgMeshData *data, const char *path)
{
    return has_suffix(path, ".stl") && data->groups != NULL && data->groups->len > 1;
}

// Two groups of one label would meet in one file: the second is numbered on.
static char *
name_part(const BgMeshData *data, guint n, const char *path)
{
    const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, n);
    int n_stem = (int) (strlen(path) - strlen(".stl"));
    guint n_before = 0;

    for (guint i = 0; i < n; i++)
        n_before += g_array_index(data->groups, BgMeshGroup, i).label == group->label;
    if (n_before > 0)
        return g_strdup_printf("%.*s-%u-%u%s", n_stem, path, group->label, n_before + 1,
                               path + n_stem);
    return g_strdup_printf("%.*s-%u%s", n_stem, path, group->label, path + n_stem);
}

GStrv
bg_mesh_list_files(BgMesh *mesh, const char *path)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!is_split(data, path))
        g_strv_builder_add(builder, path);
    for (guint i = 0; is_split(data, path) && i < data->groups->len; i++) {
        g_autofree char *part = name_part(data, i, path);
        g_strv_builder_add(builder, part);
    }
    return g_strv_builder_end(builder);
}

// What one call writes: surfaces, and for STL the provenance beside each.
typedef struct {
    GArray *sinks; // owned: of BgMeshSink
    const Writer *writer;
    BgMeshJob job;
    const BgProgress *progress;
    GCancellable *cancellable;
} Save;

static BgMeshSink *
add_sink(Save *save, const char *path, GError **error)
{
    BgMeshSink sink = { .progress = save->progress, .cancellable = save->cancellable };

    gboolean ok = sink_open(&sink, path, save->job.params->force, error);
    g_array_append_val(save->sinks, sink);
    return ok ? &g_array_index(save->sinks, BgMeshSink, save->sinks->len - 1) : NULL;
}

static gboolean
save_one(Save *save, const BgMeshData *data, const char *path, GError **error)
{
    BgMeshSink *sink = add_sink(save, path, error);

    if (sink == NULL)
        return FALSE;
    save->job.data = data;
    save->writer->write(&save->job, sink);
    if (!bg_mesh_sink_flush(sink, error))
        return FALSE;
    if (save->writer->write != bg_stl_write || save->job.params->provenance == NULL)
        return TRUE;

    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    sink = add_sink(save, beside, error);
    if (sink == NULL)
        return FALSE;
    bg_mesh_sink_text(sink, save->job.params->provenance);
    return bg_mesh_sink_flush(sink, error);
}

static gboolean
save_parts(Save *save, const BgMeshData *data, const char *path, GError **error)
{
    if (!is_split(data, path))
        return save_one(save, data, path, error);
    for (guint i = 0; i < data->groups->len; i++) {
        const BgMeshGroup *group = &g_array_index(data->groups, BgMeshGroup, i);
        g_autofree char *part = name_part(data, i, path);
        BgMeshData view = *data;
        view.triangles = data->triangles + 3 * group->first_triangle;
        view.n_triangles = group->n_triangles;
        view.groups = NULL;
        if (!save_one(save, &view, part, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_counts(const BgMeshData *data, GError **error)
{
    if (data->n_vertices <= G_MAXINT32 && data->n_triangles <= G_MAXINT32 / 4)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("The mesh has %zu triangles, more than its format can count. Decimate it first"),
                data->n_triangles);
    return FALSE;
}

gboolean
bg_mesh_save(BgMesh *mesh, const char *path, const BgMeshSaveParams *params,
             const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    static const BgMeshSaveParams plain = { 0 };
    BgAffine flip = bg_affine_lps_ras_flip();

    g_return_val_if_fail(mesh != NULL && path != NULL, FALSE);

    params = params != NULL ? params : &plain;
    Save save = { .writer = find_writer(path), .progress = progress, .cancellable = cancellable };
    if (save.writer == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” does not end in .stl, .ply, .obj, .glb or .vtk, so the format is not "
                      "known. Choose one of them"),
                    path);
        return FALSE;
    }
    g_autoptr(BgMesh) turned =
        params->ras ? bg_mesh_transform(mesh, &flip, error) : bg_mesh_ref(mesh);
    if (turned == NULL || !check_counts(bg_mesh_get_data(turned), error))
        return FALSE;

    g_autofree char *hash = params->provenance == NULL
                                ? g_strdup("")
                                : bg_hash_bytes(params->provenance, strlen(params->provenance));
    save.job = (BgMeshJob){ .params = params,
                            .space = params->ras ? BG_MESH_SPACE_RAS : BG_MESH_SPACE_LPS,
                            .hash = hash };
    save.sinks = g_array_new(FALSE, TRUE, sizeof(BgMeshSink));
    g_array_set_clear_func(save.sinks, sink_clear);
    gboolean ok = save_parts(&save, bg_mesh_get_data(turned), path, error);
    for (guint i = 0; ok && i < save.sinks->len; i++)
        ok = bg_output_commit(g_array_index(save.sinks, BgMeshSink, i).output, error);
    g_array_unref(save.sinks);
    return ok;
}
