// SPDX-License-Identifier: Apache-2.0
// DCT of 12 bits, which libjpeg-turbo 2 cannot: DCMTK's copy of the Independent JPEG Group's code.
#include "bg-dicom-codecs.h"

#include <cstdio>
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/oflog/oflog.h>

static void
be_quiet()
{
    static gsize done;

    if (g_once_init_enter(&done)) {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        g_once_init_leave(&done, 1);
    }
}

gboolean
bg_decode_jpeg_12(const guint8 *bytes, gsize n_bytes, guint8 *out, gsize n_out, gboolean ybr,
                  char *message)
{
    if (n_bytes > G_MAXUINT32 || n_out > G_MAXUINT32) {
        g_strlcpy(message, "larger than 4 GiB", 256);
        return FALSE;
    }
    be_quiet();
    try {
        DJCodecParameter parameter(ECC_lossyYCbCr, EDC_photometricInterpretation, EUC_default,
                                   EPC_default);
        DJDecompressIJG12Bit decoder(parameter, ybr != FALSE);
        OFCondition status = decoder.init();
        if (status.good())
            status = decoder.decode(const_cast<Uint8 *>(bytes), static_cast<Uint32>(n_bytes), out,
                                    static_cast<Uint32>(n_out), OFFalse);
        if (status.good())
            return TRUE;
        g_strlcpy(message, status.text(), 256);
    } catch (const std::exception &exception) {
        g_strlcpy(message, exception.what(), 256);
    }
    return FALSE;
}
