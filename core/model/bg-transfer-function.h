// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_TRANSFER_FUNCTION_MAX_POINTS 4096
#define BG_TRANSFER_FUNCTION_MAX_VALUE 1e30

typedef enum {
    BG_TECHNIQUE_COMPOSITE,
    BG_TECHNIQUE_MIP,
    BG_TECHNIQUE_MINIP,
    BG_TECHNIQUE_MEAN,
    BG_TECHNIQUE_ISO,
} BgTechnique;

/** BgOpacityPoint: @alpha: 0..1, the opacity of unit_distance_mm of path at @value */
typedef struct {
    double value, alpha;
} BgOpacityPoint;

/** BgColourPoint: @rgb: sRGB, 0..1 */
typedef struct {
    double value, rgb[3];
} BgColourPoint;

/**
 * BgTransferFunctionData:
 * @opacity: GArray of BgOpacityPoint by ascending value, at least one
 * @colour: GArray of BgColourPoint by ascending value, at least one
 * @gradient_opacity: (nullable): GArray of BgOpacityPoint whose value is a gradient magnitude in
 *   the unit per mm, and whose alpha multiplies the opacity
 * @iso_value: for %BG_TECHNIQUE_ISO, in @unit
 * @linear: linear interpolation between voxels, else nearest
 *
 * What docs/formats.md says of the JSON. Values are in the volume's unit, after slope and
 * intercept; linear between points, constant beyond. Of several points at one value the last
 * counts from there on: a step is two points.
 */
typedef struct {
    char name[64];
    char unit[16];
    BgTechnique technique;
    GArray *opacity;
    GArray *colour;
    GArray *gradient_opacity;
    double iso_value;
    gboolean shade;
    double ambient, diffuse, specular, power;
    gboolean linear;
    double unit_distance_mm;
} BgTransferFunctionData;

/**
 * BgTransferFunction:
 *
 * How values become colour and opacity. Immutable, reference counted (atomically): to change
 * one, build the next.
 */
typedef struct _BgTransferFunction BgTransferFunction;

#define BG_TYPE_TRANSFER_FUNCTION (bg_transfer_function_get_type())
GType bg_transfer_function_get_type(void);

/** bg_transfer_function_data_init: defaults: composite, shaded 0.2/0.8/0.2/10, linear, 1 mm, empty arrays */
void bg_transfer_function_data_init(BgTransferFunctionData *data);
void bg_transfer_function_data_clear(BgTransferFunctionData *data);

/** bg_transfer_function_data_copy: @to is uninitialised memory and gets arrays of its own */
void bg_transfer_function_data_copy(const BgTransferFunctionData *from, BgTransferFunctionData *to);

/**
 * bg_transfer_function_new:
 * @data: copied
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID, naming field and value: points that
 *   are unsorted, not finite, beyond 1e30 or with shares outside 0..1, no points or more than
 *   4096, ambient, diffuse or specular outside 0..1, power outside 0..1000, unit_distance_mm not
 *   above 0
 */
BgTransferFunction *bg_transfer_function_new(const BgTransferFunctionData *data, GError **error);

/**
 * bg_transfer_function_parse:
 * @length: in bytes, or -1 for NUL-terminated
 *
 * What is left out is as bg_transfer_function_data_init() has it, with white for colour and an
 * opacity that rises from 0 at 0 to 1 at 1. Unknown members are passed over.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT (not JSON, no object) or
 *   %BG_ERROR_INVALID, naming the field: of the wrong kind, out of range, another schema
 */
BgTransferFunction *bg_transfer_function_parse(const char *json, gssize length, GError **error);

/** bg_transfer_function_print: (transfer full): JSON with every field */
char *bg_transfer_function_print(const BgTransferFunction *tf);

BgTransferFunction *bg_transfer_function_ref(BgTransferFunction *tf);
void bg_transfer_function_unref(BgTransferFunction *tf);

const BgTransferFunctionData *bg_transfer_function_get_data(const BgTransferFunction *tf);

/** bg_transfer_function_opacity_at: 0..1, of unit_distance_mm of path; not-a-number is clear */
double bg_transfer_function_opacity_at(const BgTransferFunction *tf, double value);
void bg_transfer_function_colour_at(const BgTransferFunction *tf, double value, double rgb[3]);
double bg_transfer_function_gradient_opacity_at(const BgTransferFunction *tf, double per_mm);

/** bg_transfer_function_equal: every field, exactly */
gboolean bg_transfer_function_equal(const BgTransferFunction *a, const BgTransferFunction *b);

/** bg_technique_name: "composite", "mip", "minip", "mean", "iso" */
const char *bg_technique_name(BgTechnique technique);
gboolean bg_technique_parse(const char *name, BgTechnique *technique);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgTransferFunction, bg_transfer_function_unref)

G_END_DECLS
