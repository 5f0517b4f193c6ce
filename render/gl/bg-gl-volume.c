// SPDX-License-Identifier: Apache-2.0
#include "render/gl/bg-gl-volume.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "render/gl/bg-gl-context.h"

#include <string.h>

#define SLAB_BYTES (16u << 20)
#define PACKED_BYTES 8u
#define PACKED_ZERO 32768 // of 65535: no gradient
#define PACKED_REACH 32767.0f

gsize
bg_gl_volume_packed_bytes(const BgGeometry *geometry)
{
    return bg_geometry_count_voxels(geometry) * PACKED_BYTES;
}

typedef struct {
    GLenum internal_format, format, type;
    gsize texel_bytes;
} TexelKind;

static TexelKind
kind_for(BgSampleType type, gboolean packed)
{
    if (packed)
        return (TexelKind){ GL_RGBA16, GL_RGBA, GL_UNSIGNED_SHORT, PACKED_BYTES };

    switch (type) {
    case BG_SAMPLE_UINT8:
    case BG_SAMPLE_INT8:
        return (TexelKind){ GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1 };
    case BG_SAMPLE_INT16:
    case BG_SAMPLE_UINT16:
        return (TexelKind){ GL_R16, GL_RED, GL_UNSIGNED_SHORT, 2 };
    case BG_SAMPLE_FLOAT32:
        break;
    }
    return (TexelKind){ GL_R32F, GL_RED, GL_FLOAT, 4 };
}

// What the rows of a slab are turned into texels with.
typedef struct {
    const BgVolume *volume;
    gboolean packed;
    gsize texel_bytes;
    int first_slice;
    float low, inverse_range; // packed: texel = (value - low) * inverse_range
    float inverse_reach;      // packed: of the steepest gradient
    guint8 *texels;
} Slab;

static void
plain_row(const Slab *slab, int j, int k, guint8 *texels)
{
    const int *dims = bg_volume_get_geometry(slab->volume)->dims;
    gsize first = (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
    gconstpointer samples = bg_volume_get_samples(slab->volume);

    switch (bg_volume_get_format(slab->volume).type) {
    case BG_SAMPLE_UINT8:
        memcpy(texels, (const guint8 *) samples + first, (gsize) dims[0]);
        break;
    case BG_SAMPLE_INT8:
        for (int i = 0; i < dims[0]; i++)
            texels[i] = (guint8) (((const gint8 *) samples)[first + (gsize) i] - G_MININT8);
        break;
    case BG_SAMPLE_UINT16:
        memcpy(texels, (const guint16 *) samples + first, 2 * (gsize) dims[0]);
        break;
    case BG_SAMPLE_INT16:
        for (int i = 0; i < dims[0]; i++)
            ((guint16 *) (gpointer) texels)[i] =
                (guint16) (((const gint16 *) samples)[first + (gsize) i] - G_MININT16);
        break;
    case BG_SAMPLE_FLOAT32:
        for (int i = 0; i < dims[0]; i++) {
            float sample = ((const float *) samples)[first + (gsize) i];
            ((float *) (gpointer) texels)[i] = isfinite(sample) ? sample : slab->low;
        }
        break;
    }
}

static guint16
to_unorm(float share, float reach, int zero)
{
    return (guint16) CLAMP(lrintf(share * reach) + zero, 0, 65535);
}

// The rows around: above and below in j and k, edges held.
static void
packed_row(const Slab *slab, int j, int k, float *rows[5], guint16 *texels)
{
    const int *dims = bg_volume_get_geometry(slab->volume)->dims;
    const int at[5][2] = { { j, k },
                           { MAX(j - 1, 0), k },
                           { MIN(j + 1, dims[1] - 1), k },
                           { j, MAX(k - 1, 0) },
                           { j, MIN(k + 1, dims[2] - 1) } };

    for (int r = 0; r < 5; r++) {
        bg_volume_read_row(slab->volume, at[r][0], at[r][1], rows[r]);
        for (int i = 0; i < dims[0]; i++)
            if (!isfinite(rows[r][i]))
                rows[r][i] = slab->low;
    }
    for (int i = 0; i < dims[0]; i++) {
        const float *row = rows[0];
        float gradient[3] = { 0.5f * (row[MIN(i + 1, dims[0] - 1)] - row[MAX(i - 1, 0)]),
                              0.5f * (rows[2][i] - rows[1][i]), 0.5f * (rows[4][i] - rows[3][i]) };
        for (int axis = 0; axis < 3; axis++)
            texels[4 * i + axis] =
                to_unorm(gradient[axis] * slab->inverse_reach, PACKED_REACH, PACKED_ZERO);
        texels[4 * i + 3] = to_unorm((row[i] - slab->low) * slab->inverse_range, 65535.0f, 0);
    }
}

static void
fill_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Slab *slab = user_data;
    const int *dims = bg_volume_get_geometry(slab->volume)->dims;
    g_autofree float *scratch = g_new(float, 5 * dims[0]);
    float *rows[5];

    for (int r = 0; r < 5; r++)
        rows[r] = scratch + r * dims[0];
    for (gsize slice = first; slice < last; slice++) {
        for (int j = 0; j < dims[1]; j++) {
            guint8 *texels = slab->texels + ((slice * (gsize) dims[1] + (gsize) j) *
                                             (gsize) dims[0] * slab->texel_bytes);
            int k = slab->first_slice + (int) slice;
            if (slab->packed)
                packed_row(slab, j, k, rows, (guint16 *) (gpointer) texels);
            else
                plain_row(slab, j, k, texels);
        }
    }
}

// Of finite values. The steepest central difference is at most half of the range.
static void
find_range(const BgVolume *volume, float *low, float *high)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    g_autofree float *row = g_new(float, dims[0]);

    *low = INFINITY;
    *high = -INFINITY;
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_volume_read_row(volume, j, k, row);
            for (int i = 0; i < dims[0]; i++) {
                if (!isfinite(row[i]))
                    continue;
                *low = MIN(*low, row[i]);
                *high = MAX(*high, row[i]);
            }
        }
    }
    if (!(*low <= *high))
        *low = *high = 0.0f;
}

static void
set_scales(BgGlVolume *self, const BgVolume *volume, Slab *slab)
{
    BgSampleFormat format = bg_volume_get_format(volume);
    float low, high;

    if (self->packed || format.type == BG_SAMPLE_FLOAT32) {
        find_range(volume, &low, &high);
        float range = high > low ? high - low : 1.0f;
        slab->low = low;
        slab->inverse_range = 1.0f / range;
        slab->inverse_reach = 2.0f / range;
        self->value_scale = range;
        self->value_offset = low;
        self->gradient_scale = 0.5f * range * 65535.0f / PACKED_REACH;
        self->gradient_zero = PACKED_ZERO / 65535.0f;
        if (self->packed)
            return;
        slab->low =
            (float) (((double) low - format.intercept) / format.slope); // of samples, for holes
    }

    double span = format.type == BG_SAMPLE_FLOAT32                                  ? 1.0
                  : format.type == BG_SAMPLE_UINT8 || format.type == BG_SAMPLE_INT8 ? 255.0
                                                                                    : 65535.0;
    double first = format.type == BG_SAMPLE_INT8    ? G_MININT8
                   : format.type == BG_SAMPLE_INT16 ? G_MININT16
                                                    : 0.0;
    self->value_scale = (float) (span * format.slope);
    self->value_offset = (float) (first * format.slope + format.intercept);
}

static gboolean
upload(BgGlVolume *self, const BgVolume *volume, TexelKind kind, GCancellable *cancellable,
       GError **error)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    gsize slice_bytes = (gsize) dims[0] * (gsize) dims[1] * kind.texel_bytes;
    int n_slices = (int) CLAMP(SLAB_BYTES / slice_bytes, 1, (gsize) dims[2]);
    bg_auto_buffer guint8 *texels = bg_buffer_alloc_items((gsize) n_slices, slice_bytes, error);
    Slab slab = {
        .volume = volume, .packed = self->packed, .texel_bytes = kind.texel_bytes, .texels = texels
    };
    if (texels == NULL)
        return FALSE;

    set_scales(self, volume, &slab);
    for (int k = 0; k < dims[2]; k += n_slices) {
        int n = MIN(n_slices, dims[2] - k);
        slab.first_slice = k;
        bg_parallel_for((gsize) n, 1, fill_slices, &slab, NULL);
        glTexSubImage3D(GL_TEXTURE_3D, 0, 0, 0, k, dims[0], dims[1], n, kind.format, kind.type,
                        texels);
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
    }
    return bg_gl_check("upload", error);
}

BgGlVolume *
bg_gl_volume_new(const BgVolume *volume, gboolean packed, GCancellable *cancellable, GError **error)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    TexelKind kind = kind_for(bg_volume_get_format(volume).type, packed);
    GLint longest = 0;

    glGetIntegerv(GL_MAX_3D_TEXTURE_SIZE, &longest);
    if (MAX(MAX(dims[0], dims[1]), dims[2]) > longest) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The volume has %d × %d × %d voxels and the graphics card takes %d a side"),
                    dims[0], dims[1], dims[2], longest);
        return NULL;
    }

    BgGlVolume *self = g_new0(BgGlVolume, 1);
    self->packed = packed;
    self->n_bytes = bg_geometry_count_voxels(bg_volume_get_geometry(volume)) * kind.texel_bytes;
    glGenTextures(1, &self->texture);
    glBindTexture(GL_TEXTURE_3D, self->texture);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_WRAP_R, GL_CLAMP_TO_EDGE);
    glTexImage3D(GL_TEXTURE_3D, 0, (GLint) kind.internal_format, dims[0], dims[1], dims[2], 0,
                 kind.format, kind.type, NULL);

    if (!bg_gl_check("memory", error) || !upload(self, volume, kind, cancellable, error)) {
        bg_gl_volume_free(self);
        return NULL;
    }
    return self;
}

void
bg_gl_volume_free(BgGlVolume *volume)
{
    if (volume == NULL)
        return;
    glDeleteTextures(1, &volume->texture);
    g_free(volume);
}
