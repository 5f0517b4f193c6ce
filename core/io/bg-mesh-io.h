// SPDX-License-Identifier: Apache-2.0
// Surfaces in and out: STL, PLY, OBJ, GLB, VTK.
#pragma once

#include "core/base/bg-progress.h"
#include "core/model/bg-mesh.h"

G_BEGIN_DECLS

/**
 * BgMeshSaveParams:
 * @force: replace files that are there
 * @provenance: (nullable): JSON text that goes with the file
 * @ras: positions as RAS; else LPS. Which of them is written into the file
 * @ascii: text instead of binary, where the format has both (STL, PLY)
 * @name: (nullable): of the object, for formats with room for it
 *
 * Zeros are the default.
 */
typedef struct {
    gboolean force;
    const char *provenance;
    gboolean ras;
    gboolean ascii;
    const char *name;
} BgMeshSaveParams;

/** bg_mesh_can_save: whether the suffix of @path is .stl, .ply, .obj, .glb or .vtk */
gboolean bg_mesh_can_save(const char *path);

/**
 * bg_mesh_list_files:
 *
 * STL knows no groups: a mesh with several becomes one file each, "OUT-3.stl" for label 3.
 *
 * Returns: (transfer full): the surfaces that bg_mesh_save() writes, @path alone for other formats
 */
GStrv bg_mesh_list_files(BgMesh *mesh, const char *path);

/**
 * bg_mesh_save:
 * @path: the format goes by its suffix
 * @params: (nullable)
 *
 * Millimetres, apart from GLB, whose node turns them into the metres and axes of glTF. Frame and
 * unit stand in each file ("SPACE=LPS UNIT=mm"), and so does the provenance; STL has room for its
 * hash only, and "FILE.stl.json" beside it holds the text. Written beside their places and
 * renamed when all are whole.
 *
 * Returns: %FALSE with %G_IO_ERROR (EXISTS without @force, or what the system says, CANCELLED),
 *   %BG_ERROR_UNSUPPORTED: no such suffix, or more triangles than the format can count;
 *   %BG_ERROR_NO_MEMORY
 */
gboolean bg_mesh_save(BgMesh *mesh, const char *path, const BgMeshSaveParams *params,
                      const BgProgress *progress, GCancellable *cancellable, GError **error);

/**
 * bg_mesh_load:
 *
 * STL (binary and text; vertices at the same place become one), PLY (text, binary of either
 * order), OBJ; polygons become fans of triangles. bg_io_load() with the surface alone.
 *
 * Returns: (transfer full): LPS mm; or %NULL with the errors of bg_io_load()
 */
BgMesh *bg_mesh_load(const char *path, const BgProgress *progress, GCancellable *cancellable,
                     GError **error);

/**
 * bg_io_read_provenance:
 *
 * Of every format that bregma writes.
 *
 * Returns: (transfer full): the JSON text; or %NULL with the errors of bg_io_probe(), and
 *   %BG_ERROR_UNSUPPORTED when the file holds none; %BG_ERROR_MISMATCH when the text beside an
 *   STL file belongs to another one
 */
char *bg_io_read_provenance(const char *path, GError **error);

G_END_DECLS
