"""Damage that a trained network predicts."""

import keras
import numpy as np

from porefail.errors import PorefailError
from porefail.nn.heteroencoder import check_grid


def predict(model: keras.Model, porosity: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Predicted label (n, nx, ny, nz) float32, NaN in voids, for porosity (same shape, 1 = void).

    It is on the scale of the labels that the network was trained on, 0 to 1 but for errors.
    Raises PorefailError on a grid that the network cannot take.
    """
    if porosity.ndim != 4 or batch_size < 1:
        raise PorefailError(
            f"porosity must be (n, nx, ny, nz) and a batch 1 or more, not {porosity.shape} and "
            f"{batch_size}"
        )
    check_grid(porosity.shape[1:])
    damage = np.empty(porosity.shape, np.float32)
    for start in range(0, len(porosity), batch_size):
        rows = slice(start, start + batch_size)
        fields = model.predict_on_batch(porosity[rows, ..., None].astype(np.float32))
        damage[rows] = fields[..., 0]
    damage[porosity != 0] = np.nan
    return damage
