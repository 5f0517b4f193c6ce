// SPDX-License-Identifier: Apache-2.0
// A weak reference as user data of a callback that may outlive its widget.
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/** bg_weak_ref_new: (transfer full): for bg_weak_ref_take() */
static inline gpointer
bg_weak_ref_new(gpointer object)
{
    GWeakRef *ref = g_new0(GWeakRef, 1);

    g_weak_ref_init(ref, object);
    return ref;
}

/** bg_weak_ref_take: frees the reference; Returns: (transfer full) (nullable): the object */
static inline gpointer
bg_weak_ref_take(gpointer data)
{
    GWeakRef *ref = (GWeakRef *) data;
    gpointer object = g_weak_ref_get(ref);

    g_weak_ref_clear(ref);
    g_free(ref);
    return object;
}

G_END_DECLS
