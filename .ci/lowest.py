"""Print the dependencies, the service's among them, at their lower bounds, one a line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"

project = tomllib.loads(PROJECT.read_text())["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["service"]]:
    floor = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
    if floor is None:
        raise SystemExit(f"{requirement!r} has no plain lower bound, NAME>=VERSION")
    print(f"{floor[1]}=={floor[2]}")
