// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-report.h"

#include "bg-label-picture.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-image-io.h"
#include "core/volume/bg-reorient.h"
#include "core/volume/bg-resample.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define N_PLANES 3 // sagittal, coronal, axial: across i, j, k of the LPS grid

static const char style[] =
    "body{font-family:sans-serif;margin:2rem;max-width:60rem;color:#1c1c1c;background:#fff}"
    "img{width:18rem;image-rendering:auto;background:#000;margin:.2rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.3rem .6rem;"
    "text-align:right}th:first-child,td:first-child{text-align:left}"
    ".w{background:#fff3cd;padding:.5rem 1rem}.r{color:#d22}.g{color:#180}.b{color:#06c}"
    "pre{white-space:pre-wrap;font-size:.75rem;background:#f3f3f3;padding:1rem}";

/** Page: what is drawn, on one grid */
typedef struct {
    const BgTumourReport *report;
    BgGeometry grid;
    BgLabelMap *labels; // owned
    int at[N_PLANES];   // which slice
    GString *html;      // borrowed
    GCancellable *cancellable;
} Page;

static void
escape(GString *html, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text, -1);

    g_string_append(html, safe);
}

// The slices with most of the tumour; those in the middle without one.
static void
find_slices(Page *page)
{
    const int *d = page->grid.dims;
    gsize *counts[N_PLANES];
    g_autofree guint32 *row = g_new(guint32, d[0]);

    for (int axis = 0; axis < N_PLANES; axis++) {
        page->at[axis] = d[axis] / 2;
        counts[axis] = g_new0(gsize, d[axis]);
    }
    for (int k = 0; k < d[2]; k++) {
        for (int j = 0; j < d[1]; j++) {
            bg_label_map_read_row(page->labels, j, k, row);
            for (int i = 0; i < d[0]; i++) {
                if (row[i] == 0)
                    continue;
                counts[0][i]++;
                counts[1][j]++;
                counts[2][k]++;
            }
        }
    }
    for (int axis = 0; axis < N_PLANES; axis++) {
        gsize most = 0;
        for (int n = 0; n < d[axis]; n++) {
            if (counts[axis][n] > most) {
                most = counts[axis][n];
                page->at[axis] = n;
            }
        }
    }
    for (int axis = 0; axis < N_PLANES; axis++)
        g_free(counts[axis]);
}

static gboolean
add_row(Page *page, int which, GError **error)
{
    static const double percents[2] = { 1.0, 99.5 };
    static const char *const planes[N_PLANES] = { N_("sagittal"), N_("coronal"), N_("axial") };
    BgResampleParams params = bg_resample_params(&page->grid);
    g_autoptr(BgVolume) volume =
        bg_resample(page->report->volumes[which], &params, NULL, page->cancellable, error);
    double window[2];

    if (volume == NULL || !bg_volume_percentiles(volume, BG_PERCENTILE_OF_NONZERO, percents, 2,
                                                 window, page->cancellable, error))
        return FALSE;
    if (!(window[1] > window[0]))
        window[1] = window[0] + 1.0;
    g_string_append(page->html, "<h3>");
    escape(page->html, page->report->names[which]);
    g_string_append(page->html, "</h3>\n<p>");
    for (int axis = N_PLANES - 1; axis >= 0; axis--) {
        g_autoptr(BgImage) image =
            bg_label_picture(volume, page->labels, window, axis, page->at[axis], error);
        g_autoptr(GBytes) png = image != NULL ? bg_png_encode(image, NULL, error) : NULL;
        if (png == NULL)
            return FALSE;
        g_autofree char *text = g_base64_encode(g_bytes_get_data(png, NULL), g_bytes_get_size(png));
        g_string_append_printf(page->html, "<img alt=\"%s %s\" src=\"data:image/png;base64,%s\">\n",
                               page->report->names[which], _(planes[axis]), text);
    }
    g_string_append(page->html, "</p>\n");
    return TRUE;
}

static void
add_table(GString *html, const BgJson *sizes)
{
    const BgJson *first = bg_json_count(sizes) > 0 ? bg_json_value_at(sizes, 0) : NULL;

    if (first == NULL)
        return;
    g_string_append_printf(html, "<table><tr><th>%s</th>", _("region"));
    for (gsize n = 0; n < bg_json_count(first); n++) {
        g_string_append(html, "<th>");
        escape(html, bg_json_name_at(first, n));
        g_string_append(html, "</th>");
    }
    g_string_append(html, "</tr>\n");
    for (gsize r = 0; r < bg_json_count(sizes); r++) {
        const BgJson *region = bg_json_value_at(sizes, r);
        g_string_append(html, "<tr><td>");
        escape(html, bg_json_name_at(sizes, r));
        g_string_append(html, "</td>");
        for (gsize n = 0; n < bg_json_count(region); n++)
            g_string_append_printf(html, "<td>%.2f</td>",
                                   bg_json_to_double(bg_json_value_at(region, n), 0.0));
        g_string_append(html, "</tr>\n");
    }
    g_string_append(html, "</table>\n");
}

static gboolean
write_page(Page *page, GError **error)
{
    const BgTumourReport *report = page->report;
    GString *html = page->html;

    g_string_append(html, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
    escape(html, report->title);
    g_string_append_printf(html, "</title><style>%s</style></head><body>\n<h1>", style);
    escape(html, report->title);
    g_string_append_printf(html, "</h1>\n<p>%s</p>\n",
                           _("Computed, not measured; for research, not for diagnosis."));
    for (guint w = 0; report->warnings != NULL && w < report->warnings->len; w++) {
        g_string_append(html, "<p class=\"w\">");
        escape(html, report->warnings->pdata[w]);
        g_string_append(html, "</p>\n");
    }
    add_table(html, report->sizes);
    g_string_append_printf(
        html,
        "<p><span class=\"r\">■</span> %s  <span class=\"g\">■</span> %s  "
        "<span class=\"b\">■</span> %s. %s</p>\n",
        _("core"), _("oedema"), _("enhancing"),
        _("Axial and coronal: the patient's right is on the left. Sagittal: anterior is on the left."));
    for (int which = 0; which < report->n_volumes; which++) {
        if (!add_row(page, which, error))
            return FALSE;
    }
    if (report->provenance != NULL) {
        g_string_append_printf(html, "<h3>%s</h3>\n<pre>", _("Provenance"));
        escape(html, report->provenance);
        g_string_append(html, "</pre>\n");
    }
    g_string_append(html, "</body></html>\n");
    return TRUE;
}

char *
bg_tumour_report(const BgTumourReport *report, GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) html = g_string_new(NULL);
    Page page = { .report = report, .html = html, .cancellable = cancellable };
    BgGeometry turned;

    if (!bg_geometry_reorient(bg_volume_get_geometry(report->volumes[0]), "LPS", NULL, NULL,
                              &turned, error) ||
        !bg_geometry_new_spacing(&turned, bg_vec3(1.0, 1.0, 1.0), &page.grid, error))
        return NULL;
    BgResampleParams params = bg_resample_params(&page.grid);
    page.labels = bg_resample_labels(report->labels, &params, NULL, cancellable, error);
    if (page.labels == NULL)
        return NULL;
    find_slices(&page);
    gboolean ok = write_page(&page, error);
    bg_label_map_unref(page.labels);
    return ok ? g_string_free(g_steal_pointer(&html), FALSE) : NULL;
}
