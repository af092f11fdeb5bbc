"""Run a protocol on labelled data sets and hold the means to a floor.

    python benchmarks/quality/labelled.py --protocol PATH/protocol.py

The sets are no part of the project: their licences differ. The protocol is a module that stands
beside them, with their folder as ``DATA`` (a ``manifest.json`` in it lists them) and a function
``evaluate(entry, seed)`` that returns a row of figures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import warnings
from pathlib import Path
from types import ModuleType

import pandas as pd

FIGURES = ["auc", "ap", "fdp", "recall", "seconds"]
LEAST_AUC = 0.90


def load(path: Path) -> ModuleType:
    """The protocol as a module."""
    spec = importlib.util.spec_from_file_location("protocol", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def types(protocol: ModuleType) -> dict[str, str]:
    """What kind of data each set is."""
    return {entry["name"]: entry["type"] for entry in _entries(protocol)}


def _entries(protocol: ModuleType) -> list[dict[str, str]]:
    return json.loads((protocol.DATA / "manifest.json").read_text())


def evaluate(protocol: ModuleType, seeds: list[int]) -> pd.DataFrame:
    """A row for each set and seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about the files
        rows = [protocol.evaluate(entry, seed) for entry in _entries(protocol) for seed in seeds]
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocol", type=Path, required=True)
    parser.add_argument("--seeds", default="0")
    options = parser.parse_args()
    if not options.protocol.exists():
        parser.error(f"there is no {options.protocol}")
    results = evaluate(load(options.protocol), list(map(int, options.seeds.split(","))))
    means = results.groupby("set", sort=False)[FIGURES].mean()
    print(means.round(3).to_string())
    print("mean", means.mean().round(4).to_dict())
    mean = means["auc"].mean()
    print(f"mean AUC {mean:.3f}, at least {LEAST_AUC}: {'ok' if mean >= LEAST_AUC else 'FAILED'}")
    return 0 if mean >= LEAST_AUC else 1


if __name__ == "__main__":
    raise SystemExit(main())
