"""train: a network and its learning curves; a stopped training goes on to the same result."""

import numpy as np
import pytest

from porefail import files, store
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.nn import training
from porefail.steps import train


@pytest.fixture
def run(made, settings, tmp_path):
    def run(name: str, **changes):
        paths = [tmp_path / f"{name}{end}" for end in (".keras", ".csv", ".npz")]
        train.run(made["dataset"], *paths, settings["train"] | changes)
        return training.load(paths[0]).get_weights(), files.read_table(paths[1])

    return run


def test_contract(made, settings):
    model = training.load(made["model"])
    assert model.count_params() == 7385
    history = files.read_table(made["history"])
    assert list(history) == ["epoch", "loss", "validation_loss", "divergence", "seconds"]
    assert history["epoch"].tolist() == [1, 2]
    assert np.isfinite(history["loss"]).all() and history["loss"][1] < history["loss"][0]


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_result(run, capsys):
    whole, curves = run("whole", epochs=3)
    run("stopped", epochs=1)
    resumed, other = run("stopped", epochs=3)
    assert "goes on after epoch 1/3" in capsys.readouterr().out
    for one, two in zip(whole, resumed, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(curves["loss"], other["loss"], rtol=1e-4)


@pytest.mark.slow
def test_the_checkpoint_of_other_settings_is_not_used(run, capsys):
    run("a", epochs=1)
    run("a", epochs=1, learning_rate=0.01)
    assert "training starts anew" in capsys.readouterr().out


@pytest.mark.slow
def test_the_seed_matters(run):
    one, other = run("one", epochs=1), run("other", epochs=1, seed=8)
    assert any((a != b).any() for a, b in zip(one[0], other[0], strict=True))


def test_errors(run, made, settings, tmp_path):
    for changes, message in [
        ({"symmetries": ["rotate_45"]}, r"symmetries\[0\] is 'rotate_45', expected one of"),
        ({"epochs": 0}, "epochs is 0, expected a whole number, at least 1"),
        ({"epoch": 3}, "settings: epoch is not a known key; did you mean epochs"),
    ]:
        with pytest.raises(PorefailError, match=message):
            run("bad", **changes)
    for model, message in [
        ("m.keras", "d.h5: missing file"),
        ("m", "m: the name of a model must end in .keras"),
    ]:
        with pytest.raises(PorefailError, match=message):
            paths = (tmp_path / name for name in ("d.h5", model, "h", "c"))
            train.run(*paths, settings["train"])
    fields, attributes = store.read(made["dataset"])
    fields["part"][fields["part"] == Part.VALIDATION] = Part.TEST
    store.write_atomically(tmp_path / "few.h5", fields, attributes)
    with pytest.raises(PorefailError, match=r"few\.h5: its validation part is empty"):
        paths = (tmp_path / name for name in ("few.h5", "m.keras", "h", "c"))
        train.run(*paths, settings["train"])
    assert not list(tmp_path.glob("*.keras")) and not list(tmp_path.glob("*.csv"))
