// SPDX-License-Identifier: Apache-2.0
// Makes the numbers in itk-transforms.h: transforms as ITK writes them, and where they map a point.
// Link with ITKCommon, ITKTransform, ITKIOTransformBase and ITKIOTransformInsightLegacy.
#include <itkAffineTransform.h>
#include <itkEuler3DTransform.h>
#include <itkSimilarity3DTransform.h>
#include <itkTransformFactory.h>
#include <itkTransformFileWriter.h>
#include <itkTranslationTransform.h>
#include <itkTxtTransformIOFactory.h>
#include <itkVersorRigid3DTransform.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

template <class T>
static void
show(const char *name, T *transform)
{
    const double p[3] = { 12.5, -33.25, 41.75 };
    typename T::InputPointType in(p);
    auto out = transform->TransformPoint(in);
    auto writer = itk::TransformFileWriterTemplate<double>::New();
    writer->SetFileName("itk-transform.tfm");
    writer->SetInput(transform);
    writer->Update();
    std::ifstream file("itk-transform.tfm");
    std::string line;
    std::printf("    { \"%s\",\n", name);
    while (std::getline(file, line))
        std::printf("      \"%s\\n\"\n", line.c_str());
    std::printf("      , { %.15g, %.15g, %.15g } },\n", out[0], out[1], out[2]);
}

int
main()
{
    itk::TxtTransformIOFactory::RegisterOneFactory();
    const double centre[3] = { 5, -10, 20 }, shift[3] = { 3.5, -7.25, 11 };
    const double axis[3] = { 0.3, -0.5, 0.81 };
    std::printf(
        "// SPDX-License-Identifier: Apache-2.0\n// Made by itk-transforms.cpp with ITK %d.%d.\n"
        "// clang-format off\n#pragma once\n\n// Each maps fixed (12.5, -33.25, 41.75) to moving.\n"
        "static const struct {\n    const char *name, *text;\n    double moving[3];\n"
        "} itk_transforms[] = {\n",
        ITK_VERSION_MAJOR, ITK_VERSION_MINOR);
    auto translation = itk::TranslationTransform<double, 3>::New();
    translation->Translate(shift);
    show("translation", translation.GetPointer());
    auto euler = itk::Euler3DTransform<double>::New();
    euler->SetCenter(centre);
    euler->SetRotation(0.3, -0.7, 1.1);
    euler->SetTranslation(shift);
    show("euler", euler.GetPointer());
    euler->SetComputeZYX(true);
    show("euler zyx", euler.GetPointer());
    auto rigid = itk::VersorRigid3DTransform<double>::New();
    rigid->SetCenter(centre);
    rigid->SetRotation(axis, 0.9);
    rigid->SetTranslation(shift);
    show("versor", rigid.GetPointer());
    auto similarity = itk::Similarity3DTransform<double>::New();
    similarity->SetCenter(centre);
    similarity->SetRotation(axis, -0.4);
    similarity->SetScale(1.2);
    similarity->SetTranslation(shift);
    show("similarity", similarity.GetPointer());
    auto affine = itk::AffineTransform<double, 3>::New();
    affine->SetCenter(centre);
    affine->Rotate3D(axis, 0.5);
    affine->Shear(0, 1, 0.2);
    affine->Scale(0.9);
    affine->Translate(shift);
    show("affine", affine.GetPointer());
    std::printf("};\n");
}
