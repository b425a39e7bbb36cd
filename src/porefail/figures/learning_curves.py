"""Learning curves of a training."""

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

# What a loss of the training is, by its name in the configuration.
LOSSES = {
    "squared_error": "mean squared error of the label",
    "site_likelihood": "cross-entropy of the site",
    "likelihood": "negative log-likelihood of the label",
}


def learning_curves(
    epoch: np.ndarray, loss: np.ndarray, validation_loss: np.ndarray, name: str
) -> Figure:
    """Training and validation loss (m,) against epoch (m,), the kept epoch marked.

    name: of the loss, see LOSSES. Log scale where all are positive.
    """
    figure = style.new(6.4, 4.0)
    axes = figure.subplots()
    best = int(np.argmin(validation_loss))
    dots = "o" if len(epoch) < 12 else None
    axes.plot(epoch, loss, marker=dots, markersize=4, color=style.BLUE, label="training")
    axes.plot(
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
    axes.set_ylabel(LOSSES[name])
    if min(loss.min(), validation_loss.min()) > 0:
        axes.set_yscale("log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(which="minor", color="#F2F2F2", linewidth=0.5)
    axes.legend()
    return figure
