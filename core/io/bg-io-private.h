// SPDX-License-Identifier: Apache-2.0
// What the readers of this folder have in common. A new format is one file with one BgReader in
// it, and its address in the table of bg-io.c.
#pragma once

#include "bg-io.h"

G_BEGIN_DECLS

#define BG_SNIFF_BYTES 1024 // what a sniffer is shown at most

/**
 * BgReader:
 * @name: of the format, for people
 * @sniff: @bytes: the first BG_SNIFF_BYTES of the file, or fewer when it is shorter; of the
 *   unpacked bytes when @gzipped. Must not read beyond @n_bytes. The first in the table that says
 *   %TRUE gets the file
 * @probe, @load: as bg_io_probe() and bg_io_load(); errors need not name the file: the caller
 *   puts its name in front. @params is never %NULL here
 */
typedef struct {
    const char *name;
    gboolean (*sniff)(const guint8 *bytes, gsize n_bytes, gboolean gzipped);
    BgFileInfo *(*probe)(const char *path, GCancellable *cancellable, GError **error);
    BgLoaded *(*load)(const char *path, const BgLoadParams *params, const BgProgress *progress,
                      GCancellable *cancellable, GError **error);
} BgReader;

extern const BgReader bg_reader_afni;
extern const BgReader bg_reader_analyze;
extern const BgReader bg_reader_minc1;
extern const BgReader bg_reader_nifti;
extern const BgReader bg_reader_parrec;
extern const BgReader bg_reader_nrrd;
extern const BgReader bg_reader_metaimage;
extern const BgReader bg_reader_hdf5;
extern const BgReader bg_reader_landmarks;
extern const BgReader bg_reader_mgh;
extern const BgReader bg_reader_png;
extern const BgReader bg_reader_ply;
extern const BgReader bg_reader_obj;
extern const BgReader bg_reader_stl;
extern const BgReader bg_reader_glb;
extern const BgReader bg_reader_vtk;

/** bg_loaded_new: @info: (transfer full) */
BgLoaded *bg_loaded_new(BgFileInfo *info);

/** bg_io_has_label_name: whether a word of the file's name says that it holds labels */
gboolean bg_io_has_label_name(const char *path);

/** bg_io_guess_kind: labels, with their modality, when the file or a word of its name says so */
void bg_io_guess_kind(BgFileInfo *info);

/** bg_io_set_cut_short: %BG_ERROR_CORRUPT: the file promises more than it has; Returns: %FALSE */
gboolean bg_io_set_cut_short(guint64 promised, guint64 there, GError **error);

G_END_DECLS
