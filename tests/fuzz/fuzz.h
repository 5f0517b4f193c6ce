// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

/** LLVMFuzzerTestOneInput: what libFuzzer calls, and fuzz-replay.c with each file of a corpus */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
