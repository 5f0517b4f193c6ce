// SPDX-License-Identifier: Apache-2.0
#include "bg-fusion-data-private.h"

#include "bg-fusion-leaves.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-random.h"
#include "core/filter/bg-gaussian.h"
#include "core/image/bg-channel.h"
#include "core/io/bg-io.h"
#include "core/phantom/bg-phantom.h"

#include <math.h>
#include <string.h>

#define SLICE_STEP 4
#define PET_BLUR_MM 4.0
#define SMOOTH_VOXELS 0.8 // noise is nothing to be kept
#define LEAST_BRIGHT 0.02 // mean of a slice that is worth learning

static void
pair_free(gpointer data)
{
    BgFusionPair *pair = data;

    g_free(pair->patient);
    g_free(pair->planes[0]);
    g_free(pair->planes[1]);
    g_free(pair);
}

BgFusionData *
bg_fusion_data_new(int crop, int per_pair, guint64 seed)
{
    BgFusionData *data = g_new0(BgFusionData, 1);

    data->pairs = g_ptr_array_new_with_free_func(pair_free);
    data->crop = crop;
    data->per_pair = per_pair;
    data->seed = seed;
    return data;
}

void
bg_fusion_data_free(BgFusionData *data)
{
    if (data == NULL)
        return;
    g_ptr_array_unref(data->pairs);
    g_free(data);
}

int
bg_fusion_data_count(const BgFusionData *data)
{
    return (int) data->pairs->len;
}

static BgFusionPair *
new_pair(const char *patient, int width, int height)
{
    BgFusionPair *pair = g_new0(BgFusionPair, 1);

    pair->patient = g_strdup(patient);
    pair->width = width;
    pair->height = height;
    for (int s = 0; s < 2; s++)
        pair->planes[s] = g_malloc((gsize) width * (gsize) height);
    return pair;
}

// A folder of pairs

static BgChannel *
load_grey(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, cancellable, error);

    if (loaded != NULL && loaded->image == NULL)
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("%s is no picture. Take it away"),
                    path);
    return loaded != NULL && loaded->image != NULL ? bg_channel_luma(loaded->image, error) : NULL;
}

static gboolean
add_files(BgFusionData *data, const char *patient, const char *const paths[2],
          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgChannel) a = load_grey(paths[0], cancellable, error);
    g_autoptr(BgChannel) b = a != NULL ? load_grey(paths[1], cancellable, error) : NULL;
    const BgChannel *both[2] = { a, b };

    if (b == NULL)
        return FALSE;
    if (a->width != b->width || a->height != b->height || MIN(a->width, a->height) < data->crop) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("%s and %s are no pair of one size, of %d pixels a side at least. Make them "
                      "so"),
                    paths[0], paths[1], data->crop);
        return FALSE;
    }
    BgFusionPair *pair = new_pair(patient, a->width, a->height);
    for (int s = 0; s < 2; s++) {
        for (gsize i = 0; i < bg_channel_count(a); i++)
            pair->planes[s][i] = (guint8) (CLAMP(both[s]->values[i], 0.0f, 1.0f) * 255.0f + 0.5f);
    }
    g_ptr_array_add(data->pairs, pair);
    return TRUE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static gboolean
comes_first(const char *path)
{
    return strstr(path, "_MRI") != NULL || strstr(path, "_T1") != NULL;
}

static GPtrArray *
list_files(const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    const char *name;

    if (dir == NULL)
        return NULL;
    while ((name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

static gboolean
add_pairs_in(BgFusionData *data, const char *path, int depth, GCancellable *cancellable,
             GError **error)
{
    g_autoptr(GPtrArray) files = list_files(path, error);

    for (guint i = 0; files != NULL && i < files->len; i++) {
        const char *file = files->pdata[i], *next = i + 1 < files->len ? files->pdata[i + 1] : "";
        const char *end = strrchr(file, '_');
        if (depth > 0 && g_file_test(file, G_FILE_TEST_IS_DIR)) {
            if (!add_pairs_in(data, file, depth - 1, cancellable, error))
                return FALSE;
            continue;
        }
        if (end == NULL || strncmp(file, next, (gsize) (end - file) + 1) != 0)
            continue;
        gboolean turned = comes_first(next);
        const char *const paths[2] = { turned ? next : file, turned ? file : next };
        g_autofree char *patient = g_strndup(file, (gsize) (end - file));
        if (!add_files(data, patient, paths, cancellable, error))
            return FALSE;
        i++;
    }
    return files != NULL;
}

int
bg_fusion_data_add_folder(BgFusionData *data, const char *path, GCancellable *cancellable,
                          GError **error)
{
    guint before = data->pairs->len;

    if (!add_pairs_in(data, path, 1, cancellable, error))
        return 0;
    if (data->pairs->len == before)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There are no pairs in %s: two pictures whose names are alike up to the "
                      "last “_” are one"),
                    path);
    return (int) (data->pairs->len - before);
}

// Phantoms

typedef enum { T1, T1CE, T2, FLAIR, CT, PET, N_PLANES } Plane;

static const int couples[][2] = { { T1, T2 }, { T1CE, FLAIR }, { T2, CT }, { T1, PET } };

// Grey matter takes up most, white a little, fluid nothing.
static BgVolume *
make_uptake(const BgPhantom *head, GCancellable *cancellable, GError **error)
{
    BgVolume *t1 = bg_phantom_find(head, "t1")->volume;
    BgLabelMap *brain = bg_phantom_find(head, "brain")->labels;
    const BgGeometry *geometry = bg_volume_get_geometry(t1);
    const int *d = geometry->dims;
    float *uptake = bg_voxels_alloc(geometry, sizeof(float), error);
    g_autofree guint32 *inside = g_new(guint32, d[0]);

    if (uptake == NULL)
        return NULL;
    for (int k = 0; k < d[2]; k++) {
        for (int j = 0; j < d[1]; j++) {
            float *row = uptake + (gsize) d[0] * ((gsize) j + (gsize) d[1] * (gsize) k);
            bg_volume_read_row(t1, j, k, row);
            bg_label_map_read_row(brain, j, k, inside);
            for (int i = 0; i < d[0]; i++) {
                float grey = 1.0f - fabsf(row[i] - 520.0f) / 300.0f;
                row[i] = inside[i] ? 150.0f + 850.0f * MAX(grey, 0.0f) : 20.0f;
            }
        }
    }
    g_autoptr(BgVolume) sharp =
        bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), uptake, error);
    return sharp == NULL ? NULL
                         : bg_gaussian(sharp, bg_vec3(PET_BLUR_MM, PET_BLUR_MM, PET_BLUR_MM), NULL,
                                       cancellable, error);
}

// Values of each plane that are black and white.
// Air is black, as pictures for people have it.
static const float windows[N_PLANES][2] = { { 40, 900 }, { 40, 1000 },   { 40, 1000 },
                                            { 40, 900 }, { -100, 1100 }, { 40, 900 } };

static double
copy_slice(const BgVolume *volume, int k, const float window[2], guint8 *out)
{
    const int *d = bg_volume_get_geometry(volume)->dims;
    g_autofree float *row = g_new(float, d[0]);
    double sum = 0.0;

    for (int j = 0; j < d[1]; j++) {
        bg_volume_read_row(volume, j, k, row);
        for (int i = 0; i < d[0]; i++) {
            float v = CLAMP((row[i] - window[0]) / (window[1] - window[0]), 0.0f, 1.0f);
            sum += (double) v;
            *out++ = (guint8) (v * 255.0f + 0.5f);
        }
    }
    return sum / ((double) d[0] * d[1]);
}

static gboolean
add_phantom(BgFusionData *data, guint64 seed, int size, GCancellable *cancellable, GError **error)
{
    BgPhantomParams wanted = {
        .kind = BG_PHANTOM_HEAD, .size = size, .seed = seed, .tumour = TRUE
    };
    g_autoptr(BgPhantom) head = bg_phantom_new(&wanted, NULL, cancellable, error);
    wanted.kind = BG_PHANTOM_CT_HEAD;
    g_autoptr(BgPhantom) ct =
        head != NULL ? bg_phantom_new(&wanted, NULL, cancellable, error) : NULL;
    g_autoptr(BgVolume) pet = ct != NULL ? make_uptake(head, cancellable, error) : NULL;
    static const char *const names[4] = { "t1", "t1ce", "t2", "flair" };
    g_autoptr(GPtrArray) planes = g_ptr_array_new_with_free_func((GDestroyNotify) bg_volume_unref);

    if (pet == NULL)
        return FALSE;
    for (int p = 0; p < N_PLANES; p++) {
        BgVolume *sharp =
            p == PET ? pet
                     : bg_phantom_find(p == CT ? ct : head, p == CT ? "ct" : names[p])->volume;
        double mm = SMOOTH_VOXELS * 240.0 / size;
        BgVolume *smooth = bg_gaussian(sharp, bg_vec3(mm, mm, mm), NULL, cancellable, error);
        if (smooth == NULL)
            return FALSE;
        g_ptr_array_add(planes, smooth);
    }
    g_autofree char *patient = g_strdup_printf("phantom-%" G_GUINT64_FORMAT, seed);
    for (int k = size / 4, n = 0; k < size * 9 / 10; k += SLICE_STEP, n++) {
        const int *couple = couples[n % (int) G_N_ELEMENTS(couples)];
        BgFusionPair *pair = new_pair(patient, size, size);
        double least = 1.0;
        for (int s = 0; s < 2; s++)
            least = MIN(least, copy_slice(planes->pdata[couple[s]], k, windows[couple[s]],
                                          pair->planes[s]));
        if (least < LEAST_BRIGHT)
            pair_free(pair);
        else
            g_ptr_array_add(data->pairs, pair);
    }
    return TRUE;
}

gboolean
bg_fusion_data_add_phantoms(BgFusionData *data, int count, guint64 seed, int size,
                            const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    for (int p = 0; p < count; p++) {
        if (!add_phantom(data, seed + (guint64) p, size, cancellable, error))
            return FALSE;
        bg_progress_report(progress, (p + 1.0) / count);
    }
    return TRUE;
}

void
bg_fusion_data_add_leaves(BgFusionData *data, int count, guint64 seed, int size)
{
    for (int p = 0; p < count; p++) {
        g_autofree char *patient = g_strdup_printf("leaves-%" G_GUINT64_FORMAT, seed + (guint64) p);
        BgFusionPair *pair = new_pair(patient, size, size);
        bg_fusion_leaves(seed + (guint64) p, size, pair->planes);
        g_ptr_array_add(data->pairs, pair);
    }
}

// Samples

/** Shade: another scanner's brightness and contrast; black stays black */
typedef struct {
    float values[256];
} Shade;

static Shade
draw_shade(BgRandom *random, gboolean augment)
{
    double gamma = augment ? exp(0.3 * bg_random_normal(random)) : 1.0;
    double gain = augment ? 1.0 - 0.5 * bg_random_uniform(random) * bg_random_uniform(random) : 1.0;
    Shade shade;

    for (int v = 0; v < 256; v++)
        shade.values[v] = (float) (gain * pow(v / 255.0, gamma));
    return shade;
}

static gsize
count_samples(gpointer user_data)
{
    const BgFusionData *data = user_data;

    return (gsize) data->pairs->len * (gsize) data->per_pair;
}

static const char *
patient_of(gpointer user_data, gsize index)
{
    const BgFusionData *data = user_data;

    return ((const BgFusionPair *) data->pairs->pdata[index / (gsize) data->per_pair])->patient;
}

static gboolean
make_sample(gpointer user_data, gsize index, guint64 seed, float *const *inputs,
            float *const *targets, GError **error)
{
    const BgFusionData *data = user_data;
    const BgFusionPair *pair = data->pairs->pdata[index / (gsize) data->per_pair];
    BgRandom random = bg_random(seed != 0 ? seed : data->seed, index);
    int crop = data->crop;
    int u0 = (int) bg_random_below(&random, (gsize) (pair->width - crop + 1));
    int v0 = (int) bg_random_below(&random, (gsize) (pair->height - crop + 1));
    guint64 turn = seed != 0 ? bg_random_next(&random) : 0;
    gsize n = (gsize) crop * (gsize) crop;

    // One in two goes through the middle, where there is most to see.
    if (bg_random_uniform(&random) < 0.5) {
        u0 = (u0 + (pair->width - crop) / 2) / 2;
        v0 = (v0 + (pair->height - crop) / 2) / 2;
    }
    for (int s = 0; s < 2; s++) {
        const guint8 *plane = pair->planes[s];
        Shade shade = draw_shade(&random, seed != 0);
        for (int v = 0; v < crop; v++) {
            for (int u = 0; u < crop; u++) {
                int x = turn & 4 ? v : u, y = turn & 4 ? u : v;
                x = turn & 1 ? crop - 1 - x : x;
                y = turn & 2 ? crop - 1 - y : y;
                inputs[s][v * crop + u] =
                    shade.values[plane[(gsize) (v0 + y) * (gsize) pair->width + (gsize) (u0 + x)]];
            }
        }
        memcpy(targets[s], inputs[s], n * sizeof(float));
    }
    return TRUE;
}

BgNnData
bg_fusion_data_source(BgFusionData *data)
{
    return (BgNnData){ count_samples, patient_of, make_sample, data };
}
