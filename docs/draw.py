"""Draw the figures of results/ from the CSV files in results/data/: part of `make docs`."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from porefail.figures import style
from porefail.figures.frontier import frontier

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parent / "img"


def main() -> None:
    drawn = {
        "study_skill": skill,
        "coverage": coverage,
        "readings": readings,
        "scan_skill": scans,
        "locators": locators,
        "learning_curve": learning_curve,
    }
    for name, draw in drawn.items():
        draw().savefig(IMAGES / f"{name}.png")


def _data(name: str) -> pd.DataFrame:
    return pd.read_csv(RESULTS / "data" / f"{name}.csv")


def skill() -> Figure:
    """How often each variant of the study finds the site among one, and among three."""
    table = _data("study").sort_values("top_1", kind="stable")
    names = table["model"] + ", " + table["label"]
    figure = style.new(7.0, 0.24 * len(table) + 0.9)
    axes = figure.subplots()
    rows = np.arange(len(table))
    for key, label, colour, marker in (
        ("top_1", "the first site", style.BLUE, "o"),
        ("top_3", "one of three sites", style.ORANGE, "D"),
    ):
        spread = table[f"{key}_deviation"]
        axes.errorbar(
            table[key], rows, xerr=spread, fmt=marker, color=colour, label=label, linewidth=1.2
        )
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 1), ylim=(-0.7, len(table) - 0.3))
    axes.set_xlabel("share of held-out specimens that fail there")
    axes.legend(loc="lower right")
    return figure


def locators() -> Figure:
    """How often each locator finds the site, and what it is made from, against its cost."""
    return frontier(_data("locators"))


def learning_curve() -> Figure:
    """How often each locator finds the site, by how many specimens it has learnt from."""
    table = _data("learning_curve")
    figure = style.new(9.0, 3.6)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (name, part) in zip(panels, table.groupby("model", sort=False), strict=True):
        for key, words, colour, marker in (
            ("top_1", "networks rank its sites anew", style.BLUE, "o"),
            ("regression_top_1", "regression", style.ORANGE, "D"),
        ):
            spread = np.abs(part[[f"{key}_low", f"{key}_high"]].to_numpy().T - part[key].to_numpy())
            axes.errorbar(
                part["learnt_from"],
                part[key],
                yerr=spread,
                marker=marker,
                color=colour,
                label=words,
                capsize=2,
            )
        axes.set_xscale("log")
        axes.set_xticks(part["learnt_from"], part["learnt_from"])
        axes.minorticks_off()
        axes.set(title=name, xlabel="specimens learnt from")
    panels[0].set(ylim=(0.4, 1.0), ylabel="share whose first site is right")
    panels[0].legend(loc="upper left")
    return figure


def scans() -> Figure:
    """How often the site is found in scans of phantoms, against what makes scans worse."""
    table = _data("scan_skill")
    figure = style.new(9.0, 3.6)
    panels = figure.subplots(1, 3, sharey=True)
    varied = (
        ("resolution", "voxel_um", "scan voxel (µm)"),
        ("noise", "noise", "noise over the contrast"),
        ("threshold", "threshold", "threshold moved towards the metal"),
    )
    usual = table[(table["varied"] == "noise") & (table["noise"] == 0.05)].assign(
        varied="threshold"
    )
    table = pd.concat([table, usual]).sort_values(["voxel_um", "noise", "threshold"])
    for axes, (name, column, label) in zip(panels, varied, strict=True):
        part = table[table["varied"] == name]
        for key, words, colour, marker in (
            ("top_1", "the first site", style.BLUE, "o"),
            ("top_3", "one of three sites", style.ORANGE, "D"),
            ("in_set", "one of the set", style.GREEN, "^"),
        ):
            share = part[key] / part["specimens"]
            spread = np.sqrt(share * (1 - share) / part["specimens"])
            axes.errorbar(
                part[column],
                share,
                yerr=spread,
                marker=marker,
                color=colour,
                label=words,
                capsize=2,
            )
        axes.set_xlabel(label)
    panels[0].set(ylim=(0, 1.03), ylabel="share of specimens found")
    panels[0].legend(loc="lower left")
    return figure


def coverage() -> Figure:
    """How many voxels that fail lie in the intervals said to hold 95 %."""
    table = _data("uncertainty")
    figure = style.new(7.0, 3.6)
    axes = figure.subplots()
    rows = np.arange(len(table))[::-1]
    for key, label, colour, marker in (
        ("interval", "central interval, all voxels", style.GREY, "o"),
        ("interval_failing", "central interval, failing voxels", style.VERMILLION, "s"),
        ("conformal_failing", "conformal bounds, failing voxels", style.BLUE, "D"),
    ):
        spread = table[f"{key}_deviation"]
        axes.errorbar(
            table[key], rows, xerr=spread, fmt=marker, color=colour, label=label, linewidth=1.2
        )
    axes.axvline(0.95, color=style.BLACK, linewidth=1.0, linestyle="--", label="what is said")
    axes.set_yticks(rows, table["model"])
    axes.set(xlim=(0, 1.02))
    axes.set_xlabel("share of labels inside")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def readings() -> Figure:
    """Strain at first failure of each reading of the paper's mechanics, beside the paper's."""
    table = _data("readings")
    figure = style.new(7.0, 3.4)
    axes = figure.subplots()
    rows = np.arange(len(table))[::-1]
    axes.axvspan(4, 5, color=style.SKY, alpha=0.35, linewidth=0, label="first failure in the paper")
    axes.hlines(rows, table["failure_lower"], table["failure_upper"], color=style.GREY)
    for key, label, colour, marker in (
        ("stage_2", "stage II begins", style.GREEN, "^"),
        ("stage_3", "stage III begins", style.ORANGE, "D"),
        ("failure", "first failure, with quartiles", style.BLUE, "o"),
    ):
        axes.plot(table[key], rows, marker, color=colour, label=label)
    axes.set_yticks(rows, table["configuration"])
    axes.set(xlim=(0, None))
    axes.set_xlabel("nominal strain (%), medians")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


if __name__ == "__main__":
    main()
