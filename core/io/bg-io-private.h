// SPDX-License-Identifier: Apache-2.0
// What the readers of this folder have in common. A new format is one file with one BgReader in
// it, and its address in the table of bg-io.c.
#pragma once

#include "bg-reader.h"

G_BEGIN_DECLS

extern const BgReader bg_reader_afni;
extern const BgReader bg_reader_analyze;
extern const BgReader bg_reader_minc1;
extern const BgReader bg_reader_nifti;
extern const BgReader bg_reader_parrec;
extern const BgReader bg_reader_raw;
extern const BgReader bg_reader_nrrd;
extern const BgReader bg_reader_metaimage;
extern const BgReader bg_reader_hdf5;
extern const BgReader bg_reader_interfile;
extern const BgReader bg_reader_npy;
extern const BgReader bg_reader_landmarks;
extern const BgReader bg_reader_mgh;
extern const BgReader bg_reader_bmp;
extern const BgReader bg_reader_gif;
extern const BgReader bg_reader_png;
extern const BgReader bg_reader_pnm;
extern const BgReader bg_reader_ply;
extern const BgReader bg_reader_obj;
extern const BgReader bg_reader_stl;
extern const BgReader bg_reader_glb;
extern const BgReader bg_reader_vtk;

/** bg_io_has_label_name: whether a word of the file's name says that it holds labels */
gboolean bg_io_has_label_name(const char *path);

/** bg_io_set_cut_short: %BG_ERROR_CORRUPT: the file promises more than it has; Returns: %FALSE */
gboolean bg_io_set_cut_short(guint64 promised, guint64 there, GError **error);

G_END_DECLS
