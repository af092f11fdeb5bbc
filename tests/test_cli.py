"""The command line: what `detect`, `simulate` and the small commands print and write."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commanding import ODD

import driftlock as dl
from driftlock.cli import main
from driftlock.files import read_table, write_table

pytestmark = pytest.mark.usefixtures("_compiled", "folder")


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
