"""`driftlock fit`: saved detectors, and `detect` with one of them as its baseline."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from commanding import N

import driftlock as dl
from driftlock.cli import main
from driftlock.files import read_table, write_table

pytestmark = pytest.mark.usefixtures("_compiled", "folder")


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
