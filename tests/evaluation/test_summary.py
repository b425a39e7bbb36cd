"""What came out of an evaluation, in words."""

import numpy as np

from porefail.evaluation.summary import summary


def test_distance():
    table = {f"{name}_{axis}": np.zeros(1) for name in ("predicted", "failed") for axis in "xyz"}
    table |= {"realization": np.array([3.0]), "failed_x": np.array([0.3])}
    table["failed_z"] = np.array([0.4])
    hits = {"predictor": ["network"], "holds": [1], "near": [1], "near_z": [1], "mean_voxels": [2]}
    text = summary(table, hits, dict.fromkeys(("holds", "near", "near_z"), "x"))
    assert "0.500 mm away, 0.400 mm along the tensile axis" in text
