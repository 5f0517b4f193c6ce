// SPDX-License-Identifier: Apache-2.0
#include "bg-tumour-data.h"

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

#define SCALE 2000.0f     // of z-scores in the file: to +-16
#define TUMOUR_SHARE 0.75 // of samples are about a voxel of the tumour
#define DROP_SHARE 0.12   // how often a contrast is left out
#define PHANTOM_EMPTY 8   // every so many is without a tumour

const guint8 bg_tumour_labels[BG_TUMOUR_CLASSES] = { 0, 1, 2, 4 };

/**
 * Stored: one case in the file: four planes of int16, then classes as uint8.
 * @slices: owned: how many tumour voxels there are up to and with each slice
 */
typedef struct {
    char *patient;
    int dims[3];
    gsize offset, n;
    gsize *slices;
} Stored;

struct _BgTumourData {
    BgTumourDataParams params;
    GPtrArray *cases; // of Stored
    int file;
    gsize length;
    const guint8 *map; // all of the file, once it is read from
    gsize mapped;
    GMutex lock;
};

static void
stored_free(gpointer data)
{
    Stored *stored = data;

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
read_classes(BgLabelMap *labels, guint8 *classes, Stored *stored, GError **error)
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
keep(BgTumourData *data, Stored *stored, const BgTumourCase *made, BgLabelMap *labels,
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
            planes[i] = (gint16) lrintf(CLAMP(from[i] * SCALE, -32000.0f, 32000.0f));
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
    Stored *stored = g_new0(Stored, 1);
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

static gboolean
add_phantom(BgTumourData *data, guint64 seed, int size, gboolean tumour, gboolean stripped,
            const BgTumourParams *params, GCancellable *cancellable, GError **error)
{
    BgPhantomParams wanted = {
        .kind = BG_PHANTOM_HEAD, .size = size, .seed = seed, .tumour = tumour
    };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&wanted, NULL, cancellable, error);
    g_autofree char *patient = g_strdup_printf("phantom-%" G_GUINT64_FORMAT, seed);
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
bg_tumour_data_add_phantoms(BgTumourData *data, int count, guint64 seed, int size,
                            const BgTumourParams *params, const BgProgress *progress,
                            GCancellable *cancellable, GError **error)
{
    for (int p = 0; p < count; p++) {
        static const double parts[3] = { 1.0, 0.75, 0.55 };
        int side = MAX((int) (size * parts[p % 3]), BG_PHANTOM_MIN_SIZE);
        if (!add_phantom(data, seed + (guint64) p, side, p % PHANTOM_EMPTY != PHANTOM_EMPTY - 1,
                         p % 2 == 0, params, cancellable, error))
            return FALSE;
        bg_progress_report(progress, (p + 1.0) / count);
    }
    return TRUE;
}

// Samples

static gsize
count_samples(gpointer user_data)
{
    const BgTumourData *data = user_data;

    return (gsize) data->cases->len * (gsize) data->params.per_case;
}

static const char *
patient_of(gpointer user_data, gsize index)
{
    const BgTumourData *data = user_data;
    const Stored *stored = data->cases->pdata[index / (gsize) data->params.per_case];

    return stored->patient;
}

static const guint8 *
map_file(BgTumourData *data, GError **error)
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

/** Waves: a smooth field over a sample: two sines along each axis */
typedef struct {
    double amplitude[2], frequency[2][2], phase[2];
} Waves;

/** Change: how a sample differs from what is in the file */
typedef struct {
    double turn[2][2]; // source pixels from pixels of the sample
    double centre[2];  // in the source
    Waves bend[2];
    double gain[BG_N_CONTRASTS], offset[BG_N_CONTRASTS], gamma[BG_N_CONTRASTS];
    double middle[BG_N_CONTRASTS], slope[BG_N_CONTRASTS]; // so that the middle stays as it is
    double noise[BG_N_CONTRASTS];
    Waves shade[BG_N_CONTRASTS];
    gboolean dropped[BG_N_CONTRASTS];
} Change;

static double
between(BgRandom *random, double low, double high)
{
    return low + (high - low) * bg_random_uniform(random);
}

static Waves
random_waves(BgRandom *random, double amplitude, double shortest, double longest)
{
    Waves waves;

    for (int w = 0; w < 2; w++) {
        double angle = between(random, 0.0, 2.0 * G_PI);
        double frequency = 2.0 * G_PI / between(random, shortest, longest);
        waves.amplitude[w] = between(random, -amplitude, amplitude);
        waves.frequency[w][0] = frequency * cos(angle);
        waves.frequency[w][1] = frequency * sin(angle);
        waves.phase[w] = between(random, 0.0, 2.0 * G_PI);
    }
    return waves;
}

static inline double
waves_at(const Waves *waves, double x, double y)
{
    return waves->amplitude[0] *
               sin(waves->frequency[0][0] * x + waves->frequency[0][1] * y + waves->phase[0]) +
           waves->amplitude[1] *
               sin(waves->frequency[1][0] * x + waves->frequency[1][1] * y + waves->phase[1]);
}

// The slice, and what of it is in the middle.
static int
choose_place(const BgTumourData *data, const Stored *stored, const guint8 *classes,
             BgRandom *random, double centre[2])
{
    const int *d = stored->dims;
    gsize in_slice = (gsize) d[0] * (gsize) d[1], n = stored->slices[d[2] - 1];
    double reach = data->params.crop / 4.0;
    int k = (int) bg_random_below(random, (gsize) d[2]);

    centre[0] = between(random, 0.2, 0.8) * d[0];
    centre[1] = between(random, 0.2, 0.8) * d[1];
    if (n > 0 && bg_random_uniform(random) < TUMOUR_SHARE) {
        gsize wanted = bg_random_below(random, n), at = 0;
        for (k = 0; stored->slices[k] <= wanted;)
            k++;
        gsize left = wanted - (k > 0 ? stored->slices[k - 1] : 0);
        const guint8 *slice = classes + (gsize) k * in_slice;
        for (;; at++) {
            if (slice[at] != 0 && left-- == 0)
                break;
        }
        centre[0] = (double) (at % (gsize) d[0]) + between(random, -reach, reach);
        centre[1] = (double) (at / (gsize) d[0]) + between(random, -reach, reach);
    }
    return k;
}

static void
draw_change(BgRandom *random, gboolean augment, Change *change)
{
    double angle = 0.0, scale = 1.0, stretch = 1.0;
    gboolean flip = FALSE;

    if (augment) {
        angle = 0.35 * bg_random_normal(random);
        scale = exp(0.22 * bg_random_normal(random));
        stretch = exp(0.08 * bg_random_normal(random));
        flip = bg_random_uniform(random) < 0.5;
        angle = CLAMP(angle, -1.0, 1.0);
        scale = CLAMP(scale, 0.6, 1.7);
    }
    change->turn[0][0] = (flip ? -1.0 : 1.0) * scale * stretch * cos(angle);
    change->turn[0][1] = -scale / stretch * sin(angle);
    change->turn[1][0] = (flip ? -1.0 : 1.0) * scale * stretch * sin(angle);
    change->turn[1][1] = scale / stretch * cos(angle);
    for (int a = 0; a < 2; a++)
        change->bend[a] = random_waves(random, augment ? 2.5 : 0.0, 30.0, 120.0);
    int kept = (int) bg_random_below(random, BG_N_CONTRASTS);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        double much = augment ? 1.0 : 0.0;
        change->gain[c] = exp(much * 0.15 * bg_random_normal(random));
        change->offset[c] = much * 0.2 * bg_random_normal(random);
        change->gamma[c] = exp(much * 0.25 * bg_random_normal(random));
        change->middle[c] = pow(0.5, change->gamma[c]);
        change->slope[c] = 8.0 * 0.5 / (change->gamma[c] * change->middle[c]);
        change->noise[c] = much * MAX(between(random, -0.1, 0.25), 0.0);
        change->shade[c] = random_waves(random, much * 0.12, 120.0, 400.0);
        change->dropped[c] = augment && c != kept && bg_random_uniform(random) < DROP_SHARE;
    }
}

static inline float
sample_plane(const gint16 *plane, const int *d, double x, double y)
{
    double fx = floor(x), fy = floor(y);
    int i = (int) fx, j = (int) fy;
    float u = (float) (x - fx), v = (float) (y - fy);

    if (i < 0 || j < 0 || i + 1 >= d[0] || j + 1 >= d[1])
        return 0.0f;
    const gint16 *p = plane + (gsize) j * (gsize) d[0] + i;
    float top = (float) p[0] + u * (float) (p[1] - p[0]);
    float low = (float) p[d[0]] + u * (float) (p[d[0] + 1] - p[d[0]]);
    return (top + v * (low - top)) * (1.0f / SCALE);
}

// A z-score by another scanner: the middle range bent, stretched and moved.
static inline float
change_value(float z, const Change *change, int c, double x, double y, BgRandom *random)
{
    double unit = CLAMP((double) z / 8.0 + 0.5, 0.0, 1.0);
    double bent = (pow(unit, change->gamma[c]) - change->middle[c]) * change->slope[c];
    double value =
        bent * change->gain[c] + change->offset[c] + 2.0 * waves_at(&change->shade[c], x, y);

    if (change->noise[c] > 0.0)
        value += change->noise[c] * bg_random_normal(random);
    return (float) CLAMP(value, -8.0, 8.0);
}

static gboolean
make_sample(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
            float *const *targets, GError **error)
{
    BgTumourData *data = user_data;
    const Stored *stored = data->cases->pdata[index / (gsize) data->params.per_case];
    const guint8 *bytes = map_file(data, error);
    gboolean augment = seed != 0;
    BgRandom random = bg_random(augment ? seed : data->params.seed, index);
    Change change;

    if (bytes == NULL)
        return FALSE;
    const gint16 *planes = (const gint16 *) (const void *) (bytes + stored->offset);
    const guint8 *classes = bytes + stored->offset + BG_N_CONTRASTS * stored->n * sizeof(gint16);
    const int *d = stored->dims, crop = data->params.crop;
    gsize in_slice = (gsize) d[0] * (gsize) d[1], area = (gsize) crop * (gsize) crop;
    int k = choose_place(data, stored, classes, &random, change.centre);

    draw_change(&random, augment, &change);
    memset(targets[0], 0, BG_TUMOUR_CLASSES * area * sizeof(float));
    for (int y = 0; y < crop; y++) {
        for (int x = 0; x < crop; x++) {
            double u = x - crop / 2, v = y - crop / 2;
            double sx = change.centre[0] + change.turn[0][0] * u + change.turn[0][1] * v +
                        waves_at(&change.bend[0], u, v);
            double sy = change.centre[1] + change.turn[1][0] * u + change.turn[1][1] * v +
                        waves_at(&change.bend[1], u, v);
            gsize at = (gsize) y * (gsize) crop + (gsize) x;
            int i = (int) floor(sx + 0.5), j = (int) floor(sy + 0.5);
            gboolean inside = i >= 0 && j >= 0 && i < d[0] && j < d[1];
            guint8 class =
                inside ? classes[(gsize) k * in_slice + (gsize) j * (gsize) d[0] + (gsize) i] : 0;
            targets[0][(gsize) class * area + at] = 1.0f;
            for (int n = 0; n < data->params.n_contrasts; n++) {
                int c = (int) data->params.contrasts[n];
                float *in = inputs[0] + (gsize) n * area + at;
                float z =
                    sample_plane(planes + (gsize) c * stored->n + (gsize) k * in_slice, d, sx, sy);
                // The background stays what it is: exactly 0.
                if (change.dropped[c])
                    *in = 0.0f;
                else
                    *in = augment && z != 0.0f ? change_value(z, &change, c, u, v, &random) : z;
            }
        }
    }
    return TRUE;
}

BgNnData
bg_tumour_data_source(BgTumourData *data)
{
    return (BgNnData){ count_samples, patient_of, make_sample, data };
}
