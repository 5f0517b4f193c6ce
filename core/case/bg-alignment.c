// SPDX-License-Identifier: Apache-2.0
#include "bg-alignment.h"

#include "bg-variant-private.h"

static void
approval_init(BgApproval *approval)
{
    *approval = (BgApproval){ g_strdup(""), g_strdup("") };
}

static void
approval_clear(BgApproval *approval)
{
    g_free(approval->by);
    g_free(approval->at);
}

void
bg_approval_set(BgApproval *approval, const char *by)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    gboolean is_given = by != NULL && *by != '\0';
    g_autofree char *at = is_given ? g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");

    bg_layer_set_string(&approval->by, by);
    bg_layer_set_string(&approval->at, at);
}

BgLandmarkList *
bg_landmark_list_new(const char *id, const char *name, const char *layer_id, BgLandmarks *points)
{
    BgLandmarkList *self = g_new0(BgLandmarkList, 1);

    bg_layer_set_string(&self->id, id);
    bg_layer_set_string(&self->name, name);
    bg_layer_set_string(&self->layer_id, layer_id);
    self->points = points != NULL ? bg_landmarks_ref(points)
                                  : bg_landmarks_new(BG_LANDMARK_PATIENT, NULL, 0, NULL);
    return self;
}

void
bg_landmark_list_free(BgLandmarkList *list)
{
    if (list == NULL)
        return;
    g_free(list->id);
    g_free(list->name);
    g_free(list->layer_id);
    bg_landmarks_unref(list->points);
    g_free(list);
}

BgRegistration *
bg_registration_new(const char *id, const char *moving, const char *fixed)
{
    BgRegistration *self = g_new0(BgRegistration, 1);

    bg_layer_set_string(&self->id, id);
    bg_layer_set_string(&self->moving, moving);
    bg_layer_set_string(&self->fixed, fixed);
    self->method = g_strdup("");
    self->model = g_strdup("");
    self->moving_points = g_strdup("");
    self->fixed_points = g_strdup("");
    self->words = g_strdup("");
    self->fixed_from_moving = bg_affine_identity();
    self->error_mm = self->check_mm = -1.0;
    approval_init(&self->approval);
    return self;
}

BgRegistration *
bg_registration_copy(const BgRegistration *from)
{
    BgRegistration *self = bg_registration_new(from->id, from->moving, from->fixed);

    bg_layer_set_string(&self->method, from->method);
    bg_layer_set_string(&self->model, from->model);
    bg_layer_set_string(&self->moving_points, from->moving_points);
    bg_layer_set_string(&self->fixed_points, from->fixed_points);
    bg_layer_set_string(&self->words, from->words);
    self->fixed_from_moving = from->fixed_from_moving;
    self->error_mm = from->error_mm;
    self->check_mm = from->check_mm;
    bg_layer_set_string(&self->approval.by, from->approval.by);
    bg_layer_set_string(&self->approval.at, from->approval.at);
    return self;
}

void
bg_registration_free(BgRegistration *registration)
{
    if (registration == NULL)
        return;
    g_free(registration->id);
    g_free(registration->moving);
    g_free(registration->fixed);
    g_free(registration->method);
    g_free(registration->model);
    g_free(registration->moving_points);
    g_free(registration->fixed_points);
    g_free(registration->words);
    approval_clear(&registration->approval);
    g_free(registration);
}

BgPhotoCamera *
bg_photo_camera_new(const char *id, const char *layer_id, const BgCamera *camera)
{
    BgPhotoCamera *self = g_new0(BgPhotoCamera, 1);

    bg_layer_set_string(&self->id, id);
    bg_layer_set_string(&self->layer_id, layer_id);
    self->method = g_strdup("");
    self->patient_points = g_strdup("");
    self->picture_points = g_strdup("");
    self->words = g_strdup("");
    self->camera = *camera;
    self->error_px = -1.0;
    approval_init(&self->approval);
    return self;
}

BgPhotoCamera *
bg_photo_camera_copy(const BgPhotoCamera *from)
{
    BgPhotoCamera *self = bg_photo_camera_new(from->id, from->layer_id, &from->camera);

    bg_layer_set_string(&self->method, from->method);
    bg_layer_set_string(&self->patient_points, from->patient_points);
    bg_layer_set_string(&self->picture_points, from->picture_points);
    bg_layer_set_string(&self->words, from->words);
    self->error_px = from->error_px;
    self->mirrored = from->mirrored;
    bg_layer_set_string(&self->approval.by, from->approval.by);
    bg_layer_set_string(&self->approval.at, from->approval.at);
    return self;
}

void
bg_photo_camera_free(BgPhotoCamera *camera)
{
    if (camera == NULL)
        return;
    g_free(camera->id);
    g_free(camera->layer_id);
    g_free(camera->method);
    g_free(camera->patient_points);
    g_free(camera->picture_points);
    g_free(camera->words);
    approval_clear(&camera->approval);
    g_free(camera);
}

// As records

GVariant *
bg_landmark_list_to_variant(const BgLandmarkList *list)
{
    GVariantBuilder points;

    g_variant_builder_init(&points, G_VARIANT_TYPE("a(sdddubb)"));
    for (gsize i = 0; i < bg_landmarks_count(list->points); i++) {
        const BgLandmark *mark = bg_landmarks_get(list->points, i);
        g_variant_builder_add(&points, "(@sdddubb)", bg_variant_string(mark->name),
                              mark->position.x, mark->position.y, mark->position.z,
                              (guint32) mark->use, mark->placed, mark->locked);
    }
    return g_variant_new("(@s@s@sua(sdddubb))", bg_variant_string(list->id),
                         bg_variant_string(list->name), bg_variant_string(list->layer_id),
                         (guint32) bg_landmarks_get_space(list->points), &points);
}

BgLandmarkList *
bg_landmark_list_from_variant(GVariant *variant, GError **error)
{
    const char *id, *list_name, *layer_id;
    g_autoptr(GVariant) points = NULL;
    g_autoptr(GArray) marks = g_array_new(FALSE, TRUE, sizeof(BgLandmark));
    guint32 space;

    g_variant_get(variant, "(&s&s&su@a(sdddubb))", &id, &list_name, &layer_id, &space, &points);
    for (gsize i = 0; i < g_variant_n_children(points); i++) {
        BgLandmark mark = { 0 };
        const char *name;
        guint32 use;

        g_variant_get_child(points, i, "(&sdddubb)", &name, &mark.position.x, &mark.position.y,
                            &mark.position.z, &use, &mark.placed, &mark.locked);
        if (use > BG_LANDMARK_SKIP ||
            g_strlcpy(mark.name, name, sizeof mark.name) >= sizeof mark.name) {
            bg_variant_refuse("landmarks", error);
            return NULL;
        }
        mark.use = (BgLandmarkUse) use;
        g_array_append_val(marks, mark);
    }

    g_autoptr(BgLandmarks) list =
        *id != '\0' && space <= BG_LANDMARK_PICTURE
            ? bg_landmarks_new((BgLandmarkSpace) space, (const BgLandmark *) (gpointer) marks->data,
                               marks->len, NULL)
            : NULL;
    if (list == NULL) {
        bg_variant_refuse("landmarks", error);
        return NULL;
    }
    return bg_landmark_list_new(id, list_name, layer_id, list);
}

GVariant *
bg_registration_to_variant(const BgRegistration *r)
{
    const char *texts[] = { r->id,           r->moving,      r->fixed,
                            r->method,       r->model,       r->moving_points,
                            r->fixed_points, r->approval.by, r->approval.at };
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(BG_VARIANT_REGISTRATION));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_variant_builder_add_value(&builder, bg_variant_string(texts[i]));
    g_variant_builder_open(&builder, G_VARIANT_TYPE("ad"));
    for (int i = 0; i < 12; i++)
        g_variant_builder_add(&builder, "d", r->fixed_from_moving.m[i / 4][i % 4]);
    g_variant_builder_close(&builder);
    g_variant_builder_add(&builder, "d", r->error_mm);
    g_variant_builder_add(&builder, "d", r->check_mm);
    g_variant_builder_add_value(&builder, bg_variant_string(r->words));
    return g_variant_builder_end(&builder);
}

static void
take_text(GVariant *variant, gsize at, char **text)
{
    const char *value;

    g_variant_get_child(variant, at, "&s", &value);
    bg_layer_set_string(text, value);
}

BgRegistration *
bg_registration_from_variant(GVariant *variant, GError **error)
{
    g_autoptr(BgRegistration) self = bg_registration_new("", "", "");
    char **texts[] = { &self->id,           &self->moving,      &self->fixed,
                       &self->method,       &self->model,       &self->moving_points,
                       &self->fixed_points, &self->approval.by, &self->approval.at };
    g_autoptr(GVariant) numbers = g_variant_get_child_value(variant, G_N_ELEMENTS(texts));

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        take_text(variant, i, texts[i]);
    gboolean ok =
        *self->id != '\0' && g_variant_n_children(numbers) == 12 && bg_variant_doubles_ok(variant);
    for (gsize i = 0; ok && i < 12; i++)
        g_variant_get_child(numbers, i, "d", &self->fixed_from_moving.m[i / 4][i % 4]);
    // A mirror would swap the sides without a word.
    if (!ok || !(bg_affine_determinant(&self->fixed_from_moving) > 0.0)) {
        bg_variant_refuse("registration", error);
        return NULL;
    }
    g_variant_get_child(variant, G_N_ELEMENTS(texts) + 1, "d", &self->error_mm);
    g_variant_get_child(variant, G_N_ELEMENTS(texts) + 2, "d", &self->check_mm);
    if (g_variant_n_children(variant) > G_N_ELEMENTS(texts) + 3) // older cases have none
        take_text(variant, G_N_ELEMENTS(texts) + 3, &self->words);
    return g_steal_pointer(&self);
}

GVariant *
bg_photo_camera_to_variant(const BgPhotoCamera *c)
{
    g_autofree char *json = bg_camera_print(&c->camera);
    const char *texts[] = {
        c->id,          c->layer_id,    c->method, c->patient_points, c->picture_points,
        c->approval.by, c->approval.at, json
    };
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(BG_VARIANT_CAMERA));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_variant_builder_add_value(&builder, bg_variant_string(texts[i]));
    g_variant_builder_add(&builder, "d", c->error_px);
    g_variant_builder_add(&builder, "b", c->mirrored);
    g_variant_builder_add_value(&builder, bg_variant_string(c->words));
    return g_variant_builder_end(&builder);
}

BgPhotoCamera *
bg_photo_camera_from_variant(GVariant *variant, GError **error)
{
    BgCamera camera = { 0 };
    g_autoptr(BgPhotoCamera) self = bg_photo_camera_new("", "", &camera);
    g_autofree char *json = g_strdup("");
    char **texts[] = { &self->id,
                       &self->layer_id,
                       &self->method,
                       &self->patient_points,
                       &self->picture_points,
                       &self->approval.by,
                       &self->approval.at,
                       &json };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        take_text(variant, i, texts[i]);
    g_variant_get_child(variant, G_N_ELEMENTS(texts), "d", &self->error_px);
    g_variant_get_child(variant, G_N_ELEMENTS(texts) + 1, "b", &self->mirrored);
    if (g_variant_n_children(variant) > G_N_ELEMENTS(texts) + 2) // older cases have none
        take_text(variant, G_N_ELEMENTS(texts) + 2, &self->words);
    if (*self->id == '\0' || !bg_variant_doubles_ok(variant) ||
        !bg_camera_parse(json, -1, &self->camera, NULL)) {
        bg_variant_refuse("camera", error);
        return NULL;
    }
    return g_steal_pointer(&self);
}
