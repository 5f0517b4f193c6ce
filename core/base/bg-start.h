// SPDX-License-Identifier: Apache-2.0
// For the file of a program that has main(), and no other: what must be set before libraries start.
#pragma once

#include <stdlib.h>

// libgomp reads its settings when it is loaded, before main(). Threads that wait by spinning take
// the processors from everybody else, seven times the processor time in a test of ours.
static void
bg_start_before_libraries(int argc, char **argv, char **envp)
{
    setenv("OMP_WAIT_POLICY", "passive", 0);
}

// Run by the dynamic linker before the constructors of all libraries.
__attribute__((section(".preinit_array"),
               used)) static void (*const bg_start_hook)(int, char **,
                                                         char **) = bg_start_before_libraries;
