"""Matplotlib figures as PNG."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from porefail.files.atomic import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png(figure: "Figure") -> bytes:
    """A figure as the bytes of a file; the same data give the same ones."""
    image = io.BytesIO()
    figure.savefig(image, format="png", metadata={"Software": None})  # no version in the file
    return image.getvalue()


def write_figures(folder: str | Path, figures: Mapping[str, "Figure"]) -> None:
    """Write figures as `<folder>/<name>.png`, once all are drawn."""
    images = {name: png(figure) for name, figure in figures.items()}
    for name, image in images.items():
        write_bytes(Path(folder) / f"{name}.png", image)
