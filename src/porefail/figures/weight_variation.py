"""How uncertain the weights are, layer by layer (paper, Fig. 17)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def weight_variation(layer: Sequence[str], kernel: np.ndarray, bias: np.ndarray) -> Figure:
    """Coefficients of variation by layer, from the input to the output.

    kernel, bias: (m,), mean standard deviation over mean size of the means.
    """
    figure = style.new(6.4, 4.0)
    axes = figure.subplots()
    place = np.arange(len(layer))
    for values, name, (colour, marker) in zip(
        (kernel, bias), ("kernels", "biases"), style.CYCLE, strict=False
    ):
        axes.plot(place, values, color=colour, marker=marker, label=name)
    axes.set_yscale("log")
    axes.set_xticks(place, layer, rotation=20, ha="right", rotation_mode="anchor")
    axes.set_xlabel("layer, by depth")
    axes.set_ylabel("coefficient of variation of the weights\n(mean deviation / mean size)")
    axes.legend()
    return figure
