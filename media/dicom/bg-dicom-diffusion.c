// SPDX-License-Identifier: Apache-2.0
// How strongly a picture is weighted by diffusion: the standard's element, and where each maker has put
// it (their conformance statements; collected by dcm2niix' and dcmstack's authors).
#include "bg-dicom-image.h"

#include <math.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define FIRST_BLOCK 0x10
#define LAST_BLOCK 0x1f
#define MAX_B 100000.0 // beyond, GE counts flags in it: the rest of the division is the value

// The element of a private block: the number of the block is the file's own, by its creator.
static guint32
private_tag(BgDcmSet set, guint16 group, const char *creator, guint8 element)
{
    char text[65];

    for (guint32 block = FIRST_BLOCK; block <= LAST_BLOCK; block++) {
        bg_dcm_copy_string(set, TAG(group, block), text, sizeof text);
        if (g_ascii_strcasecmp(g_strstrip(text), creator) == 0)
            return TAG(group, (block << 8) | element);
    }
    return 0;
}

double
bg_dcm_read_b_value(BgDcmSet set)
{
    static const struct {
        const char *creator;
        guint16 group;
        guint8 element;
        guint16 vr;
    } places[] = {
        { "SIEMENS MR HEADER", 0x0019, 0x0c, VR('I', 'S') },
        { "GEMS_PARM_01", 0x0043, 0x39, VR('I', 'S') },
        { "Philips Imaging DD 001", 0x2001, 0x03, VR('F', 'L') },
    };
    double b = bg_dcm_number(set, TAG(0x0018, 0x9087), VR('F', 'D'), -1.0);

    for (gsize i = 0; i < G_N_ELEMENTS(places) && b < 0.0; i++) {
        guint32 tag = private_tag(set, places[i].group, places[i].creator, places[i].element);
        if (tag != 0)
            b = bg_dcm_number(set, tag, places[i].vr, -1.0);
    }
    if (b < 0.0 && bg_dcm_csa_numbers(set, "B_value", &b, 1) != 1)
        return -1.0;
    return b >= 0.0 && b < 1e12 ? fmod(b, MAX_B) : -1.0;
}
