// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/host-probe.h"

#include "core/volume/bg-volume.h"

#include <cuda_runtime_api.h>
#include <gmodule.h>

G_MODULE_EXPORT void
host_probe(HostProbe *probe)
{
    *probe = (HostProbe){
        .volume_type = BG_TYPE_VOLUME,
        .n_devices = &bg_host_device.n_devices,
        .memory_bytes = &bg_host_device.memory_bytes,
        .used_bytes = &bg_host_device.used_bytes,
        .n_allocations = &bg_host_device.n_allocations,
        .n_uploads = &bg_host_device.n_uploads,
    };
}
