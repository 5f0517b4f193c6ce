// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bg-json.h"

G_BEGIN_DECLS

/**
 * BgProvenance:
 * @command: what was done: "mesh", "render", ...
 * @backend: "cpu", "cuda"
 * @seed: of random numbers; 0 when there are none
 *
 * What it takes to make an output again: one line of JSON in every export:
 * {"schema":1,"inputs":[{"path","sha256"}],"command","parameters":{...},"version","backend",
 * "seed","note"}.
 */
typedef struct _BgProvenance BgProvenance;

/** bg_provenance_new: backend "cpu", seed 0, no inputs, no parameters */
BgProvenance *bg_provenance_new(const char *command);
void bg_provenance_free(BgProvenance *provenance);

/** bg_provenance_add_input: @sha256: (nullable): 64 hex digits; unknown when %NULL */
void bg_provenance_add_input(BgProvenance *provenance, const char *path, const char *sha256);

/** bg_provenance_get_parameters: (transfer none): a JSON object, to bg_json_set_...() into */
BgJson *bg_provenance_get_parameters(BgProvenance *provenance);
void bg_provenance_set_backend(BgProvenance *provenance, const char *backend);
void bg_provenance_set_seed(BgProvenance *provenance, gint64 seed);

const char *bg_provenance_get_command(const BgProvenance *provenance);
const char *bg_provenance_get_version(const BgProvenance *provenance);
const char *bg_provenance_get_backend(const BgProvenance *provenance);
gint64 bg_provenance_get_seed(const BgProvenance *provenance);
gsize bg_provenance_count_inputs(const BgProvenance *provenance);
const char *bg_provenance_get_input_path(const BgProvenance *provenance, gsize index);

/** bg_provenance_get_input_sha256: (nullable): %NULL when unknown */
const char *bg_provenance_get_input_sha256(const BgProvenance *provenance, gsize index);

/** bg_provenance_print: (transfer full): one line, no line break in it */
char *bg_provenance_print(const BgProvenance *provenance);

/**
 * bg_provenance_parse:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT: no JSON, a field is missing or of
 *   another kind; %BG_ERROR_UNSUPPORTED: a newer schema
 */
BgProvenance *bg_provenance_parse(const char *text, gssize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgProvenance, bg_provenance_free)

G_END_DECLS
