// SPDX-License-Identifier: Apache-2.0
#include "bg-label-sizes.h"

#include "bg-cohort.h"
#include "bg-compare-report.h"
#include "core/base/bg-i18n.h"
#include "core/filter/bg-distance-map.h"

#include <math.h>
#include <string.h>

#define MAX_REGIONS 64 // more labels than that are not told one by one

typedef struct {
    char name[64];
    gboolean is_region;
    BgLabelRegion region;
} Part;

void
bg_sizes_request_free(BgSizesRequest *request)
{
    bg_label_map_unref(request->map);
    g_clear_pointer(&request->table, bg_label_table_unref);
    g_clear_pointer(&request->structure, bg_label_map_unref);
    g_free(request);
}

void
bg_compare_request_free(BgCompareRequest *request)
{
    bg_label_map_unref(request->pred);
    bg_label_map_unref(request->truth);
    g_clear_pointer(&request->table, bg_label_table_unref);
    g_free(request);
}

void
bg_comparison_free(BgComparison *comparison)
{
    g_clear_pointer(&comparison->rows, g_array_unref);
    g_clear_pointer(&comparison->slices, g_array_unref);
    g_free(comparison);
}

static gboolean
is_brats(const GArray *counts)
{
    for (guint i = 0; i < counts->len; i++) {
        guint32 label = g_array_index(counts, BgLabelCount, i).label;
        if (label != 1 && label != 2 && label != 4)
            return FALSE;
    }
    return counts->len > 0;
}

static void
add_part(GArray *parts, guint32 label, const BgLabelTable *table)
{
    const BgLabelEntry *entry = table != NULL ? bg_label_table_find(table, label) : NULL;
    Part part = { .region = { .labels = { label }, .n_labels = 1 } };

    for (guint i = 0; i < parts->len; i++) {
        const Part *there = &g_array_index(parts, Part, i);
        if (!there->is_region && there->region.labels[0] == label)
            return;
    }
    if (entry != NULL)
        g_strlcpy(part.name, entry->name, sizeof part.name);
    else
        // Translators: a label without a name, by its number
        g_snprintf(part.name, sizeof part.name, _("Label %u"), label);
    if (parts->len < MAX_REGIONS)
        g_array_append_val(parts, part);
}

// @other: (nullable): counts of a second map
static GArray *
parts_of(const GArray *counts, const GArray *other, const BgLabelTable *table)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(Part));
    gsize n;
    const BgLabelRegion *regions = bg_brats_regions(&n);

    if (is_brats(counts) && (other == NULL || other->len == 0 || is_brats(other))) {
        for (gsize r = 0; r < n; r++) {
            Part part = { .is_region = TRUE, .region = regions[r] };
            g_strlcpy(part.name, regions[r].name, sizeof part.name);
            g_array_append_val(parts, part);
        }
    }
    for (guint i = 0; i < counts->len; i++)
        add_part(parts, g_array_index(counts, BgLabelCount, i).label, table);
    for (guint i = 0; other != NULL && i < other->len; i++)
        add_part(parts, g_array_index(other, BgLabelCount, i).label, table);
    return parts;
}

static gboolean
is_in(const BgLabelRegion *region, guint32 label)
{
    for (int l = 0; l < region->n_labels; l++) {
        if (region->labels[l] == label)
            return TRUE;
    }
    return FALSE;
}

// The least of @distances over the region's voxels; places outside of that grid are left out.
static double
distance_of(BgLabelMap *map, const BgLabelRegion *region, BgVolume *distances)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    g_autofree guint32 *row = g_new(guint32, geometry->dims[0]);
    double least = (double) NAN, value;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            bg_label_map_read_row(map, j, k, row);
            for (int i = 0; i < geometry->dims[0]; i++) {
                if (row[i] == 0 || !is_in(region, row[i]))
                    continue;
                BgVec3 voxel = { (double) i, (double) j, (double) k };
                BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel, voxel);
                if (bg_volume_sample_linear(distances, at_mm, &value) &&
                    (isnan(least) || value < least))
                    least = value;
            }
        }
    }
    return least;
}

GArray *
bg_label_sizes(const BgSizesRequest *request, GCancellable *cancellable, GError **error)
{
    g_autoptr(GArray) counts = bg_label_map_count(request->map);
    g_autoptr(GArray) parts = parts_of(counts, NULL, request->table);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(BgSizesRow));
    g_autoptr(BgVolume) distances = NULL;

    if (request->structure != NULL && parts->len > 0) {
        distances = bg_distance_map(request->structure, request->structure_label,
                                    BG_DISTANCE_OUTSIDE, NULL, cancellable, error);
        if (distances == NULL)
            return NULL;
    }
    for (guint p = 0; p < parts->len; p++) {
        const Part *part = &g_array_index(parts, Part, p);
        BgSizesRow row = { .is_region = part->is_region, .distance_mm = (double) NAN };
        g_strlcpy(row.name, part->name, sizeof row.name);
        if (!bg_label_shape(request->map, &part->region, &row.shape, cancellable, error))
            return NULL;
        if (distances != NULL)
            row.distance_mm = distance_of(request->map, &part->region, distances);
        g_array_append_val(rows, row);
    }
    return g_steal_pointer(&rows);
}

// Formula injection: a spreadsheet runs what begins like one.
static void
append_name(GString *csv, const char *name)
{
    g_string_append(csv, name[0] != '\0' && strchr("=+-@\t", name[0]) != NULL ? "\"'" : "\"");
    for (; *name != '\0'; name++) {
        if (*name == '"')
            g_string_append_c(csv, '"');
        g_string_append_c(csv, *name);
    }
    g_string_append_c(csv, '"');
}

static void
append_number(GString *csv, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(csv, ",%s",
                           isnan(value) ? "" : g_ascii_formatd(text, sizeof text, "%.6g", value));
}

char *
bg_label_sizes_to_csv(const GArray *rows, const char *structure)
{
    GString *csv =
        g_string_new("name,n_voxels,n_parts,volume_ml,diameter_mm,rano_long_mm,rano_short_mm,"
                     "rano_product_mm2,distance_mm,distance_to\n");

    for (guint r = 0; r < rows->len; r++) {
        const BgSizesRow *row = &g_array_index(rows, BgSizesRow, r);
        append_name(csv, row->name);
        g_string_append_printf(csv, ",%zu,%zu", row->shape.n_voxels, row->shape.n_parts);
        append_number(csv, row->shape.volume_ml);
        append_number(csv, row->shape.diameter_mm);
        append_number(csv, row->shape.rano_long_mm);
        append_number(csv, row->shape.rano_short_mm);
        append_number(csv, row->shape.rano_product_mm2);
        append_number(csv, row->distance_mm);
        g_string_append_c(csv, ',');
        if (structure != NULL)
            append_name(csv, structure);
        g_string_append_c(csv, '\n');
    }
    return g_string_free(csv, FALSE);
}

static GArray *
slices_of(BgLabelMap *pred, BgLabelMap *truth)
{
    const int *dims = bg_label_map_get_geometry(pred)->dims;
    GArray *slices = g_array_new(FALSE, FALSE, sizeof(double));
    g_autofree guint32 *a = g_new(guint32, dims[0]);
    g_autofree guint32 *b = g_new(guint32, dims[0]);

    for (int k = 0; k < dims[2]; k++) {
        gsize n_a = 0, n_b = 0, n_both = 0;
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(pred, j, k, a);
            bg_label_map_read_row(truth, j, k, b);
            for (int i = 0; i < dims[0]; i++) {
                n_a += a[i] != 0;
                n_b += b[i] != 0;
                n_both += a[i] != 0 && b[i] != 0;
            }
        }
        double dice = n_a + n_b > 0 ? 2.0 * (double) n_both / (double) (n_a + n_b) : (double) NAN;
        g_array_append_val(slices, dice);
    }
    return slices;
}

static void
clear_row(gpointer data)
{
    g_free(((BgCompareRow *) data)->slices);
}

BgComparison *
bg_label_compare(const BgCompareRequest *request, const BgProgress *progress,
                 GCancellable *cancellable, GError **error)
{
    g_autoptr(GArray) counts = bg_label_map_count(request->pred);
    g_autoptr(GArray) other = bg_label_map_count(request->truth);
    g_autoptr(GArray) parts =
        parts_of(counts->len > 0 ? counts : other, counts->len > 0 ? other : NULL, request->table);
    BgComparison *result = g_new0(BgComparison, 1);

    result->kind = request->kind;
    result->tolerance_mm = request->tolerance_mm;
    result->rows = g_array_new(FALSE, FALSE, sizeof(BgCompareRow));
    g_array_set_clear_func(result->rows, clear_row);
    for (guint p = 0; p < parts->len; p++) {
        const Part *part = &g_array_index(parts, Part, p);
        BgCompareRow row = { 0 };
        BgProgressSpan span;
        g_strlcpy(row.name, part->name, sizeof row.name);
        if (!bg_label_metrics(request->pred, request->truth, &part->region, request->kind,
                              request->tolerance_mm, &row.metrics,
                              bg_progress_span_init(&span, progress, (double) p / parts->len,
                                                    (p + 1.0) / parts->len),
                              cancellable, error)) {
            bg_comparison_free(result);
            return NULL;
        }
        row.slices = g_new(double, bg_label_map_get_geometry(request->pred)->dims[2]);
        g_array_append_val(result->rows, row);
        if (!bg_slice_dice(request->pred, request->truth, &part->region, row.slices, error)) {
            bg_comparison_free(result);
            return NULL;
        }
    }
    // Grids are equal now: the metrics have looked, where there was anything to look at.
    result->slices = parts->len > 0 ? slices_of(request->pred, request->truth)
                                    : g_array_new(FALSE, FALSE, sizeof(double));
    return result;
}

char *
bg_comparison_to_html(const BgComparison *comparison, const char *pred, const char *truth,
                      const char *provenance)
{
    guint n = comparison->rows->len;
    g_autofree const char **names = g_new(const char *, MAX(n, 1));
    g_autofree const double **slices = g_new(const double *, MAX(n, 1));
    g_autofree BgLabelMetrics *metrics = g_new(BgLabelMetrics, MAX(n, 1));
    // Translators: title of a page: the name of a segmentation
    g_autofree char *title = g_strdup_printf(_("Comparison of %s"), pred);
    BgCompareReport report = { .title = title,
                               .pred = pred,
                               .truth = truth,
                               .names = names,
                               .metrics = metrics,
                               .slices = slices,
                               .n_rows = n,
                               .n_slices = comparison->slices->len,
                               .kind = comparison->kind,
                               .tolerance_mm = comparison->tolerance_mm,
                               .provenance = provenance };

    for (guint r = 0; r < n; r++) {
        const BgCompareRow *row = &g_array_index(comparison->rows, BgCompareRow, r);
        names[r] = row->name;
        metrics[r] = row->metrics;
        slices[r] = row->slices;
    }
    return bg_compare_report(&report);
}

char *
bg_comparison_to_csv(const BgComparison *comparison)
{
    GString *csv = g_string_new("name,dice,jaccard,sensitivity,specificity,precision,hausdorff_mm,"
                                "hd95_mm,mean_surface_mm,surface_dice,volume_pred_ml,"
                                "volume_true_ml\n");

    for (guint r = 0; r < comparison->rows->len; r++) {
        const BgCompareRow *row = &g_array_index(comparison->rows, BgCompareRow, r);
        const BgLabelMetrics *m = &row->metrics;
        const double numbers[] = { m->dice,           m->jaccard,         m->sensitivity,
                                   m->specificity,    m->precision,       m->hausdorff_mm,
                                   m->hd95_mm,        m->mean_surface_mm, m->surface_dice,
                                   m->volume_pred_ml, m->volume_true_ml };
        append_name(csv, row->name);
        for (gsize n = 0; n < G_N_ELEMENTS(numbers); n++)
            append_number(csv, numbers[n]);
        g_string_append_c(csv, '\n');
    }
    g_string_append(csv, "\nslice,dice\n");
    for (guint k = 0; k < comparison->slices->len; k++) {
        g_string_append_printf(csv, "%u", k + 1);
        append_number(csv, g_array_index(comparison->slices, double, k));
        g_string_append_c(csv, '\n');
    }
    return g_string_free(csv, FALSE);
}
