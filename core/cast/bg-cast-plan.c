// SPDX-License-Identifier: Apache-2.0
#include "bg-cast-plan.h"
#include "bg-cast-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

G_STATIC_ASSERT(BG_CAST_OP_BRICK_SHIFT == BG_CAST_BRICK_SHIFT);
G_STATIC_ASSERT(BG_CAST_OP_CUTS >= BG_CAST_MAX_PLANES + 6);

struct _BgCastPlan {
    BgCastScene scene;
    BgCastOp op;
};

static void
set_vector(double to[3], BgVec3 from)
{
    to[0] = from.x;
    to[1] = from.y;
    to[2] = from.z;
}

static void
add_cut(BgCastOp *op, BgVec3 point, BgVec3 normal)
{
    set_vector(op->cut_point[op->n_cuts], point);
    set_vector(op->cut_normal[op->n_cuts++], normal);
}

static void
set_cuts(BgCastOp *op, const BgCastScene *s)
{
    for (int axis = 0; axis < 3 && s->clip_box; axis++) {
        BgVec3 unit = bg_vec3(axis == 0, axis == 1, axis == 2);
        add_cut(op, s->clip_low, unit);
        add_cut(op, s->clip_high, bg_vec3_scale(unit, -1.0));
    }
    for (int p = 0; p < s->n_planes; p++)
        add_cut(op, s->planes[p].point_mm, s->planes[p].normal);
}

static void
set_rays(BgCastOp *op, const BgCastScene *s)
{
    op->parallel = s->camera.parallel;
    set_vector(op->origin_mm, s->origin_mm);
    set_vector(op->origin_u_mm, s->origin_u_mm);
    set_vector(op->origin_v_mm, s->origin_v_mm);
    set_vector(op->ray, s->ray);
    set_vector(op->ray_u, s->ray_u);
    set_vector(op->ray_v, s->ray_v);
    memcpy(op->voxel_from_patient, s->voxel_from_patient.m, sizeof op->voxel_from_patient);
}

static void
set_op(BgCastOp *op, const BgCastScene *s, const BgCastParams *params)
{
    gboolean largest = (s->technique == BG_TECHNIQUE_MIP) == (s->sign > 0.0f);

    *op = (BgCastOp){
        .way = s->technique == BG_TECHNIQUE_COMPOSITE ? BG_CAST_OP_COMPOSITE
               : s->technique == BG_TECHNIQUE_MEAN    ? BG_CAST_OP_MEAN
               : s->technique == BG_TECHNIQUE_ISO     ? BG_CAST_OP_ISO
                                                      : BG_CAST_OP_EXTREME,
        .type = s->type,
        .stride_y = s->stride_y,
        .stride_z = s->stride_z,
        .linear = s->linear,
        .empty = s->empty,
        .shade = s->shade,
        .by_gradient = s->gradient_lut != NULL,
        .transparent = params->transparent,
        .lut_low = s->lut_low,
        .lut_scale = s->lut_scale,
        .lut_last = s->lut_last,
        .gradient_last = s->gradient_last,
        .gradient_scale = s->gradient_scale,
        .exponent = s->exponent,
        .ambient = s->ambient,
        .diffuse = s->diffuse,
        .specular = s->specular,
        .power = s->power,
        .flat = s->flat,
        .step_mm = s->step_mm,
        .early_alpha = s->early_alpha,
        .depth_alpha = s->depth_alpha,
        .iso = s->iso,
        .sign = s->technique == BG_TECHNIQUE_ISO ? s->sign
                : largest                        ? 1.0f
                                                 : -1.0f,
        .width = s->camera.width,
        .height = s->camera.height,
    };
    memcpy(op->dims, s->dims, sizeof op->dims);
    memcpy(op->n_bricks, s->n_bricks, sizeof op->n_bricks);
    memcpy(op->light, s->light, sizeof op->light);
    memcpy(op->metric, s->metric, sizeof op->metric);
    set_vector(op->active_low, s->active_low);
    set_vector(op->active_high, s->active_high);
    set_vector(op->light_mm, s->light_mm);
    for (int c = 0; c < 3; c++) {
        op->top[c] = (float) params->background_top[c];
        op->bottom[c] = (float) params->background_bottom[c];
    }
    set_rays(op, s);
    set_cuts(op, s);
}

BgCastPlan *
bg_cast_plan_new(BgVolume *volume, const BgCastParams *params, GCancellable *cancellable,
                 GError **error)
{
    if (!bg_cast_check(volume, params, error))
        return NULL;
    if (volume == NULL || params->n_meshes > 0 || params->labels != NULL ||
        params->lighting != BG_LIGHTING_LOCAL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The graphics card draws no meshes, no labels and no light by paths "
                              "or occlusion: choose the CPU"));
        return NULL;
    }
    BgCastPlan *plan = g_new0(BgCastPlan, 1);
    if (!bg_cast_scene_init(&plan->scene, volume, params, cancellable, error)) {
        g_free(plan);
        return NULL;
    }
    set_op(&plan->op, &plan->scene, params);
    return plan;
}

void
bg_cast_plan_free(BgCastPlan *plan)
{
    if (plan == NULL)
        return;
    bg_cast_scene_clear(&plan->scene);
    g_free(plan);
}

const BgCastOp *
bg_cast_plan_get_op(const BgCastPlan *plan)
{
    return &plan->op;
}

void
bg_cast_plan_get_tables(const BgCastPlan *plan, BgCastPlanTable *lut, BgCastPlanTable *gradient,
                        BgCastPlanTable *distance)
{
    const BgCastScene *s = &plan->scene;

    *lut = (BgCastPlanTable){ s->lut, 4 * sizeof(float) * ((gsize) s->lut_last + 1) };
    *gradient =
        (BgCastPlanTable){ s->gradient_lut, s->gradient_lut == NULL
                                                ? 0
                                                : sizeof(float) * ((gsize) s->gradient_last + 1) };
    *distance = (BgCastPlanTable){ s->distance, s->distance == NULL ? 0 : s->bricks->n_bricks };
}

BgCastImage *
bg_cast_plan_finish(const BgCastPlan *plan, guint8 *colour, float *depth, GError **error)
{
    BgImageFormat format = { plan->op.width, plan->op.height, 4, BG_PIXEL_UINT8 };
    g_autoptr(BgCastImage) image = g_new0(BgCastImage, 1);

    image->camera = plan->scene.camera;
    image->colour = bg_image_new_take(&format, colour, error);
    if (image->colour == NULL) {
        bg_buffer_free(depth);
        return NULL;
    }
    format.n_channels = 1;
    format.type = BG_PIXEL_FLOAT32;
    image->depth = bg_image_new_take(&format, depth, error);
    return image->depth != NULL ? g_steal_pointer(&image) : NULL;
}
