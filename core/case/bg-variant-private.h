// SPDX-License-Identifier: Apache-2.0
// Between structs and GVariants: what commands, journal and project file are written as.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

#define BG_VARIANT_LABEL "(usdddb)"            // label, name, sRGB, visible
#define BG_VARIANT_LABELS "a(usdddb)"          //
#define BG_VARIANT_MEASUREMENT "(sussa(ddd)s)" // id, kind, name, plane, LPS points, layer
#define BG_VARIANT_LANDMARKS \
    "(sssua(sdddubb))" // id, name, layer, space; name, point, use, placed, locked
#define BG_VARIANT_REGISTRATION "(sssssssssaddds)" // as BgRegistration; 12 numbers; errors; words
#define BG_VARIANT_CAMERA "(ssssssssdbs)"   // as BgPhotoCamera; its JSON; error, mirrored; words
#define BG_VARIANT_PLAN "(sussssubada(dd))" // as BgCasePlan; numbers and corners of its prism
#define BG_VARIANT_OLD_REGISTRATION "(sssssssssaddd)" // before there were words
#define BG_VARIANT_OLD_CAMERA "(ssssssssdb)"
#define BG_VARIANT_PATIENT "(sssss)" // name, id, issuer, birth date, sex

/** bg_variant_string: a floating "s" of anything: bytes that are not UTF-8 are replaced */
GVariant *bg_variant_string(const char *text);

/** bg_variant_doubles_ok: whether all doubles anywhere in @variant are finite */
gboolean bg_variant_doubles_ok(GVariant *variant);

/** bg_variant_refuse: %BG_ERROR_CORRUPT for a field of the case; Returns: %FALSE */
gboolean bg_variant_refuse(const char *field, GError **error);

GVariant *bg_label_entry_to_variant(const BgLabelEntry *entry);
BgLabelEntry bg_label_entry_from_variant(GVariant *variant);
GVariant *bg_label_table_to_variant(const BgLabelTable *table);
BgLabelTable *bg_label_table_from_variant(GVariant *variant); // NULL when empty

GVariant *bg_patient_to_variant(const BgPatient *patient);
void bg_patient_from_variant(GVariant *variant, BgPatient *patient); // initialised

GVariant *bg_measurement_to_variant(const BgMeasurement *measurement);
BgMeasurement *bg_measurement_from_variant(GVariant *variant, GError **error);
GVariant *bg_landmark_list_to_variant(const BgLandmarkList *list);
BgLandmarkList *bg_landmark_list_from_variant(GVariant *variant, GError **error);
GVariant *bg_registration_to_variant(const BgRegistration *registration);
BgRegistration *bg_registration_from_variant(GVariant *variant, GError **error);
GVariant *bg_photo_camera_to_variant(const BgPhotoCamera *camera);
BgPhotoCamera *bg_photo_camera_from_variant(GVariant *variant, GError **error);

GVariant *bg_case_plan_to_variant(const BgCasePlan *plan);
BgCasePlan *bg_case_plan_from_variant(GVariant *variant, GError **error);

/** bg_layer_check: what all layers have to keep; %BG_ERROR_INVALID, naming the field */
gboolean bg_layer_check(const BgLayer *layer, GError **error);

G_END_DECLS
