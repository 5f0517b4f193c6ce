// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

/** bg_reflect: Returns: @index mirrored about the faces (1 0 | 0 1 2 | 2 1), into 0..dim-1 */
static inline int
bg_reflect(int index, int dim)
{
    int period = 2 * dim;
    int wrapped = ((index % period) + period) % period;

    return wrapped < dim ? wrapped : period - 1 - wrapped;
}
