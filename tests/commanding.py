"""What commands read, a table without anomalies and one with two; and what holds of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftlock.cli import main
from driftlock.files import write_table

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

N = 80  # normal rows; 60 of them serve as baseline
ODD = ["detect", "odd.jsonl", "--baseline", "60"]


def write_tables() -> None:
    """Write normal.csv and odd.jsonl into the current folder."""
    rng = np.random.default_rng(7)
    normal = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 0.5, N).round(2),
            "shop": rng.choice(["bakery", "books", "cinema"], N),
            "key": [f"{rng.integers(16**8):08x}" for _ in range(N)],
        }
    )
    odd = pd.DataFrame({"amount": [9e6, 8e6], "shop": ["casino", "yacht"], "key": ["ab", "cd"]})
    write_table(normal, "normal.csv")
    write_table(pd.concat([normal, odd], ignore_index=True), "odd.jsonl")


def assert_refused(args: str, message: str, folder: Path, capsys: pytest.CaptureFixture) -> None:
    """Bad input ends with 2, one line that says what is wrong, and no file more."""
    before = sorted(folder.iterdir())
    assert main(args.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("driftlock: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let commands see a terminal with colours, so many columns wide."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
