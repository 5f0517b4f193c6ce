#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each source with a translatable text is in po/POTFILES.in, and each line of that is a file."""
import os
import re
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else "."


def main():
    with open(os.path.join(ROOT, "po/POTFILES.in"), encoding="utf-8") as lines:
        listed = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    wanted = set()
    for top in ("core", "media", "gpu", "render", "ui", "app", "data"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, ROOT)
                if name.endswith((".c", ".cpp")):
                    with open(path, encoding="utf-8") as source:
                        if re.search(r'\b(N_|C_|_|ngettext)\s*\(', source.read()):
                            wanted.add(relative)
                elif name.endswith(".ui"):
                    with open(path, encoding="utf-8") as source:
                        if 'translatable="yes"' in source.read():
                            wanted.add(relative)
                elif name.endswith((".desktop.in", ".metainfo.xml.in", ".gschema.xml")):
                    wanted.add(relative)
    missing, extra = sorted(wanted - listed), sorted(listed - wanted)
    if "--write" in sys.argv:
        with open(os.path.join(ROOT, "po/POTFILES.in"), "w", encoding="utf-8") as out:
            out.write("\n".join(sorted(wanted)) + "\n")
        return 0
    for path in missing:
        print(f"po/POTFILES.in lacks {path}")
    for path in extra:
        print(f"po/POTFILES.in lists {path}, which has no text")
    print(f"{len(wanted)} files with texts, {len(missing) + len(extra)} wrong")
    return 1 if missing or extra else 0


if __name__ == "__main__":
    sys.exit(main())
