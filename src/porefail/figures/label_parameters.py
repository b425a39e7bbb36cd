"""How width of the filter and contrast of the label change what is learnt from it."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style
from porefail.figures.variants import SCORES

LOOKS = {
    "site_recall": (style.BLUE, "o-"),
    "site_precision": (style.VERMILLION, "s--"),
    "top_1": (style.GREEN, "^-."),
    "top_3": (style.PURPLE, "v:"),
}


def label_parameters(
    width: np.ndarray,
    by_width: Mapping[str, np.ndarray],
    contrast: np.ndarray,
    by_contrast: Mapping[str, np.ndarray],
    used: tuple[float, float],
) -> Figure:
    """Scores against the filter's width k0 (voxels) and the contrast c0, mean ± deviation of folds.

    width: (a,); by_width: score → (a, folds), NaN where not defined; contrast: (b,); by_contrast:
    score → (b, folds); used: width and contrast of the other figures, dashed. Scores: of
    variants.SCORES. Each is varied at the used value of the other; a and b may be 0.
    """
    figure = style.new(8.4, 3.9)
    panels = figure.subplots(1, 2, sharey=True)
    parameters = ((width, by_width), (contrast, by_contrast))
    for axes, (values, scores), at in zip(panels, parameters, used, strict=True):
        axes.axvline(at, color=style.GREY, linestyle=":", linewidth=1.3, label="used elsewhere")
        for name, folds in scores.items():
            colour, look = LOOKS[name]
            mean, deviation = style.mean_and_deviation(folds)
            axes.errorbar(
                values,
                mean,
                yerr=deviation,
                fmt=look,
                markersize=6,
                color=colour,
                linewidth=1.5,
                elinewidth=1.2,
                capsize=3,
                label=SCORES[name],
            )
        axes.set_xticks(values)
    panels[0].set(ylim=(0, 1.02), xlabel="width of the filter, k$_0$ (voxels)")
    panels[0].set_ylabel("score, mean ± standard deviation of folds")
    panels[1].set_xlabel("contrast, c$_0$")
    each = [axes.get_legend_handles_labels() for axes in panels]
    handles, labels = max(each, key=lambda found: len(found[0]))
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
    return figure
