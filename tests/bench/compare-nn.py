#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our executor against PyTorch's frozen graphs, in turn, on as many threads: medians of pairs.
usage: compare-nn.py BUILD [direct] NAME..."""
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
    "vgg19-512": ("vgg19", [512, 512]), "generator-256": ("tfgan-generator", None), "unet-240": ("unet-brats", [240, 240]),
    "unet64-240": ("unet64", None), "resnet9-256": ("resnet9", None),
    "vnet-64": ("vnet", [64, 64, 64]), "vnet-128": ("vnet", [128, 128, 128]), "funfuse-256": ("funfuse", [256, 256]),
}
build, names = sys.argv[1], sys.argv[2:]
ours = [os.path.join(build, "tests/bench/bench-nn")]
if names and names[0] == "direct":
    ours.append(names.pop(0))
torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.set_grad_enabled(False)
networks = {n["name"]: n for n in json.loads(subprocess.check_output([os.path.join(build, "tests/support/dump-networks"), "bench"]))}
server = subprocess.Popen(ours + ["serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for name in names or [n for n in JOBS if n != "vnet-128"]:
    network, size = networks[JOBS[name][0]], JOBS[name][1]
    inputs = [fixed_input(shape[:2] + size if size else shape, k) for k, shape in enumerate(network["inputs"])]
    net = torch.jit.freeze(torch.jit.trace(Network(network, fixed_params(network)).eval(), inputs, check_trace=False))
    net = torch.jit.optimize_for_inference(net)
    for _ in range(1 if name == "vnet-128" else 2):
        net(*inputs)
    pairs = []
    for _ in range(2 if name == "vnet-128" else 7):
        server.stdin.write(name + "\n")
        server.stdin.flush()
        mine = float(server.stdout.readline())
        start = time.perf_counter()
        net(*inputs)
        pairs.append((mine, 1000 * (time.perf_counter() - start)))
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    print(f"{name:14} ours {statistics.median(p[0] for p in pairs):8.1f} ms (least {min(p[0] for p in pairs):.1f}), "
          f"torch {statistics.median(p[1] for p in pairs):8.1f} ms (least {min(p[1] for p in pairs):.1f}), "
          f"ratio {ratio:.2f}", flush=True)
