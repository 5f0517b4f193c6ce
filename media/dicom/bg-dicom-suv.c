// SPDX-License-Identifier: Apache-2.0
// PET: standardised uptake value by body weight, by QIBA's vendor-neutral rule
// (qibawiki.rsna.org, "Standardized Uptake Value"): SUVbw = C * weight / dose, with the dose decayed
// to the moment to which the pixels are corrected.
#include "bg-dicom-image.h"

#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define VR_DS BG_DCM_VR('D', 'S')
#define SECONDS_A_DAY 86400.0

// A date and a time of day as seconds since 1970; FALSE when one is missing or wrong.
static gboolean
read_moment(const char *date, const char *time, double *seconds)
{
    int year, month, day;

    if (strlen(date) < 8 || strlen(time) < 4 || strspn(date, "0123456789") < 8 ||
        strspn(time, "0123456789") < 4)
        return FALSE;
    g_autofree char *digits = g_strndup(date, 8); // of a DT only these are the date
    day = (int) g_ascii_strtoll(digits, NULL, 10);
    year = day / 10000;
    month = day / 100 % 100;
    day %= 100;
    if (!g_date_valid_dmy((GDateDay) day, (GDateMonth) month, (GDateYear) year))
        return FALSE;
    GDate calendar;
    g_date_clear(&calendar, 1);
    g_date_set_dmy(&calendar, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
    double value = g_ascii_strtod(time, NULL);
    if (strspn(time, "0123456789") < 6)
        value *= 100.0;
    *seconds = g_date_get_julian(&calendar) * SECONDS_A_DAY + floor(value / 10000.0) * 3600.0 +
               floor(fmod(value, 10000.0) / 100.0) * 60.0 + fmod(value, 100.0);
    return TRUE;
}

static gboolean
read_pair(BgDcmSet set, guint32 date_tag, guint32 time_tag, double *seconds)
{
    char date[32], time[32];

    bg_dcm_copy_string(set, date_tag, date, sizeof date);
    bg_dcm_copy_string(set, time_tag, time, sizeof time);
    return read_moment(date, time, seconds);
}

// When the tracer was given: a full date and time, or a time of the day of the scan.
static gboolean
read_injection(BgDcmSet root, BgDcmSet tracer, double scan, double *injection)
{
    char full[32], date[32], time[32];

    bg_dcm_copy_string(tracer, TAG(0x0018, 0x1078), full, sizeof full);
    if (strlen(full) >= 12) {
        g_autofree char *day = g_strndup(full, 8);
        return read_moment(day, full + 8, injection);
    }
    bg_dcm_copy_string(root, TAG(0x0008, 0x0021), date, sizeof date);
    bg_dcm_copy_string(tracer, TAG(0x0018, 0x1072), time, sizeof time);
    if (!read_moment(date, time, injection))
        return FALSE;
    if (*injection > scan) // before midnight
        *injection -= SECONDS_A_DAY;
    return TRUE;
}

static double
decayed_dose(BgDcmSet root, BgDcmSet tracer, double dose, double half_life_s, char **rule)
{
    double scan, acquisition, injection;

    if (bg_dcm_has_word(root, TAG(0x0054, 0x1102), "ADMIN")) {
        *rule = g_strdup(_("pixels are decay corrected to the injection"));
        return dose;
    }
    if (!bg_dcm_has_word(root, TAG(0x0054, 0x1102), "START") ||
        !read_pair(root, TAG(0x0008, 0x0021), TAG(0x0008, 0x0031), &scan) ||
        !read_pair(root, TAG(0x0008, 0x0022), TAG(0x0008, 0x0032), &acquisition) ||
        scan > acquisition || !read_injection(root, tracer, scan, &injection))
        return 0.0;
    double waited = scan - injection;
    if (waited < 0.0 || waited > 2.0 * SECONDS_A_DAY || !(half_life_s > 0.0))
        return 0.0;
    *rule = g_strdup_printf(_("decayed over %.0f s from the injection to the start of the series, "
                              "half-life %.0f s"),
                            waited, half_life_s);
    return dose * exp2(-waited / half_life_s);
}

static void
scale_frames(BgDcmImage *image, double factor)
{
    for (guint f = 0; f < image->frames->len; f++) {
        BgDcmFrame *frame = &g_array_index(image->frames, BgDcmFrame, f);
        frame->slope *= factor;
        frame->intercept *= factor;
    }
    g_ref_string_release(image->unit);
    image->unit = g_ref_string_new_intern("SUVbw");
}

void
bg_dcm_image_read_suv(BgDcmImage *image, const BgDcmData *data)
{
    BgDcmSet root = bg_dcm_root(data), tracer;
    g_autofree char *rule = NULL, *note = NULL;

    if (strcmp(image->modality, "PT") != 0)
        return;
    double philips = bg_dcm_number(root, TAG(0x7053, 0x1000), VR_DS, 0.0);
    if (strcmp(image->unit, "CNTS") == 0 && philips > 0.0 && philips < 1e6) {
        scale_frames(image, philips);
        bg_dcm_image_set_note(image, _("Values are SUVbw (g/ml): counts x Philips' own factor "
                                       "(7053,1000)."));
        return;
    }
    if (strcmp(image->unit, "BQML") != 0)
        return;
    double weight_kg = bg_dcm_number(root, TAG(0x0010, 0x1030), VR_DS, 0.0);
    double dose = 0.0;
    if (bg_dcm_item(root, TAG(0x0054, 0x0016), 0, &tracer)) {
        double given = bg_dcm_number(tracer, TAG(0x0018, 0x1074), VR_DS, 0.0);
        double half_life_s = bg_dcm_number(tracer, TAG(0x0018, 0x1075), VR_DS, 0.0);
        if (given > 0.0)
            dose = decayed_dose(root, tracer, given, half_life_s, &rule);
    }
    if (!(dose > 0.0) || !(weight_kg > 0.0 && weight_kg < 1000.0)) {
        bg_dcm_image_set_note(image,
                              _("No SUV: weight, dose, times or decay correction are missing "
                                "or contradict each other. Values are Bq/ml."));
        return;
    }
    scale_frames(image, weight_kg * 1000.0 / dose);
    note = g_strdup_printf(_("Values are SUVbw (g/ml) = Bq/ml x %.4g kg x 1000 / %.4g Bq (%s)."),
                           weight_kg, dose, rule);
    bg_dcm_image_set_note(image, note);
}
