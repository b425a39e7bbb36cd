import zipfile

import keras
import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.nn import checkpoint
from porefail.nn.batches import Examples
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.prediction import predict
from porefail.nn.training import Settings, load, save, train

SYMMETRIES = [np.asarray, lambda f: f[..., ::-1]]
SETTINGS = Settings(epochs=4, batch_size=8, learning_rate=3e-3, seed=5, copies=2)


class Killed(Exception):
    pass


def examples(count, seed):
    """Damage that a small network can learn: the number of void neighbours."""
    rng = np.random.default_rng(seed)
    porosity = (rng.random((count, 4, 4, 8)) < 0.1).astype(np.uint8)
    padded = np.pad(porosity, ((0, 0), (1, 1), (1, 1), (1, 1))).astype(np.float32)
    label = sum(np.roll(padded, s, axis=a) for a in (1, 2, 3) for s in (-1, 1))
    label = label[:, 1:-1, 1:-1, 1:-1] / 6
    label[porosity == 1] = np.nan
    return Examples({"porosity": porosity}, label)


TRAINING, VALIDATION = examples(20, 0), examples(6, 1)


def run(folder, settings=SETTINGS, stop_after=None, training=TRAINING, seed=1):
    model, lines = heteroencoder(seed=seed), []

    def report(line):
        lines.append(line)
        if stop_after == "anew" and line.endswith("starts anew"):
            raise Killed(line)
        if stop_after and line.startswith(f"epoch {stop_after}/"):
            raise Killed

    state = folder / "state.npz"
    history = train(model, training, VALIDATION, SYMMETRIES, settings, state, report=report)
    return model, history, lines


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


def losses(history):
    return [(row.epoch, row.loss, row.validation_loss) for row in history]


def test_it_learns_and_keeps_the_weights_of_the_lowest_validation_loss(whole):
    model, history, lines = whole
    assert [row.epoch for row in history] == [1, 2, 3, 4]
    assert history[-1].loss < 0.8 * history[0].loss
    error = predict(model, VALIDATION.inputs) - VALIDATION.label
    reached = np.mean(np.nanmean(error**2, axis=(1, 2, 3)))
    validation = [row.validation_loss for row in history]
    assert min(validation) < validation[-1]  # so the last weights are not the best
    assert reached == pytest.approx(min(validation), rel=1e-4)
    assert len(lines) == 4 and lines[0].startswith("epoch 1/4  loss ") and "left" in lines[0]


@pytest.mark.parametrize("stop_after", [2])
def test_a_resumed_training_gives_the_result_of_an_uninterrupted_one(whole, tmp_path, stop_after):
    with pytest.raises(Killed):
        run(tmp_path, stop_after=stop_after)
    model, history, lines = run(tmp_path)
    assert lines[0] == f"training goes on after epoch {stop_after}/4"
    assert len(lines) == 5 - stop_after
    assert losses(history) == losses(whole[1])
    for a, b in zip(model.get_weights(), whole[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_epochs_go_on_and_a_finished_training_is_not_repeated(whole, tmp_path):
    run(tmp_path, SETTINGS._replace(epochs=2))
    model, history, _ = run(tmp_path)
    assert losses(history) == losses(whole[1])
    again, history, lines = run(tmp_path)
    assert lines == ["training goes on after epoch 4/4"]
    assert losses(history) == losses(whole[1])
    np.testing.assert_array_equal(again.get_weights()[0], whole[0].get_weights()[0])


def test_a_state_of_something_else_or_a_damaged_one_is_not_used(whole, tmp_path):
    one = SETTINGS._replace(epochs=1)
    run(tmp_path, one)
    relabelled = TRAINING._replace(label=TRAINING.label * np.float32(0.5))
    for change in (
        dict(settings=one._replace(seed=6)),
        dict(settings=one._replace(learning_rate=1e-3)),
        dict(settings=one._replace(copies=1)),
        dict(settings=one, training=relabelled),
        dict(settings=one, training=TRAINING._replace(weight=np.full((1, 2), 0.5, np.float32))),
        dict(settings=one, seed=2),
    ):
        with pytest.raises(Killed, match="is of other data or settings: training starts anew"):
            run(tmp_path, **change, stop_after="anew")
    state = tmp_path / "state.npz"
    written = state.read_bytes()
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", history=np.zeros(3), fingerprint=np.array("x"))
    np.savez(tmp_path / "pickle.npz", history=np.array([None, {}], dtype=object))
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("history", "epoch, loss")
    names = ("array.npy", "other.npz", "pickle.npz", "zip.npz")
    files = [(tmp_path / name).read_bytes() for name in names]
    for broken in (b"", written[: len(written) // 2], b"x" * 100, *files):
        state.write_bytes(broken)
        assert checkpoint.read(state) is None
        with pytest.raises(Killed, match="is damaged: training starts anew"):
            run(tmp_path, one, stop_after="anew")
    _, history, _ = run(tmp_path, one)
    assert losses(history) == losses(whole[1])[:1]


def test_a_state_of_other_shapes_is_not_used(tmp_path):
    one = SETTINGS._replace(epochs=1)
    run(tmp_path, one)
    state = checkpoint.read(tmp_path / "state.npz")
    for change in (
        {"variables": state.variables[:-1]},
        {"best": []},
        {"optimizer": [value[..., None] for value in state.optimizer]},
    ):
        checkpoint.write(tmp_path / "state.npz", state._replace(**change))
        with pytest.raises(Killed, match="is of another network: training starts anew"):
            run(tmp_path, one, stop_after="anew")


def test_a_saved_model_predicts_the_same(whole, tmp_path):
    model = whole[0]
    save(model, tmp_path / "new" / "model.keras")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["model.keras"]
    again = load(tmp_path / "new" / "model.keras")
    np.testing.assert_array_equal(
        predict(again, VALIDATION.inputs), predict(model, VALIDATION.inputs)
    )


def test_a_state_needs_no_suffix(tmp_path):
    state = checkpoint.State("mark", [np.arange(3)], [], [np.ones(2)], [])
    checkpoint.write(tmp_path / "state", state)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    read = checkpoint.read(tmp_path / "state")
    assert read.fingerprint == "mark" and read.history == []
    np.testing.assert_array_equal(read.variables[0], np.arange(3))


def test_the_form_of_the_network_is_part_of_its_state(tmp_path):
    """Dilations change no weight."""
    settings = SETTINGS._replace(epochs=1)
    for dilations in ((1, 1), (1, 2)):
        lines = []
        model = heteroencoder(dilations=dilations)
        train(
            model,
            TRAINING,
            VALIDATION,
            SYMMETRIES,
            settings,
            tmp_path / "state",
            report=lines.append,
        )
    assert "training starts anew" in lines[0]


def test_prediction_does_not_depend_on_the_batch(whole):
    model = whole[0]
    one = predict(model, VALIDATION.inputs, batch_size=1)
    assert one.dtype == np.float32 and one.shape == VALIDATION.label.shape
    np.testing.assert_allclose(predict(model, VALIDATION.inputs, 4), one, atol=1e-6)
    with pytest.raises(PorefailError, match="divisible by 4"):
        predict(model, {"porosity": np.zeros((1, 4, 4, 6), np.uint8)})
    with pytest.raises(PorefailError, match="must be"):
        predict(model, {"porosity": np.zeros((4, 4, 8), np.uint8)})
    with pytest.raises(PorefailError, match="needs the channel porosity"):
        predict(model, {"pressure": np.zeros((1, 4, 4, 8))})


def test_bad_input_is_refused(tmp_path):
    porosity = TRAINING.inputs["porosity"]
    empty = Examples({"porosity": porosity[:0]}, TRAINING.label[:0])
    odd = Examples({"porosity": porosity[..., :6]}, TRAINING.label[..., :6])
    bare = TRAINING._replace(label=np.full_like(TRAINING.label, np.nan))
    for part, message in (
        (empty, "training part is empty"),
        (odd, "divisible by 4, not 4×4×6"),
        (bare, "without a label"),
    ):
        with pytest.raises(PorefailError, match=message):
            run(tmp_path, training=part)
    with pytest.raises(PorefailError, match="validation part is empty"):
        train(heteroencoder(), TRAINING, empty, SYMMETRIES, SETTINGS, tmp_path / "s.npz")
    for bad in (dict(epochs=0), dict(batch_size=0), dict(learning_rate=0.0)):
        with pytest.raises(PorefailError, match="positive numbers"):
            run(tmp_path, SETTINGS._replace(**bad))
    with pytest.raises(PorefailError, match="no longer finite in epoch"):
        run(tmp_path, SETTINGS._replace(learning_rate=1e30))
    with pytest.raises(PorefailError, match="missing file"):
        load(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"nothing")
    with pytest.raises(PorefailError, match="not a model"):
        load(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", '{"module": "os", "class_name": "system", "config": {}}')
    with pytest.raises(PorefailError, match="not a model"):
        load(tmp_path / "model.keras")
    field = keras.Input((1,))
    keras.Model(field, [field, field]).save(tmp_path / "two.keras")
    with pytest.raises(PorefailError, match="two.keras: not a model of ours"):
        load(tmp_path / "two.keras")
    (tmp_path / "file").touch()
    with pytest.raises(PorefailError, match="cannot be written"):
        save(heteroencoder(), tmp_path / "file" / "model.keras")
    with pytest.raises(PorefailError, match="cannot be written"):
        run(tmp_path / "file", SETTINGS._replace(epochs=1))
