// SPDX-License-Identifier: Apache-2.0
#include "bg-compare-report.h"

#include "bg-cohort.h"
#include "core/base/bg-i18n.h"

#include <math.h>

static const char style[] =
    "body{font-family:sans-serif;margin:2rem;max-width:60rem;color:#1c1c1c;background:#fff}"
    "svg{width:30rem;max-width:100%}figure{margin:1rem 0}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.3rem .6rem;"
    "text-align:right}th:first-child,td:first-child{text-align:left}"
    "pre{white-space:pre-wrap;font-size:.75rem;background:#f3f3f3;padding:1rem}";

static void
escape(GString *html, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text, -1);

    g_string_append(html, safe);
}

static void
add_cell(GString *html, double value, const char *format)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(html, "<td>%s</td>",
                           isfinite(value) ? g_ascii_formatd(text, sizeof text, format, value)
                                           : "–");
}

static void
add_table(GString *html, const BgCompareReport *report)
{
    const char *const headings[] = {
        _("Region"),      _("Dice"),         _("Jaccard"),      _("Sensitivity"),
        _("Specificity"), _("Precision"),    _("Hausdorff mm"), _("HD95 mm"),
        _("mean mm"),     _("Surface Dice"), _("Volume ml"),    _("True volume ml"),
    };

    g_string_append(html, "<table><tr>");
    for (gsize n = 0; n < G_N_ELEMENTS(headings); n++)
        g_string_append_printf(html, "<th>%s</th>", headings[n]);
    g_string_append(html, "</tr>\n");
    for (gsize r = 0; r < report->n_rows; r++) {
        const BgLabelMetrics *m = &report->metrics[r];
        const double shares[] = { m->dice, m->jaccard, m->sensitivity, m->specificity,
                                  m->precision };
        const double lengths[] = { m->hausdorff_mm, m->hd95_mm, m->mean_surface_mm };
        g_string_append(html, "<tr><td>");
        escape(html, report->names[r]);
        g_string_append(html, "</td>");
        for (gsize n = 0; n < G_N_ELEMENTS(shares); n++)
            add_cell(html, shares[n], "%.4f");
        for (gsize n = 0; n < G_N_ELEMENTS(lengths); n++)
            add_cell(html, lengths[n], "%.2f");
        add_cell(html, m->surface_dice, "%.4f");
        add_cell(html, m->volume_pred_ml, "%.3f");
        add_cell(html, m->volume_true_ml, "%.3f");
        g_string_append(html, "</tr>\n");
    }
    g_string_append(html, "</table>\n");
}

static void
add_drawing(GString *html, const char *heading, char *svg)
{
    g_string_append_printf(html, "<h3>%s</h3>\n<figure>%s</figure>\n", heading, svg);
    g_free(svg);
}

char *
bg_compare_report(const BgCompareReport *report)
{
    GString *html = g_string_new("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
    g_autofree BgSummary *boxes = g_new(BgSummary, MAX(report->n_rows, 1));

    escape(html, report->title);
    g_string_append_printf(html, "</title><style>%s</style></head><body>\n<h1>", style);
    escape(html, report->title);
    // Translators: names of two segmentations
    g_autofree char *who = g_strdup_printf(_("“%s” judged by “%s”"), report->pred, report->truth);
    g_string_append(html, "</h1>\n<p>");
    escape(html, who);
    g_string_append_printf(
        html, ". %s</p>\n<p>",
        report->kind == BG_SURFACE_SURFELS
            ? _("Surfaces are pieces between voxel centres, weighed by their area.")
            : _("Surfaces are the centres of voxels that touch another."));
    // Translators: a length
    g_string_append_printf(html, _("Tolerance of the surface Dice: %.1f mm."),
                           report->tolerance_mm);
    g_string_append_printf(html, " %s</p>\n", _("For research, not for diagnosis."));
    add_table(html, report);
    for (gsize r = 0; r < report->n_rows; r++)
        boxes[r] = bg_summary(report->slices[r], report->n_slices);
    add_drawing(html, _("Dice of the slices with a voxel of the region"),
                bg_plot_boxes(report->names, boxes, report->n_rows, "Dice", 1.0));
    add_drawing(html, _("Dice slice by slice"),
                bg_plot_slices(report->names, report->slices, report->n_rows, report->n_slices));
    if (report->provenance != NULL) {
        g_string_append_printf(html, "<h3>%s</h3>\n<pre>", _("Provenance"));
        escape(html, report->provenance);
        g_string_append(html, "</pre>\n");
    }
    g_string_append(html, "</body></html>\n");
    return g_string_free(html, FALSE);
}
