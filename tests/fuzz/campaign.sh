#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The long search: every harness until it has made its executions (10^7 for parsers of headers alone, 10^5
# where a codec is slow, else 10^6), counted over all runs in FOLDER/log. What is found lies in
# FOLDER/found/HARNESS; the inputs that led on, in FOLDER/inputs/HARNESS.
# usage: campaign.sh BUILD-FUZZ FOLDER [SECONDS a harness and round, 300] [HARNESS...]
set -eu
build=$(realpath "$1"); folder=$2; seconds=${3:-300}
corpus=$(dirname "$(realpath "$0")")/corpus
[ $# -gt 3 ] && shift 3 || set -- $(ls "$corpus")
mkdir -p "$folder/log"
# Two frames of each allocation and a small quarantine: a third faster; the input shows the rest again.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:malloc_context_size=2:quarantine_size_mb=4:thread_local_quarantine_size_kb=64
export LSAN_OPTIONS=suppressions=$(dirname "$corpus")/../support/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

program_of() {
    case $1 in
        metaimage|nifti|nrrd) echo fuzz-volume ;;
        wire|landmarks|raw|dicom|dicom-parser|rle|jpeg|jpeg-lossless|jpeg-ls|jpeg-2000) echo "fuzz-$1" ;;
        *) echo fuzz-read ;;
    esac
}

# The longest input: a header says all it can in few bytes, and long inputs take long.
length_of() {
    case $1 in
        landmarks|raw|wire) echo 400 ;;
        dicom|hdf5|minc2|heic|tiff|archive) echo 6000 ;;
        *) echo 2000 ;;
    esac
}

wanted_of() {
    case $1 in
        wire|landmarks|dicom-parser|raw) echo 10000000 ;;
        jpeg|jpeg-2000|jpeg-file|heic|hdf5|minc2) echo 100000 ;;
        *) echo 1000000 ;;
    esac
}

count() {
    cat "$folder/log/$1".* 2>/dev/null | grep -a 'stat::number_of_executed_units' | awk '{n += $2} END {print n + 0}'
}

left=1
while [ $left = 1 ]; do
    left=0
    for harness in "$@"; do
        done=$(count "$harness"); wanted=$(wanted_of "$harness")
        [ "$done" -ge "$wanted" ] && continue
        left=1
        mkdir -p "$folder/inputs/$harness" "$folder/found/$harness"
        log=$folder/log/$harness.$(date +%s)
        status=0
        "$build/tests/fuzz/$(program_of "$harness")" -runs=$((wanted - done)) -max_total_time="$seconds" \
            -max_len="$(length_of "$harness")" -entropic=0 -reduce_inputs=0 -timeout=15 -rss_limit_mb=2560 -print_final_stats=1 \
            -artifact_prefix="$folder/found/$harness/" "$folder/inputs/$harness" "$corpus/$harness" >"$log" 2>&1 &
        wait $! || status=$?
        rm -f "/dev/shm/bregma-fuzz-$!"
        echo "$harness: $(count "$harness") of $wanted executions$([ $status = 0 ] || echo ", FOUND: see $log")"
    done
done
