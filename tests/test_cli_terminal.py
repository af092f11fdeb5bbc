"""The command line as a process: terminal, encoding, exit code, and a closed pipe."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from commanding import ODD, at_a_terminal

from driftlock.cli import main
from driftlock.files import read_table, write_table
from driftlock.reasons import brief

pytestmark = pytest.mark.usefixtures("_compiled", "folder")


def test_terminal_sees_a_table_that_fits_and_what_is_going_on(monkeypatch, capsys):
    at_a_terminal(monkeypatch, 60)
    assert main(ODD) == 1
    out, err = capsys.readouterr()
    table = re.sub(r"\x1b\[[0-9;]*m", "", out.split("baseline: ")[0])
    assert "\x1b[1;31m" in out
    assert max(len(line) for line in table.splitlines()) <= 60
    assert "..." not in table
    for stage in ("reading odd.jsonl", "fitting and scoring 82 rows"):
        assert stage in err


def test_shown_values_cannot_steer_the_terminal():
    assert brief("a\x1b[31m\r\nb\u202ec") == "a\\x1b[31m\\r\\nb\\u202ec"
    assert brief("x" * 60) == "x" * 45 + "..."
    assert brief(None) == brief(float("nan")) == brief(pd.NaT) == "missing"
    assert brief(["a", None]) == "['a', None]"


def test_output_that_cannot_hold_a_character_spells_it_out(monkeypatch):
    events = read_table("odd.jsonl").replace(
        {"shop": {"casino": "caf\u00e9", "yacht": "\u5bff\u53f8"}}
    )
    write_table(events, "words.jsonl")
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    assert main(["detect", "words.jsonl", "--baseline", "60"]) == 1
    assert rb"shop: \u5bff\u53f8 (usual" in raw.getvalue()
    assert b"shop: caf\xe9 (usual" in raw.getvalue()


def run(*args: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own."""
    code = "import sys; from driftlock.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *args], check=False, **options)


def test_process_returns_the_exit_code():
    done = run(*ODD, capture_output=True)
    assert done.returncode == 1
    assert b"Detection: 2 anomalies" in done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there a closed pipe is another error")
def test_closed_pipe_is_no_traceback():
    import os

    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = run(*ODD, stdout=closed, stderr=subprocess.PIPE)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
