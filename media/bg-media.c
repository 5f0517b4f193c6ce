// SPDX-License-Identifier: Apache-2.0
#include "bg-media.h"

void
bg_media_add_readers(void)
{
    static const BgReader *const readers[] = { &bg_reader_archive, &bg_reader_dicom,
                                               &bg_reader_pictures };

    bg_io_add_readers(readers, G_N_ELEMENTS(readers));
}
