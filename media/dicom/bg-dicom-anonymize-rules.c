// SPDX-License-Identifier: Apache-2.0
// What stays, what goes: PS3.15 table E.1-1, turned round. Texts, names, dates, times and unknown
// elements go unless they are listed here; of numbers and codes those go that tell of a person.
#include "bg-dicom-anonymize-rules.h"

#include <stdlib.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR

// Texts that describe a machine, a method or a code, and no person.
static const guint32 kept_texts[] = {
    0x00080005, 0x00080070, 0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080119, 0x00080120,
    0x00081090, 0x00082218, 0x00180015, 0x00180024, 0x00180031, 0x00181020, 0x00181160, 0x00181210,
    0x00181250, 0x00181251, 0x00181261, 0x00189005, 0x00189041, 0x00209056, 0x00209421, 0x00281054,
    0x00281055, 0x00283003, 0x00409210, 0x00420012, 0x00541101, 0x00541103, 0x00541105, 0x00620005,
    0x00620009, 0x00186000, 0x00189324, 0x00420010,
};

// Must be there, may be empty (type 2), and profile action Z.
static const guint32 emptied[] = {
    0x00080020, 0x00080023, 0x00080030, 0x00080033, 0x00080050, 0x00080090, 0x00100030, 0x00100040,
    0x00200010, 0x00180010, 0x0020000a, 0x30060008, 0x30060009, 0x300a0006, 0x300a0007,
};

// Must be there with a value (type 1), and profile action D.
static const guint32 dummy_texts[] = {
    0x30060002, 0x30060026, 0x300a0002, 0x00700084, 0x0040a075, 0x0040a123,
};

// Numbers, codes and sequences of the table that are no text.
static const guint32 removed[] = {
    0x00080051, 0x00080082, 0x00080096, 0x0008009d, 0x00081049, 0x00081052, 0x00081062, 0x00081072,
    0x00081084, 0x00081110, 0x00081111, 0x00081120, 0x00081140, 0x00082112, 0x00083010, 0x00120051,
    0x00120052, 0x00120053, 0x00120082, 0x00120086, 0x00181041, 0x0018100a, 0x00185011, 0x00189623,
    0x0018a001, 0x00209172, 0x00340001, 0x00340007, 0x003a0310, 0x00700001, 0x00700086, 0x00880200,
    0x0040a730, 0x30060050, 0x4ffe0001, 0x00720061, 0x00420011,
};

// Of the groups that are taken out as a whole, what pixels and their meaning need.
static const guint32 kept_of_groups[] = {
    0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x004008ea, 0x00409096, 0x00409211,
    0x00409212, 0x00409216, 0x00409220, 0x00409224, 0x00409225, 0x00409210, 0x0040a043,
    0x0040a168, 0x0040a170, 0x00400260, 0x0040a30a, 0x0040a300, 0x00120062,
};

static const guint32 characteristics[] = {
    0x00100040, 0x00101010, 0x00101020, 0x00101021, 0x00101022,
    0x00101030, 0x00102160, 0x001021a0, 0x001021c0, 0x00102203,
};

static const guint32 devices[] = {
    0x00081010, 0x00181000, 0x00181002, 0x00181004, 0x00181005, 0x00181007, 0x00181008, 0x00181009,
    0x0018100a, 0x00181400, 0x0018700a, 0x00185011, 0x00189367, 0x00189369, 0x00189371,
};

static const guint32 institutions[] = { 0x00080080, 0x00080081, 0x00080082, 0x00081040,
                                        0x00081041 };

static const guint32 descriptions[] = {
    0x00081030, 0x0008103e, 0x00181030, 0x00082111, 0x00204000, 0x00321060, 0x00400254,
    0x00620006, 0x30060026, 0x30060004, 0x30060006, 0x30060028, 0x00081080,
};

static gboolean
is_in(guint32 tag, const guint32 *list, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (list[i] == tag)
            return TRUE;
    }
    return FALSE;
}

#define IS_IN(tag, list) is_in(tag, list, G_N_ELEMENTS(list))

// Groups about persons, orders, visits, results, storage and signatures.
static gboolean
is_personal_group(guint group)
{
    return group == 0x0010 || group == 0x0012 || group == 0x0032 || group == 0x0038 ||
           group == 0x0040 || group == 0x0088 || group == 0x0100 || group == 0x0400 ||
           (group >= 0x2000 && group < 0x2050) || group == 0x2100 || group == 0x2110 ||
           group == 0x2120 || group == 0x2130 || group == 0x2200 || group == 0x4000 ||
           group == 0x4008 || group == 0x4010 || group == 0x4ffe ||
           (group >= 0x5000 && group < 0x5100) || group >= 0xfff0;
}

static gboolean
is_text(guint16 vr)
{
    static const char names[] = "AEASLOLTSHSTUCURUTPNUNDADTTM";

    for (gsize i = 0; i + 1 < sizeof names - 1; i += 2) {
        if (vr == VR(names[i], names[i + 1]))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_moment(guint16 vr)
{
    return vr == VR('D', 'A') || vr == VR('T', 'M') || vr == VR('D', 'T');
}

static gboolean
is_optional_kept(const BgDicomAnonymizeParams *p, guint32 tag, guint16 vr)
{
    return (p->keep_characteristics && IS_IN(tag, characteristics)) ||
           (p->keep_device && IS_IN(tag, devices)) ||
           (p->keep_institution && IS_IN(tag, institutions)) ||
           (p->keep_descriptions && IS_IN(tag, descriptions)) ||
           // A birth date is no date of a study.
           (p->keep_dates && is_moment(vr) && tag >> 16 != 0x0010);
}

BgDcmRule
bg_dcm_anonymize_rule(const BgDicomAnonymizeParams *params, guint32 tag, guint16 vr,
                      gboolean has_items)
{
    guint group = tag >> 16;

    if (group & 1)
        return BG_DCM_REMOVE; // private
    if (group >= 0x6000 && group < 0x6020)
        return params->keep_graphics ? BG_DCM_KEEP : BG_DCM_REMOVE;
    if (vr == 0 || (tag & 0xffff) == 0)
        return BG_DCM_REMOVE; // unknown, or a group's length
    if (is_optional_kept(params, tag, vr))
        return has_items ? BG_DCM_CLEAN_ITEMS : BG_DCM_KEEP;
    if (tag == TAG(0x0010, 0x0010))
        return BG_DCM_NEW_NAME;
    if (tag == TAG(0x0010, 0x0020))
        return BG_DCM_NEW_ID;
    if (IS_IN(tag, emptied))
        return BG_DCM_EMPTY;
    if (IS_IN(tag, dummy_texts))
        return BG_DCM_DUMMY_TEXT;
    if (IS_IN(tag, removed) || (is_personal_group(group) && !IS_IN(tag, kept_of_groups)))
        return BG_DCM_REMOVE;
    if (IS_IN(tag, kept_texts))
        return BG_DCM_KEEP;
    if (vr == VR('U', 'I'))
        return params->keep_uids ? BG_DCM_KEEP : BG_DCM_NEW_UID;
    if (has_items || vr == VR('S', 'Q'))
        return BG_DCM_CLEAN_ITEMS;
    return is_text(vr) ? BG_DCM_REMOVE : BG_DCM_KEEP;
}
