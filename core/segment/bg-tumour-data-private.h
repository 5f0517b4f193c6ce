// SPDX-License-Identifier: Apache-2.0
// How the cases lie in their file, between the one who writes them and the one who makes samples of them.
#pragma once

#include "bg-tumour-data.h"

G_BEGIN_DECLS

#define BG_TUMOUR_SCALE 2000.0f // of z-scores in the file: to +-16

/**
 * BgTumourStored: one case in the file: four planes of int16, then classes as uint8.
 * @slices: owned: how many tumour voxels there are up to and with each slice
 */
typedef struct {
    char *patient;
    int dims[3];
    gsize offset, n;
    gsize *slices;
} BgTumourStored;

struct _BgTumourData {
    BgTumourDataParams params;
    GPtrArray *cases; // of BgTumourStored
    GPtrArray *notes; // of char *: what was not there
    int file;
    gsize length;
    const guint8 *map; // all of the file, once it is read from
    gsize mapped;
    GMutex lock;
};

/** bg_tumour_data_map: all of the file; or %NULL with %G_IO_ERROR. Any thread */
const guint8 *bg_tumour_data_map(BgTumourData *data, GError **error);

G_END_DECLS
