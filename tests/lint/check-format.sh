#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C and CUDA source is as clang-format 14 would write it. usage: check-format.sh ROOT
cd "${1:-.}" || exit 2
formatter=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is missing"; exit 77; }
find core media gpu render ui app tests \( -name '*.c' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.cc' \) -print0 |
    xargs -0 -n 40 "$formatter" --dry-run --Werror 2>&1 | grep -E 'error' | head -20 >/tmp/bregma-format.$$
n=$(wc -l </tmp/bregma-format.$$)
cat /tmp/bregma-format.$$
rm -f /tmp/bregma-format.$$
echo "$n places differ from .clang-format"
[ "$n" -eq 0 ]
