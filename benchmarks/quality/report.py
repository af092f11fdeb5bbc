"""What the results look like in the documentation: two tables and a figure."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

OURS, PEER, BEST = "#0b5394", "#b0b0b0", "#222222"


def means(results: pd.DataFrame, figure: str = "auc", by: str = "world") -> pd.DataFrame:
    """Mean over seeds (and over the worlds of a family): a row each, a column for each method."""
    per_world = results.groupby(["family", "world", "method"], sort=False)[figure].mean()
    return (
        per_world.groupby([by, "method"], sort=False)
        .mean()
        .unstack()
        .reindex(columns=results["method"].unique())
    )


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Means over all worlds, a row for each method, the best AUC first."""
    columns = [c for c in ("auc", "ap", "seconds", "false_share", "recall") if c in results]
    table = pd.DataFrame({name: means(results, name).mean() for name in columns})
    return table.sort_values("auc", ascending=False)


def by_family(results: pd.DataFrame) -> str:
    """Means over all worlds of every method, then its AUC by family, as Markdown."""
    auc, overall = means(results, by="family"), summary(results)
    head = ["", "AUC", "AP", "seconds", *(f"AUC of {name}" for name in auc.index)]
    rows = []
    for method in overall.index:
        of_all = overall.loc[method]
        whole = [_number(of_all["auc"]), _number(of_all["ap"]), f"{of_all['seconds']:.2f}"]
        rows.append([_shown(method), *whole, *map(_number, auc[method])])
    hindsight = best_peer(results)
    families = results.drop_duplicates("world").set_index("world")["family"]
    of_families = hindsight["auc"].groupby(families, sort=False).mean()
    whole = [*map(_number, hindsight.mean()), ""]
    rows.append(["*best peer of each world*", *whole, *map(_number, of_families)])
    return _markdown(head, rows)


def by_world(results: pd.DataFrame) -> str:
    """Driftlock beside the best peer of each world, as Markdown."""
    auc, ap = means(results), means(results, "ap")
    ours = (
        results[results["method"] == "driftlock"]
        .groupby("world", sort=False)
        .mean(numeric_only=True)
    )
    head = ["world", "AUC", "AP", "false share", "recall", "best peer", "its AUC", "its AP"]
    rows = []
    for world in auc.index:
        row = ours.loc[world]
        best = auc.loc[world].drop("driftlock").idxmax()
        figures = [row["auc"], row["ap"], row["false_share"], row["recall"]]
        rows.append(
            [_shown(world), *map(_number, figures), best]
            + [_number(table.loc[world, best]) for table in (auc, ap)]
        )
    mean = ours[["auc", "ap", "false_share", "recall"]].mean()
    rows.append(["**mean**", *map(_number, mean), "", *map(_number, best_peer(results).mean())])
    return _markdown(head, rows)


def figure(results: pd.DataFrame, path: Path) -> None:
    """AUC of every method on every world, a line for each world."""
    from matplotlib import pyplot as plt

    auc = means(results)
    single = summary(results).index.drop("driftlock")[0]
    worlds = list(auc.index)
    families = [world.split(":", maxsplit=1)[0] for world in worlds]
    gaps = [0.0, *(0.8 * (above != below) for above, below in pairwise(families))]
    places = np.arange(len(worlds)) + np.cumsum(gaps)
    with mpl.rc_context({"svg.hashsalt": "quality", "font.size": 8.5}):
        fig, ax = plt.subplots(figsize=(8.2, 0.22 * places[-1] + 1.3), layout="constrained")
        ax.hlines(places, 0, 1, color="#eeeeee", lw=0.8, zorder=0)
        for peer in auc.columns.drop(["driftlock", single]):
            ax.plot(auc[peer], places, "|", color=PEER, ms=8, mew=1.5)
        ax.plot([], [], "|", color=PEER, ms=8, mew=1.5, label="other peers")
        ax.plot(
            auc[single], places, "o", mfc="white", mec=BEST, ms=5.5,
            label=f"{single}, the best single peer",
        )  # fmt: skip
        ax.plot(auc["driftlock"], places, "o", color=OURS, ms=6, label="driftlock")
        ax.axvline(0.5, color="#999999", lw=0.8, ls=":")
        ax.set_yticks(places, [_shown(world) for world in worlds])
        ax.set(xlim=(0, 1.01), ylim=(places[-1] + 0.8, -0.8))
        ax.set_xlabel("AUC (1 is perfect, 0.5 a guess)")
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(left=False)
        handles, labels = ax.get_legend_handles_labels()
        fig.legend(handles[::-1], labels[::-1], loc="outside upper right", ncols=3, frameon=False)
        fig.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)
        plt.close(fig)


def best_peer(results: pd.DataFrame) -> pd.DataFrame:
    """AUC and AP of the best peer of each world, chosen with hindsight, each figure on its own."""
    peers = results[results["method"] != "driftlock"]
    return pd.DataFrame({name: means(peers, name).max(axis=1) for name in ("auc", "ap")})


def _number(value: float) -> str:
    return f"{value:.2f}" if value >= 0.995 else f"{value:.2f}".lstrip("0")


def _shown(name: str) -> str:
    return "**driftlock**" if name == "driftlock" else name.replace("_", " ")


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " --: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
