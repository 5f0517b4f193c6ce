// SPDX-License-Identifier: Apache-2.0
// Kumar, Hoffmann, Oelschlaegel, Keller, Kirsch, Gumhold: "Structural similarity based anatomical and functional
// brain imaging fusion" (2019): a network that was trained to keep both sources' structure.
#include "bg-fusion-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

gboolean
bg_fuse_learned(const BgFusionJob *job, GError **error)
{
    BgChannel *fused = job->result->fused = bg_channel_copy(job->sources[0], error);
    gsize n = bg_channel_count(job->sources[0]);

    for (gsize s = 1; fused != NULL && s < job->n; s++) {
        BgNnTensor *output = NULL;
        if (!bg_fusion_model_run_pair(job->model, fused->values, job->sources[s]->values,
                                      job->width, job->height, &output, job->cancellable, error))
            return FALSE;
        const float *data = bg_nn_tensor_peek(output);
        for (gsize i = 0; i < n; i++)
            fused->values[i] = CLAMP(data[i], 0.0f, 1.0f);
        bg_nn_tensor_unref(output);
        bg_progress_report(job->progress, (double) s / (double) (job->n - 1));
    }
    return fused != NULL;
}

// To 0..1, in place.
static void
stretch(float *map, gsize n)
{
    float low = INFINITY, high = -INFINITY;

    for (gsize i = 0; i < n; i++) {
        low = MIN(low, map[i]);
        high = MAX(high, map[i]);
    }
    for (gsize i = 0; i < n; i++)
        map[i] = high > low ? (map[i] - low) / (high - low) : 0.0f;
}

// Blue, cyan, yellow, red: the usual piecewise line.
static void
jet(float x, float rgb[3])
{
    for (int c = 0; c < 3; c++)
        rgb[c] = CLAMP(1.5f - fabsf(4.0f * x - (float) (3 - c)), 0.0f, 1.0f);
}

// Hue and saturation of the second map's colour, brightness of the first.
static void
mix(float first, float second, float share, float rgb[3])
{
    float colour[3];

    jet(second, colour);
    float high = MAX(colour[0], MAX(colour[1], colour[2]));
    for (int c = 0; c < 3; c++) {
        float of_value = high > 0.0f ? colour[c] / high : 1.0f; // value 1
        rgb[c] = first * (1.0f - share * (1.0f - of_value));
    }
}

// d sum(fused) / d each source, behind each other.
static gboolean
find_gradients(const BgChannel *first, const BgChannel *second, BgFusionModel *model, float *maps,
               GCancellable *cancellable, GError **error)
{
    gsize n = bg_channel_count(first);
    g_autoptr(BgNnTape32) tape = bg_fusion_model_tape(model, first->width, first->height, error);
    bg_auto_buffer float *ones = bg_buffer_alloc_items(n, sizeof(float), error);
    const float *inputs[2] = { first->values, second->values };
    const float *d_outputs[1] = { ones };

    if (tape == NULL || ones == NULL ||
        !bg_nn_tape32_forward(tape, inputs, FALSE, 0, cancellable, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        ones[i] = 1.0f;
    if (!bg_nn_tape32_backward(tape, d_outputs, cancellable, error))
        return FALSE;
    for (int s = 0; s < 2; s++) {
        memcpy(maps + (gsize) s * n, bg_nn_tape32_get_input_gradient(tape, s), n * sizeof(float));
        stretch(maps + (gsize) s * n, n);
    }
    return TRUE;
}

BgImage *
bg_fusion_contributions(const BgChannel *first, const BgChannel *second, double share,
                        BgFusionModel *model, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(model != NULL, NULL);

    gsize n = bg_channel_count(first);
    BgChannel *planes[3] = { NULL };
    BgImage *image = NULL;

    if (first->width != second->width || first->height != second->height) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("Pictures of %d × %d and %d × %d pixels cannot be fused; register and "
                      "resample them to one size"),
                    first->width, first->height, second->width, second->height);
        return NULL;
    }
    bg_auto_buffer float *maps = bg_buffer_alloc_items(2 * n, sizeof(float), error);
    gboolean ok = maps != NULL && find_gradients(first, second, model, maps, cancellable, error);
    for (int c = 0; ok && c < 3; c++) {
        planes[c] = bg_channel_new(first->width, first->height, error);
        ok = planes[c] != NULL;
    }
    for (gsize i = 0; ok && i < n; i++) {
        float rgb[3];
        mix(maps[i], maps[n + i], (float) share, rgb);
        for (int c = 0; c < 3; c++)
            planes[c]->values[i] = rgb[c];
    }
    if (ok)
        image = bg_image_from_channels((const BgChannel *const *) planes, 3, BG_PIXEL_UINT8, error);
    for (int c = 0; c < 3; c++)
        g_clear_pointer(&planes[c], bg_channel_free);
    return image;
}
