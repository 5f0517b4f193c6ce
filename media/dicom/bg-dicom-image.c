// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-image.h"

#include "core/base/bg-i18n.h"
#include "core/volume/bg-geometry.h"

#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define SOP_RTSTRUCT "1.2.840.10008.5.1.4.1.1.481.3"
#define SOP_SEGMENTATION "1.2.840.10008.5.1.4.1.1.66.4"
#define SOP_ENCAPSULATED_STL "1.2.840.10008.5.1.4.1.1.104.3"

static GRefString *
intern(BgDcmSet set, guint32 tag)
{
    g_autofree char *text = bg_dcm_text(set, tag);

    return g_ref_string_new_intern(text);
}

static GRefString *
intern_plain(BgDcmSet set, guint32 tag)
{
    char text[128];

    bg_dcm_copy_string(set, tag, text, sizeof text);
    return g_ref_string_new_intern(text);
}

// "YYYY.MM.DD" of ACR-NEMA, which PS3.5 6.2 lets readers meet, becomes "YYYYMMDD".
static GRefString *
intern_date(BgDcmSet set, guint32 tag)
{
    char text[128];

    bg_dcm_copy_string(set, tag, text, sizeof text);
    if (strlen(text) == 10 && text[4] == '.' && text[7] == '.') {
        memmove(text + 4, text + 5, 2);
        memmove(text + 6, text + 8, 3);
    }
    return g_ref_string_new_intern(text);
}

void
bg_dcm_image_set_note(BgDcmImage *image, const char *note)
{
    char *joined =
        image->note == NULL ? g_strdup(note) : g_strconcat(image->note, "\n", note, NULL);

    g_free(image->note);
    image->note = joined;
}

static void
read_identity(BgDcmImage *image, BgDcmSet root)
{
    image->patient_name = intern(root, TAG(0x0010, 0x0010));
    image->patient_id = intern(root, TAG(0x0010, 0x0020));
    image->patient_birth_date = intern_date(root, TAG(0x0010, 0x0030));
    image->patient_sex = intern_plain(root, TAG(0x0010, 0x0040));
    image->study_uid = intern_plain(root, TAG(0x0020, 0x000d));
    image->study_date = intern_date(root, TAG(0x0008, 0x0020));
    image->study_time = intern_plain(root, TAG(0x0008, 0x0030));
    image->study_description = intern(root, TAG(0x0008, 0x1030));
    image->accession_number = intern(root, TAG(0x0008, 0x0050));
    image->series_uid = intern_plain(root, TAG(0x0020, 0x000e));
    image->series_description = intern(root, TAG(0x0008, 0x103e));
    image->series_date = intern_date(root, TAG(0x0008, 0x0021));
    image->modality = intern_plain(root, TAG(0x0008, 0x0060));
    image->body_part = intern_plain(root, TAG(0x0018, 0x0015));
    image->frame_of_reference = intern_plain(root, TAG(0x0020, 0x0052));
    image->manufacturer = intern(root, TAG(0x0008, 0x0070));
    image->series_number = bg_dcm_int(root, TAG(0x0020, 0x0011), VR('I', 'S'), 0);
    image->instance_number = bg_dcm_int(root, TAG(0x0020, 0x0013), VR('I', 'S'), 0);
    bg_dcm_copy_string(root, TAG(0x0008, 0x0018), image->sop_uid, sizeof image->sop_uid);
    bg_dcm_copy_string(root, TAG(0x0008, 0x0016), image->sop_class, sizeof image->sop_class);
    if (bg_dcm_has_word(root, TAG(0x0028, 0x0301), "YES"))
        image->badges |= BG_DICOM_BADGE_BURNED_IN;
}

static BgDcmPhotometric
read_photometric(BgDcmSet root)
{
    static const struct {
        const char *name;
        BgDcmPhotometric value;
    } names[] = {
        { "MONOCHROME1", BG_DCM_MONOCHROME1 },
        { "MONOCHROME2", BG_DCM_MONOCHROME2 },
        { "PALETTE COLOR", BG_DCM_PALETTE },
        { "RGB", BG_DCM_RGB },
        { "YBR_FULL", BG_DCM_YBR_FULL },
        { "YBR_FULL_422", BG_DCM_YBR_422 },
        { "YBR_RCT", BG_DCM_YBR_RCT },
        { "YBR_ICT", BG_DCM_YBR_ICT },
        { "YBR_PARTIAL_422", BG_DCM_YBR_PARTIAL_422 },
        { "YBR_PARTIAL_420", BG_DCM_YBR_PARTIAL_422 },
    };
    char text[32];

    bg_dcm_copy_string(root, TAG(0x0028, 0x0004), text, sizeof text);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(names[i].name, text) == 0)
            return names[i].value;
    }
    return BG_DCM_OTHER_COLOUR;
}

gboolean
bg_dcm_is_colour(const BgDcmPixels *pixels)
{
    return pixels->n_samples > 1 || pixels->photometric == BG_DCM_PALETTE;
}

// Values of the pixel module are checked here once; all after this may rely on their ranges.
static char *
check_pixels(const BgDcmPixels *p, double rows, double columns, double frames)
{
    if (rows < 1 || rows > BG_VOLUME_MAX_DIM || columns < 1 || columns > BG_VOLUME_MAX_DIM)
        return g_strdup_printf(_("the picture's size, %g x %g, is out of range"), columns, rows);
    if (frames < 1 || frames > 1e6)
        return g_strdup_printf(_("the number of frames, %g, is out of range"), frames);
    if (p->n_samples < 1 || p->n_samples > 4 || p->n_samples == 2)
        return g_strdup_printf(_("%d samples in a pixel are not read"), p->n_samples);
    if (p->bits_allocated != 1 && p->bits_allocated != 8 && p->bits_allocated != 16 &&
        p->bits_allocated != 32 && !(p->bits_allocated == 64 && p->is_float))
        return g_strdup_printf(_("%d bits allocated for a sample are not read"), p->bits_allocated);
    if (p->bits_stored < 1 || p->bits_stored > p->bits_allocated ||
        p->high_bit < p->bits_stored - 1 || p->high_bit >= p->bits_allocated)
        return g_strdup_printf(_("%d bits stored below bit %d of %d contradict each other"),
                               p->bits_stored, p->high_bit, p->bits_allocated);
    if (p->n_samples == 1 && p->photometric > BG_DCM_PALETTE)
        return g_strdup(_("the photometric interpretation does not fit one sample in a pixel"));
    if (p->n_samples > 1 && p->photometric <= BG_DCM_PALETTE)
        return g_strdup(_("the photometric interpretation does not fit several samples in a "
                          "pixel"));
    return NULL;
}

static void
read_pixels(BgDcmImage *image, BgDcmSet root)
{
    BgDcmPixels *p = &image->pixels;
    double rows = bg_dcm_number(root, TAG(0x0028, 0x0010), VR('U', 'S'), 0);
    double columns = bg_dcm_number(root, TAG(0x0028, 0x0011), VR('U', 'S'), 0);
    double frames = bg_dcm_number(root, TAG(0x0028, 0x0008), VR('I', 'S'), 1);

    if (frames == 0 && bg_dcm_find(root, TAG(0x0028, 0x0008)) != NULL)
        frames = 1;
    p->n_samples = bg_dcm_int(root, TAG(0x0028, 0x0002), VR('U', 'S'), 1);
    p->planar = bg_dcm_int(root, TAG(0x0028, 0x0006), VR('U', 'S'), 0) == 1;
    p->is_float = image->pixel_tag != TAG(0x7fe0, 0x0010);
    p->bits_allocated = bg_dcm_int(root, TAG(0x0028, 0x0100), VR('U', 'S'),
                                   image->pixel_tag == TAG(0x7fe0, 0x0009) ? 64 : 32);
    p->bits_stored = bg_dcm_int(root, TAG(0x0028, 0x0101), VR('U', 'S'), p->bits_allocated);
    p->high_bit = bg_dcm_int(root, TAG(0x0028, 0x0102), VR('U', 'S'), p->bits_stored - 1);
    p->is_signed = bg_dcm_int(root, TAG(0x0028, 0x0103), VR('U', 'S'), 0) == 1;
    p->photometric = read_photometric(root);
    if (p->photometric == BG_DCM_OTHER_COLOUR)
        p->photometric = p->n_samples == 1 ? BG_DCM_MONOCHROME2 : BG_DCM_RGB;
    if (p->is_float) {
        p->bits_allocated = image->pixel_tag == TAG(0x7fe0, 0x0009) ? 64 : 32;
        p->bits_stored = p->bits_allocated;
        p->high_bit = p->bits_stored - 1;
        p->is_signed = TRUE;
    }
    image->reason = check_pixels(p, rows, columns, frames);
    if (image->reason == NULL) {
        p->rows = (int) rows;
        p->columns = (int) columns;
        p->n_frames = (guint32) frames;
    }
}

// A frame takes at least this much of the file: a header that promises more is refused before
// anything is allocated.
static void
check_promise(BgDcmImage *image)
{
    const BgDcmPixels *p = &image->pixels;
    guint64 n_samples = (guint64) p->rows * (guint64) p->columns * (guint64) p->n_samples;
    guint64 bits = n_samples * p->n_frames * (guint64) p->bits_allocated;
    guint64 there =
        image->pixel_offset < image->file_size ? image->file_size - image->pixel_offset : 0;

    if (image->syntax.coding == BG_DCM_CODING_OTHER) {
        image->reason = g_strdup_printf(_("the transfer syntax %s is not read"), image->syntax.uid);
    } else if (image->syntax.coding == BG_DCM_CODING_NATIVE) {
        if (p->photometric == BG_DCM_YBR_422 || p->photometric == BG_DCM_YBR_PARTIAL_422)
            bits = bits / 3 * 2;
        if (!image->syntax.deflated && bits / 8 > there)
            image->reason = g_strdup_printf(_("the pixels are cut short: %" G_GUINT64_FORMAT
                                              " bytes of %" G_GUINT64_FORMAT " are there"),
                                            there, bits / 8);
    } else if (bits / 8 / 4096 > there || p->n_frames > there) {
        // No codec packs real pictures 4096 times; RLE and JPEG cannot at all.
        image->reason = g_strdup_printf(
            _("%" G_GUINT64_FORMAT " bytes of pixels cannot come out of %" G_GUINT64_FORMAT),
            bits / 8, there);
    }
}

static void
read_content(BgDcmImage *image)
{
    if (strcmp(image->sop_class, SOP_RTSTRUCT) == 0)
        image->content = BG_DICOM_CONTENT_RTSTRUCT;
    else if (strcmp(image->sop_class, SOP_ENCAPSULATED_STL) == 0)
        image->content = BG_DICOM_CONTENT_MESH;
    else if (image->pixel_tag == 0)
        image->content = BG_DICOM_CONTENT_NO_PIXELS;
    else if (strcmp(image->sop_class, SOP_SEGMENTATION) == 0)
        image->content = BG_DICOM_CONTENT_SEG;
    else
        image->content = BG_DICOM_CONTENT_VOLUME;
}

// The series that a SEG or RTSTRUCT was drawn on.
static GRefString *
read_referenced_series(const BgDcmImage *image, BgDcmSet root)
{
    BgDcmSet item, study, series;

    if (bg_dcm_item(root, TAG(0x0008, 0x1115), 0, &item))
        return intern_plain(item, TAG(0x0020, 0x000e));
    if (image->content == BG_DICOM_CONTENT_RTSTRUCT &&
        bg_dcm_item(root, TAG(0x3006, 0x0010), 0, &item) &&
        bg_dcm_item(item, TAG(0x3006, 0x0012), 0, &study) &&
        bg_dcm_item(study, TAG(0x3006, 0x0014), 0, &series))
        return intern_plain(series, TAG(0x0020, 0x000e));
    return g_ref_string_new_intern("");
}

static void
read_lossy(BgDcmImage *image, BgDcmSet root)
{
    char lossy[8];

    bg_dcm_copy_string(root, TAG(0x0028, 0x2110), lossy, sizeof lossy);
    if (!image->syntax.lossy && strcmp(lossy, "01") != 0)
        return;
    // JPEG 2000's and JPEG-LS' lossy syntaxes may hold lossless pictures: the flag decides.
    if (strcmp(lossy, "00") == 0 && image->syntax.coding != BG_DCM_CODING_JPEG)
        return;
    image->badges |= BG_DICOM_BADGE_LOSSY;
    double ratio = bg_dcm_number(root, TAG(0x0028, 0x2112), VR('D', 'S'), 0.0);
    g_autofree char *note = ratio > 1.0
                                ? g_strdup_printf(_("Lossy compression (%.3g to 1): fine detail "
                                                    "and values are not the original ones."),
                                                  ratio)
                                : g_strdup(_("Lossy compression: fine detail and values are not "
                                             "the original ones."));
    bg_dcm_image_set_note(image, note);
}

// CVE-2019-11687: the 128 bytes before "DICM" may make the file a program as well.
static void
look_at_preamble(BgDcmImage *image, const BgDcmData *data)
{
    static const struct {
        const char *magic;
        gsize length;
        const char *what;
    } known[] = {
        { "MZ", 2, N_("a Windows program") },
        { "\x7f"
          "ELF",
          4, N_("a Linux program") },
        { "\xfe\xed\xfa", 3, N_("a macOS program") },
        { "\xcf\xfa\xed\xfe", 4, N_("a macOS program") },
        { "\xce\xfa\xed\xfe", 4, N_("a macOS program") },
        { "\xca\xfe\xba\xbe", 4, N_("a macOS program") },
        { "#!", 2, N_("a script") },
        { "II*\0", 4, N_("a TIFF file") },
        { "MM\0*", 4, N_("a TIFF file") },
    };

    for (gsize i = 0; data->has_preamble && i < G_N_ELEMENTS(known); i++) {
        if (memcmp(data->preamble, known[i].magic, known[i].length) != 0)
            continue;
        g_autofree char *note = g_strdup_printf(
            _("The file's preamble makes it %s as well: do not open it with anything else."),
            _(known[i].what));
        image->badges |= BG_DICOM_BADGE_PREAMBLE;
        bg_dcm_image_set_note(image, note);
        return;
    }
}

// What sets stacks of one series apart: of MR the part of the signal, of all the third word of
// (0008,0008) when it says that the picture was put together (MPR, projections, maps).
static GRefString *
read_kind(BgDcmSet root)
{
    g_autofree char *text = bg_dcm_string(root, TAG(0x0008, 0x0008));
    g_auto(GStrv) words = g_strsplit(text, "\\", 32);
    g_autoptr(GString) kind = g_string_new(NULL);

    for (guint i = 0; words[i] != NULL; i++) {
        const char *word = g_strstrip(words[i]);
        if (i >= 2 && strlen(word) > 0 &&
            (strlen(word) == 1 || strcmp(word, "LOCALIZER") == 0 ||
             strcmp(word, "PROJECTION IMAGE") == 0 || strcmp(word, "PHASE") == 0 ||
             strcmp(word, "MAGNITUDE") == 0 || strcmp(word, "REAL") == 0 ||
             strcmp(word, "IMAGINARY") == 0 || strcmp(word, "ADC") == 0))
            g_string_append_printf(kind, "%s ", word);
    }
    return g_ref_string_new_intern(kind->str);
}

// (0028,1054) of the file, else of its first frame: "HU", or "US" where the values have no unit.
static gboolean
is_hounsfield(BgDcmSet root)
{
    static const guint32 groups[] = { TAG(0x5200, 0x9229), TAG(0x5200, 0x9230) };
    BgDcmSet item, group;

    if (bg_dcm_find(root, TAG(0x0028, 0x1054)) != NULL)
        return !bg_dcm_has_word(root, TAG(0x0028, 0x1054), "US");
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (bg_dcm_item(root, groups[i], 0, &item) &&
            bg_dcm_item(item, TAG(0x0028, 0x9145), 0, &group))
            return !bg_dcm_has_word(group, TAG(0x0028, 0x1054), "US");
    }
    return TRUE;
}

static void
read_picture(BgDcmImage *image, const BgDcmData *data, BgDcmSet root)
{
    read_pixels(image, root);
    if (image->reason != NULL)
        return;
    check_promise(image);
    if (image->reason != NULL)
        return;
    read_lossy(image, root);
    image->window[0] = bg_dcm_number(root, TAG(0x0028, 0x1050), VR('D', 'S'), 0.0);
    image->window[1] = bg_dcm_number(root, TAG(0x0028, 0x1051), VR('D', 'S'), 0.0);
    image->tilt_deg = bg_dcm_number(root, TAG(0x0018, 0x1120), VR('D', 'S'), 0.0);
    image->repetition_s = bg_dcm_number(root, TAG(0x0018, 0x0080), VR('D', 'S'), 0.0) / 1000.0;
    image->has_modality_lut = bg_dcm_count_items(root, TAG(0x0028, 0x3000)) > 0;
    if (image->content == BG_DICOM_CONTENT_SEG ||
        (image->content == BG_DICOM_CONTENT_VOLUME && !bg_dcm_image_read_mosaic(image, data)))
        bg_dcm_image_read_frames(image, data);
    bg_dcm_image_read_suv(image, data);
}

BgDcmImage *
bg_dcm_image_new(const BgDcmData *data)
{
    BgDcmImage *image = g_new0(BgDcmImage, 1);
    BgDcmSet root = bg_dcm_root(data);
    char unit[17];

    image->path = g_strdup(data->path);
    image->frames = g_array_new(FALSE, TRUE, sizeof(BgDcmFrame));
    image->syntax = data->syntax;
    image->pixel_tag = data->pixel_tag;
    image->pixel_offset = data->pixel_offset;
    image->pixel_length = data->pixel_length;
    image->pixel_is_words = data->pixel_vr == VR('O', 'W');
    image->file_size = data->data_size;
    image->aspect = 1.0;
    read_identity(image, root);
    read_content(image);
    image->referenced_series_uid = read_referenced_series(image, root);
    image->kind = read_kind(root);
    if (bg_dcm_has_word(root, TAG(0x0029, 0x0010), "BREGMA") &&
        bg_dcm_find(root, TAG(0x0029, 0x1001)) != NULL)
        image->provenance = bg_dcm_text(root, TAG(0x0029, 0x1001));
    bg_dcm_copy_string(root, TAG(0x0054, 0x1001), unit, sizeof unit);
    if (unit[0] == '\0' && strcmp(image->modality, "CT") == 0 && is_hounsfield(root))
        g_strlcpy(unit, "HU", sizeof unit);
    else if (strcmp(image->modality, "RTDOSE") == 0)
        g_strlcpy(unit, bg_dcm_has_word(root, TAG(0x3004, 0x0002), "GY") ? "Gy" : "", sizeof unit);
    image->unit = g_ref_string_new_intern(unit);
    look_at_preamble(image, data);
    if (image->pixel_tag != 0)
        read_picture(image, data, root);
    if (data->cut_short && image->reason == NULL)
        image->reason = g_strdup(_("the file is cut short or damaged before its pixels"));
    return image;
}

void
bg_dcm_image_free(BgDcmImage *image)
{
    GRefString *strings[] = {
        image->patient_name,
        image->patient_id,
        image->patient_birth_date,
        image->patient_sex,
        image->study_uid,
        image->study_date,
        image->study_time,
        image->study_description,
        image->accession_number,
        image->series_uid,
        image->series_description,
        image->series_date,
        image->modality,
        image->body_part,
        image->frame_of_reference,
        image->manufacturer,
        image->referenced_series_uid,
        image->unit,
        image->kind,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(&strings[i], g_ref_string_release);
    g_free(image->path);
    g_free(image->provenance);
    g_free(image->reason);
    g_free(image->note);
    g_array_unref(image->frames);
    g_free(image);
}
