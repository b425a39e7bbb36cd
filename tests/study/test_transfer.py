"""Other ensembles that a variant is scored on."""

import numpy as np
import pytest

from porefail import store
from porefail.errors import PorefailError
from porefail.study.transfer import transfer_ensembles

DATASET = {"transform": "site", "filter_width": 1.0, "contrast": 8.0}


@pytest.fixture
def ensemble(tmp_path):
    """Writes an ensemble of one specimen, <name>/ensemble.h5; returns its path and attributes."""

    def write(name: str, seed: int, strain: float):
        path = tmp_path / name / "ensemble.h5"
        voxels = np.zeros((1, 4, 4, 4), np.uint8)
        voxels[0, 1, 1, 1] = 1
        rising = np.linspace(1e-3, 0.5, 64).reshape(voxels.shape)
        field = np.where(voxels, np.nan, rising).astype(np.float32)
        attributes = {
            "porosity": {"seed": seed},
            "simulation": {"material": {"initial_damage": 1e-3, "maximum_damage": 0.5}},
            "spacing": 0.05,
            "model_version": 3,
            "presolve": {"strain": strain},
        }
        datasets = {
            "realization": np.zeros(1, np.int64),
            "porosity": voxels,
            "damage": field,
            "failed": np.roll(voxels, 1, axis=1),
            "elastic/von_mises": field,
            "presolve/damage": field,
        }
        store.write_atomically(path, datasets, attributes)
        return path, store.read(path, [])[1]

    return write


@pytest.mark.parametrize("channel", ["log_coarse_damage", "von_mises"])
def test_another_coarse_step_matters_to_what_takes_it(ensemble, channel):
    _, source = ensemble("ours", 1, 0.01)
    path, _ = ensemble("other", 2, 0.02)
    same, _ = ensemble("same", 3, 0.01)

    def others(each):
        return transfer_ensembles([each], {}, source, DATASET, ["porosity", channel])

    assert others(same) == {"same": same}
    if channel == "von_mises":
        assert others(path) == {"other": path}
    else:
        with pytest.raises(PorefailError, match="its coarse step is .*0.02.*, expected .*0.01"):
            others(path)


def test_specimens_learnt_from_are_refused(ensemble):
    path, source = ensemble("ours", 1, 0.01)
    with pytest.raises(PorefailError, match="seed of its own"):
        transfer_ensembles([path], {}, source, DATASET, ["porosity"])
