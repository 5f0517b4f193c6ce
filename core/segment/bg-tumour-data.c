// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-data-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-random.h"
#include "core/filter/bg-mask.h"
#include "core/phantom/bg-phantom.h"
#include "core/volume/bg-resample.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_NOTES 5u    // more are counted
#define PHANTOM_EMPTY 8 // every so many is without a tumour
#define PHANTOM_USUAL 5 // every so many has the tumour that is not varied

const guint8 bg_tumour_labels[BG_TUMOUR_CLASSES] = { 0, 1, 2, 4 };

static void
stored_free(gpointer data)
{
    BgTumourStored *stored = data;

    g_free(stored->patient);
    g_free(stored->slices);
    g_free(stored);
}

BgTumourDataParams
bg_tumour_data_params(void)
{
    return (BgTumourDataParams){ .crop = 128,
                                 .per_case = 24,
                                 .contrasts = { BG_CONTRAST_T1, BG_CONTRAST_T1CE, BG_CONTRAST_T2,
                                                BG_CONTRAST_FLAIR },
                                 .n_contrasts = BG_N_CONTRASTS };
}

BgTumourData *
bg_tumour_data_new(const BgTumourDataParams *params, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, ".bregma-cases-XXXXXX", NULL);
    int file = g_mkstemp(path);

    if (file < 0) {
        int code = errno;
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                    _("Cases cannot be kept in %s: %s. Choose another folder"), folder,
                    g_strerror(code));
        return NULL;
    }
    g_unlink(path);
    BgTumourData *data = g_new0(BgTumourData, 1);
    data->params = *params;
    data->cases = g_ptr_array_new_with_free_func(stored_free);
    data->notes = g_ptr_array_new_with_free_func(g_free);
    data->file = file;
    g_mutex_init(&data->lock);
    return data;
}

void
bg_tumour_data_free(BgTumourData *data)
{
    if (data == NULL)
        return;
    if (data->map != NULL)
        munmap((void *) data->map, data->mapped);
    close(data->file);
    g_ptr_array_unref(data->cases);
    g_ptr_array_unref(data->notes);
    g_mutex_clear(&data->lock);
    g_free(data);
}

int
bg_tumour_data_count_cases(const BgTumourData *data)
{
    return (int) data->cases->len;
}

static gboolean
append(BgTumourData *data, const void *bytes, gsize n, GError **error)
{
    const guint8 *at = bytes;

    while (n > 0) {
        ssize_t written = write(data->file, at, MIN(n, (gsize) 1 << 30));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            int code = errno;
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                        _("A case could not be kept: %s. Make room in the folder of the model"),
                        g_strerror(code));
            return FALSE;
        }
        at += written;
        n -= (gsize) written;
        data->length += (gsize) written;
    }
    return TRUE;
}

// Classes by label, counted slice by slice. FALSE for a number that is no class.
static gboolean
read_classes(BgLabelMap *labels, guint8 *classes, BgTumourStored *stored, GError **error)
{
    const int *d = stored->dims;
    g_autofree guint32 *row = g_new(guint32, d[0]);
    static const int of_label[5] = { 0, 1, 2, 3, 3 };
    gsize n = 0;

    for (int k = 0; k < d[2]; k++) {
        for (int j = 0; j < d[1]; j++) {
            bg_label_map_read_row(labels, j, k, row);
            for (int i = 0; i < d[0]; i++) {
                if (row[i] > 4) {
                    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                                _("The labels have the number %u: only 0, 1 (core), 2 (oedema), 4 "
                                  "(enhancing) can be learnt. Number them so"),
                                row[i]);
                    return FALSE;
                }
                *classes++ = (guint8) of_label[row[i]];
                n += row[i] != 0;
            }
        }
        stored->slices[k] = n;
    }
    return TRUE;
}

static gboolean
keep(BgTumourData *data, BgTumourStored *stored, const BgTumourCase *made, BgLabelMap *labels,
     GError **error)
{
    gsize n = stored->n;
    g_autofree gint16 *planes = g_try_new(gint16, n);
    g_autofree guint8 *classes = g_try_malloc(n);

    if (planes == NULL || classes == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("A case does not fit into memory. Close other programs"));
        return FALSE;
    }
    if (!read_classes(labels, classes, stored, error))
        return FALSE;
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const float *from = made->planes + (gsize) c * n;
        for (gsize i = 0; i < n; i++)
            planes[i] = (gint16) lrintf(CLAMP(from[i] * BG_TUMOUR_SCALE, -32000.0f, 32000.0f));
        if (!append(data, planes, n * sizeof(gint16), error))
            return FALSE;
    }
    // The next case begins at an even place.
    return append(data, classes, n, error) && (n % 2 == 0 || append(data, classes, 1, error));
}

gboolean
bg_tumour_data_add(BgTumourData *data, const char *patient,
                   BgVolume *const contrasts[BG_N_CONTRASTS], BgLabelMap *labels,
                   const BgTumourParams *params, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgTumourCase) made = bg_tumour_case_new(contrasts, params, NULL, cancellable, error);

    if (made == NULL)
        return FALSE;
    BgResampleParams resample = bg_resample_params(&made->grid);
    g_autoptr(BgLabelMap) placed = bg_resample_labels(labels, &resample, NULL, cancellable, error);
    if (placed == NULL)
        return FALSE;
    BgTumourStored *stored = g_new0(BgTumourStored, 1);
    stored->patient = g_strdup(patient);
    memcpy(stored->dims, made->grid.dims, sizeof stored->dims);
    stored->offset = data->length;
    stored->n = bg_geometry_count_voxels(&made->grid);
    stored->slices = g_new(gsize, stored->dims[2]);
    if (!keep(data, stored, made, placed, error)) {
        stored_free(stored);
        return FALSE;
    }
    g_ptr_array_add(data->cases, stored);
    return TRUE;
}

char *
bg_tumour_data_tell_notes(const BgTumourData *data)
{
    g_autoptr(GString) all = g_string_new(NULL);
    guint shown = MIN(data->notes->len, MAX_NOTES), left = data->notes->len - shown;

    if (shown == 0)
        return NULL;
    for (guint i = 0; i < shown; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? "\n" : "", (char *) data->notes->pdata[i]);
    if (left > 0)
        g_string_append_printf(all, ngettext("\nand %u more", "\nand %u more", left), left);
    return g_strdup(all->str);
}

static gboolean
add_phantom(BgTumourData *data, const BgPhantomParams *wanted, gboolean stripped,
            const BgTumourParams *params, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgPhantom) phantom = bg_phantom_new(wanted, NULL, cancellable, error);
    g_autofree char *patient = g_strdup_printf("phantom-%" G_GUINT64_FORMAT, wanted->seed);
    BgVolume *contrasts[BG_N_CONTRASTS] = { NULL };
    gboolean ok = phantom != NULL;

    for (int c = 0; ok && c < BG_N_CONTRASTS; c++) {
        BgVolume *whole = bg_phantom_find(phantom, bg_contrast_name((BgContrast) c))->volume;
        contrasts[c] = stripped ? bg_volume_mask(whole, bg_phantom_find(phantom, "brain")->labels,
                                                 NULL, 0, 0.0, error)
                                : bg_volume_ref(whole);
        ok = contrasts[c] != NULL;
    }
    ok = ok &&
         bg_tumour_data_add(data, patient, contrasts, bg_phantom_find(phantom, "labels")->labels,
                            params, cancellable, error);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_clear_pointer(&contrasts[c], bg_volume_unref);
    return ok;
}

gboolean
bg_tumour_data_add_phantoms(BgTumourData *data, int count, guint64 seed, int size, gboolean varied,
                            const BgTumourParams *params, const BgProgress *progress,
                            GCancellable *cancellable, GError **error)
{
    for (int p = 0; p < count; p++) {
        static const double parts[3] = { 1.0, 0.75, 0.55 };
        BgPhantomParams wanted = { .kind = BG_PHANTOM_HEAD,
                                   .size = MAX((int) (size * parts[p % 3]), BG_PHANTOM_MIN_SIZE),
                                   .seed = seed + (guint64) p,
                                   .tumour = p % PHANTOM_EMPTY != PHANTOM_EMPTY - 1,
                                   .varied = varied && p % PHANTOM_USUAL != PHANTOM_USUAL - 1 };
        if (!add_phantom(data, &wanted, p % 2 == 0, params, cancellable, error))
            return FALSE;
        bg_progress_report(progress, (p + 1.0) / count);
    }
    return TRUE;
}

// Samples read it

const guint8 *
bg_tumour_data_map(BgTumourData *data, GError **error)
{
    g_mutex_lock(&data->lock);
    if (data->map == NULL) {
        void *map = mmap(NULL, data->length, PROT_READ, MAP_SHARED, data->file, 0);
        if (map != MAP_FAILED) {
            data->map = map;
            data->mapped = data->length;
        } else {
            int code = errno;
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                        _("The cases cannot be read back: %s. Start again"), g_strerror(code));
        }
    }
    const guint8 *bytes = data->map;
    g_mutex_unlock(&data->lock);
    return bytes;
}
