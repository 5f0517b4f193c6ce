// SPDX-License-Identifier: Apache-2.0
// Numbers of a header in either byte order. The caller knows that the bytes are there.
#pragma once

#include <glib.h>
#include <string.h>

static inline guint16
bg_bytes_get16(const guint8 *bytes, gboolean big)
{
    return big ? (guint16) (bytes[0] << 8 | bytes[1]) : (guint16) (bytes[1] << 8 | bytes[0]);
}

static inline guint32
bg_bytes_get32(const guint8 *bytes, gboolean big)
{
    guint32 value;

    memcpy(&value, bytes, sizeof value);
    return big ? GUINT32_FROM_BE(value) : GUINT32_FROM_LE(value);
}

static inline guint64
bg_bytes_get64(const guint8 *bytes, gboolean big)
{
    guint64 value;

    memcpy(&value, bytes, sizeof value);
    return big ? GUINT64_FROM_BE(value) : GUINT64_FROM_LE(value);
}

static inline double
bg_bytes_get_float(const guint8 *bytes, gboolean big)
{
    guint32 bits = bg_bytes_get32(bytes, big);
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double) value;
}

static inline double
bg_bytes_get_double(const guint8 *bytes, gboolean big)
{
    guint64 bits = bg_bytes_get64(bytes, big);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}
