"""How well baselines, the paper's network and its ablations find where specimens fail."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from porefail.figures import style
from porefail.figures.variants import SCORES

FOLD = {"marker": "o", "markersize": 4, "linestyle": "none", "color": style.SKY}
MEAN = {"marker": "D", "markersize": 6, "linestyle": "none", "color": style.BLUE}
GOAL = {"color": style.VERMILLION, "linestyle": "--", "linewidth": 1.5}


def variant_skill(
    skill: Mapping[str, Mapping[str, np.ndarray]],
    goal: Mapping[str, float],
    reference: str | None = None,
    recall: float = 0.9,
) -> Figure:
    """A row a variant, a panel a score: a dot a fold or seed, their range, a bigger mark the mean.

    skill: variant → score → (folds,), NaN where not defined; rows and panels in the order given;
    goal: score → value, a dashed line; reference: the variant on a grey stripe, the paper's network
    between baselines and ablations; recall: that the threshold is chosen for on validation, which
    gives the cluster precision. Scores: those of variants.SCORES.
    """
    names = list(skill)
    scores = list(next(iter(skill.values())))
    figure = style.new(2.6 + 2.3 * len(scores), 1.3 + 0.34 * len(names))
    panels = figure.subplots(1, len(scores), sharey=True, squeeze=False)[0]
    for axes, score in zip(panels, scores, strict=True):
        if reference is not None:
            row = names.index(reference)
            axes.axhspan(row - 0.5, row + 0.5, color="#EDEDED", zorder=0)
        for row, name in enumerate(names):
            _draw(axes, row, np.asarray(skill[name][score], float))
        if score in goal:
            axes.axvline(goal[score], zorder=1, **GOAL)
        axes.set(xlim=(0, 1), xlabel=SCORES[score])
        if score == "site_precision":
            axes.set_xlabel(f"cluster precision, threshold\nfor recall {recall:g} on validation")
        axes.grid(axis="y", visible=False)
    axes = panels[0]
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        text.set_weight("bold" if name == reference else "normal")
    handles = [Line2D([], [], label="a fold or seed", **FOLD), Line2D([], [], label="mean", **MEAN)]
    if goal:
        handles.append(Line2D([], [], label="goal", **GOAL))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _draw(axes: Axes, row: int, values: np.ndarray) -> None:
    values = values[np.isfinite(values)]
    if values.size:
        below = row + 0.2  # else the mean hides the folds
        axes.plot([values.min(), values.max()], [below, below], color=style.SKY, linewidth=1.2)
        axes.plot(values, np.full(values.size, below), clip_on=False, **FOLD)
        axes.plot(values.mean(), row - 0.15, clip_on=False, **MEAN)
