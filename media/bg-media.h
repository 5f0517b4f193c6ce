// SPDX-License-Identifier: Apache-2.0
// The readers of this folder, for bregma-decode and for tests.
#pragma once

#include "core/io/bg-reader.h"

G_BEGIN_DECLS

extern const BgReader bg_reader_archive;
extern const BgReader bg_reader_dicom;
extern const BgReader bg_reader_pictures;

/** bg_media_add_readers: bg_io_add_readers() with all of them: from now on this process reads all files itself */
void bg_media_add_readers(void);

G_END_DECLS
