// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-encode.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DICOM_TAG
#define UNDEFINED 0xffffffffu
#define MAX_BYTES (2048u << 20)
#define MAX_SHORT 65534
// Our own root for the program itself: an OID of a name-based UUID, as those of the objects.
#define IMPLEMENTATION_UID "2.25.227514103924868346210471932856731295342"

void
bg_dcm_encoder_init(BgDcmEncoder *encoder, guint64 seed)
{
    guint32 words[2] = { (guint32) seed, (guint32) (seed >> 32) };

    encoder->bytes = g_byte_array_new();
    encoder->random = seed != 0 ? g_rand_new_with_seed_array(words, 2) : NULL;
}

void
bg_dcm_encoder_clear(BgDcmEncoder *encoder)
{
    g_clear_pointer(&encoder->bytes, g_byte_array_unref);
    g_clear_pointer(&encoder->random, g_rand_free);
}

static void
append16(BgDcmEncoder *e, guint value)
{
    guint8 bytes[2] = { (guint8) value, (guint8) (value >> 8) };

    g_byte_array_append(e->bytes, bytes, 2);
}

static void
append32(BgDcmEncoder *e, guint32 value)
{
    append16(e, value & 0xffff);
    append16(e, value >> 16);
}

static void
append_tag(BgDcmEncoder *e, guint32 tag)
{
    append16(e, tag >> 16);
    append16(e, tag & 0xffff);
}

static gboolean
is_long(const char *vr)
{
    static const char *const names[] = {
        "OB", "OW", "OF", "OD", "OL", "SQ", "UN", "UT", "UC", "UR"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(vr, names[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

void
bg_dcm_put_bytes(BgDcmEncoder *e, guint32 tag, const char *vr, gconstpointer data, gsize n)
{
    // Text is padded with a blank, UIDs and bytes with a zero (PS3.5 6.2).
    guint8 pad = strcmp(vr, "UI") == 0 || vr[0] == 'O' || strcmp(vr, "UN") == 0 ? 0 : ' ';
    gsize padded = n + (n & 1);

    if (!is_long(vr) && padded > MAX_SHORT)
        n = padded = MAX_SHORT;
    append_tag(e, tag);
    g_byte_array_append(e->bytes, (const guint8 *) vr, 2);
    if (is_long(vr)) {
        append16(e, 0);
        append32(e, (guint32) padded);
    } else {
        append16(e, (guint) padded);
    }
    if (n > 0)
        g_byte_array_append(e->bytes, data, (guint) n);
    if (padded > n)
        g_byte_array_append(e->bytes, &pad, 1);
}

void
bg_dcm_put_text(BgDcmEncoder *e, guint32 tag, const char *vr, const char *text)
{
    static const struct {
        const char *vr;
        gsize max;
    } limits[] = { { "SH", 16 },  { "LO", 64 }, { "ST", 1024 }, { "LT", 10240 }, { "PN", 324 },
                   { "CS", 128 }, { "UI", 64 }, { "DA", 8 },    { "TM", 16 },    { "IS", 12 } };
    gsize n = text != NULL ? strlen(text) : 0;

    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (text == NULL || strcmp(limits[i].vr, vr) != 0 || n <= limits[i].max)
            continue;
        const char *end = text + limits[i].max;
        while (end > text && ((guchar) *end & 0xc0) == 0x80) // not within a character
            end--;
        n = (gsize) (end - text);
    }
    bg_dcm_put_bytes(e, tag, vr, text, n);
}

void
bg_dcm_put_us(BgDcmEncoder *e, guint32 tag, int value)
{
    guint8 bytes[2] = { (guint8) value, (guint8) (value >> 8) };

    bg_dcm_put_bytes(e, tag, "US", bytes, 2);
}

void
bg_dcm_put_ul(BgDcmEncoder *e, guint32 tag, guint32 value)
{
    guint32 little = GUINT32_TO_LE(value);

    bg_dcm_put_bytes(e, tag, "UL", &little, 4);
}

void
bg_dcm_put_ds(BgDcmEncoder *e, guint32 tag, const double *values, int n)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < n; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        double value = fabs(values[i]) < 1e-12 ? 0.0 : values[i];
        // A decimal string has 16 characters at most: as many digits as fit.
        for (int digits = 14; digits > 3; digits--) {
            char format[8];
            g_snprintf(format, sizeof format, "%%.%dg", digits);
            g_ascii_formatd(number, sizeof number, format, value);
            if (strlen(number) <= 16)
                break;
        }
        g_string_append_printf(text, "%s%s", i > 0 ? "\\" : "", number);
    }
    bg_dcm_put_bytes(e, tag, "DS", text->str, text->len);
}

void
bg_dcm_begin_sequence(BgDcmEncoder *e, guint32 tag)
{
    append_tag(e, tag);
    g_byte_array_append(e->bytes, (const guint8 *) "SQ\0", 4);
    append32(e, UNDEFINED);
}

void
bg_dcm_begin_item(BgDcmEncoder *e)
{
    append_tag(e, TAG(0xfffe, 0xe000));
    append32(e, UNDEFINED);
}

void
bg_dcm_end_item(BgDcmEncoder *e)
{
    append_tag(e, TAG(0xfffe, 0xe00d));
    append32(e, 0);
}

void
bg_dcm_end_sequence(BgDcmEncoder *e)
{
    append_tag(e, TAG(0xfffe, 0xe0dd));
    append32(e, 0);
}

void
bg_dcm_put_code(BgDcmEncoder *e, guint32 tag, const char *value, const char *scheme,
                const char *meaning)
{
    bg_dcm_begin_sequence(e, tag);
    bg_dcm_begin_item(e);
    bg_dcm_put_text(e, TAG(0x0008, 0x0100), "SH", value);
    bg_dcm_put_text(e, TAG(0x0008, 0x0102), "SH", scheme);
    bg_dcm_put_text(e, TAG(0x0008, 0x0104), "LO", meaning);
    bg_dcm_end_item(e);
    bg_dcm_end_sequence(e);
}

static char *
format_uid(unsigned __int128 value)
{
    char digits[48];
    int at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char) ('0' + (int) (value % 10));
        value /= 10;
    } while (value > 0);
    return g_strconcat("2.25.", digits + at, NULL);
}

static unsigned __int128
uuid_value(const char *uuid)
{
    unsigned __int128 value = 0;

    for (const char *p = uuid; *p != '\0'; p++) {
        if (g_ascii_isxdigit(*p))
            value = value << 4 | (unsigned) g_ascii_xdigit_value(*p);
    }
    return value;
}

char *
bg_dicom_new_uid(void)
{
    g_autofree char *uuid = g_uuid_string_random();

    return format_uid(uuid_value(uuid));
}

char *
bg_dcm_make_uid(BgDcmEncoder *e)
{
    unsigned __int128 value = 0;

    if (e->random == NULL)
        return bg_dicom_new_uid();
    for (int i = 0; i < 4; i++)
        value = value << 32 | g_rand_int(e->random);
    return format_uid(value);
}

void
bg_dcm_object_clear(BgDcmObject *object)
{
    g_clear_pointer(&object->sop_uid, g_free);
    g_clear_pointer(&object->frame_of_reference, g_free);
}

static void
put_meta(BgDcmEncoder *e, const BgDcmObject *object)
{
    static const guint8 preamble[128] = { 0 }; // never another file's beginning
    static const guint8 version[2] = { 0, 1 };

    g_byte_array_append(e->bytes, preamble, sizeof preamble);
    g_byte_array_append(e->bytes, (const guint8 *) "DICM", 4);
    guint at = e->bytes->len;
    bg_dcm_put_ul(e, TAG(0x0002, 0x0000), 0);
    guint start = e->bytes->len;
    bg_dcm_put_bytes(e, TAG(0x0002, 0x0001), "OB", version, 2);
    bg_dcm_put_text(e, TAG(0x0002, 0x0002), "UI", object->sop_class);
    bg_dcm_put_text(e, TAG(0x0002, 0x0003), "UI", object->sop_uid);
    bg_dcm_put_text(e, TAG(0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1");
    bg_dcm_put_text(e, TAG(0x0002, 0x0012), "UI", IMPLEMENTATION_UID);
    bg_dcm_put_text(e, TAG(0x0002, 0x0013), "SH", "BREGMA_" BG_VERSION);
    guint32 length = GUINT32_TO_LE(e->bytes->len - start);
    memcpy(e->bytes->data + at + 8, &length, 4);
}

static const char *
or_default(const char *text, const char *fallback)
{
    return text != NULL && text[0] != '\0' ? text : fallback;
}

// All slices of the series that an object was made from.
static void
put_instances(BgDcmEncoder *e, const BgDicomWriteParams *p)
{
    if (p->referenced_instances == NULL || p->referenced_class == NULL)
        return;
    g_auto(GStrv) uids = g_strsplit(p->referenced_instances, " ", -1);
    bg_dcm_begin_sequence(e, TAG(0x0008, 0x114a));
    for (char **uid = uids; *uid != NULL; uid++) {
        bg_dcm_begin_item(e);
        bg_dcm_put_text(e, TAG(0x0008, 0x1150), "UI", p->referenced_class);
        bg_dcm_put_text(e, TAG(0x0008, 0x1155), "UI", *uid);
        bg_dcm_end_item(e);
    }
    bg_dcm_end_sequence(e);
}

void
bg_dcm_put_start(BgDcmEncoder *e, BgDcmObject *object)
{
    const BgDicomWriteParams *p = object->params;
    g_autoptr(GDateTime) when =
        p->time != 0 ? g_date_time_new_from_unix_utc(p->time) : g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(when, "%Y%m%d");
    g_autofree char *time = g_date_time_format(when, "%H%M%S");

    object->sop_uid = bg_dcm_make_uid(e);
    object->frame_of_reference =
        p->frame_of_reference != NULL ? g_strdup(p->frame_of_reference) : bg_dcm_make_uid(e);
    put_meta(e, object);
    bg_dcm_put_text(e, TAG(0x0008, 0x0005), "CS", "ISO_IR 192");
    if (object->image_type != NULL)
        bg_dcm_put_text(e, TAG(0x0008, 0x0008), "CS", object->image_type);
    bg_dcm_put_text(e, TAG(0x0008, 0x0016), "UI", object->sop_class);
    bg_dcm_put_text(e, TAG(0x0008, 0x0018), "UI", object->sop_uid);
    bg_dcm_put_text(e, TAG(0x0008, 0x0020), "DA", or_default(p->study_date, date));
    bg_dcm_put_text(e, TAG(0x0008, 0x0021), "DA", date);
    bg_dcm_put_text(e, TAG(0x0008, 0x0023), "DA", date);
    bg_dcm_put_text(e, TAG(0x0008, 0x0030), "TM", or_default(p->study_time, time));
    bg_dcm_put_text(e, TAG(0x0008, 0x0031), "TM", time);
    bg_dcm_put_text(e, TAG(0x0008, 0x0033), "TM", time);
    bg_dcm_put_text(e, TAG(0x0008, 0x0050), "SH", p->accession_number);
    bg_dcm_put_text(e, TAG(0x0008, 0x0060), "CS", object->modality);
    if (g_str_has_prefix(object->sop_class, "1.2.840.10008.5.1.4.1.1.7"))
        bg_dcm_put_text(e, TAG(0x0008, 0x0064), "CS", "WSD"); // made on a workstation
    bg_dcm_put_text(e, TAG(0x0008, 0x0070), "LO", "bregma");
    bg_dcm_put_text(e, TAG(0x0008, 0x0090), "PN", NULL);
    bg_dcm_put_text(e, TAG(0x0008, 0x1030), "LO", p->study_description);
    bg_dcm_put_text(e, TAG(0x0008, 0x103e), "LO", p->series_description);
    bg_dcm_put_text(e, TAG(0x0008, 0x1090), "LO", "bregma");
    if (p->referenced_series_uid != NULL) {
        bg_dcm_begin_sequence(e, TAG(0x0008, 0x1115));
        bg_dcm_begin_item(e);
        put_instances(e, p);
        bg_dcm_put_text(e, TAG(0x0020, 0x000e), "UI", p->referenced_series_uid);
        bg_dcm_end_item(e);
        bg_dcm_end_sequence(e);
    }
    bg_dcm_put_text(e, TAG(0x0008, 0x2111), "ST",
                    "Made by bregma " BG_VERSION
                    "; how is in (0029,1001). Not for diagnosis: research "
                    "and planning review only");
    bg_dcm_put_text(e, TAG(0x0010, 0x0010), "PN",
                    or_default(p->patient_name, "bregma^no identity"));
    bg_dcm_put_text(e, TAG(0x0010, 0x0020), "LO", p->patient_id);
    bg_dcm_put_text(e, TAG(0x0010, 0x0030), "DA", p->patient_birth_date);
    bg_dcm_put_text(e, TAG(0x0010, 0x0040), "CS", p->patient_sex);
}

void
bg_dcm_put_equipment(BgDcmEncoder *e)
{
    bg_dcm_put_text(e, TAG(0x0018, 0x1000), "LO", "0");
    bg_dcm_put_text(e, TAG(0x0018, 0x1020), "LO", BG_VERSION);
}

void
bg_dcm_put_relation(BgDcmEncoder *e, const BgDcmObject *object, gboolean with_frame)
{
    const BgDicomWriteParams *p = object->params;
    g_autofree char *study = p->study_uid != NULL ? g_strdup(p->study_uid) : bg_dcm_make_uid(e);
    g_autofree char *series = bg_dcm_make_uid(e);
    g_autofree char *number = p->series_number > 0 ? g_strdup_printf("%d", p->series_number) : NULL;

    bg_dcm_put_text(e, TAG(0x0020, 0x000d), "UI", study);
    bg_dcm_put_text(e, TAG(0x0020, 0x000e), "UI", series);
    bg_dcm_put_text(e, TAG(0x0020, 0x0010), "SH", NULL);
    bg_dcm_put_text(e, TAG(0x0020, 0x0011), "IS", number);
    bg_dcm_put_text(e, TAG(0x0020, 0x0013), "IS", "1");
    if (with_frame) {
        bg_dcm_put_text(e, TAG(0x0020, 0x0052), "UI", object->frame_of_reference);
        bg_dcm_put_text(e, TAG(0x0020, 0x1040), "LO", NULL);
    }
}

void
bg_dcm_put_provenance(BgDcmEncoder *e, const BgDcmObject *object)
{
    if (object->params->provenance == NULL)
        return;
    bg_dcm_put_text(e, TAG(0x0029, 0x0010), "LO", "BREGMA");
    bg_dcm_put_text(e, TAG(0x0029, 0x1001), "UT", object->params->provenance);
}

gboolean
bg_dcm_fits(guint64 n_bytes, GError **error)
{
    if (n_bytes < MAX_BYTES)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("a DICOM file of %" G_GUINT64_FORMAT " bytes is not written: crop or use another "
                  "format"),
                n_bytes);
    return FALSE;
}
