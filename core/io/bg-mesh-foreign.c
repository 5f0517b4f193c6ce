// SPDX-License-Identifier: Apache-2.0
// GLB and VTK files: what they say about themselves. Their surfaces are not read.
#include "bg-mesh-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

#define MAX_STRING (8u << 20)

static BgLoaded *
refuse_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
            GCancellable *cancellable, GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("surfaces of this format are written, not read. Use STL, PLY or OBJ"));
    return NULL;
}

static gboolean
sniff_glb(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    return !gzipped && n_bytes >= 12 && memcmp(bytes, "glTF", 4) == 0;
}

static BgFileInfo *
probe_glb(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    guint32 header[5];
    BgMeshNote note = { 0 };

    if (source == NULL || !bg_source_read(source, header, sizeof header, error))
        return NULL;
    guint32 n_json = GUINT32_FROM_LE(header[3]);
    if (n_json > BG_JSON_MAX_BYTES || n_json > bg_source_get_limit(source)) {
        bg_io_set_cut_short(n_json, bg_source_get_limit(source), error);
        return NULL;
    }
    g_autofree char *text = g_malloc(n_json + 1);
    if (!bg_source_read(source, text, n_json, error))
        return NULL;
    g_autoptr(BgJson) json = bg_json_parse(text, n_json, error);
    if (json == NULL)
        return NULL;

    const BgJson *asset = bg_json_get(json, "asset"), *extras = bg_json_get(asset, "extras");
    bg_mesh_note_read(&note, bg_json_to_string(bg_json_get(extras, "frame"), ""));
    const char *provenance = bg_json_to_string(bg_json_get(extras, "provenance"), NULL);
    if (provenance != NULL)
        note.provenance = g_string_new(provenance);
    BgFileInfo *info = bg_mesh_note_info(&note, BG_FORMAT_GLB, path);
    bg_mesh_note_clear(&note);
    return info;
}

static gboolean
sniff_vtk(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const char mark[] = "# vtk DataFile Version";

    return !gzipped && n_bytes >= sizeof mark && memcmp(bytes, mark, sizeof mark - 1) == 0;
}

// A text of a binary file: the two highest bits of the first byte say in how many bytes its
// length stands.
static char *
read_string(BgMeshText *text, GError **error)
{
    guint8 bytes[8];

    if (!bg_mesh_text_read(text, bytes, 1, error))
        return NULL;
    gsize n_more = (gsize[]){ 7, 3, 1, 0 }[bytes[0] >> 6];
    guint64 n = bytes[0] & 0x3F;
    if (!bg_mesh_text_read(text, bytes + 1, n_more, error))
        return NULL;
    for (gsize i = 1; i <= n_more; i++)
        n = n << 8 | bytes[i];
    if (n > MAX_STRING || n > bg_source_get_limit(text->source)) {
        bg_io_set_cut_short(n, bg_source_get_limit(text->source), error);
        return NULL;
    }
    g_autofree char *string = g_malloc0((gsize) n + 1);
    return bg_mesh_text_read(text, string, (gsize) n, error) ? g_steal_pointer(&string) : NULL;
}

// The first six lines of what bg_vtk_write() makes; of other files the title.
static gboolean
read_vtk(BgMeshText *text, BgMeshNote *note, GError **error)
{
    gboolean binary = FALSE;

    for (int i = 0; i < 6; i++) {
        GError *failure = NULL;
        char *line = bg_mesh_text_next(text, &failure);
        if (failure != NULL) {
            if (i < 2) {
                g_propagate_error(error, failure);
                return FALSE;
            }
            g_error_free(failure); // voxels of another program, say
            return TRUE;
        }
        if (line == NULL)
            return i >= 2 || bg_mesh_text_refuse(text, _("The title is missing"), error);
        if (i == 1)
            bg_mesh_note_read(note, g_strstrip(line));
        binary |= i == 2 && g_str_has_prefix(line, "BINARY");
        if (i == 5 && binary && strcmp(line, "provenance 1 1 string") == 0) {
            g_autofree char *json = read_string(text, error);
            if (json == NULL)
                return FALSE;
            note->provenance = g_string_new(json);
        }
    }
    return TRUE;
}

static BgFileInfo *
probe_vtk(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    BgFileInfo *info = NULL;
    BgMeshNote note = { 0 };
    BgMeshText text;

    if (source == NULL)
        return NULL;
    bg_mesh_text_init(&text, source);
    if (read_vtk(&text, &note, error))
        info = bg_mesh_note_info(&note, BG_FORMAT_VTK, path);
    bg_mesh_text_clear(&text);
    bg_mesh_note_clear(&note);
    return info;
}

const BgReader bg_reader_glb = { "GLB", sniff_glb, probe_glb, refuse_load };
const BgReader bg_reader_vtk = { "VTK", sniff_vtk, probe_vtk, refuse_load };
