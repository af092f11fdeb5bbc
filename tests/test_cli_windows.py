"""`driftlock compare` and `driftlock scan`: what they print and write, and their exit codes."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from commanding import assert_refused, at_a_terminal
from typer.testing import CliRunner

import driftlock as dl
from driftlock.cli import main
from driftlock.cli.app import app
from driftlock.cli.show import escaped
from driftlock.files import read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N = 400  # normal rows; 200 of them serve as baseline

pytestmark = pytest.mark.usefixtures("_compiled")


def _rows(rng: np.random.Generator, n: int, shops: list[str], level: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"amount": rng.lognormal(level, 0.5, n).round(2), "shop": rng.choice(shops, n)}
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own to work in: normal rows, and the same with 100 others at their end."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    normal = _rows(rng, N, ["bakery", "books", "cinema"], 3.0)
    odd = _rows(rng, 100, ["casino", "bakery"], 5.0)
    events = pd.concat([normal, odd], ignore_index=True)
    hours = pd.date_range("2025-03-03", periods=len(events), freq="6min").strftime("%FT%TZ")
    write_table(normal, "normal.csv")
    write_table(odd, "odd.csv")
    write_table(events, "events.jsonl")
    write_table(events.assign(batch=np.arange(N + 100) // 50), "batches.csv")
    write_table(events.assign(at=hours), "timed.csv")
    return tmp_path


QUICK = ["--permutations", "199", "--seed", "1"]
COMPARE = ["compare", "events.jsonl", "--baseline", "400", *QUICK]
SCAN = ["scan", "events.jsonl", "--baseline", "200", "--null", "rows", *QUICK]


def test_compare_finds_a_difference(capsys):
    assert main(COMPARE) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    first, second = (line.split() for line in out.splitlines()[1:3])
    assert {first[-1], second[-1]} == {"shop", "amount"}
    assert "baseline: the first 400 rows of events.jsonl, taken as normal\n" in out
    assert "the window of 100 rows differs from its baseline of 400" in out
    assert re.search(r"^null: rows .*, 199 draws$", out, re.MULTILINE)
    assert re.search(r"^ncd +\d", out, re.MULTILINE)
    assert all(line == line.rstrip() for line in out.splitlines() if "statistic" not in line)


def test_compare_finds_none(capsys):
    assert main(["compare", "normal.csv", "--baseline", "200", *QUICK]) == 0
    assert "is not told from its baseline" in capsys.readouterr().out


def test_scan_finds_windows_as_one_event(capsys):
    assert main(SCAN) == 1
    out, err = capsys.readouterr()
    assert err.startswith("ScanPlan: 6 windows of 50 rows; fdr at alpha = 0.05\n")
    assert "smallest p-value" in err
    assert "ScanPlan" not in out
    assert out.splitlines()[1].split()[:4] == ["4", "5", "400", "499"]
    assert "baseline: the first 200 rows of events.jsonl, taken as normal\n" in out
    assert "Scan: 2 of 6 windows differ from the baseline, in 1 event(s)" in out


def test_scan_finds_none(capsys):
    args = ["scan", "normal.csv", "--baseline", "200", "--null", "rows", *QUICK, "--top", "2"]
    assert main(args) == 0
    out = capsys.readouterr().out
    assert [line.split()[6] for line in out.splitlines() if re.match(r" *\d+ ", line)] == ["no"] * 2
    assert "Scan: 0 of 4 windows" in out


@pytest.mark.parametrize("args", [COMPARE, SCAN])
def test_top_bounds_what_is_shown(capsys, args):
    main([*args, "--top", "0"])
    assert capsys.readouterr().out.startswith("baseline: ")
    main([*args, "--top", "1"])
    assert capsys.readouterr().out.splitlines()[2:3] == [""]


def test_baseline_may_be_a_file(capsys):
    assert main(["compare", "odd.csv", "--baseline", "normal.csv", *QUICK]) == 1
    out = capsys.readouterr().out
    assert "baseline: normal.csv, 400 rows, taken as normal" in out
    assert "of 100 rows differs from its baseline of 400" in out
    assert main(["scan", "odd.csv", "--baseline", "normal.csv", "--null", "rows", *QUICK]) == 1
    assert "2 of 2 windows" in capsys.readouterr().out


def test_standard_input(capsys, monkeypatch):
    data = read_table("events.jsonl").to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["compare", "-", "--baseline", "400", *QUICK]) == 1
    assert "first 400 rows of standard input" in capsys.readouterr().out


def test_scan_by_time(capsys):
    options = ["--field", "at=time", "--null", "rows", *QUICK]
    args = ["scan", "timed.csv", "--baseline", "200", *options]
    assert main([*args, "--window", "5h", "--hop", "150min", "--out", "w.csv"]) == 1
    out, err = capsys.readouterr()
    assert "12 windows of" in err
    assert " 2025-03-04 13:30:00+00:00 " in out  # half of its rows are others
    starts = pd.to_datetime(read_table("w.csv")["start"])
    assert (starts.diff().dropna() == pd.Timedelta("150min")).all()
    assert main([*args, "--window", "5h", "--time", "shop"]) == 2
    assert "'shop' has no readable time" in capsys.readouterr().err


def test_scan_by_groups(capsys):
    args = ["scan", "batches.csv", "--baseline", "200", "--groups", "batch", "--null", "rows"]
    assert main([*args, *QUICK, "--top", "3", "--out", "g.csv"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[6] for line in lines[1:4]] == ["yes", "yes", "no"]
    assert {line.split()[0] for line in lines[1:3]} == {"8", "9"}
    assert lines[0].split()[0] == "group"
    assert read_table("g.csv")["group"].tolist() == [4, 5, 6, 7, 8, 9]


def test_groups_of_one_row_are_counted(capsys):
    events = read_table("batches.csv")
    events.loc[N + 99, "batch"] = 77
    write_table(events, "single.csv")
    main(["scan", "single.csv", "--baseline", "200", "--groups", "batch", "--null", "rows", *QUICK])
    assert "1 group(s) of fewer than two rows are left out\n" in capsys.readouterr().out


def test_compare_by_groups(capsys):
    assert main(["compare", "batches.csv", "--baseline", "400", "--groups", "batch", *QUICK]) == 1
    assert "null: groups (groups are given; " in capsys.readouterr().out


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl.gz", "r.parquet"])
def test_out_holds_the_table_of_the_result(name):
    events = read_table("events.jsonl")
    assert main([*COMPARE, "--out", name]) == 1
    expected = dl.compare(events[:400], events[400:], n_permutations=199, rng=1).table
    pd.testing.assert_frame_equal(
        read_table(name), expected.reset_index(), check_dtype=False, rtol=1e-12
    )
    assert main([*SCAN, "--out", name]) == 1
    expected = dl.scan(events, baseline=200, null="rows", n_permutations=199, rng=1).table
    pd.testing.assert_frame_equal(
        read_table(name), expected.reset_index(), check_dtype=False, rtol=1e-12
    )


@pytest.mark.filterwarnings(r"ignore:'\w+' argument is deprecated:DeprecationWarning")  # pyparsing
@pytest.mark.parametrize("args", [COMPARE, SCAN])
@pytest.mark.parametrize(
    ("name", "start"), [("p.png", b"\x89PNG"), ("p.SVG", b"<?xml"), ("p.pdf", b"%PDF")]
)
def test_plot(folder, args, name, start):
    assert main([*args, "--plot", name]) == 1
    assert (folder / name).read_bytes().startswith(start)


def test_a_codec_adds_its_distance(capsys):
    args = ["--permutations", "39", "--seed", "1", "--coder", "zstd"]
    assert main(["compare", "events.jsonl", "--baseline", "400", *args]) in (0, 1)
    assert re.search(r"^ncd_zstd +\d", capsys.readouterr().out, re.MULTILINE)
    assert main(["scan", "events.jsonl", "--baseline", "200", "--out", "r.csv", *args]) in (0, 1)
    assert "ncd_zstd" in read_table("r.csv")


class Called(Exception):  # noqa: N818
    """Raised by a spy, with the options that it was called with."""


def _options_of(command: str, args: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    def spy(*tables: pd.DataFrame, **options: Any) -> None:
        raise Called(options)

    monkeypatch.setattr(f"driftlock.cli.windows.{command}", spy)
    done = CliRunner().invoke(app, [command, "events.jsonl", *args.split()])
    assert isinstance(done.exception, Called), done.output
    options: dict[str, Any] = done.exception.args[0]
    options.pop("tell", None)
    return options


def test_options_reach_compare(monkeypatch):
    assert _options_of("compare", "", monkeypatch) == {
        "coder": "fields",
        "n_permutations": 999,
        "null": "auto",
        "groups": None,
        "alpha": 0.05,
        "fields": None,
        "rng": None,
    }
    args = "--coder lz4 --permutations 9 --null shift --groups a --alpha 0.1 --field b=id --seed 3"
    assert _options_of("compare", args, monkeypatch) == {
        "coder": "lz4",
        "n_permutations": 9,
        "null": "shift",
        "groups": "a",
        "alpha": 0.1,
        "fields": {"b": "id"},
        "rng": 3,
    }


def test_options_reach_scan(monkeypatch):
    assert _options_of("scan", "", monkeypatch) == {
        "baseline": 400,
        "window": 50,
        "hop": None,
        "trailing": False,
        "guard": 0,
        "groups": None,
        "time": None,
        "coder": "fields",
        "n_permutations": 999,
        "max_permutations": 1_000_000,
        "null": "auto",
        "alpha": 0.05,
        "control": "fdr",
        "fields": None,
        "rng": None,
    }
    args = (
        "--baseline 60 --window 1h --hop 10min --trailing --guard 5 --groups a --time b "
        "--coder gzip --permutations 9 --max-permutations 99 --null rows --alpha 0.1 --control by "
        "--field a=b=id --seed 3"
    )
    assert _options_of("scan", args, monkeypatch) == {
        "baseline": 60,
        "window": "1h",
        "hop": "10min",
        "trailing": True,
        "guard": 5,
        "groups": "a",
        "time": "b",
        "coder": "gzip",
        "n_permutations": 9,
        "max_permutations": 99,
        "null": "rows",
        "alpha": 0.1,
        "control": "by",
        "fields": {"a=b": "id"},
        "rng": 3,
    }


def test_defaults_are_those_of_the_library(capsys):
    events = read_table("events.jsonl")
    assert main(["scan", "events.jsonl", "--seed", "2"]) in (0, 1)
    out, err = capsys.readouterr()
    found = dl.scan(events, rng=2)
    assert repr(found) in out
    assert err.startswith(repr(found.plan))


BOTH = [
    ("gone.csv", "gone.csv: no such file"),
    ("normal.csv", "needs more rows than the 400"),
    ("normal.csv --baseline 0", "baseline=0"),
    ("normal.csv --baseline 19", "at least 20 are needed"),
    ("normal.csv --baseline none", "--baseline none: windows need normal rows"),
    ("normal.csv --baseline gone.csv", "'gone.csv' is neither a number of rows nor a file"),
    ("- --baseline -", "cannot both be standard input"),
    ("events.jsonl --alpha 2", "alpha=2.0"),
    ("events.jsonl --coder bzip2", "coder='bzip2' is not known; choose one of 'fields', "),
    ("events.jsonl --null days", "choose one of 'auto', 'rows', 'shift', 'groups'"),
    ("events.jsonl --null groups", 'null="groups" needs'),
    ("events.jsonl --groups gone", "there are 'amount', 'shop'"),
    ("events.jsonl --permutations 0", "n_permutations=0"),
    ("events.jsonl --seed -1", "rng=-1"),
    ("events.jsonl --field amount=x", "choose one of 'category'"),
    ("events.jsonl --out r.xlsx", "known are '.csv', '.jsonl', '.parquet'"),
    ("events.jsonl --out events.jsonl", "is an input"),
    ("events.jsonl --plot p.gif", "known are '.png', '.svg', '.pdf'"),
]
ONLY_SCAN = [
    ("events.jsonl --window 0", "window=0"),
    ("events.jsonl --window -5", "window=-5"),
    ("events.jsonl --window 101", "window=101 is longer than the 100 rows"),
    ("events.jsonl --window soon", "window='soon' is no length of time"),
    ("events.jsonl --window 1h", "no time column"),
    ("events.jsonl --window 1h --hop 10", "--hop 10 is a number of rows"),
    ("events.jsonl --hop 0", "hop=0"),
    ("events.jsonl --hop 1h", "hop='1h'"),
    ("events.jsonl --guard 5", "guard=5 needs trailing=True"),
    ("events.jsonl --trailing --guard -1", "guard=-1"),
    ("events.jsonl --trailing --baseline normal.csv", "trailing=True needs a baseline"),
    ("events.jsonl --control bh", "choose one of 'fdr', 'fpr'"),
    ("events.jsonl --max-permutations 0", "max_permutations=0"),
]


@pytest.mark.parametrize(
    ("args", "message"),
    [(f"{command} {args}", message) for command in ("compare", "scan") for args, message in BOTH]
    + [(f"scan {args}", message) for args, message in ONLY_SCAN],
)
def test_bad_input_is_2_and_one_line(folder, capsys, args, message):
    assert_refused(args, message, folder, capsys)


@pytest.mark.parametrize("command", ["compare", "scan"])
@pytest.mark.parametrize("args", ["", "a b", "a --bogus", "a --alpha x", "a --top -1"])
def test_usage_errors_are_2(capsys, command, args):
    assert main([command, *args.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Usage: driftlock {command}" in err


@pytest.mark.parametrize("args", [COMPARE, SCAN])
def test_no_error_is_ever_1(monkeypatch, capsys, args):
    def fail(*tables: Any, **options: Any) -> None:
        raise RuntimeError("one\ntwo")

    monkeypatch.setattr(f"driftlock.cli.windows.{args[0]}", fail)
    assert main(args) == 3
    err = capsys.readouterr().err
    assert err.startswith("driftlock: unexpected RuntimeError(")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["compare", "scan"])
def test_help_shows_examples(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert len(re.findall(rf"^ +driftlock {command} ", done.output, re.MULTILINE)) >= 3


@pytest.mark.parametrize(
    ("args", "stage"),
    [(COMPARE, "comparing 100 rows with 400"), (SCAN, "scanning 500 rows")],
)
def test_terminal_sees_what_is_going_on(monkeypatch, capsys, args, stage):
    at_a_terminal(monkeypatch, 80)
    assert main(args) == 1
    out, err = capsys.readouterr()
    assert stage in err
    assert ("ScanPlan" in err) == (args is SCAN)
    table = re.sub(r"\x1b\[[0-9;]*m", "", out.split("baseline: ")[0])
    assert max(len(line) for line in table.splitlines()) <= 80


def test_names_cannot_steer_the_terminal(capsys):
    assert escaped("a\x1b[31m\nb\r") == "a\\x1b[31m\nb\\r"
    events = read_table("events.jsonl").rename(columns={"shop": "sh\x1b[31mop"})
    write_table(events, "names.jsonl")
    for args in (COMPARE, SCAN):
        main([args[0], "names.jsonl", *args[2:]])
        assert "\x1b" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("args", [COMPARE, SCAN])
def test_process_returns_the_exit_code(args):
    code = "import sys; from driftlock.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, *args], check=False, capture_output=True)
    assert done.returncode == 1
    assert b"differ" in done.stdout
    assert (b"ScanPlan: 6 windows" in done.stderr) == (args is SCAN)
    assert b"Traceback" not in done.stderr
