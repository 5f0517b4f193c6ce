// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-slice-stack.h"

#include "core/base/bg-buffer.h"
#include "core/io/bg-h5.h"

#include <string.h>

BgSliceFrame
bg_slice_stack_frame(const BgSliceStack *stack, int n)
{
    BgSliceFrame frame = stack->frame;

    frame.origin_mm = bg_vec3_along(frame.origin_mm, n * stack->step_mm, frame.normal);
    return frame;
}

static gboolean
fill_slice(const BgSliceStack *stack, int n, float *out, GCancellable *cancellable, GError **error)
{
    BgSliceFrame frame = bg_slice_stack_frame(stack, n);
    gsize n_pixels = (gsize) frame.width * (gsize) frame.height;

    if (stack->labels == NULL) {
        g_autoptr(BgImage) values =
            bg_slice_sample(stack->volume, &frame, &stack->sampling, cancellable, error);
        if (values != NULL)
            memcpy(out, bg_image_get_pixels(values), n_pixels * sizeof(float));
        return values != NULL;
    }
    bg_auto_buffer guint32 *numbers = bg_buffer_alloc_items(n_pixels, sizeof(guint32), error);
    if (numbers == NULL || g_cancellable_set_error_if_cancelled(cancellable, error))
        return FALSE;
    bg_slice_sample_labels(stack->labels, &frame, numbers, NULL);
    for (gsize i = 0; i < n_pixels; i++)
        out[i] = (float) numbers[i];
    return TRUE;
}

static gboolean
set_vector(BgH5 *h5, const char *name, BgVec3 value, GError **error)
{
    double numbers[3] = { value.x, value.y, value.z };

    return bg_h5_set_doubles(h5, "/slices", name, numbers, 3, error);
}

static gboolean
set_text(BgH5 *h5, const char *name, const char *text, GError **error)
{
    return bg_h5_set_string(h5, "/slices", name, text != NULL ? text : "", error);
}

static gboolean
set_facts(BgH5 *h5, const BgSliceStack *stack, GError **error)
{
    const BgSliceFrame *frame = &stack->frame;
    double spacing_mm[3] = { frame->spacing_mm, frame->spacing_mm, stack->step_mm };

    return set_vector(h5, "origin_mm", frame->origin_mm, error) &&
           set_vector(h5, "normal", frame->normal, error) && set_vector(h5, "u", frame->u, error) &&
           set_vector(h5, "v", frame->v, error) &&
           bg_h5_set_doubles(h5, "/slices", "spacing_mm", spacing_mm, 3, error) &&
           set_text(h5, "source", stack->source, error) &&
           set_text(h5, "source_sha256", stack->source_sha256, error) &&
           set_text(h5, "modality", stack->modality, error) &&
           set_text(h5, "unit", stack->unit, error) &&
           (stack->provenance == NULL ||
            bg_h5_set_string(h5, "/", "provenance", stack->provenance, error));
}

gboolean
bg_slice_stack_save(const BgSliceStack *stack, const char *path, gboolean force,
                    const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    gsize n_pixels = (gsize) stack->frame.width * (gsize) stack->frame.height;
    BgH5Shape shape = { .type = BG_H5_FLOAT32,
                        .rank = 3,
                        .dims = { (guint64) stack->count, (guint64) stack->frame.height,
                                  (guint64) stack->frame.width } };
    bg_auto_buffer float *values =
        bg_buffer_alloc_items((gsize) stack->count * n_pixels, sizeof(float), error);

    if (values == NULL)
        return FALSE;
    for (int n = 0; n < stack->count; n++) {
        if (!fill_slice(stack, n, values + (gsize) n * n_pixels, cancellable, error))
            return FALSE;
        bg_progress_report(progress, (n + 1.0) / stack->count);
    }
    g_autoptr(BgH5) h5 = bg_h5_create(path, force, error);
    return h5 != NULL && bg_h5_write(h5, "/slices", &shape, values, NULL, cancellable, error) &&
           set_facts(h5, stack, error) && bg_h5_commit(h5, error);
}
