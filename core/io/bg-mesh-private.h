// SPDX-License-Identifier: Apache-2.0
// What the formats of surfaces have in common.
#pragma once

#include "bg-io-private.h"
#include "bg-io-source.h"
#include "bg-mesh-io.h"
#include "core/base/bg-output.h"

G_BEGIN_DECLS

#define BG_MESH_SPACE_LPS "LPS"
#define BG_MESH_SPACE_RAS "RAS"

/**
 * BgMeshSink:
 *
 * A file that is being written, through a buffer. The first failure is kept: later calls do
 * nothing, and bg_mesh_sink_flush() tells of it.
 */
typedef struct {
    BgOutput *output;   // owned
    GByteArray *buffer; // owned
    GError *failure;    // owned, nullable
    const BgProgress *progress;
    GCancellable *cancellable;
    guint64 n_done, n_expected; // bytes, for the progress
} BgMeshSink;

void bg_mesh_sink_bytes(BgMeshSink *sink, gconstpointer data, gsize n_bytes);
void bg_mesh_sink_text(BgMeshSink *sink, const char *text);
void bg_mesh_sink_printf(BgMeshSink *sink, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** bg_mesh_sink_floats: @n numbers with a blank before each, in digits that read back equal */
void bg_mesh_sink_floats(BgMeshSink *sink, const float *values, int n);

/**
 * bg_mesh_sink_provenance:
 * @prefix: of each line: "comment ", "# "
 *
 * The JSON in ASCII, on lines that every reader's buffer holds.
 */
void bg_mesh_sink_provenance(BgMeshSink *sink, const char *prefix, const char *json);
gboolean bg_mesh_sink_flush(BgMeshSink *sink, GError **error);

/**
 * BgMeshJob:
 * @data: what to write, already in the space of the file
 * @space: "LPS" or "RAS"
 * @hash: SHA-256 of the provenance, or ""
 */
typedef struct {
    const BgMeshData *data;
    const BgMeshSaveParams *params;
    const char *space;
    const char *hash;
} BgMeshJob;

// One for each format: puts @job into @sink.
void bg_stl_write(const BgMeshJob *job, BgMeshSink *sink);
void bg_ply_write(const BgMeshJob *job, BgMeshSink *sink);
void bg_obj_write(const BgMeshJob *job, BgMeshSink *sink);
void bg_glb_write(const BgMeshJob *job, BgMeshSink *sink);
void bg_vtk_write(const BgMeshJob *job, BgMeshSink *sink);

/** bg_mesh_is_grouped: whether there are two groups or more, or one with a label or a name */
gboolean bg_mesh_is_grouped(const BgMeshData *data);

/** bg_mesh_ascii_json: (transfer full): JSON text without a line break, beyond ASCII as \u.... */
char *bg_mesh_ascii_json(const char *json);

/**
 * BgMeshNote:
 * @space: 'L', 'R', or 0 when the file does not say
 * @unit_mm: what one unit of the file is in mm; 0 when the file does not say
 * @provenance: (nullable): of char: what was found so far, piece by piece
 *
 * What comments say about a surface.
 */
typedef struct {
    char space;
    double unit_mm;
    char *description; // owned, nullable
    GString *provenance;
} BgMeshNote;

/** bg_mesh_note_read: @comment: one, without its mark and line end */
void bg_mesh_note_read(BgMeshNote *note, const char *comment);
void bg_mesh_note_clear(BgMeshNote *note);

/**
 * bg_mesh_note_info: (transfer full): for the table of readers; says in a warning what is not
 * known
 */
BgFileInfo *bg_mesh_note_info(const BgMeshNote *note, BgFormat format, const char *path);

/**
 * bg_mesh_note_finish:
 * @data: as the file has it; taken, freed on failure
 *
 * Returns: (transfer full): in LPS mm, with its info
 */
BgLoaded *bg_mesh_note_finish(const BgMeshNote *note, BgFormat format, const char *path,
                              BgMeshData *data, GError **error);

/**
 * BgMeshBuilder:
 *
 * Vertices and triangles that become more. Memory grows with what is added.
 */
typedef struct {
    BgMeshData data; // owned; what there is so far
    gsize vertex_room, triangle_room;
    guint32 *slots; // owned, nullable: vertex numbers + 1 by place, for welding
    gsize n_slots;  // a power of 2
} BgMeshBuilder;

/** bg_mesh_builder_add_vertex: %BG_ERROR_NO_MEMORY, or %BG_ERROR_UNSUPPORTED beyond 2^32 - 2 */
gboolean bg_mesh_builder_add_vertex(BgMeshBuilder *builder, const float position[3],
                                    GError **error);

/** bg_mesh_builder_weld_vertex: @vertex: (out): one that lies there exactly, or a new one */
gboolean bg_mesh_builder_weld_vertex(BgMeshBuilder *builder, const float position[3],
                                     guint32 *vertex, GError **error);
gboolean bg_mesh_builder_add_triangle(BgMeshBuilder *builder, const guint32 vertices[3],
                                      GError **error);

/** bg_mesh_builder_begin_group: from here on, @name (cut to fit) and @label; an empty one goes */
void bg_mesh_builder_begin_group(BgMeshBuilder *builder, const char *name, guint32 label);

/** bg_mesh_builder_finish: @data: (out): what was built; the builder is then empty */
void bg_mesh_builder_finish(BgMeshBuilder *builder, BgMeshData *data);
void bg_mesh_builder_clear(BgMeshBuilder *builder);

/**
 * BgMeshText:
 *
 * Lines of a file, without their ends; none longer than 64 KiB.
 */
typedef struct {
    BgSource *source; // borrowed
    char *buffer;     // owned
    gsize at, n;      // bytes of the buffer that are used up, and there
    gsize line;       // number of the last one, from 1
    gboolean ended;
} BgMeshText;

void bg_mesh_text_init(BgMeshText *text, BgSource *source);

/**
 * bg_mesh_text_next:
 *
 * Returns: the next line, NUL-terminated, valid until the next call; %NULL at the end, or with
 *   @error: %BG_ERROR_CORRUPT (a line too long, a NUL), %G_IO_ERROR
 */
char *bg_mesh_text_next(BgMeshText *text, GError **error);

/** bg_mesh_text_read: bytes after the last line, for files that go on in binary */
gboolean bg_mesh_text_read(BgMeshText *text, gpointer data, gsize n_bytes, GError **error);
void bg_mesh_text_clear(BgMeshText *text);

/** bg_mesh_text_refuse: %BG_ERROR_CORRUPT with the line's number; Returns: %FALSE */
gboolean bg_mesh_text_refuse(const BgMeshText *text, const char *reason, GError **error);

/** bg_mesh_text_doubles: Returns: whether @line begins with @n finite numbers; @end: (out)(nullable) */
gboolean bg_mesh_text_doubles(const char *line, double *values, int n, const char **end);

G_END_DECLS
