// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-affine.h"

G_BEGIN_DECLS

/**
 * BgFrameRelation:
 * @BG_FRAMES_SAME: one thing, or equal frame of reference UIDs: coordinates mean the same place
 * @BG_FRAMES_REGISTERED: a chain of registrations leads from one to the other
 * @BG_FRAMES_UNKNOWN: nothing says how the two lie to each other: numbers that look alike may be of
 *   different scanners. A hard stop
 * @BG_FRAMES_OTHER_PATIENT: both patients are known, and they are two. A hard stop, whatever else is said
 */
typedef enum {
    BG_FRAMES_SAME,
    BG_FRAMES_REGISTERED,
    BG_FRAMES_UNKNOWN,
    BG_FRAMES_OTHER_PATIENT,
} BgFrameRelation;

/**
 * BgFrameLink:
 * @id, @fixed, @moving: of the registration, and of what it joins
 * @method: in words: "landmarks", "mutual information", "by hand"
 * @check_mm: rms error at @n_check check points; NaN without any
 * @date: YYYY-MM-DD, or ""
 *
 * One registration. Strings are borrowed for the call; the graph keeps copies.
 */
typedef struct {
    const char *id, *fixed, *moving, *method, *date;
    BgAffine fixed_from_moving;
    double check_mm;
    guint n_check;
} BgFrameLink;

/**
 * BgFrameGraph:
 *
 * Who is registered to whom by what. One thread at a time.
 */
typedef struct _BgFrameGraph BgFrameGraph;

BgFrameGraph *bg_frame_graph_new(void);
void bg_frame_graph_free(BgFrameGraph *graph);

/**
 * bg_frame_graph_add:
 * @id: of a volume, picture or list of points
 * @uid: its frame of reference UID, or ""
 * @patient: a key that is equal for equal patients; "" when unknown, or when a typed reason lets it in
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: no id, or one that is there
 */
gboolean bg_frame_graph_add(BgFrameGraph *graph, const char *id, const char *uid,
                            const char *patient, GError **error);

/**
 * bg_frame_graph_link:
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: an end that is not there, both ends one, a matrix without
 *   an inverse; %BG_ERROR_MISMATCH: two patients
 */
gboolean bg_frame_graph_link(BgFrameGraph *graph, const BgFrameLink *link, GError **error);

/**
 * bg_frame_graph_relate:
 * @a_from_b: (out) (optional): the identity for the same frame, composed along the shortest chain
 *   where registered; else untouched
 * @chain: (out) (optional) (transfer full): GPtrArray of char *: ids of the registrations, from @b on
 *
 * Returns: %BG_FRAMES_UNKNOWN too when one of the two is not there
 */
BgFrameRelation bg_frame_graph_relate(const BgFrameGraph *graph, const char *a, const char *b,
                                      BgAffine *a_from_b, GPtrArray **chain);

/**
 * bg_frame_graph_check:
 *
 * Before two things are fused, linked or measured across.
 *
 * Returns: %FALSE with %BG_ERROR_MISMATCH: two patients or unknown frames; the message says what to do
 */
gboolean bg_frame_graph_check(const BgFrameGraph *graph, const char *a, const char *b,
                              GError **error);

/**
 * bg_frame_graph_describe:
 *
 * Returns: (transfer full): translated, for a row: "Same frame of reference", "Registered by landmarks,
 *   check error 1.2 mm (4 points), 2026-11-21", "Not registered", "Another patient"
 */
char *bg_frame_graph_describe(const BgFrameGraph *graph, const char *a, const char *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFrameGraph, bg_frame_graph_free)

G_END_DECLS
