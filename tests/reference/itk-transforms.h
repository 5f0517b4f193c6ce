// SPDX-License-Identifier: Apache-2.0
// Made by itk-transforms.cpp with ITK 5.2.
// clang-format off
#pragma once

// Each maps fixed (12.5, -33.25, 41.75) to moving.
static const struct {
    const char *name, *text;
    double moving[3];
} itk_transforms[] = {
    { "translation",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: TranslationTransform_double_3_3\n"
      "Parameters: 3.5 -7.25 11\n"
      "FixedParameters: \n"
      , { 16, -40.5, 52.75 } },
    { "euler",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: Euler3DTransform_double_3_3\n"
      "Parameters: 0.3 -0.7 1.1 3.5 -7.25 11\n"
      "FixedParameters: 5 -10 20 0\n"
      , { 30.1951660549843, -37.5777736258394, 44.6373160579083 } },
    { "euler zyx",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: Euler3DTransform_double_3_3\n"
      "Parameters: 0.3 -0.7 1.1 3.5 -7.25 11\n"
      "FixedParameters: 5 -10 20 1\n"
      , { 32.5613407524969, -33.113217420971, 46.4688465713263 } },
    { "versor",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: VersorRigid3DTransform_double_3_3\n"
      "Parameters: 0.1307448617784186 -0.21790810296403101 0.35301112680173025 3.5 -7.25 11\n"
      "FixedParameters: 5 -10 20\n"
      , { 22.9965205503904, -38.0371703483707, 51.6789613095031 } },
    { "similarity",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: Similarity3DTransform_double_3_3\n"
      "Parameters: -0.05971736185370684 0.09952893642284473 -0.16123687700500847 3.5 -7.25 11 1.2\n"
      "FixedParameters: 5 -10 20\n"
      , { 13.9621799162336, -44.234336539501, 58.975528093061 } },
    { "affine",
      "#Insight Transform File V1.0\n"
      "#Transform 0\n"
      "Transform: AffineTransform_double_3_3\n"
      "Parameters: 0.8664976784088045 -0.20328059002911011 -0.22418468955209434 0.33359368570941716 0.8174760711612953 -0.17449391374342896 0.24304093885757072 0.0849021936531586 0.8623935989744543 3.5 -7.25 11\n"
      "FixedParameters: 5 -10 20\n"
      , { 14.8489893084848, -37.5496086355991, 49.6058918166902 } },
};
