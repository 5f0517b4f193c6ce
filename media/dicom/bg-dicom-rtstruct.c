// SPDX-License-Identifier: Apache-2.0
// RT structure sets (PS3.3 A.19): closed planar contours, filled by the even-odd rule, so that a
// contour inside of another one is a hole (C.8.8.6.3).
#include "bg-dicom-load-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define PLANAR_VOXELS 0.5 // how far a contour may leave its slice

typedef struct {
    int k;
    guint n_points;
    double *uv; // owned: voxel coordinates i, j
} Contour;

typedef struct {
    const BgGeometry *geometry;
    BgAffine voxel_from_patient;
    guint16 *labels;
    guint8 *mask; // one slice
    guint n_outside, n_tilted, n_open;
    guint n_drawn;
} Filler;

static void
clear_contour(gpointer contour)
{
    g_free(((Contour *) contour)->uv);
}

static gboolean
read_contour(Filler *filler, BgDcmSet set, Contour *contour)
{
    const BgDcmElement *element = bg_dcm_find(set, TAG(0x3006, 0x0050));
    gsize max = element != NULL ? element->length / 2 + 1 : 0;
    double low = HUGE_VAL, high = -HUGE_VAL;

    if (!bg_dcm_has_word(set, TAG(0x3006, 0x0042), "CLOSED_PLANAR")) {
        filler->n_open++;
        return FALSE;
    }
    if (max < 9 || max > G_MAXINT)
        return FALSE;
    double *xyz = g_try_new(double, max);
    if (xyz == NULL)
        return FALSE;
    guint n = (guint) bg_dcm_numbers(set, TAG(0x3006, 0x0050), VR('D', 'S'), xyz, (int) max) / 3;
    for (guint i = 0; i < n; i++) {
        BgVec3 v = bg_affine_apply(&filler->voxel_from_patient,
                                   bg_vec3(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]));
        xyz[2 * i] = v.x;
        xyz[2 * i + 1] = v.y;
        low = MIN(low, v.z);
        high = MAX(high, v.z);
    }
    double middle = (low + high) / 2.0;
    gboolean tilted = n >= 3 && high - low > 2.0 * PLANAR_VOXELS;
    gboolean outside = n >= 3 && !(middle > -0.5 && middle < filler->geometry->dims[2] - 0.5);
    filler->n_tilted += tilted;
    filler->n_outside += !tilted && outside;
    if (n < 3 || tilted || outside) {
        g_free(xyz);
        return FALSE;
    }
    *contour = (Contour){ (int) lround(middle), n, xyz };
    return TRUE;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

// Toggles the pixels of row @j whose centres are inside. An edge counts its lower end and not its
// upper one, so that corners count once.
static void
toggle_row(const Contour *c, int j, guint8 *row, int width, GArray *cuts)
{
    g_array_set_size(cuts, 0);
    for (guint a = 0, b = c->n_points - 1; a < c->n_points; b = a++) {
        double u0 = c->uv[2 * b], v0 = c->uv[2 * b + 1], u1 = c->uv[2 * a], v1 = c->uv[2 * a + 1];
        if ((v0 <= j) == (v1 <= j))
            continue;
        double cut = u0 + (j - v0) / (v1 - v0) * (u1 - u0);
        g_array_append_val(cuts, cut);
    }
    qsort(cuts->data, cuts->len, sizeof(double), compare_doubles);
    for (guint i = 0; i + 1 < cuts->len; i += 2) {
        double from = ceil(g_array_index(cuts, double, i));
        double to = ceil(g_array_index(cuts, double, i + 1));
        for (int x = (int) CLAMP(from, 0, width); x < (int) CLAMP(to, 0, width); x++)
            row[x] ^= 1;
    }
}

static void
toggle(Filler *filler, const Contour *c, GArray *cuts)
{
    int width = filler->geometry->dims[0], height = filler->geometry->dims[1];
    double low = HUGE_VAL, high = -HUGE_VAL;

    for (guint i = 0; i < c->n_points; i++) {
        low = MIN(low, c->uv[2 * i + 1]);
        high = MAX(high, c->uv[2 * i + 1]);
    }
    for (int j = (int) CLAMP(ceil(low), 0, height); j <= (int) CLAMP(floor(high), -1, height - 1);
         j++)
        toggle_row(c, j, filler->mask + (gsize) j * (gsize) width, width, cuts);
    filler->n_drawn++;
}

static int
compare_contours(gconstpointer a, gconstpointer b)
{
    return ((const Contour *) a)->k - ((const Contour *) b)->k;
}

static gboolean
fill_roi(Filler *filler, BgDcmSet roi, int label, GCancellable *cancellable, GError **error)
{
    gsize n = (gsize) filler->geometry->dims[0] * (gsize) filler->geometry->dims[1];
    g_autoptr(GArray) contours = g_array_new(FALSE, FALSE, sizeof(Contour));
    g_autoptr(GArray) cuts = g_array_new(FALSE, FALSE, sizeof(double));
    BgDcmItems items = bg_dcm_items(roi, TAG(0x3006, 0x0040));
    BgDcmSet item;

    g_array_set_clear_func(contours, clear_contour);
    while (bg_dcm_items_next(&items, &item)) {
        Contour contour;
        if (read_contour(filler, item, &contour))
            g_array_append_val(contours, contour);
    }
    g_array_sort(contours, compare_contours);
    for (guint i = 0; i < contours->len;) {
        int k = g_array_index(contours, Contour, i).k;
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        memset(filler->mask, 0, n);
        for (; i < contours->len && g_array_index(contours, Contour, i).k == k; i++)
            toggle(filler, &g_array_index(contours, Contour, i), cuts);
        guint16 *slice = filler->labels + n * (gsize) k;
        for (gsize p = 0; p < n; p++) {
            if (filler->mask[p])
                slice[p] = (guint16) label;
        }
    }
    return TRUE;
}

static void
name_rois(BgDcmSet root, BgFileInfo *info)
{
    BgDcmItems items = bg_dcm_items(root, TAG(0x3006, 0x0020));
    BgDcmSet item;
    g_autoptr(GString) names = g_string_new(NULL);

    while (bg_dcm_items_next(&items, &item) && names->len < 4000) {
        g_autofree char *name = bg_dcm_text(item, TAG(0x3006, 0x0026));
        int number = bg_dcm_int(item, TAG(0x3006, 0x0022), VR('I', 'S'), 0);
        g_string_append_printf(names, "%s%d %s", names->len > 0 ? ", " : "", number, name);
    }
    if (names->len > 0) {
        g_free(info->description);
        info->description = g_strdup(names->str);
    }
}

static void
warn_about(const Filler *filler, BgFileInfo *info)
{
    if (filler->n_outside > 0)
        bg_file_info_warn(info, _("%u contours lie outside of the series and are left out."),
                          filler->n_outside);
    if (filler->n_tilted > 0)
        bg_file_info_warn(info, _("%u contours do not lie in a slice and are left out."),
                          filler->n_tilted);
    if (filler->n_open > 0)
        bg_file_info_warn(info, _("%u points and open lines are left out: they enclose nothing."),
                          filler->n_open);
}

BgLabelMap *
bg_dcm_load_rtstruct(const BgDcmImage *image, const BgGeometry *geometry, BgFileInfo *info,
                     GCancellable *cancellable, GError **error)
{
    Filler filler = { .geometry = geometry };
    g_autoptr(BgDcmData) data = bg_dcm_data_open(image->path, error);
    gboolean ok = data != NULL;
    BgDcmSet roi;

    if (!ok)
        return NULL;
    filler.voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    gsize n = (gsize) geometry->dims[0] * (gsize) geometry->dims[1];
    bg_auto_buffer guint8 *mask = bg_buffer_alloc(n, error);
    filler.mask = mask;
    filler.labels = mask != NULL ? bg_voxels_alloc(geometry, sizeof(guint16), error) : NULL;
    if (filler.labels == NULL)
        return NULL;
    memset(filler.labels, 0, bg_geometry_count_voxels(geometry) * sizeof(guint16));
    BgDcmItems items = bg_dcm_items(bg_dcm_root(data), TAG(0x3006, 0x0039));
    while (ok && bg_dcm_items_next(&items, &roi)) {
        int number = bg_dcm_int(roi, TAG(0x3006, 0x0084), VR('I', 'S'), 0);
        if (number >= 1 && number <= 65535)
            ok = fill_roi(&filler, roi, number, cancellable, error);
        else
            bg_file_info_warn(info, _("A structure with the number %d is left out."), number);
    }
    if (ok && filler.n_drawn == 0 && filler.n_outside > 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("%s: none of its contours lies in this series: load the series that it was "
                      "drawn on"),
                    image->path);
        ok = FALSE;
    }
    if (!ok) {
        bg_voxels_free(filler.labels);
        return NULL;
    }
    name_rois(bg_dcm_root(data), info);
    warn_about(&filler, info);
    info->geometry = *geometry;
    memcpy(info->dims, geometry->dims, sizeof info->dims);
    info->has_geometry = TRUE;
    info->side_known = TRUE;
    return bg_label_map_new_take(geometry, BG_LABEL_UINT16, filler.labels, error);
}
