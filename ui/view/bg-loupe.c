// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-loupe.h"

#define RADIUS_PX 64.0f
#define AWAY_PX 84.0f
#define TIMES 5.0f

void
bg_loupe_append(GtkSnapshot *snapshot, GdkTexture *texture, const graphene_rect_t *place,
                const graphene_rect_t *bounds, double x, double y)
{
    const GdkRGBA accent = { 0.29f, 0.64f, 0.87f, 1.0f }, black = { 0.0f, 0.0f, 0.0f, 1.0f };
    float from_x = (float) x, from_y = (float) y;
    float to_x =
        from_x + AWAY_PX + RADIUS_PX > bounds->size.width ? from_x - AWAY_PX : from_x + AWAY_PX;
    float to_y =
        CLAMP(from_y, RADIUS_PX + 2.0f, MAX(bounds->size.height - RADIUS_PX, RADIUS_PX) - 2.0f);
    graphene_rect_t circle =
        GRAPHENE_RECT_INIT(to_x - RADIUS_PX, to_y - RADIUS_PX, 2.0f * RADIUS_PX, 2.0f * RADIUS_PX);
    graphene_rect_t large = GRAPHENE_RECT_INIT(
        to_x + TIMES * (place->origin.x - from_x), to_y + TIMES * (place->origin.y - from_y),
        TIMES * place->size.width, TIMES * place->size.height);
    GskRoundedRect round;

    gsk_rounded_rect_init_from_rect(&round, &circle, RADIUS_PX);
    gtk_snapshot_push_rounded_clip(snapshot, &round);
    gtk_snapshot_append_color(snapshot, &black, &circle);
    gtk_snapshot_append_texture(snapshot, texture, &large);
    graphene_rect_t across = GRAPHENE_RECT_INIT(to_x - 12.0f, to_y - 0.5f, 24.0f, 1.0f);
    graphene_rect_t down = GRAPHENE_RECT_INIT(to_x - 0.5f, to_y - 12.0f, 1.0f, 24.0f);
    gtk_snapshot_append_color(snapshot, &accent, &across);
    gtk_snapshot_append_color(snapshot, &accent, &down);
    gtk_snapshot_pop(snapshot);
    gtk_snapshot_append_border(snapshot, &round, (const float[4]){ 1.0f, 1.0f, 1.0f, 1.0f },
                               (const GdkRGBA[4]){ accent, accent, accent, accent });
}
