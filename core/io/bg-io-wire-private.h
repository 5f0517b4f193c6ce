// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-io-wire.h"

G_BEGIN_DECLS

/** bg_wire_refuse: %BG_ERROR_CORRUPT: the child's answer is damaged; @what: which value; Returns: %FALSE */
gboolean bg_wire_refuse(const char *what, GError **error);

/** bg_wire_get_int: Returns: whether the member is there and within low..high */
gboolean bg_wire_get_int(const BgJson *json, const char *name, gint64 low, gint64 high, int *value);

/** bg_wire_get_text: (transfer full): at most @n_max bytes of it; "" when it is not there */
char *bg_wire_get_text(const BgJson *json, const char *name, gsize n_max);

/** bg_wire_get_name: Returns: (nullable): a text of few letters and digits that lives for good */
const char *bg_wire_get_name(const BgJson *json, const char *name);

/** bg_wire_take_texts: strings of an array onto @texts, at most 10,000 */
void bg_wire_take_texts(const BgJson *array, GPtrArray *texts);
BgJson *bg_wire_texts_to_json(GPtrArray *texts);

BgJson *bg_wire_geometry_to_json(const BgGeometry *geometry);
gboolean bg_wire_get_geometry(const BgJson *json, BgGeometry *geometry, GError **error);

G_END_DECLS
