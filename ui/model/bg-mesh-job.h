// SPDX-License-Identifier: Apache-2.0
// Cutting a surface, writing it, and what printing wants of it, as jobs of a session.
#pragma once

#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-print.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * BgMeshCut:
 * @iso: of a volume, in its unit
 * @labels: (array length=n_labels): of a label map: one surface around all of them together is not
 *   made: each is a group
 * @n_smooth: windowed-sinc passes, 0 for none
 * @keep: the share of triangles kept, above 0, at most 1
 * @largest: the largest part only
 * @rgb: the new layer's colour
 */
typedef struct {
    double iso;
    const guint32 *labels;
    gsize n_labels;
    guint n_smooth;
    double keep;
    gboolean largest;
    double rgb[3];
} BgMeshCut;

/** bg_mesh_job_cut: adds the surface of @layer as a new layer, as one step of undo, and selects it */
void bg_mesh_job_cut(BgSession *session, const BgLayer *layer, const BgMeshCut *cut);

/**
 * bg_mesh_job_source: (transfer none) (nullable): the layer of labels that @mesh's layer was made of
 * @stale: (out): whether its labels were corrected since
 */
const BgLayer *bg_mesh_job_source(BgSession *session, const BgLayer *mesh, gboolean *stale);

/** bg_mesh_job_again: makes @mesh's layer once more, of what its labels are now, in its place */
void bg_mesh_job_again(BgSession *session, const BgLayer *mesh);

/** bg_mesh_job_save: writes @layer's mesh to @path by its suffix, with its provenance: LPS mm */
void bg_mesh_job_save(BgSession *session, const BgLayer *layer, const char *path);

/**
 * BgMeshPrintFunc:
 * @mesh: (transfer none): which was checked
 * @check: (nullable): %NULL: it failed, which the session has shown, or it was cancelled
 */
typedef void (*BgMeshPrintFunc)(gpointer owner, BgMesh *mesh, const BgPrintCheck *check);

/** bg_mesh_job_check: whether @layer's mesh can be printed; @found comes once, unless @owner has gone meanwhile */
void bg_mesh_job_check(BgSession *session, const BgLayer *layer, GObject *owner,
                       BgMeshPrintFunc found);

/**
 * bg_mesh_job_repair:
 *
 * Adds @layer's mesh with what can be mended as a new layer in its place, which it hides: one step of undo;
 * selects it. @found gets the check of the new mesh, just before.
 */
void bg_mesh_job_repair(BgSession *session, const BgLayer *layer, GObject *owner,
                        BgMeshPrintFunc found);

G_END_DECLS
