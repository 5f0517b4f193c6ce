// SPDX-License-Identifier: Apache-2.0
#include "bg-cast-occlusion.h"

#include "bg-cast-point.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define MAX_CELLS 128 // along a side
#define MAX_LEVELS 8
#define N_CONES 36
#define MAX_STATIONS 64
#define REACH 0.125 // of the volume's diagonal
#define MAX_ALPHA 0.9999f
#define THIN 0.3f       // opacity of a cell that is outside of things
#define CLIMB 8         // half cells: how far outside is looked for
#define ABOVE 1.5f      // half cells above that the sky is looked at
#define BURIED 3        // cells: a place is not seen that lies deeper than that on all sides
#define BURIED_SUM 1.9f // of their opacities

// How opaque cells are, each level half as fine by means, with a cell of nothing around all.
typedef struct {
    int n[3];
    gsize row, slice; // in cells
    float *opacity;
} Level;

// A part of a cone.
typedef struct {
    float t_mm;  // its middle
    float share; // of a cell of its level that it crosses
    int level;
    float scale; // of cells
} Station;

typedef struct {
    BgCastScene *scene; // borrowed
    const BgGeometry *geometry;
    Level levels[MAX_LEVELS];
    int n_levels;
    double cell_mm; // mean side
    double reach_mm;
    BgVec3 cones_mm[N_CONES];    // unit length, LPS
    float cones[N_CONES][3];     // cells a mm
    double cells_from_voxels[3]; // per axis
    Station stations[MAX_STATIONS];
    int n_stations;
} Occlusion;

static inline float *
level_cell(const Level *level, int i, int j, int k)
{
    return level->opacity + (i + 1) + level->row * (gsize) (j + 1) + level->slice * (gsize) (k + 1);
}

static void
occlusion_clear(Occlusion *self)
{
    for (int l = 0; l < self->n_levels; l++)
        bg_buffer_free(self->levels[l].opacity);
}

static gboolean
add_level(Occlusion *self, const int n[3], GError **error)
{
    Level *level = &self->levels[self->n_levels];

    memcpy(level->n, n, sizeof level->n);
    level->row = (gsize) n[0] + 2;
    level->slice = level->row * ((gsize) n[1] + 2);
    gsize n_cells = level->slice * ((gsize) n[2] + 2);
    level->opacity = bg_buffer_alloc_items(n_cells, sizeof(float), error);
    if (level->opacity == NULL)
        return FALSE;
    memset(level->opacity, 0, n_cells * sizeof(float));
    self->n_levels++;
    return TRUE;
}

// How opaque a cell is to what crosses it, from eight places in it.
static float
cell_opacity(const Occlusion *self, const int cell[3])
{
    const BgCastScene *scene = self->scene;
    float sum = 0.0f;

    for (int n = 0; n < 8; n++) {
        float at[3];
        for (int axis = 0; axis < 3; axis++)
            at[axis] = (float) ((cell[axis] + (n >> axis & 1 ? 0.75 : 0.25)) /
                                    self->cells_from_voxels[axis] -
                                0.5);
        if (bg_cast_brick_at(scene, at) != 0)
            continue;
        BgVec3 voxel = bg_vec3((double) at[0], (double) at[1], (double) at[2]);
        if (bg_cast_is_cut(scene, bg_affine_apply(&self->geometry->patient_from_voxel, voxel)))
            continue;
        sum -= logf(1.0f - MIN(bg_cast_opacity_at(scene, at, NULL), MAX_ALPHA));
    }
    return 1.0f - expf(-sum / 8.0f * (float) (self->cell_mm / scene->step_mm));
}

static void
fill_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Occlusion *self = user_data;
    const Level *level = &self->levels[0];

    for (gsize row = first; row < last; row++) {
        int cell[3] = { 0, (int) (row % (gsize) level->n[1]), (int) (row / (gsize) level->n[1]) };
        float *out = level_cell(level, 0, cell[1], cell[2]);
        for (; cell[0] < level->n[0]; cell[0]++)
            out[cell[0]] = cell_opacity(self, cell);
    }
}

static gboolean
add_coarser(Occlusion *self, GError **error)
{
    const Level fine = self->levels[self->n_levels - 1];
    int n[3];

    for (int axis = 0; axis < 3; axis++)
        n[axis] = (fine.n[axis] + 1) / 2;
    if (!add_level(self, n, error))
        return FALSE;
    const Level *coarse = &self->levels[self->n_levels - 1];
    for (int k = 0; k < n[2]; k++) {
        for (int j = 0; j < n[1]; j++) {
            for (int i = 0; i < n[0]; i++) {
                float sum = 0.0f;
                for (int c = 0; c < 8; c++) // an odd end takes the nothing around in
                    sum +=
                        *level_cell(&fine, 2 * i + (c & 1), 2 * j + (c >> 1 & 1), 2 * k + (c >> 2));
                *level_cell(coarse, i, j, k) = sum / 8.0f;
            }
        }
    }
    return TRUE;
}

// Trilinear; beyond the edge there is nothing. @at: in cells of the finest level, from its corner.
static inline float
level_at(const Level *level, const float at[3], float scale)
{
    int low[3];
    float share[3];

    for (int axis = 0; axis < 3; axis++) {
        float x = at[axis] * scale - 0.5f;
        if (!(x > -1.0f && x < (float) level->n[axis]))
            return 0.0f;
        low[axis] = (int) (x + 1.0f) - 1;
        share[axis] = x - (float) low[axis];
    }
    const float *p = level_cell(level, low[0], low[1], low[2]);
    float sides[2];
    for (int side = 0; side < 2; side++, p += level->slice) {
        float near_row = p[0] + share[0] * (p[1] - p[0]);
        float far_row = p[level->row] + share[0] * (p[level->row + 1] - p[level->row]);
        sides[side] = near_row + share[1] * (far_row - near_row);
    }
    return sides[0] + share[2] * (sides[1] - sides[0]);
}

// How much of a cone's light comes through to @at (cells).
static float
cone_openness(const Occlusion *self, const float at[3], int cone)
{
    float depth = 0.0f;

    for (int n = 0; n < self->n_stations; n++) {
        const Station *station = &self->stations[n];
        float place[3];
        for (int axis = 0; axis < 3; axis++)
            place[axis] = at[axis] + station->t_mm * self->cones[cone][axis];
        float opacity = level_at(&self->levels[station->level], place, station->scale);
        if (opacity > 0.998f)
            return 0.0f;
        if (opacity > 0.0f)
            depth -= station->share * logf(1.0f - opacity);
        if (depth > 6.0f)
            return 0.0f;
    }
    return expf(-depth);
}

// Away from what is dense, LPS, unit length; FALSE where no side is. By the means around, which noise does
// not turn.
static gboolean
find_up(const Occlusion *self, const float at[3], BgVec3 *up)
{
    int l = MIN(1, self->n_levels - 1);
    const Level *level = &self->levels[l];
    const BgAffine *m = &self->scene->voxel_from_patient;
    double g[3];

    for (int axis = 0; axis < 3; axis++) {
        float before[3] = { at[0], at[1], at[2] }, after[3] = { at[0], at[1], at[2] };
        before[axis] -= 1.5f;
        after[axis] += 1.5f;
        g[axis] = (double) (level_at(level, before, ldexpf(1.0f, -l)) -
                            level_at(level, after, ldexpf(1.0f, -l))) *
                  self->cells_from_voxels[axis];
    }
    *up = bg_vec3(m->m[0][0] * g[0] + m->m[1][0] * g[1] + m->m[2][0] * g[2],
                  m->m[0][1] * g[0] + m->m[1][1] * g[1] + m->m[2][1] * g[2],
                  m->m[0][2] * g[0] + m->m[1][2] * g[1] + m->m[2][2] * g[2]);
    if (!(bg_vec3_length(*up) > 1e-9))
        return FALSE;
    *up = bg_vec3_normalize(*up);
    return TRUE;
}

// Whether nothing can be seen of a place, so deep is it on each side.
static gboolean
is_buried(const Occlusion *self, const float at[3])
{
    for (int side = 0; side < 6; side++) {
        float sum = 0.0f;
        for (int n = 1; n <= BURIED; n++) {
            float place[3] = { at[0], at[1], at[2] };
            place[side / 2] += (float) (side & 1 ? n : -n);
            sum += level_at(&self->levels[0], place, 1.0f);
        }
        if (sum < BURIED_SUM)
            return FALSE;
    }
    return TRUE;
}

// Goes up out of what is dense, so that a place does not hide its own sky.
static void
climb(const Occlusion *self, BgVec3 up, float at[3])
{
    BgVec3 voxels = bg_affine_apply_vector(&self->scene->voxel_from_patient, up);
    float half[3];

    for (int axis = 0; axis < 3; axis++)
        half[axis] = (float) (0.5 * self->cell_mm * bg_vec3_get(voxels, axis) *
                              self->cells_from_voxels[axis]);
    for (int n = 0; n < CLIMB; n++) {
        if (level_at(&self->levels[0], at, 1.0f) < THIN)
            break;
        for (int axis = 0; axis < 3; axis++)
            at[axis] += half[axis];
    }
    for (int axis = 0; axis < 3; axis++)
        at[axis] += ABOVE * half[axis];
}

static float
openness_at(const Occlusion *self, const int cell[3])
{
    float at[3] = { (float) cell[0] + 0.5f, (float) cell[1] + 0.5f, (float) cell[2] + 0.5f };
    float sum = 0.0f, all = 0.0f;
    int l = MIN(2, self->n_levels - 1);
    BgVec3 up;

    if (!(level_at(&self->levels[l], at, ldexpf(1.0f, -l)) > 0.0f))
        return 1.0f; // nothing to see near here
    if (is_buried(self, at))
        return 0.0f;
    gboolean is_side = find_up(self, at, &up);
    if (is_side)
        climb(self, up, at);
    for (int c = 0; c < N_CONES; c++) {
        float weight = is_side ? (float) bg_vec3_dot(up, self->cones_mm[c]) : 1.0f;
        if (!(weight > 0.05f))
            continue;
        all += weight;
        sum += weight * cone_openness(self, at, c);
    }
    return all > 0.0f ? sum / all : 1.0f;
}

static void
open_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Occlusion *self = user_data;
    const int *n = self->scene->n_openness;

    for (gsize row = first; row < last; row++) {
        int cell[3] = { 0, (int) (row % (gsize) n[1]), (int) (row / (gsize) n[1]) };
        float *out = self->scene->openness + row * (gsize) n[0];
        for (; cell[0] < n[0]; cell[0]++)
            out[cell[0]] = openness_at(self, cell);
    }
}

// Directions all round, equally far from each other (a golden spiral).
static void
init_cones(Occlusion *self)
{
    for (int c = 0; c < N_CONES; c++) {
        double z = 1.0 - (2.0 * c + 1.0) / N_CONES, r = sqrt(1.0 - z * z);
        double turn = c * G_PI * (3.0 - sqrt(5.0));
        self->cones_mm[c] = bg_vec3(r * cos(turn), r * sin(turn), z);
        BgVec3 voxels = bg_affine_apply_vector(&self->scene->voxel_from_patient, self->cones_mm[c]);
        for (int axis = 0; axis < 3; axis++)
            self->cones[c][axis] =
                (float) (bg_vec3_get(voxels, axis) * self->cells_from_voxels[axis]);
    }
}

// Where each cone is looked at: steps as long as half its width, on the level of that width.
static void
init_stations(Occlusion *self)
{
    // A cone of its share of the sphere: 4 pi / N = 2 pi (1 - cos).
    double cosine = 1.0 - 2.0 / N_CONES, width = 2.0 * sqrt(1.0 - cosine * cosine) / cosine;

    for (double t = 0.0; t < self->reach_mm && self->n_stations < MAX_STATIONS;) {
        double wide = MAX(t * width, self->cell_mm), step = 0.5 * wide;
        int l = MIN((int) floor(log2(wide / self->cell_mm) + 0.5), self->n_levels - 1);
        step = MIN(MIN(step, self->cell_mm * ldexp(1.0, l)), self->reach_mm - t);
        self->stations[self->n_stations++] =
            (Station){ .t_mm = (float) (t + 0.5 * step),
                       .share = (float) (step / (self->cell_mm * ldexp(1.0, l))),
                       .level = l,
                       .scale = ldexpf(1.0f, -l) };
        t += step;
    }
}

static gboolean
init_grid(Occlusion *self, GError **error)
{
    BgVec3 spacing = bg_geometry_spacing_mm(self->geometry);
    double side[3], longest = 0.0, diagonal = 0.0;
    int n[3];

    for (int axis = 0; axis < 3; axis++) {
        side[axis] = self->geometry->dims[axis] * bg_vec3_get(spacing, axis);
        longest = MAX(longest, side[axis]);
        diagonal += side[axis] * side[axis];
    }
    double least = MIN(spacing.x, MIN(spacing.y, spacing.z));
    double cell = MAX(longest / MAX_CELLS, least), product = 1.0;
    for (int axis = 0; axis < 3; axis++) {
        n[axis] = (int) CLAMP(ceil(side[axis] / cell), 1.0, MAX_CELLS);
        self->cells_from_voxels[axis] = (double) n[axis] / self->geometry->dims[axis];
        product *= side[axis] / n[axis];
    }
    self->cell_mm = cbrt(product);
    self->reach_mm = REACH * sqrt(diagonal);
    init_cones(self);
    return add_level(self, n, error);
}

static gboolean
is_one_cell(const Level *level)
{
    return level->n[0] == 1 && level->n[1] == 1 && level->n[2] == 1;
}

static gboolean
fill(Occlusion *self, GCancellable *cancellable, GError **error)
{
    BgCastScene *scene = self->scene;

    if (!init_grid(self, error))
        return FALSE;
    const Level *finest = &self->levels[0];
    gsize n_rows = (gsize) finest->n[1] * (gsize) finest->n[2];
    gboolean done = bg_parallel_for(n_rows, 16, fill_rows, self, cancellable);
    while (done && self->n_levels < MAX_LEVELS && !is_one_cell(&self->levels[self->n_levels - 1])) {
        if (!add_coarser(self, error))
            return FALSE;
    }
    init_stations(self);
    scene->openness = bg_buffer_alloc_items(n_rows * (gsize) finest->n[0], sizeof(float), error);
    if (scene->openness == NULL)
        return FALSE;
    memcpy(scene->n_openness, finest->n, sizeof scene->n_openness);
    for (int axis = 0; axis < 3; axis++)
        scene->openness_scale[axis] = (float) self->cells_from_voxels[axis];
    done = done && bg_parallel_for(n_rows, 4, open_rows, self, cancellable);
    if (!done)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                            _("The drawing was cancelled"));
    return done;
}

gboolean
bg_cast_occlusion_init(BgCastScene *scene, const BgGeometry *geometry, GCancellable *cancellable,
                       GError **error)
{
    Occlusion self = { .scene = scene, .geometry = geometry };
    gboolean done = fill(&self, cancellable, error);

    occlusion_clear(&self);
    return done;
}
