// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-anonymize.h"

#include "bg-dicom-anonymize-rules.h"
#include "bg-dicom-dictionary.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-dicom-encode.h"

#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define MAX_DEPTH 64

typedef struct {
    const BgDicomAnonymizeParams *params;
    GHashTable *uids;               // old -> new, for the report
    char *old_id, *new_id;          // owned, nullable
    GHashTable *removed, *replaced; // tags
    const BgDcmData *data;
    GByteArray *out;
    gboolean explicit_vr, big_endian;
    int depth;
} Job;

static void
append16(Job *job, guint value)
{
    guint8 bytes[2] = { (guint8) value, (guint8) (value >> 8) };

    if (job->big_endian) {
        bytes[0] = (guint8) (value >> 8);
        bytes[1] = (guint8) value;
    }
    g_byte_array_append(job->out, bytes, 2);
}

static void
append32(Job *job, guint32 value)
{
    append16(job, job->big_endian ? value >> 16 : value & 0xffff);
    append16(job, job->big_endian ? value & 0xffff : value >> 16);
}

static gboolean
has_long_form(guint16 vr)
{
    return vr == VR('S', 'Q') || vr == VR('U', 'N') || vr == VR('U', 'T') || vr == VR('U', 'C') ||
           vr == VR('U', 'R') || vr >> 8 == 'O' || vr == VR('S', 'V') || vr == VR('U', 'V');
}

static void
put_header(Job *job, guint32 tag, guint16 vr, guint32 length)
{
    guint8 letters[2] = { (guint8) (vr >> 8), (guint8) vr };

    append16(job, tag >> 16);
    append16(job, tag & 0xffff);
    if (!job->explicit_vr || tag >> 16 == 0xfffe) {
        append32(job, length);
        return;
    }
    g_byte_array_append(job->out, letters, 2);
    if (has_long_form(vr)) {
        append16(job, 0);
        append32(job, length);
    } else {
        append16(job, length);
    }
}

static void
put_value(Job *job, guint32 tag, guint16 vr, const void *bytes, gsize n)
{
    guint8 pad = vr == VR('U', 'I') || vr >> 8 == 'O' || vr == VR('U', 'N') ? 0 : ' ';

    put_header(job, tag, vr, (guint32) (n + (n & 1)));
    if (n > 0)
        g_byte_array_append(job->out, bytes, (guint) n);
    if (n & 1)
        g_byte_array_append(job->out, &pad, 1);
}

static void
put_string(Job *job, guint32 tag, guint16 vr, const char *text)
{
    put_value(job, tag, vr, text, strlen(text));
}

static void
note(GHashTable *tags, guint32 tag)
{
    g_hash_table_add(tags, GUINT_TO_POINTER(tag));
}

// 128 bits of SHA-256 of the salt and the old value: the same for the same, and no way back.
static char *
make_code(const Job *job, const char *what, const char *old)
{
    g_autofree char *text =
        g_strconcat(job->params->salt != NULL ? job->params->salt : "", what, old, NULL);
    g_autofree char *hash = bg_hash_bytes(text, strlen(text));

    hash[32] = '\0';
    return g_steal_pointer(&hash);
}

static char *
map_uid(Job *job, const char *old)
{
    if (old[0] == '\0' || g_str_has_prefix(old, "1.2.840.10008."))
        return g_strdup(old);
    const char *known = g_hash_table_lookup(job->uids, old);
    if (known != NULL)
        return g_strdup(known);
    g_autofree char *code = make_code(job, "uid", old);
    unsigned __int128 value = 0;
    for (const char *p = code; *p != '\0'; p++)
        value = value << 4 | (unsigned) g_ascii_xdigit_value(*p);
    char digits[48];
    int at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char) ('0' + (int) (value % 10));
        value /= 10;
    } while (value > 0);
    char *made = g_strconcat("2.25.", digits + at, NULL);
    g_hash_table_insert(job->uids, g_strdup(old), g_strdup(made));
    return made;
}

static void
put_new_uids(Job *job, BgDcmSet set, const BgDcmElement *element, guint16 vr)
{
    const guint8 *bytes = bg_dcm_value(set, element);
    g_autofree char *text = g_strndup(bytes != NULL ? (const char *) bytes : "", element->length);
    g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = 0; parts[i] != NULL; i++) {
        g_autofree char *made = map_uid(job, g_strstrip(parts[i]));
        g_string_append_printf(joined, "%s%s", i > 0 ? "\\" : "", made);
    }
    if (strcmp(joined->str, text) != 0)
        note(job->replaced, element->tag);
    put_string(job, element->tag, vr, joined->str);
}

static void
put_new_id(Job *job, BgDcmSet set, const BgDcmElement *element, guint16 vr)
{
    g_autofree char *old = bg_dcm_string(set, element->tag);
    g_autofree char *code = make_code(job, "patient", old);

    code[16] = '\0';
    const char *made = job->params->patient_id != NULL ? job->params->patient_id : code;
    if (job->old_id == NULL) {
        job->old_id = g_strdup(old);
        job->new_id = g_strdup(made);
    }
    note(job->replaced, element->tag);
    put_string(job, element->tag, vr, made);
}

static void clean_set(Job *job, BgDcmSet set);

static void
put_items(Job *job, BgDcmSet set, const BgDcmElement *element)
{
    BgDcmItems items = {
        set, (guint) (element - (const BgDcmElement *) (gpointer) set.data->elements->data) + 1,
        element->end
    };
    gboolean explicit_vr = job->explicit_vr;
    BgDcmSet item;

    put_header(job, element->tag, VR('S', 'Q'), BG_DCM_UNDEFINED_LENGTH);
    job->depth++;
    while (job->depth < MAX_DEPTH && bg_dcm_items_next(&items, &item)) {
        put_header(job, BG_DCM_ITEM, 0, BG_DCM_UNDEFINED_LENGTH);
        clean_set(job, item);
        put_header(job, TAG(0xfffe, 0xe00d), 0, 0);
    }
    job->depth--;
    job->explicit_vr = explicit_vr;
    put_header(job, TAG(0xfffe, 0xe0dd), 0, 0);
}

static void
clean_element(Job *job, BgDcmSet set, const BgDcmElement *element)
{
    const BgDcmElement *first = (const BgDcmElement *) (gpointer) set.data->elements->data;
    gboolean has_items = element->end > (guint) (element - first) + 1;
    guint16 known = bg_dcm_dictionary_vr(element->tag);
    guint16 vr = element->vr != 0 && element->vr != VR('U', 'N') ? element->vr : known;
    const guint8 *bytes = bg_dcm_value(set, element);
    BgDcmRule rule =
        bg_dcm_anonymize_rule(job->params, element->tag, known != 0 ? vr : 0, has_items);

    // Bytes of another order than the file's (inside UN) cannot be written as its own.
    if (element->big_endian != job->big_endian && rule == BG_DCM_KEEP)
        rule = BG_DCM_REMOVE;
    switch (rule) {
    case BG_DCM_REMOVE:
        note(job->removed, element->tag);
        break;
    case BG_DCM_KEEP:
        put_value(job, element->tag, vr, bytes, bytes != NULL ? element->length : 0);
        break;
    case BG_DCM_EMPTY:
        if (element->length > 0)
            note(job->replaced, element->tag);
        put_value(job, element->tag, vr, NULL, 0);
        break;
    case BG_DCM_NEW_UID:
        put_new_uids(job, set, element, vr);
        break;
    case BG_DCM_NEW_NAME:
        note(job->replaced, element->tag);
        put_string(job, element->tag, vr,
                   job->params->patient_name != NULL ? job->params->patient_name : "Anonymous");
        break;
    case BG_DCM_NEW_ID:
        put_new_id(job, set, element, vr);
        break;
    case BG_DCM_DUMMY_TEXT:
        note(job->replaced, element->tag);
        put_string(job, element->tag, vr, "Anonymous");
        break;
    case BG_DCM_DUMMY_DATE:
        note(job->replaced, element->tag);
        put_string(job, element->tag, vr, "19000101");
        break;
    case BG_DCM_CLEAN_ITEMS:
        put_items(job, set, element);
        break;
    }
}

// What says that this was done: (0012,0062) to (0012,0064), and (0028,0303).
static void
put_code_item(Job *job, const char *value, const char *meaning)
{
    put_header(job, BG_DCM_ITEM, 0, BG_DCM_UNDEFINED_LENGTH);
    put_string(job, TAG(0x0008, 0x0100), VR('S', 'H'), value);
    put_string(job, TAG(0x0008, 0x0102), VR('S', 'H'), "DCM");
    put_string(job, TAG(0x0008, 0x0104), VR('L', 'O'), meaning);
    put_header(job, TAG(0xfffe, 0xe00d), 0, 0);
}

static void
put_method(Job *job)
{
    const BgDicomAnonymizeParams *p = job->params;

    put_string(job, TAG(0x0012, 0x0062), VR('C', 'S'), "YES");
    put_string(job, TAG(0x0012, 0x0063), VR('L', 'O'), "bregma: PS3.15 Basic Profile");
    put_header(job, TAG(0x0012, 0x0064), VR('S', 'Q'), BG_DCM_UNDEFINED_LENGTH);
    put_code_item(job, "113100", "Basic Application Confidentiality Profile");
    if (p->keep_dates)
        put_code_item(job, "113106", "Retain Longitudinal Temporal Information Full Dates Option");
    if (p->keep_characteristics)
        put_code_item(job, "113108", "Retain Patient Characteristics Option");
    if (p->keep_device)
        put_code_item(job, "113109", "Retain Device Identity Option");
    if (p->keep_uids)
        put_code_item(job, "113110", "Retain UIDs Option");
    if (p->keep_institution)
        put_code_item(job, "113112", "Retain Institution Identity Option");
    put_header(job, TAG(0xfffe, 0xe0dd), 0, 0);
}

static void
clean_set(Job *job, BgDcmSet set)
{
    const BgDcmElement *all = (const BgDcmElement *) (gpointer) set.data->elements->data;
    gboolean root = job->depth == 0, method_done = FALSE, dates_done = FALSE;

    for (guint i = set.first; i < set.end; i = all[i].end) {
        guint32 tag = all[i].tag;
        if (root && !method_done && tag > TAG(0x0012, 0x0064)) {
            put_method(job);
            method_done = TRUE;
        }
        if (root && !dates_done && tag > TAG(0x0028, 0x0303)) {
            put_string(job, TAG(0x0028, 0x0303), VR('C', 'S'),
                       job->params->keep_dates ? "UNMODIFIED" : "REMOVED");
            dates_done = TRUE;
        }
        if (tag >> 16 <= 0x0002 || tag >> 16 == 0xfffe ||
            (root && (tag == TAG(0x0028, 0x0303) || tag >> 16 == 0x0012)))
            continue;
        clean_element(job, set, &all[i]);
    }
    if (root && !method_done)
        put_method(job);
    if (root && !dates_done)
        put_string(job, TAG(0x0028, 0x0303), VR('C', 'S'),
                   job->params->keep_dates ? "UNMODIFIED" : "REMOVED");
}

// 128 zeros, "DICM" and group 0002, which is explicit little endian whatever follows.
static void
put_meta(Job *job)
{
    BgDcmSet root = bg_dcm_root(job->data);
    g_auto(BgDcmEncoder) e = { 0 };
    char sop_class[65], sop_uid[65];
    static const guint8 zeros[128] = { 0 }, version[2] = { 0, 1 };

    bg_dcm_copy_string(root, TAG(0x0008, 0x0016), sop_class, sizeof sop_class);
    bg_dcm_copy_string(root, TAG(0x0008, 0x0018), sop_uid, sizeof sop_uid);
    g_autofree char *mapped = job->params->keep_uids ? g_strdup(sop_uid) : map_uid(job, sop_uid);
    bg_dcm_encoder_init(&e, 1);
    g_byte_array_append(e.bytes, zeros, sizeof zeros);
    g_byte_array_append(e.bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_ul(&e, TAG(0x0002, 0x0000), 0);
    guint start = e.bytes->len;
    bg_dcm_put_bytes(&e, TAG(0x0002, 0x0001), "OB", version, 2);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0002), "UI", sop_class);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0003), "UI", mapped);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0010), "UI",
                    job->data->syntax.deflated ? "1.2.840.10008.1.2.1" : job->data->syntax.uid);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0012), "UI", "2.25.227514103924868346210471932856731295342");
    bg_dcm_put_text(&e, TAG(0x0002, 0x0013), "SH", "BREGMA_" BG_VERSION);
    guint32 length = GUINT32_TO_LE(e.bytes->len - start);
    memcpy(e.bytes->data + start - 4, &length, 4);
    g_byte_array_append(job->out, e.bytes->data, e.bytes->len);
}

// Up to the end of the fragments: what lies behind them is not known, and not copied.
static gboolean
find_pixel_end(const Job *job, guint64 *end, GError **error)
{
    guint64 at = job->data->pixel_offset;
    guint8 header[8];

    for (;;) {
        if (!bg_dcm_data_read(job->data, at, header, sizeof header, error))
            return FALSE;
        guint32 tag = (guint32) header[1] << 24 | (guint32) header[0] << 16 |
                      (guint32) header[3] << 8 | header[2];
        guint32 length = (guint32) header[7] << 24 | (guint32) header[6] << 16 |
                         (guint32) header[5] << 8 | header[4];
        at += 8;
        if (tag == TAG(0xfffe, 0xe0dd)) {
            *end = at;
            return TRUE;
        }
        if (tag != BG_DCM_ITEM || length == BG_DCM_UNDEFINED_LENGTH) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the compressed pixels are damaged"));
            return FALSE;
        }
        at += length;
    }
}

static gboolean
write_pixels(Job *job, GError **error)
{
    const BgDcmData *data = job->data;
    guint64 n_bytes = data->pixel_length;

    if (data->pixel_tag == 0)
        return TRUE;
    put_header(job, data->pixel_tag, data->pixel_vr != 0 ? data->pixel_vr : VR('O', 'W'),
               data->pixel_length);
    if (data->pixel_length == BG_DCM_UNDEFINED_LENGTH) {
        guint64 end;
        if (!find_pixel_end(job, &end, error))
            return FALSE;
        n_bytes = end - data->pixel_offset;
    }
    if (data->pixel_offset > data->data_size || n_bytes > data->data_size - data->pixel_offset) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT, _("the pixels are cut short"));
        return FALSE;
    }
    guint at = job->out->len;
    if (!bg_dcm_fits(n_bytes + at, error))
        return FALSE;
    g_byte_array_set_size(job->out, at + (guint) n_bytes);
    return bg_dcm_data_read(data, data->pixel_offset, job->out->data + at, (gsize) n_bytes, error);
}

static gboolean
may_hold_text(const BgDcmData *data)
{
    static const char *const modalities[] = { "US", "SC", "OT", "XA", "RF", "ES",
                                              "XC", "CR", "DX", "MG", "NM", "IVUS" };
    BgDcmSet root = bg_dcm_root(data);
    char modality[17], sop_class[65];

    if (data->pixel_tag == 0 || bg_dcm_has_word(root, TAG(0x0028, 0x0301), "NO"))
        return FALSE;
    if (bg_dcm_has_word(root, TAG(0x0028, 0x0301), "YES"))
        return TRUE;
    bg_dcm_copy_string(root, TAG(0x0008, 0x0060), modality, sizeof modality);
    bg_dcm_copy_string(root, TAG(0x0008, 0x0016), sop_class, sizeof sop_class);
    for (gsize i = 0; i < G_N_ELEMENTS(modalities); i++) {
        if (strcmp(modality, modalities[i]) == 0)
            return TRUE;
    }
    return g_str_has_prefix(sop_class, "1.2.840.10008.5.1.4.1.1.7") ||
           bg_dcm_has_word(root, TAG(0x0008, 0x0008), "SECONDARY");
}

static int
compare_tags(gconstpointer a, gconstpointer b)
{
    guint x = GPOINTER_TO_UINT(a), y = GPOINTER_TO_UINT(b);

    return x < y ? -1 : x > y;
}

static BgJson *
list_tags(GHashTable *tags)
{
    BgJson *array = bg_json_new_array();
    GList *keys = g_list_sort(g_hash_table_get_keys(tags), compare_tags);

    for (GList *l = keys; l != NULL; l = l->next)
        bg_json_append(array, bg_json_new_integer(GPOINTER_TO_UINT(l->data)));
    g_list_free(keys);
    return array;
}

static void
write_report(const Job *job, BgJson *report)
{
    BgJson *uids = bg_json_new_array();
    GList *keys = g_list_sort(g_hash_table_get_keys(job->uids), (GCompareFunc) strcmp);

    for (GList *l = keys; l != NULL; l = l->next) {
        bg_json_append(uids, bg_json_new_string(l->data));
        bg_json_append(uids, bg_json_new_string(g_hash_table_lookup(job->uids, l->data)));
    }
    g_list_free(keys);
    bg_json_set(report, "removed", list_tags(job->removed));
    bg_json_set(report, "replaced", list_tags(job->replaced));
    bg_json_set(report, "uids", uids);
    bg_json_set_string(report, "old_id", job->old_id != NULL ? job->old_id : "");
    bg_json_set_string(report, "new_id", job->new_id != NULL ? job->new_id : "");
    bg_json_set_boolean(report, "burned_in", may_hold_text(job->data));
}

static GBytes *
rewrite(Job *job, GError **error)
{
    const BgDcmData *data = job->data;

    if (bg_dcm_find(bg_dcm_root(data), TAG(0x0004, 0x1220)) != NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("a DICOMDIR is not anonymised: it names other files"));
        return NULL;
    }
    if (data->cut_short) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the file is cut short or damaged, and was not anonymised"));
        return NULL;
    }
    put_meta(job);
    job->explicit_vr = data->syntax.explicit_vr;
    job->big_endian = data->syntax.big_endian;
    clean_set(job, bg_dcm_root(data));
    if (!write_pixels(job, error))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&job->out));
}

GBytes *
bg_dicom_anonymize(const char *path, const BgDicomAnonymizeParams *params, BgJson *report,
                   GError **error)
{
    g_autoptr(BgDcmData) data = bg_dcm_data_open(path, error);
    Job job = { .params = params, .data = data };

    if (data == NULL)
        return NULL;
    job.uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    job.removed = g_hash_table_new(NULL, NULL);
    job.replaced = g_hash_table_new(NULL, NULL);
    job.out = g_byte_array_new();
    GBytes *bytes = rewrite(&job, error);
    if (bytes == NULL)
        g_prefix_error(error, "%s: ", path);
    else if (report != NULL)
        write_report(&job, report);
    g_hash_table_unref(job.uids);
    g_hash_table_unref(job.removed);
    g_hash_table_unref(job.replaced);
    g_clear_pointer(&job.out, g_byte_array_unref);
    g_free(job.old_id);
    g_free(job.new_id);
    return bytes;
}

static gboolean
get_flag(const BgJson *json, const char *name)
{
    return bg_json_to_boolean(bg_json_get(json, name), FALSE);
}

BgDicomAnonymizeParams
bg_dicom_anonymize_params_from_json(const BgJson *json)
{
    return (BgDicomAnonymizeParams){
        .keep_uids = get_flag(json, "keep_uids"),
        .keep_dates = get_flag(json, "keep_dates"),
        .keep_device = get_flag(json, "keep_device"),
        .keep_institution = get_flag(json, "keep_institution"),
        .keep_characteristics = get_flag(json, "keep_characteristics"),
        .keep_descriptions = get_flag(json, "keep_descriptions"),
        .keep_graphics = get_flag(json, "keep_graphics"),
        .patient_name = bg_json_to_string(bg_json_get(json, "patient_name"), NULL),
        .patient_id = bg_json_to_string(bg_json_get(json, "patient_id"), NULL),
        .salt = bg_json_to_string(bg_json_get(json, "salt"), NULL),
    };
}
