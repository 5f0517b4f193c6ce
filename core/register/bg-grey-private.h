// SPDX-License-Identifier: Apache-2.0
// Pictures as one plane of floats, for sisters in this folder.
#pragma once

#include "core/image/bg-image.h"

G_BEGIN_DECLS

/**
 * BgGrey:
 * @p: (owned): width x height, from the top; bg_buffer_alloc()
 */
typedef struct {
    int width, height;
    float *p;
} BgGrey;

/** bg_grey_from_image: Rec. 601 luma of colours, 0..255 for uint8 and uint16; %BG_ERROR_NO_MEMORY */
gboolean bg_grey_from_image(BgImage *image, BgGrey *grey, GError **error);

/** bg_grey_halved: 2 x 2 means; an odd last column or row is left out; %BG_ERROR_NO_MEMORY */
gboolean bg_grey_halved(const BgGrey *from, BgGrey *to, GError **error);

/** bg_grey_doubled: pixel (u, v) becomes (2u + 0.5, 2v + 0.5); %BG_ERROR_NO_MEMORY */
gboolean bg_grey_doubled(const BgGrey *from, BgGrey *to, GError **error);

/** bg_grey_blurred: by a Gaussian; @sigma in pixels; borders repeat; %BG_ERROR_NO_MEMORY */
gboolean bg_grey_blurred(const BgGrey *from, double sigma, BgGrey *to, GError **error);

void bg_grey_clear(BgGrey *grey);

/** bg_grey_at: linear between centres; beyond the border its value */
static inline float
bg_grey_at(const BgGrey *g, double u, double v)
{
    double x = u < 0.0 ? 0.0 : u > g->width - 1 ? g->width - 1 : u;
    double y = v < 0.0 ? 0.0 : v > g->height - 1 ? g->height - 1 : v;
    int i = (int) x, j = (int) y;

    i -= i == g->width - 1 && i > 0;
    j -= j == g->height - 1 && j > 0;
    float fx = (float) (x - i), fy = (float) (y - j);
    const float *p = g->p + (gsize) j * (gsize) g->width + i;
    int right = g->width > 1, down = g->height > 1 ? g->width : 0;
    float top = p[0] + fx * (p[right] - p[0]);
    float bottom = p[down] + fx * (p[down + right] - p[down]);
    return top + fy * (bottom - top);
}

G_END_DECLS
