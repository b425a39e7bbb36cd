"""Learning curves of a training."""

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def learning_curves(epoch: np.ndarray, loss: np.ndarray, validation_loss: np.ndarray) -> Figure:
    """Training and validation loss (m,) against epoch (m,), the kept epoch marked; log scale."""
    figure = style.new(6.4, 4.0)
    axes = figure.subplots()
    best = int(np.argmin(validation_loss))
    dots = "o" if len(epoch) < 12 else None
    axes.semilogy(epoch, loss, marker=dots, markersize=4, color=style.BLUE, label="training")
    axes.semilogy(
        epoch, validation_loss, marker=dots, markersize=4, color=style.ORANGE, label="validation"
    )
    axes.plot(
        epoch[best],
        validation_loss[best],
        "*",
        markersize=13,
        color=style.VERMILLION,
        label=f"kept: epoch {epoch[best]}, {validation_loss[best]:.2g}",
    )
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean squared error of the label")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(which="minor", color="#F2F2F2", linewidth=0.5)
    axes.legend()
    return figure
