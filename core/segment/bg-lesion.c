// SPDX-License-Identifier: Apache-2.0
#include "bg-lesion.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/learn/bg-networks.h"

#include <math.h>
#include <string.h>

#define OUTLINE_WIDTH 240
#define OUTLINE_HEIGHT 192
#define CLASS_SIDE 224

void
bg_lesion_run_clear(BgLesionRun *run)
{
    g_clear_pointer(&run->sha256, g_free);
}

void
bg_lesion_outline_clear(BgLesionOutline *outline)
{
    g_clear_pointer(&outline->likelihood, bg_channel_free);
    g_clear_pointer(&outline->mask, bg_image_unref);
    bg_lesion_run_clear(&outline->run);
}

// Means over what each of `n` pieces of a line of `count` values covers.
static void
shrink_line(const float *from, gsize step, gsize count, double *to, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        double first = (double) (i * count) / (double) n;
        double last = (double) ((i + 1) * count) / (double) n, sum = 0;
        for (gsize k = (gsize) first; k < count && (double) k < last; k++)
            sum += (MIN(last, (double) k + 1) - MAX(first, (double) k)) * (double) from[k * step];
        to[i] = sum / (last - first);
    }
}

static gboolean
shrink(const BgChannel *from, float *to, gsize width, gsize height, GError **error)
{
    gsize rows = (gsize) from->height, columns = (gsize) from->width;
    g_autoptr(BgChannel) narrow = bg_channel_new((int) width, (int) rows, error);
    double line[MAX(OUTLINE_WIDTH, CLASS_SIDE)];

    if (narrow == NULL)
        return FALSE;
    for (gsize y = 0; y < rows; y++) {
        shrink_line(from->values + y * columns, 1, columns, line, width);
        for (gsize x = 0; x < width; x++)
            narrow->values[y * width + x] = (float) line[x];
    }
    for (gsize x = 0; x < width; x++) {
        shrink_line(narrow->values + x, width, rows, line, height);
        for (gsize y = 0; y < height; y++)
            to[y * width + x] = (float) line[y];
    }
    return TRUE;
}

static float
sample(const float *from, int width, int height, double x, double y)
{
    x = CLAMP(x, 0.0, width - 1.0);
    y = CLAMP(y, 0.0, height - 1.0);
    int i = MIN((int) x, width - 2), j = MIN((int) y, height - 2);
    double u = x - i, v = y - j;
    const float *p = from + (gsize) j * (gsize) width + i;
    double top = (double) p[0] + u * (double) (p[1] - p[0]);
    double low = (double) p[width] + u * (double) (p[width + 1] - p[width]);

    return (float) (top + v * (low - top));
}

// One input through network `name`.
static BgNnTensor *
run_network(const char *name, const char *path, const BgEngine *engine, BgNnTensor *input,
            BgLesionRun *run, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgNetwork *network = bg_network_find(name, error);
    g_autoptr(BgNnGraph) graph = network != NULL ? network->graph() : NULL;
    BgNnWeightsInfo info = { 0 };
    BgProgressSpan span;
    BgNnTensor *output = NULL;

    if (graph == NULL)
        return NULL;
    g_autoptr(BgNnParams) params =
        bg_network_load(network, graph, path, &info,
                        bg_progress_span_init(&span, progress, 0.0, 0.5), cancellable, error);
    *run = (BgLesionRun){ .sha256 = g_strdup(info.sha256) };
    bg_nn_weights_info_clear(&info);
    g_autoptr(BgBackendNetwork) ready =
        params == NULL
            ? NULL
            : bg_engine_network(engine, graph, params, bg_nn_tensor_get_shape(input), 1, error);
    if (ready == NULL)
        return NULL;
    run->backend = bg_backend_network_get_name(ready);
    return bg_backend_network_run(ready, &input, &output,
                                  bg_progress_span_init(&span, progress, 0.5, 1.0), cancellable,
                                  error)
               ? output
               : NULL;
}

// To greys of 0..255, less the mean, by the deviation.
static gboolean
score(float *values, gsize n, const BgLesionParams *params, BgLesionOutline *outline,
      GError **error)
{
    double sum = 0, squares = 0;

    for (gsize i = 0; i < n; i++)
        sum += 255.0 * (double) values[i];
    outline->mean = params->deviation > 0.0 ? params->mean : sum / (double) n;
    for (gsize i = 0; i < n; i++)
        squares += pow(255.0 * (double) values[i] - outline->mean, 2.0);
    outline->deviation = params->deviation > 0.0 ? params->deviation : sqrt(squares / (double) n);
    if (!(outline->deviation > 1e-6)) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("No lesion can be found: the picture is of one grey. Give a picture of skin"));
        return FALSE;
    }
    for (gsize i = 0; i < n; i++)
        values[i] = (float) ((255.0 * (double) values[i] - outline->mean) / outline->deviation);
    return TRUE;
}

static gboolean
spread(const BgNnTensor *found, int width, int height, double threshold, BgLesionOutline *outline,
       GError **error)
{
    const float *values = bg_nn_tensor_peek(found);
    g_autoptr(BgChannel) mask = bg_channel_new(width, height, error);
    gsize n = 0;

    outline->likelihood = mask != NULL ? bg_channel_new(width, height, error) : NULL;
    if (outline->likelihood == NULL)
        return FALSE;
    memcpy(outline->box, (int[]){ width, height, -1, -1 }, sizeof outline->box);
    for (int v = 0; v < height; v++)
        for (int u = 0; u < width; u++) {
            gsize at = (gsize) v * (gsize) width + (gsize) u;
            float likely = sample(values, OUTLINE_WIDTH, OUTLINE_HEIGHT,
                                  (u + 0.5) * OUTLINE_WIDTH / width - 0.5,
                                  (v + 0.5) * OUTLINE_HEIGHT / height - 0.5);
            gboolean inside = (double) likely >= threshold;
            outline->likelihood->values[at] = likely;
            mask->values[at] = inside ? 1.0f : 0.0f;
            if (!inside)
                continue;
            n++;
            outline->box[0] = MIN(outline->box[0], u);
            outline->box[1] = MIN(outline->box[1], v);
            outline->box[2] = MAX(outline->box[2], u);
            outline->box[3] = MAX(outline->box[3], v);
        }
    outline->share = (double) n / (double) bg_channel_count(mask);
    outline->mask =
        bg_image_from_channels((const BgChannel *const[]){ mask }, 1, BG_PIXEL_UINT8, error);
    return outline->mask != NULL;
}

gboolean
bg_lesion_find_outline(BgImage *picture, const char *weights, const BgLesionParams *params,
                       BgLesionOutline *outline, const BgProgress *progress,
                       GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(params->threshold >= 0.0 && params->threshold <= 1.0, FALSE);

    BgNnShape shape = bg_nn_shape(1, 1, 2, 1, OUTLINE_HEIGHT, OUTLINE_WIDTH);
    g_autoptr(BgChannel) luma = bg_channel_luma(picture, error);
    g_autoptr(BgNnTensor) input = luma != NULL ? bg_nn_tensor_new(&shape, error) : NULL;

    *outline = (BgLesionOutline){ .share = 0.0 };
    if (input == NULL ||
        !shrink(luma, bg_nn_tensor_data(input), OUTLINE_WIDTH, OUTLINE_HEIGHT, error) ||
        !score(bg_nn_tensor_data(input), bg_nn_tensor_count(input), params, outline, error))
        return FALSE;
    g_autoptr(BgNnTensor) found = run_network("lesion-unet", weights, &params->engine, input,
                                              &outline->run, progress, cancellable, error);
    return found != NULL &&
           spread(found, luma->width, luma->height, params->threshold, outline, error);
}

gboolean
bg_lesion_classify(BgImage *picture, const char *weights, const BgEngine *engine, double *malignant,
                   BgLesionRun *run, const BgProgress *progress, GCancellable *cancellable,
                   GError **error)
{
    BgNnShape shape = bg_nn_shape(1, 3, 2, 1, CLASS_SIDE, CLASS_SIDE);
    gsize area = (gsize) CLASS_SIDE * CLASS_SIDE;

    if (bg_image_get_format(picture)->n_channels < 3) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The picture is grey: the network judges by colours. Give one in colour"));
        return FALSE;
    }
    g_autoptr(BgNnTensor) input = bg_nn_tensor_new(&shape, error);
    for (int c = 0; c < 3; c++) {
        g_autoptr(BgChannel) plane = input != NULL ? bg_channel_read(picture, c, error) : NULL;
        if (plane == NULL || !shrink(plane, bg_nn_tensor_data(input) + (gsize) c * area, CLASS_SIDE,
                                     CLASS_SIDE, error))
            return FALSE;
    }
    g_autoptr(BgNnTensor) found =
        run_network("lesion-classifier", weights, engine, input, run, progress, cancellable, error);
    if (found == NULL)
        return FALSE;
    *malignant = (double) bg_nn_tensor_peek(found)[0];
    return TRUE;
}
