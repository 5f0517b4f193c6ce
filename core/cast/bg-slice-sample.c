// SPDX-License-Identifier: Apache-2.0
#include "core/cast/bg-slice-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"

#define SNAP 1e-6   // voxels: nearer to a sample than this is on it
#define ROW_GRAIN 8 // 512 pixels in a slab of 40 planes, cubic: under 50 ms

static const char *const interpolation_names[] = { "nearest", "linear", "cubic" };
static const char *const slab_mode_names[] = { "mip", "minip", "mean" };

static int
find_name(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (g_strcmp0(names[i], name) == 0)
            return i;
    return -1;
}

const char *
bg_interpolation_name(BgInterpolation interpolation)
{
    return interpolation_names[interpolation];
}

gboolean
bg_interpolation_parse(const char *name, BgInterpolation *interpolation)
{
    int i = find_name(interpolation_names, G_N_ELEMENTS(interpolation_names), name);

    if (i >= 0)
        *interpolation = (BgInterpolation) i;
    return i >= 0;
}

const char *
bg_slab_mode_name(BgSlabMode mode)
{
    return slab_mode_names[mode];
}

gboolean
bg_slab_mode_parse(const char *name, BgSlabMode *mode)
{
    int i = find_name(slab_mode_names, G_N_ELEMENTS(slab_mode_names), name);

    if (i >= 0)
        *mode = (BgSlabMode) i;
    return i >= 0;
}

void
bg_slice_walk_init(BgSliceWalk *walk, const BgGeometry *geometry, const BgSliceFrame *frame)
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 origin = bg_affine_apply(&voxel_from_patient, frame->origin_mm);
    BgVec3 u =
        bg_affine_apply_vector(&voxel_from_patient, bg_vec3_scale(frame->u, frame->spacing_mm));
    BgVec3 v =
        bg_affine_apply_vector(&voxel_from_patient, bg_vec3_scale(frame->v, frame->spacing_mm));
    BgVec3 n = bg_affine_apply_vector(&voxel_from_patient, frame->normal);

    for (int axis = 0; axis < 3; axis++) {
        walk->dims[axis] = geometry->dims[axis];
        walk->origin[axis] = bg_vec3_get(origin, axis);
        walk->step_u[axis] = bg_vec3_get(u, axis);
        walk->step_v[axis] = bg_vec3_get(v, axis);
        walk->step_normal[axis] = bg_vec3_get(n, axis);
    }
    walk->width = frame->width;
}

BgSliceRow
bg_slice_walk_row(const BgSliceWalk *walk, double y, double off_mm)
{
    BgSliceRow row = { .dims = { walk->dims[0], walk->dims[1], walk->dims[2] } };
    double low = 0.0, high = walk->width - 1.0;

    for (int axis = 0; axis < 3; axis++) {
        double at = walk->origin[axis] + y * walk->step_v[axis] + off_mm * walk->step_normal[axis];
        double step = walk->step_u[axis];
        double from = -0.5 - SNAP - at, to = walk->dims[axis] - 0.5 + SNAP - at;
        row.at[axis] = at;
        row.step[axis] = step;
        if (fabs(step) * walk->width < SNAP) { // the row keeps its distance
            if (from > 0.0 || to < 0.0)
                high = -1.0;
        } else {
            low = fmax(low, ceil((step > 0.0 ? from : to) / step));
            high = fmin(high, floor((step > 0.0 ? to : from) / step));
        }
    }
    row.first = low <= high ? (int) low : 0;
    row.last = low <= high ? (int) high + 1 : 0;
    return row;
}

// Where between two samples: the lower one, and the share of the next; on a sample the share is
// exactly 0, so that its neighbour is not read.
static inline int
locate(double at, int dim, float *share)
{
    at = at < 0.0 ? 0.0 : at > dim - 1 ? dim - 1 : at;
    int low = (int) at;
    double rest = at - low;

    if (rest > 1.0 - SNAP) {
        low++;
        rest = 0.0;
    } else if (rest < SNAP) {
        rest = 0.0;
    }
    *share = (float) rest;
    return low;
}

// Catmull and Rom's weights of the samples at -1, 0, 1, 2 for a point at @t; only the second
// counts when t is 0.
static void
cubic_weights(float t, float weight[4])
{
    float t2 = t * t, t3 = t2 * t;

    weight[0] = 0.5f * (-t3 + 2.0f * t2 - t);
    weight[1] = 0.5f * (3.0f * t3 - 5.0f * t2 + 2.0f);
    weight[2] = 0.5f * (-3.0f * t3 + 4.0f * t2 + t);
    weight[3] = 0.5f * (t3 - t2);
}

#define DEFINE_ROWS(TYPE, name, ctype)                                                            \
    static void nearest_row_##name(gconstpointer data, const BgSliceRow *row, float *out)         \
    {                                                                                             \
        const ctype *samples = data;                                                              \
        for (int x = row->first; x < row->last; x++) {                                            \
            gsize index = 0;                                                                      \
            for (int axis = 2; axis >= 0; axis--)                                                 \
                index = index * (gsize) row->dims[axis] + (gsize) bg_slice_nearest(row, axis, x); \
            out[x] = (float) samples[index];                                                      \
        }                                                                                         \
    }                                                                                             \
    static void linear_row_##name(gconstpointer data, const BgSliceRow *row, float *out)          \
    {                                                                                             \
        const ctype *samples = data;                                                              \
        const gsize nx = (gsize) row->dims[0], nxy = nx * (gsize) row->dims[1];                   \
        for (int x = row->first; x < row->last; x++) {                                            \
            float fi, fj, fk;                                                                     \
            int i = locate(row->at[0] + x * row->step[0], row->dims[0], &fi);                     \
            int j = locate(row->at[1] + x * row->step[1], row->dims[1], &fj);                     \
            int k = locate(row->at[2] + x * row->step[2], row->dims[2], &fk);                     \
            const ctype *s = samples + (gsize) i + nx * (gsize) j + nxy * (gsize) k;              \
            gsize di = fi > 0.0f, dj = fj > 0.0f ? nx : 0, dk = fk > 0.0f ? nxy : 0;              \
            float a = (float) s[0] + fi * ((float) s[di] - (float) s[0]);                         \
            float b = (float) s[dj] + fi * ((float) s[dj + di] - (float) s[dj]);                  \
            float low = a + fj * (b - a);                                                         \
            if (dk > 0) {                                                                         \
                s += dk;                                                                          \
                a = (float) s[0] + fi * ((float) s[di] - (float) s[0]);                           \
                b = (float) s[dj] + fi * ((float) s[dj + di] - (float) s[dj]);                    \
                low += fk * (a + fj * (b - a) - low);                                             \
            }                                                                                     \
            out[x] = low;                                                                         \
        }                                                                                         \
    }                                                                                             \
    static void cubic_row_##name(gconstpointer data, const BgSliceRow *row, float *out)           \
    {                                                                                             \
        const ctype *samples = data;                                                              \
        const gsize stride[3] = { 1, (gsize) row->dims[0],                                        \
                                  (gsize) row->dims[0] * (gsize) row->dims[1] };                  \
        for (int x = row->first; x < row->last; x++) {                                            \
            gsize tap[3][4];                                                                      \
            float weight[3][4];                                                                   \
            int n_taps[3];                                                                        \
            for (int axis = 0; axis < 3; axis++)                                                  \
                n_taps[axis] = cubic_taps(row, axis, x, stride[axis], tap[axis], weight[axis]);   \
            float sum = 0.0f;                                                                     \
            for (int k = 0; k < n_taps[2]; k++)                                                   \
                for (int j = 0; j < n_taps[1]; j++) {                                             \
                    const ctype *s = samples + tap[2][k] + tap[1][j];                             \
                    float line = 0.0f;                                                            \
                    for (int i = 0; i < n_taps[0]; i++)                                           \
                        line += weight[0][i] * (float) s[tap[0][i]];                              \
                    sum += weight[2][k] * weight[1][j] * line;                                    \
                }                                                                                 \
            out[x] = sum;                                                                         \
        }                                                                                         \
    }

// Offsets and weights of the samples that count along an axis; beyond the border its sample goes on.
static int
cubic_taps(const BgSliceRow *row, int axis, int x, gsize stride, gsize tap[4], float weight[4])
{
    float share;
    int last = row->dims[axis] - 1;
    int low = locate(row->at[axis] + x * row->step[axis], row->dims[axis], &share);

    if (share == 0.0f) {
        tap[0] = (gsize) low * stride;
        weight[0] = 1.0f;
        return 1;
    }
    cubic_weights(share, weight);
    for (int t = 0; t < 4; t++)
        tap[t] = (gsize) CLAMP(low - 1 + t, 0, last) * stride;
    return 4;
}

BG_FOR_SAMPLE_TYPES(DEFINE_ROWS)

static void
sample_row(const BgVolume *volume, BgInterpolation interpolation, const BgSliceRow *row, float *out)
{
    gconstpointer samples = bg_volume_get_samples(volume);
    BgSampleFormat format = bg_volume_get_format(volume);

#define CASE(TYPE, name, ctype)                            \
    case TYPE:                                             \
        if (interpolation == BG_INTERPOLATION_NEAREST)     \
            nearest_row_##name(samples, row, out);         \
        else if (interpolation == BG_INTERPOLATION_LINEAR) \
            linear_row_##name(samples, row, out);          \
        else                                               \
            cubic_row_##name(samples, row, out);           \
        break;
    switch (format.type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
#undef CASE
    if (format.slope != 1.0 || format.intercept != 0.0)
        for (int x = row->first; x < row->last; x++)
            out[x] = (float) ((double) out[x] * format.slope + format.intercept);
}

void
bg_slice_sampler_init(BgSliceSampler *sampler, BgVolume *volume, const BgSliceFrame *frame,
                      const BgSliceSampling *sampling)
{
    static const BgSliceSampling plain = { .interpolation = BG_INTERPOLATION_LINEAR };
    double fastest = 0.0, sum = 0.0;

    sampler->volume = volume;
    sampler->sampling = sampling != NULL ? *sampling : plain;
    bg_slice_walk_init(&sampler->walk, bg_volume_get_geometry(volume), frame);
    for (int axis = 0; axis < 3; axis++) {
        fastest = fmax(fastest, fabs(sampler->walk.step_normal[axis]));
        sum += fabs(sampler->walk.step_normal[axis]);
    }
    gboolean aligned = sum - fastest < 1e-6 * fastest;
    sampler->slab_step_mm = (aligned ? 1.0 : 0.5) / fastest;
    double n_side = floor(0.5 * sampler->sampling.slab_mm / sampler->slab_step_mm + 1e-6);
    sampler->n_side = n_side > 0.0 ? (int) fmin(n_side, 1 << 20) : 0;
}

static inline void
add_to_slab(BgSlabMode mode, const BgSliceRow *row, const float *from, float *sum, float *count)
{
    for (int x = row->first; x < row->last; x++) {
        float value = from[x];
        if (isnan(value))
            continue;
        if (count[x] == 0.0f)
            sum[x] = value;
        else if (mode == BG_SLAB_MIP)
            sum[x] = fmaxf(sum[x], value);
        else if (mode == BG_SLAB_MINIP)
            sum[x] = fminf(sum[x], value);
        else
            sum[x] += value;
        count[x] += 1.0f;
    }
}

void
bg_slice_sampler_row(const BgSliceSampler *sampler, int y, float *out, float *scratch)
{
    int width = sampler->walk.width;
    BgSliceRow row = bg_slice_walk_row(&sampler->walk, y, 0.0);

    if (sampler->n_side == 0) {
        for (int x = 0; x < row.first; x++)
            out[x] = NAN;
        for (int x = row.last; x < width; x++)
            out[x] = NAN;
        sample_row(sampler->volume, sampler->sampling.interpolation, &row, out);
        return;
    }

    float *count = scratch + width;
    for (int x = 0; x < width; x++)
        count[x] = 0.0f;
    for (int n = -sampler->n_side; n <= sampler->n_side; n++) {
        row = bg_slice_walk_row(&sampler->walk, y, n * sampler->slab_step_mm);
        if (row.first >= row.last)
            continue;
        sample_row(sampler->volume, sampler->sampling.interpolation, &row, scratch);
        add_to_slab(sampler->sampling.mode, &row, scratch, out, count);
    }
    for (int x = 0; x < width; x++) {
        if (count[x] == 0.0f)
            out[x] = NAN;
        else if (sampler->sampling.mode == BG_SLAB_MEAN)
            out[x] /= count[x];
    }
}

typedef struct {
    BgSliceSampler sampler;
    float *out;
} SampleJob;

static void
sample_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const SampleJob *job = user_data;
    gsize width = (gsize) job->sampler.walk.width;
    g_autofree float *scratch = g_new(float, 2 * width);

    for (gsize y = first; y < last; y++)
        bg_slice_sampler_row(&job->sampler, (int) y, job->out + y * width, scratch);
}

BgImage *
bg_slice_sample(BgVolume *volume, const BgSliceFrame *frame, const BgSliceSampling *sampling,
                GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(volume != NULL, NULL);
    g_return_val_if_fail(frame != NULL, NULL);

    BgImageFormat format = {
        .width = frame->width, .height = frame->height, .n_channels = 1, .type = BG_PIXEL_FLOAT32
    };
    double spacing_mm[2] = { frame->spacing_mm, frame->spacing_mm };
    SampleJob job;

    job.out = bg_buffer_alloc_items((gsize) MAX(frame->width, 1) * (gsize) MAX(frame->height, 1),
                                    sizeof(float), error);
    if (job.out == NULL)
        return NULL;
    bg_slice_sampler_init(&job.sampler, volume, frame, sampling);
    if (!bg_parallel_for((gsize) frame->height, ROW_GRAIN, sample_rows, &job, cancellable)) {
        bg_buffer_free(job.out);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, job.out, error);
    return image != NULL ? bg_image_new_calibrated(image, spacing_mm) : NULL;
}

#define DEFINE_LABEL_ROW(TYPE, name, ctype)                                                       \
    static void label_row_##name(gconstpointer data, const BgSliceRow *row, guint32 *out)         \
    {                                                                                             \
        const ctype *samples = data;                                                              \
        for (int x = row->first; x < row->last; x++) {                                            \
            gsize index = 0;                                                                      \
            for (int axis = 2; axis >= 0; axis--)                                                 \
                index = index * (gsize) row->dims[axis] + (gsize) bg_slice_nearest(row, axis, x); \
            out[x] = samples[index];                                                              \
        }                                                                                         \
    }

BG_FOR_LABEL_TYPES(DEFINE_LABEL_ROW)

typedef struct {
    const BgLabelMap *labels;
    BgSliceWalk walk;
    guint32 *out;
} LabelJob;

static void
sample_label_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    const LabelJob *job = user_data;
    gconstpointer samples = bg_label_map_get_labels(job->labels);

    for (gsize y = first; y < last; y++) {
        guint32 *out = job->out + y * (gsize) job->walk.width;
        BgSliceRow row = bg_slice_walk_row(&job->walk, (double) y, 0.0);
        memset(out, 0, sizeof(guint32) * (gsize) job->walk.width);
#define CASE(TYPE, name, ctype)               \
    case TYPE:                                \
        label_row_##name(samples, &row, out); \
        break;
        switch (bg_label_map_get_label_type(job->labels)) {
            BG_FOR_LABEL_TYPES(CASE)
        }
#undef CASE
    }
}

gboolean
bg_slice_sample_labels(const BgLabelMap *labels, const BgSliceFrame *frame, guint32 *labels_out,
                       GCancellable *cancellable)
{
    g_return_val_if_fail(labels != NULL, FALSE);
    g_return_val_if_fail(labels_out != NULL, FALSE);

    LabelJob job = { .labels = labels, .out = labels_out };

    bg_slice_walk_init(&job.walk, bg_label_map_get_geometry(labels), frame);
    return bg_parallel_for((gsize) frame->height, ROW_GRAIN, sample_label_rows, &job, cancellable);
}
