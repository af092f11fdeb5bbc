"""The command line: what it prints and writes, and above all its exit codes."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.cli import main
from driftlock.files import read_table, write_table
from driftlock.reasons import brief

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N = 80  # normal rows; 60 of them serve as baseline


@pytest.fixture(autouse=True)
def _compiled(_wrapping_uint64: None) -> None:
    """Compile first, so that no test sees the note about compiling."""
    dl.warmup()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own to work in, with a table without and one with anomalies."""
    monkeypatch.chdir(tmp_path)
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
    return tmp_path


ODD = ["detect", "odd.jsonl", "--baseline", "60"]


def test_found_something(capsys):
    assert main(ODD) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    first, second = (line.split() for line in out.splitlines()[1:4:2])
    assert {first[0], second[0]} == {"80", "81"}
    assert re.search(r"amount: 9000000.0 \(usual: .+\)", out)
    assert re.search(r"shop: yacht \(usual: books \d+%, .+\)", out)
    assert "baseline: the first 60 rows of odd.jsonl, taken as normal\n" in out
    assert "Detection: 2 anomalies in 22 rows" in out
    assert "Plan: 22 rows against a baseline of 60" in out
    assert re.search(r"^  key: id, .+", out, re.MULTILINE)
    assert all(line == line.rstrip() for line in out.splitlines())


def test_found_nothing(capsys):
    assert main(["detect", "normal.csv", "--baseline", "60", "--top", "3"]) == 0
    out = capsys.readouterr().out
    assert "Detection: 0 anomalies in 20 rows" in out
    assert [line.split()[4] for line in out.splitlines() if re.match(r" *\d+ ", line)] == ["no"] * 3


def test_a_lone_row_that_cannot_be_flagged_is_hinted_at(capsys):
    rng = np.random.default_rng(3)
    shops = pd.DataFrame({"shop": rng.choice(["a", "b", "c"], 100), "n": rng.integers(0, 3, 100)})
    write_table(shops, "alike.csv")
    assert main(["detect", "alike.csv", "--baseline", "60"]) == 0
    assert "hint" not in capsys.readouterr().out
    shops.loc[80] = ["never seen", 7]
    write_table(shops, "lone.csv")
    args = ["detect", "lone.csv", "--baseline"]
    assert main([*args, "60"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        "hint: 1 row is stranger than the whole baseline, at the smallest rank p-value 0.01639, "
        "which is not small enough to be flagged by fdr; --control fpr or a baseline of 799 rows "
        "or more would show it"
    )
    assert main([*args, "60", "--control", "fpr"]) == 1
    assert "hint" not in capsys.readouterr().out
    shops.loc[81] = ["nor this", 8]
    write_table(shops, "lone.csv")
    assert main([*args, "60", "--control", "fwer"]) == 0
    assert "hint: 2 rows are stranger" in capsys.readouterr().out
    assert main([*args, "none"]) == 0
    assert "hint" not in capsys.readouterr().out
    write_table(shops[:60], "normal60.csv")
    assert main(["fit", "normal60.csv", "--out", "m.npz"]) == 0
    assert main([*args, "m.npz"]) == 0
    hint = capsys.readouterr().out.splitlines()[-1]
    assert "a detector fitted with --control fpr or a baseline of" in hint


def test_top_bounds_the_rows_shown(capsys):
    main([*ODD, "--top", "0"])
    assert capsys.readouterr().out.startswith("baseline: ")
    main([*ODD, "--top", "1"])
    assert len(re.findall(r"^ *\d+ +\d+\.\d\d ", capsys.readouterr().out, re.MULTILINE)) == 1


def test_baseline_may_be_a_file_or_unknown(capsys):
    assert main(["detect", "odd.jsonl", "--baseline", "normal.csv", "--control", "fpr"]) == 1
    out, err = capsys.readouterr()
    assert "baseline: normal.csv, 80 rows, taken as normal" in out
    assert "in 82 rows" in out
    assert re.fullmatch(r"driftlock: warning: .*also stand in the baseline.*\n", err)
    assert main(["detect", "odd.jsonl", "--baseline", "None"]) in (0, 1)
    assert "baseline: none; every row is compared" in capsys.readouterr().out


def test_standard_input(capsys, monkeypatch):
    data = (read_table("odd.jsonl")).to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["detect", "-", "--baseline", "60"]) == 1
    assert "first 60 rows of standard input" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data[:-4])))
    assert main(["detect", "odd.jsonl", "--baseline", "-"]) == 2
    assert capsys.readouterr().err.startswith("driftlock: standard input: line ")


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl.gz", "r.parquet"])
def test_out_holds_every_tested_row_with_its_result(capsys, name):
    assert main([*ODD, "--out", name]) == 1
    assert capsys.readouterr().err == ""
    events = read_table("odd.jsonl")
    table = dl.detect(events, baseline=60).table
    written = read_table(name)
    assert list(written) == ["row", *events, *table]
    assert written["row"].tolist() == list(range(60, 82))
    for column in table:
        assert written[column].tolist() == table[column].tolist()
    for column in events:
        assert written[column].tolist() == events[column].iloc[60:].tolist()


def test_out_keeps_own_columns_of_the_same_name(capsys):
    events = read_table("odd.jsonl").rename(columns={"amount": "score", "shop": "driftlock.score"})
    write_table(events.assign(row=1), "clash.csv")
    assert main(["detect", "clash.csv", "--baseline", "60", "--out", "r.csv"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("driftlock: warning: r.csv: ")
    assert "'driftlock.row', 'driftlock.driftlock.score'" in err
    assert err.count("\n") == 1
    written = read_table("r.csv")
    assert written["score"].tolist() == events["score"].iloc[60:].tolist()
    assert written["driftlock.score"].tolist() == events["driftlock.score"].iloc[60:].tolist()
    assert written["row"].tolist() == [1] * 22
    assert written["driftlock.row"].tolist() == list(range(60, 82))
    assert written["driftlock.driftlock.score"].iloc[-1] > 5


@pytest.mark.parametrize(
    ("name", "start"), [("p.png", b"\x89PNG"), ("p.SVG", b"<?xml"), ("p.pdf", b"%PDF")]
)
def test_plot(folder, name, start):
    assert main([*ODD, "--plot", name, "--top", "0"]) == 1
    assert (folder / name).read_bytes().startswith(start)


def test_options_reach_the_detector(monkeypatch):
    calls: list[dict[str, Any]] = []

    def spy(events: pd.DataFrame, **options: Any) -> Any:
        calls.append(options)
        return dl.detect(events, baseline=60)

    monkeypatch.setattr("driftlock.cli.run.detect", spy)
    main(["detect", "odd.jsonl"])
    args = (
        "detect odd.jsonl --baseline 50 --alpha 0.1 --control by --calibration split --no-tail "
        "--clean --field amount=category --field a=b=id --seed 3 --entity shop --entity key"
    )
    main(args.split())
    assert calls[0] == {
        "baseline": 400,
        "fields": None,
        "alpha": 0.05,
        "control": "fdr",
        "calibration": "auto",
        "tail": True,
        "clean": False,
        "rng": None,
    }
    assert calls[1] == {
        "baseline": 50,
        "fields": {"amount": "category", "a=b": "id"},
        "alpha": 0.1,
        "control": "by",
        "calibration": "split",
        "tail": False,
        "clean": True,
        "rng": 3,
        "entity": ["shop", "key"],
    }


def test_a_saved_detector_is_a_baseline(capsys, folder):
    options = "--alpha 0.1 --control fpr --calibration split --seed 3 --field amount=category"
    more = "--no-tail --entity shop"
    assert main(["fit", "normal.csv", "--out", "model", *options.split(), *more.split()]) == 0
    out, err = capsys.readouterr()
    assert out == "model: 80 rows learned; 2 of 3 fields coded; calibration split\n"
    assert err == ""
    detector = dl.Detector(
        alpha=0.1,
        control="fpr",
        calibration="split",
        rng=3,
        fields={"amount": "category"},
        tail=False,
        entity=["shop"],
    )
    assert dl.Detector.load("model").get_params() == detector.get_params()
    events = read_table("odd.jsonl")[N:]
    write_table(events, "new.jsonl")
    assert main(["detect", "new.jsonl", "--baseline", "model", "--out", "r.jsonl"]) == 1
    out, err = capsys.readouterr()
    assert "baseline: model, a detector that learned 80 rows\n" in out
    assert err == ""
    expected = detector.fit(read_table("normal.csv")).detect(events).table
    assert read_table("r.jsonl")["p_value"].tolist() == expected["p_value"].tolist()
    assert read_table("r.jsonl")["score"].tolist() == expected["score"].tolist()


def test_fit_can_clean_its_baseline_and_read_standard_input(capsys, monkeypatch):
    rng = np.random.default_rng(3)
    amounts = np.append(rng.normal(50, 5, 300).round(2), [9e6, -8e6])
    data = pd.DataFrame({"amount": amounts}).to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["fit", "-", "--clean", "--out", "model.npz"]) == 0
    dropped = dl.Detector.load("model.npz").dropped_
    assert {300, 301} <= set(dropped)
    told = f"model.npz: 302 rows learned, {len(dropped)} rows left out; 1 of 1 fields coded; "
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("fit normal.csv", "--out"),
        ("fit gone.csv --out model.npz", "gone.csv: no such file"),
        ("fit normal.csv --out gone/model.npz", "there is no folder 'gone'"),
        ("fit normal.csv --out normal.csv", "normal.csv: is an input"),
        ("fit normal.csv --out model.npz --alpha 2", "alpha=2"),
        ("fit normal.csv --out model.npz --field amount", "not of the form"),
        ("fit normal.csv --out model.npz --entity who", "entity=['who'] is no field"),
        ("fit few.csv --out model.npz", "the baseline has 2 rows"),
        ("detect odd.jsonl --baseline broken.npz", "broken.npz: breaks off"),
        ("detect other.csv --baseline whole.npz", "lacks the column(s)"),
        ("detect odd.jsonl --baseline whole.npz --out whole.npz", "whole.npz: cannot write a"),
        ("compare odd.jsonl --baseline whole.npz", "a baseline for detect alone"),
        ("scan odd.jsonl --baseline whole.npz --window 20", "a baseline for detect alone"),
    ],
)
def test_bad_models_are_2(folder, capsys, args, message):
    write_table(read_table("odd.jsonl")[80:], "few.csv")
    write_table(pd.DataFrame({"x": range(30)}), "other.csv")
    dl.Detector().fit(read_table("normal.csv")).save("whole.npz")
    (folder / "broken.npz").write_bytes((folder / "whole.npz").read_bytes()[:-100])
    assert main(args.split()) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert not (folder / "model.npz").exists()


@pytest.mark.parametrize(
    "given",
    [
        ["--alpha", "0.05"],
        ["--control", "fdr"],
        ["--calibration", "auto"],
        ["--no-tail"],
        ["--clean"],
        ["--field", "amount=number"],
        ["--entity", "shop"],
        ["--seed", "0"],
    ],
)
def test_options_beside_a_saved_detector_are_an_error(capsys, given):
    dl.Detector().fit(read_table("normal.csv")).save("model.npz")
    assert main(["detect", "odd.jsonl", "--baseline", "model.npz", *given]) == 2
    err = capsys.readouterr().err
    assert f"model.npz: a saved detector has its own options; drop {given[0]}, or" in err


def test_a_format_counts_for_a_baseline_of_the_same_ending(folder, capsys):
    for name, given in (("old.csv", "normal.csv"), ("new.csv", "odd.jsonl")):
        read_table(given).to_csv(folder / name, sep=";", decimal=",", index=False)
    ask = ["detect", "new.csv", "--baseline", "old.csv"]
    assert main(ask) == 2
    assert "pass --format ssv" in capsys.readouterr().err
    assert main([*ask, "--format", "ssv"]) == 1
    assert "amount: 9000000,0" in capsys.readouterr().out
    assert main(["detect", "new.csv", "--baseline", "normal.csv", "--format", "ssv"]) == 2
    assert "events lacks the column(s) 'amount,shop,key'" in capsys.readouterr().err


def test_format_is_for_a_file_of_another_name(folder, capsys):
    (folder / "table").write_bytes((folder / "odd.jsonl").read_bytes())
    assert main(["detect", "table", "--baseline", "60"]) == 2
    assert "unknown ending" in capsys.readouterr().err
    assert main(["detect", "table", "--baseline", "60", "--format", "jsonl"]) == 1


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
    before = sorted(folder.iterdir())
    assert main(args.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("driftlock: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


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


def test_simulate_writes_a_table_and_its_labels(capsys):
    args = "simulate s.csv.gz --rows 200 --anomaly-rate 0.1 --seed 5 --labels l.csv"
    assert main([*args.split(), "--kind", "odd_hour", "--kind", "unseen_place"]) == 0
    assert capsys.readouterr().out == "s.csv.gz: 200 rows, 20 of them anomalies\n"
    data = dl.datasets.make_transactions(
        200, anomaly_rate=0.1, kinds=["odd_hour", "unseen_place"], seed=5
    )
    events, labels = read_table("s.csv.gz"), read_table("l.csv")
    assert events["merchant"].tolist() == data.events["merchant"].tolist()
    assert events["amount"].tolist() == data.events["amount"].tolist()
    assert labels["row"].tolist() == list(range(200))
    assert labels["is_anomaly"].tolist() == data.labels["is_anomaly"].tolist()
    assert set(labels["kind"].dropna()) == {"odd_hour", "unseen_place"}


def test_simulate_to_standard_output_is_json_lines_alone(capsys, folder):
    assert main(["simulate", "-", "--rows", "50", "--seed", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    (folder / "s.jsonl").write_text(out, encoding="utf-8")
    pd.testing.assert_frame_equal(
        read_table("s.jsonl"), dl.datasets.make_transactions(50, seed=1).events
    )


def test_warmup_and_version(capsys):
    assert main(["warmup"]) == 0
    assert re.fullmatch(r"kernels ready after \d+\.\d s\n", capsys.readouterr().out)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"driftlock {dl.__version__}\n"


@pytest.mark.parametrize("command", ["detect", "fit", "simulate"])
def test_help_shows_examples(capsys, command):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(rf"^ +(?:.* \| )?driftlock {command} ", out, re.MULTILINE)) >= 2


def test_terminal_sees_a_table_that_fits_and_what_is_going_on(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
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
