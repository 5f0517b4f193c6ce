// SPDX-License-Identifier: Apache-2.0
// The types of stored voxels. Kernels in .cu files include this too, so: no GLib.
#pragma once

#include <stdint.h>

typedef enum {
    BG_SAMPLE_UINT8,
    BG_SAMPLE_INT8,
    BG_SAMPLE_INT16,
    BG_SAMPLE_UINT16,
    BG_SAMPLE_FLOAT32,
} BgSampleType;

// A hot kernel is written once, as a macro X(TYPE, name, ctype), and made for each type.
#define BG_FOR_SAMPLE_TYPES(X)            \
    X(BG_SAMPLE_UINT8, uint8, uint8_t)    \
    X(BG_SAMPLE_INT8, int8, int8_t)       \
    X(BG_SAMPLE_INT16, int16, int16_t)    \
    X(BG_SAMPLE_UINT16, uint16, uint16_t) \
    X(BG_SAMPLE_FLOAT32, float32, float)

typedef enum {
    BG_LABEL_UINT8,
    BG_LABEL_UINT16,
    BG_LABEL_UINT32,
} BgLabelType;

#define BG_FOR_LABEL_TYPES(X)            \
    X(BG_LABEL_UINT8, uint8, uint8_t)    \
    X(BG_LABEL_UINT16, uint16, uint16_t) \
    X(BG_LABEL_UINT32, uint32, uint32_t)

// In bytes.
static inline unsigned
bg_sample_type_size(BgSampleType type)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return sizeof(ctype);
    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
    return 0;
}

static inline unsigned
bg_label_type_size(BgLabelType type)
{
    switch (type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
    return 0;
}

// numpy's name: "uint8" ... "float32".
static inline const char *
bg_sample_type_name(BgSampleType type)
{
#define CASE(TYPE, name, ctype) \
    case TYPE:                  \
        return #name;
    switch (type) {
        BG_FOR_SAMPLE_TYPES(CASE)
    }
    return "";
}

static inline const char *
bg_label_type_name(BgLabelType type)
{
    switch (type) {
        BG_FOR_LABEL_TYPES(CASE)
    }
#undef CASE
    return "";
}
