#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes media/dicom/bg-dicom-dictionary.c: tag and value representation of PS3.6, as pydicom lists them."""
import sys

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

by_vr = {}
for tag, (vr, *_rest) in sorted(DicomDictionary.items()):
    if tag >> 16 == 0xFFFE:
        continue
    by_vr.setdefault(vr.split(" ")[0].replace("NONE", "UN"), []).append(tag)

out = ["// SPDX-License-Identifier: Apache-2.0",
       "// Made by tools/make-dicom-dictionary.py out of the tables of PS3.6. Do not edit.",
       '#include "bg-dicom-dictionary.h"', "", "#include \"bg-dicom-data.h\"", "", "// clang-format off"]
for vr, tags in sorted(by_vr.items()):
    out.append(f"static const guint32 tags_{vr.lower()}[] = {{")
    for i in range(0, len(tags), 8):
        out.append("    " + " ".join(f"0x{t:08x}," for t in tags[i:i + 8]))
    out.append("};")
out += ["", "static const struct {", "    guint16 vr;", "    const guint32 *tags;", "    guint n_tags;", "} tables[] = {"]
for vr in sorted(by_vr):
    out.append(f"    {{ BG_DCM_VR('{vr[0]}', '{vr[1]}'), tags_{vr.lower()}, G_N_ELEMENTS(tags_{vr.lower()}) }},")
out += ["};", "// clang-format on", "", "static gboolean", "contains(const guint32 *tags, guint n, guint32 tag)", "{",
        "    guint low = 0, high = n;", "", "    while (low < high) {", "        guint middle = (low + high) / 2;",
        "        if (tags[middle] == tag)", "            return TRUE;", "        if (tags[middle] < tag)",
        "            low = middle + 1;", "        else", "            high = middle;", "    }", "    return FALSE;", "}", "",
        "guint16", "bg_dcm_dictionary_vr(guint32 tag)", "{",
        "    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {",
        "        if (contains(tables[i].tags, tables[i].n_tags, tag))", "            return tables[i].vr;", "    }",
        "    return 0;", "}", ""]
with open(sys.argv[1], "w", encoding="utf-8") as f:
    f.write("\n".join(out))
