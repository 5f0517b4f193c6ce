// SPDX-License-Identifier: Apache-2.0
// What the readers of points have in common: a list that grows, with names made good.
#pragma once

#include "bg-io.h"
#include "bg-landmarks-io.h"

G_BEGIN_DECLS

/**
 * BgPointList:
 * @points: of BgLandmark
 * @names: those that are taken
 * @numbers: for names that came again, the number that was tried last
 * @warnings: (nullable): borrowed
 */
typedef struct {
    BgLandmarkSpace space;
    GArray *points;
    GHashTable *names, *numbers;
    GPtrArray *warnings;
} BgPointList;

void bg_point_list_init(BgPointList *list, GPtrArray *warnings);
void bg_point_list_clear(BgPointList *list);

/** bg_point_list_warn: once */
void bg_point_list_warn(BgPointList *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * bg_point_list_add:
 * @name: bytes of a file: made valid, cut to what BgLandmark holds, and unique; "P1" when empty
 */
gboolean bg_point_list_add(BgPointList *list, const char *name, const BgLandmark *point,
                           GError **error);

/** bg_point_list_parse_json: Slicer's .mrk.json */
gboolean bg_point_list_parse_json(BgPointList *list, const char *text, gsize length,
                                  GError **error);

/** bg_point_list_parse_table: .fcsv and CSV */
gboolean bg_point_list_parse_table(BgPointList *list, const char *text, gsize length,
                                   BgLandmarksSpaceOfFile space, GError **error);

/** bg_points_sniff: which format the first bytes are of; %BG_FORMAT_UNKNOWN for none */
BgFormat bg_points_sniff(const char *bytes, gsize n_bytes);

G_END_DECLS
