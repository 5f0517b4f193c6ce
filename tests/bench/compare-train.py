#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One training step (forward and backward), ours against PyTorch, in turn, on as many threads: medians of pairs.
usage: compare-train.py BUILD NAME..."""
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as ours: beside other work the spinning of barriers would be timed
import torch  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../reference"))
from torch_network import Network, fixed_input, fixed_params  # noqa: E402

JOBS = {
    "funfuse-b4-128": ("funfuse", 4, [128, 128]), "unet-b2-128": ("unet-brats", 2, [128, 128]),
    "scatter-b2-128": ("scatter", 2, [128, 128]), "vnet-b1-32": ("vnet", 1, [32, 32, 32]),
}
build, names = sys.argv[1], sys.argv[2:]
torch.set_num_threads(len(os.sched_getaffinity(0)))
networks = {n["name"]: n for n in json.loads(subprocess.check_output([os.path.join(build, "tests/support/dump-networks")]))}
server = subprocess.Popen([os.path.join(build, "tests/bench/bench-train"), "serve"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
for name in names or JOBS:
    network, batch, size = networks[JOBS[name][0]], JOBS[name][1], JOBS[name][2]
    params = fixed_params(network)
    for key in params:
        params[key].requires_grad_(key.rsplit("/", 1)[1] in ("weight", "bias", "slope"))
    net = Network(network, params).train()
    inputs = [fixed_input([batch, shape[1]] + size, k) for k, shape in enumerate(network["inputs"])]

    def step():
        start = time.perf_counter()
        net.zero_grad()
        outputs = net(*inputs)
        outputs[0].backward(torch.ones_like(outputs[0]))
        return 1000 * (time.perf_counter() - start)

    step()
    pairs = []
    for _ in range(5):
        server.stdin.write(name + "\n")
        server.stdin.flush()
        pairs.append((float(server.stdout.readline()), step()))
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    print(f"{name:16} ours {statistics.median(p[0] for p in pairs):8.1f} ms (least {min(p[0] for p in pairs):.1f}), "
          f"torch {statistics.median(p[1] for p in pairs):8.1f} ms (least {min(p[1] for p in pairs):.1f}), "
          f"ratio {ratio:.2f}", flush=True)
