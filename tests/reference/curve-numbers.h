// SPDX-License-Identifier: Apache-2.0
// Written by make-curve-numbers.py.
// clang-format off
static const CurveNumbers curve_numbers[] = {
    { "unet-brats", { 1.35298956, 1.21230572, 1.03788163, 1.12451539, 0.845095045, 0.883597553, 0.839787454, 0.701959109, 0.720985774, 0.578364891 } },
    { "funfuse", { 1.70424562, 1.56272928, 1.46367505, 1.41896363, 1.39561418, 1.36343263, 1.32816223, 1.2850043, 1.22545122, 1.16913193 } },
};
// clang-format on
