// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_NN_MAX_RANK 5

/**
 * BgNnShape:
 * @rank: 1..5
 * @dims: slowest first. What a network works on has N (pictures at once), C (channels), and then
 *   none to three dimensions of space (z, y, x; the last is the fastest). Parameters have shapes
 *   of their own
 */
typedef struct {
    int rank;
    gsize dims[BG_NN_MAX_RANK];
} BgNnShape;

/** bg_nn_shape: of what a network works on; @n_space: 0..3, of @z, @y, @x the last @n_space count */
BgNnShape bg_nn_shape(gsize n, gsize channels, int n_space, gsize z, gsize y, gsize x);

/** bg_nn_shape_count: elements; 0 when the shape is out of range or the count does not fit 2^48 */
gsize bg_nn_shape_count(const BgNnShape *shape);
gboolean bg_nn_shape_equal(const BgNnShape *a, const BgNnShape *b);

/** bg_nn_shape_to_string: (transfer full): "1 x 64 x 33 x 35" */
char *bg_nn_shape_to_string(const BgNnShape *shape);

/**
 * BgNnTensor:
 *
 * float32 in C order without gaps. Reference counted by atomic counters; written by who made it,
 * before others see it.
 */
typedef struct _BgNnTensor BgNnTensor;

/**
 * bg_nn_tensor_new:
 *
 * Returns: (transfer full): uninitialised; or %NULL with %BG_ERROR_INVALID (no shape), or
 *   %BG_ERROR_NO_MEMORY
 */
BgNnTensor *bg_nn_tensor_new(const BgNnShape *shape, GError **error);

/** bg_nn_tensor_new_copy: @data: as many floats as @shape has elements */
BgNnTensor *bg_nn_tensor_new_copy(const BgNnShape *shape, const float *data, GError **error);
BgNnTensor *bg_nn_tensor_ref(BgNnTensor *tensor);

/** bg_nn_tensor_is_shared: whether anybody but the one who asks holds it */
gboolean bg_nn_tensor_is_shared(const BgNnTensor *tensor);
void bg_nn_tensor_unref(BgNnTensor *tensor);
const BgNnShape *bg_nn_tensor_get_shape(const BgNnTensor *tensor);
gsize bg_nn_tensor_count(const BgNnTensor *tensor);
float *bg_nn_tensor_data(BgNnTensor *tensor);
const float *bg_nn_tensor_peek(const BgNnTensor *tensor);

/** bg_nn_tensor_is_finite: whether there is neither infinity nor not-a-number in it */
gboolean bg_nn_tensor_is_finite(const BgNnTensor *tensor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgNnTensor, bg_nn_tensor_unref)

G_END_DECLS
