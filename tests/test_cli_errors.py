"""Errors on the command line: one line that says what is wrong, and the exit code."""

from __future__ import annotations

from typing import Any

import pytest
from commanding import ODD, assert_refused

from driftlock.cli import main

pytestmark = pytest.mark.usefixtures("_compiled", "folder")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("detect gone.csv", "gone.csv: no such file"),
        ("detect broken.jsonl", "broken.jsonl: line 2: "),
        ("detect normal.csv --format jsonl", "normal.csv: is not JSON Lines"),
        ("detect normal.csv --format xlsx", "format='xlsx' is not known"),
        (
            "detect normal.csv",
            "--baseline 400 (the default) needs more than 400 rows, normal.csv has 80; give --bas",
        ),
        (
            "detect normal.csv --baseline 80",
            "--baseline 80 needs more than 80 rows, normal",
        ),
        ("detect normal.csv --baseline 0", "baseline=0"),
        ("detect normal.csv --baseline -1", "baseline=-1"),
        ("detect normal.csv --baseline 0.5", "'0.5' is neither a number of rows nor a file nor"),
        ("detect normal.csv --baseline broken.jsonl", "broken.jsonl: line 2: "),
        ("detect - --baseline -", "cannot both be standard input"),
        ("detect normal.csv --baseline 60 --alpha 2", "alpha=2.0"),
        ("detect normal.csv --baseline 60 --control bh", "choose one of 'fdr', 'fpr'"),
        ("detect normal.csv --baseline 60 --calibration x", "choose one of 'auto', 'loo'"),
        ("detect normal.csv --baseline 60 --field amount", "not of the form NAME=KIND"),
        ("detect normal.csv --baseline 60 --field =id", "not of the form NAME=KIND"),
        ("detect normal.csv --baseline 60 --field a=id --field a=id", "kind of 'a' twice"),
        ("detect normal.csv --baseline 60 --field gone=id", "'gone'"),
        ("detect normal.csv --baseline 60 --field amount=x", "choose one of 'category'"),
        ("detect normal.csv --baseline 60 --out r.xlsx", "known are '.csv', '.jsonl', '.parquet'"),
        ("detect normal.csv --baseline 60 --out gone/r.csv", "there is no folder 'gone'"),
        ("detect normal.csv --baseline 60 --out ./normal.csv", "is an input"),
        ("detect normal.csv --baseline odd.jsonl --out odd.jsonl", "is an input"),
        ("detect normal.csv --baseline 60 --plot p.gif", "known are '.png', '.svg', '.pdf'"),
        ("simulate s.xlsx", "known are '.csv', '.jsonl', '.parquet'"),
        ("simulate gone/s.csv", "there is no folder 'gone'"),
        ("simulate s.csv --labels l.txt", "l.txt: cannot write"),
        ("simulate s.csv --rows 0", "n=0"),
        ("simulate s.csv --anomaly-rate 2", "anomaly_rate=2.0"),
        ("simulate s.csv --kind odd", "choose one of 'amount_far_out'"),
    ],
)
def test_bad_input_is_2_and_one_line(folder, capsys, args, message):
    (folder / "broken.jsonl").write_text('{"amount": 1}\n{"amount": \n')
    assert_refused(args, message, folder, capsys)


@pytest.mark.parametrize(
    "args",
    [
        "detect",
        "detekt a.csv",
        "detect a.csv b.csv",
        "detect a.csv --bogus",
        "detect a.csv --alpha x",
        "detect a.csv --top -1",
        "simulate",
        "simulate s.csv --rows x",
        "--bogus",
    ],
)
def test_usage_errors_are_2(capsys, args):
    assert main(args.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage: driftlock" in err
    assert "Error: " in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("one\ntwo"), 3),
        (EOFError(), 3),
        (OSError(5, "I/O error"), 3),
        (MemoryError(), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(32, "Broken pipe"), 141),
    ],
)
def test_no_error_is_ever_1(monkeypatch, capsys, error, code):
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("driftlock.cli.run.detect", fail)
    assert main(ODD) == code
    err = capsys.readouterr().err
    if code == 3:
        assert err.lstrip().startswith(f"driftlock: unexpected {type(error).__name__}(")
        assert err.endswith("; --debug shows the traceback\n")
        assert err.strip().count("\n") == 0
    else:
        assert err.strip() == ""


def test_debug_shows_the_traceback(monkeypatch, capsys):
    assert main(["detect", "gone.csv", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.endswith("\ndriftlock: gone.csv: no such file\n")
    monkeypatch.setattr("driftlock.cli.app.warmup", lambda: 1 / 0)
    for args in (["--debug", "warmup"], ["warmup", "--debug"]):
        assert main(args) == 3
        err = capsys.readouterr().err
        assert "Traceback (most recent call last)" in err
        assert err.endswith("\ndriftlock: unexpected ZeroDivisionError('division by zero')\n")


def test_warnings_of_others_are_shown_as_ever(monkeypatch, capsys):
    def warn() -> float:
        import warnings

        warnings.warn("from elsewhere", UserWarning, stacklevel=1)
        return 0.0

    monkeypatch.setattr("driftlock.cli.app.warmup", warn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.filters", [("always", None, UserWarning, None, 0)])
        assert main(["warmup"]) == 0
    assert "UserWarning: from elsewhere" in capsys.readouterr().err
