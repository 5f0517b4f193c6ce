// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-landmarks.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

struct _BgLandmarks {
    gatomicrefcount ref_count;
    BgLandmarkSpace space;
    gsize n;
    BgLandmark *points;  // owned
    GHashTable *by_name; // owned: name to point, both borrowed from points
};

G_DEFINE_BOXED_TYPE(BgLandmarks, bg_landmarks, bg_landmarks_ref, bg_landmarks_unref)

static const char *const use_names[] = { "fit", "check", "skip" };

const char *
bg_landmark_use_name(BgLandmarkUse use)
{
    g_return_val_if_fail((guint) use < G_N_ELEMENTS(use_names), NULL);

    return use_names[use];
}

gboolean
bg_landmark_use_parse(const char *name, BgLandmarkUse *use)
{
    for (guint i = 0; i < G_N_ELEMENTS(use_names); i++) {
        if (g_strcmp0(name, use_names[i]) == 0) {
            *use = (BgLandmarkUse) i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
refuse(gsize index, const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: a landmark's number, and a sentence about it
                _("Landmark %zu cannot be used: %s"), index + 1, reason);
    return FALSE;
}

static gboolean
add_point(BgLandmarks *self, gsize i, GError **error)
{
    BgLandmark *point = &self->points[i];

    if (memchr(point->name, '\0', sizeof point->name) == NULL || point->name[0] == '\0' ||
        !g_utf8_validate(point->name, -1, NULL))
        return refuse(i, _("Its name is missing or no text. Give it one"), error);
    if (g_hash_table_contains(self->by_name, point->name))
        return refuse(i, _("Its name is there twice. Rename one of them"), error);
    if (point->placed && !bg_vec3_is_finite(point->position))
        return refuse(i, _("Its place is not a number. Place it again"), error);
    if ((guint) point->use >= G_N_ELEMENTS(use_names))
        return refuse(i, _("Its use is unknown. Choose fit, check or skip"), error);
    if (self->space == BG_LANDMARK_PICTURE)
        point->position.z = 0.0;
    g_hash_table_insert(self->by_name, point->name, point);
    return TRUE;
}

BgLandmarks *
bg_landmarks_new(BgLandmarkSpace space, const BgLandmark *points, gsize n_points, GError **error)
{
    g_return_val_if_fail(points != NULL || n_points == 0, NULL);

    if (n_points > BG_LANDMARKS_MAX) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The list has %zu landmarks; %d are the most. Divide it"), n_points,
                    BG_LANDMARKS_MAX);
        return NULL;
    }

    g_autoptr(BgLandmarks) self = g_new0(BgLandmarks, 1);
    g_atomic_ref_count_init(&self->ref_count);
    self->space = space;
    self->n = n_points;
    self->points = g_memdup2(points, n_points * sizeof *points);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < n_points; i++) {
        if (!add_point(self, i, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

BgLandmarks *
bg_landmarks_ref(BgLandmarks *landmarks)
{
    g_return_val_if_fail(landmarks != NULL, NULL);

    g_atomic_ref_count_inc(&landmarks->ref_count);
    return landmarks;
}

void
bg_landmarks_unref(BgLandmarks *landmarks)
{
    g_return_if_fail(landmarks != NULL);

    if (!g_atomic_ref_count_dec(&landmarks->ref_count))
        return;
    g_hash_table_unref(landmarks->by_name);
    g_free(landmarks->points);
    g_free(landmarks);
}

BgLandmarkSpace
bg_landmarks_get_space(const BgLandmarks *landmarks)
{
    return landmarks->space;
}

gsize
bg_landmarks_count(const BgLandmarks *landmarks)
{
    return landmarks->n;
}

const BgLandmark *
bg_landmarks_get(const BgLandmarks *landmarks, gsize index)
{
    g_return_val_if_fail(index < landmarks->n, NULL);

    return &landmarks->points[index];
}

const BgLandmark *
bg_landmarks_find(const BgLandmarks *landmarks, const char *name)
{
    return g_hash_table_lookup(landmarks->by_name, name);
}

gsize
bg_landmarks_count_use(const BgLandmarks *landmarks, BgLandmarkUse use)
{
    gsize n = 0;

    for (gsize i = 0; i < landmarks->n; i++)
        n += landmarks->points[i].placed && landmarks->points[i].use == use;
    return n;
}
