"""Print the command of README.md that follows the marker `<!-- command: NAME -->`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"

name = sys.argv[1]
found = re.findall(
    rf"<!-- command: {re.escape(name)} -->\s*```(?:bash|sh|console)\n(.*?)```",
    README.read_text(encoding="utf-8"),
    flags=re.DOTALL,
)
if len(found) != 1:
    raise SystemExit(f"README.md has {len(found)} commands marked {name!r}, not one")
print(found[0], end="")
