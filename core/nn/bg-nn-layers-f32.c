// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-conv-dnnl.h"
#include "bg-nn-layers-private.h"
#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

#define REAL float
#define FN(name) name##_f32
#define CALL BgNnCall32
#define MATH(name) name##f
#define CONV(name) name##_dnnl

#include "bg-nn-conv-plain.h"
#include "bg-nn-layers-plain.h"
#include "bg-nn-weighted-plain.h"
