// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-layers-private.h"
#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

#define REAL double
#define FN(name) name##_f64
#define CALL BgNnCall64
#define MATH(name) name
#define CONV(name) name##_f64

#include "bg-nn-conv-plain.h"
#include "bg-nn-layers-plain.h"
#include "bg-nn-weighted-plain.h"
