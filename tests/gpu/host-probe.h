// SPDX-License-Identifier: Apache-2.0
// What the test module exports besides the backend.
#pragma once

#include <glib-object.h>

typedef struct {
    GType volume_type;
    int *n_devices; // all of the device in host memory; settable
    gsize *memory_bytes;
    const gsize *used_bytes;
    const gsize *n_allocations;
    const gsize *n_uploads;
} HostProbe;

void host_probe(HostProbe *probe);
