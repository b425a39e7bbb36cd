"""export: what ParaView's reader finds, voxel by voxel, and one line for each mistake."""

import re

import numpy as np
import pytest
import yaml

from porefail import configuration, store
from porefail.__main__ import main
from porefail.errors import PorefailError
from porefail.fe import tension
from porefail.fe.frames import UNITS
from porefail.fe.material import material
from porefail.steps import export

SHAPE, SPACING = (8, 8, 16), 0.05
VOID = (2, 5, 11)  # x, y, z: at no mirror image of itself
CELLS = [name for name in UNITS if name != "displacement"]
COARSE = {
    "material": "staged",
    "max_strain_step": 5e-3,
    "max_damage_step": 0.2,
    "newton_tolerance": 1e-6,
}


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Realization 3 with one void, 5 with a few, 7 cut in two."""
    porosity = np.zeros((3, *SHAPE), np.uint8)
    porosity[0][VOID] = 1
    porosity[1] = np.random.default_rng(1).random(SHAPE) < 0.03
    porosity[2, :, :, 7] = 1
    path = tmp_path_factory.mktemp("shard") / "porosity.h5"
    datasets = {"porosity": porosity, "realization": np.array([3, 5, 7])}
    store.write_atomically(path, datasets, {"porosity": {"seed": 1}, "spacing": SPACING})
    return path


def configured(folder, **changes):
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump({"name": "coarse", "simulation": COARSE | changes}))
    return path


@pytest.fixture(scope="module")
def exported(shard, tmp_path_factory):
    """Every load step of realization 3."""
    folder = tmp_path_factory.mktemp("exported")
    export.run(shard, [3], folder / "one.vtkhdf", [configured(folder)])
    return folder / "one.vtkhdf"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The same test, simulated directly."""
    porosity = np.zeros(SHAPE, np.uint8)
    porosity[VOID] = 1
    settings = configuration.simulation([configured(tmp_path_factory.mktemp("config"))])
    load = {key: settings[key] for key in tension.LoadSettings._fields}
    default = material(configuration.material(settings["material"]))
    return tension.simulate(porosity, SPACING, default, tension.LoadSettings(**load))


def test_last_step_is_first_failure_voxel_by_voxel(exported, simulated, read_vtk):
    times, image, cells, points = read_vtk(exported, -1)
    np.testing.assert_array_equal(times, simulated.history["strain"])
    assert image.GetDimensions() == (9, 9, 17) and image.GetSpacing() == (SPACING,) * 3
    assert sorted(cells) == sorted(CELLS) and list(points) == ["displacement"]
    np.testing.assert_array_equal(cells["damage"], simulated.damage.T)
    np.testing.assert_array_equal(cells["failed"], simulated.failed.T)
    assert cells["failed"].sum() > 0
    for name in CELLS[3:]:
        void = np.isnan(cells[name]).reshape(16, 8, 8, -1).all(axis=-1)
        assert np.argwhere(void).tolist() == [list(VOID[::-1])], name


def test_the_void_is_where_it_was(exported, read_vtk):
    _, image, cells, _ = read_vtk(exported, 0)
    place = [0, 0, 0]
    middle = [(index + 0.5) * SPACING for index in VOID]
    assert image.ComputeStructuredCoordinates(middle, place, [0.0, 0.0, 0.0])
    assert image.GetCellData().GetArray("porosity").GetValue(image.ComputeCellId(place)) == 1
    assert cells["porosity"].sum() == 1
    np.testing.assert_array_equal(cells["bearing"], 1 - cells["porosity"])


def test_stress_balances_the_force_at_every_step(exported, simulated, read_vtk):
    for step, nominal in enumerate(simulated.history["stress"]):
        _, _, cells, _ = read_vtk(exported, step)
        layers = np.nan_to_num(cells["stress"][..., 2]).mean(axis=(1, 2))
        np.testing.assert_allclose(layers, nominal, rtol=1e-4)


def test_displacement_and_plastic_strain_fit_together(exported, read_vtk):
    times, _, cells, points = read_vtk(exported, -1)
    u = points["displacement"]
    assert (u[0, :, :, 2] == 0).all()
    np.testing.assert_allclose(u[-1, :, :, 2], times[-1] * SHAPE[2] * SPACING, rtol=1e-6)
    # Away from the void, total less elastic strain along z; plastic flow keeps the volume.
    edge = np.diff(u[..., 2], axis=0) / SPACING
    total = sum(edge[:, y : y + 8, x : x + 8] for x in (0, 1) for y in (0, 1)) / 4
    plastic = cells["plastic_strain"]
    solid = cells["bearing"] == 1
    effective = cells["stress"] / (1 - cells["damage"][..., None])
    elastic = (effective[..., 2] - 0.27 * (effective[..., 0] + effective[..., 1])) / 240_000
    np.testing.assert_allclose(plastic[:2, ..., 2], (total - elastic)[:2], rtol=0.05)
    assert np.abs(plastic[solid][:, :3].sum(axis=1)).max() < 1e-5
    norm = np.sqrt(2 / 3 * (plastic[solid] ** 2 @ [1, 1, 1, 2, 2, 2]))
    assert (cells["equivalent_plastic_strain"][solid] >= norm * (1 - 1e-5)).all()
    assert norm.mean() > 0.01


def test_the_command_line_and_the_nearest_steps(shard, exported, tmp_path, capsys, read_vtk):
    every = np.array(read_vtk(exported, 0)[0])
    wanted = [0.7 * every[2] + 0.3 * every[3], 0.3 * every[4] + 0.7 * every[5], every[5] - 1e-9]
    (tmp_path / "out").mkdir()
    arguments = ["--porosity", shard, "--realization", 3, "--output", tmp_path / "out"]
    arguments += ["--configfile", configured(tmp_path), "--strains", *wanted]
    assert main(["export", *map(str, arguments)]) == 0
    path = tmp_path / "out" / "realization-00003.vtkhdf"
    line = capsys.readouterr().out
    assert line.startswith(f"export: realization 00003: 2 of {len(every)} load steps to strain 0.")
    assert line.endswith(f"(first failure) -> {path}\n")
    for step, original in enumerate((2, 5)):
        times, _, cells, points = read_vtk(path, step)
        assert times == (every[2], every[5])
        _, _, other_cells, other_points = read_vtk(exported, original)
        for name, values in (cells | points).items():
            np.testing.assert_array_equal(values, (other_cells | other_points)[name], name)


def test_a_file_that_was_simulated_with_other_settings_is_told(shard, tmp_path, capsys):
    """Its fields are not those of the ensemble; with the same settings nothing is said."""
    datasets, attributes = store.read(shard)
    config = configured(tmp_path)
    settings = configuration.simulation([config])
    settings["material"] = {"name": "staged"} | configuration.material("staged", [config])
    for element, told in ((settings["element"], ""), ("b_bar", "element")):
        made_with = {"simulation": settings | {"element": element}}
        path = tmp_path / f"{element}.h5"
        store.write_atomically(path, datasets, attributes | made_with)
        export.run(path, [3], tmp_path / "x.vtkhdf", [config], [0.005])
        first = capsys.readouterr().out.split("\n")[0]
        line = f'export: {path} was simulated with simulation.element "b_bar", here it is "full"'
        assert (first == line) == bool(told), first


def test_to_structural_failure(shard, tmp_path, read_vtk):
    """Failed voxels bear no load and stay as they failed; the stress feels the lagging damage."""
    changes = {"until": "structural_failure", "final_stress_fraction": 0.6}
    export.run(shard, [5], tmp_path / "c.vtkhdf", [configured(tmp_path, **changes)])
    last, _, cells, _ = read_vtk(tmp_path / "c.vtkhdf", -1)
    gone = (cells["bearing"] == 0) & (cells["porosity"] == 0)
    assert gone.sum() > 10 and (cells["stress"][gone] == 0).all()
    assert (cells["failed"][gone] == 1).any()
    layers = np.nan_to_num(cells["stress"][..., 2]).mean(axis=(1, 2))
    np.testing.assert_allclose(layers, layers.mean(), rtol=1e-4)
    _, _, before, _ = read_vtk(tmp_path / "c.vtkhdf", len(last) - 2)
    long_gone = gone & (before["bearing"] == 0)
    assert long_gone.any()
    for name in ("damage", "equivalent_plastic_strain", "plastic_strain"):
        np.testing.assert_array_equal(cells[name][long_gone], before[name][long_gone])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"porosity": "none.h5"}, "none.h5: missing file"),
        ({"realization": [4]}, "porosity.h5: no realization 4, it holds 3 from 3 to 7"),
        ({"output": "x.vtk"}, "x.vtk: no such folder, nor a name that ends in .vtkhdf"),
        ({"output": "none/x.vtkhdf"}, "none/x.vtkhdf: no folder .*none$"),
        (
            {"realization": [3, 5], "output": "x.vtkhdf"},
            "x.vtkhdf: one file for 2 realizations: name a folder",
        ),
        ({"strains": [0.01, -0.1]}, "strains: -0.1, expected positive numbers"),
        ({"strains": [float("nan")]}, "strains: nan, expected positive numbers"),
        (
            {"realization": [7]},
            "realization 7: a load step is never reached, the test ended at strain 0: severed",
        ),
        (
            {"strains": [0.01, 0.24]},
            r"realization 3: strain 0.24 is never reached, the test ended at strain 0.\d+: "
            "first failure",
        ),
        ({"configfile": ["none.yaml"]}, "none.yaml: cannot be read: No such file"),
    ],
)
def test_mistakes(shard, tmp_path, monkeypatch, capsys, changes, message):
    monkeypatch.chdir(tmp_path)
    config = [configured(tmp_path)]
    given = {"porosity": shard, "realization": [3], "output": "x.vtkhdf", "configfile": config}
    arguments = ["export"]
    for name, value in (given | changes).items():
        values = value if isinstance(value, list) else [value]
        arguments += [f"--{name}", *map(str, values)]
    assert main(arguments) == 1
    line = capsys.readouterr().err
    assert line.startswith("porefail export: error: ") and line.count("\n") == 1
    assert re.search(message, line), line
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kinematics": "finite"}, "simulation.kinematics is finite, .* small strains only"),
        (
            {"material": "wood"},
            "simulation.material is 'wood', expected one of deviator_norm, literal",
        ),
        ({"max_strain_step": "1e-3"}, "simulation.max_strain_step is '1e-3', expected a number"),
        ({"until": "friday"}, "simulation.until is 'friday', expected one of"),
        ({"max_strian": 0.1}, "simulation.max_strian is not a known key; did you mean max_strain"),
    ],
)
def test_bad_configuration(shard, tmp_path, change, message):
    with pytest.raises(PorefailError, match=message):
        export.run(shard, [3], tmp_path / "x.vtkhdf", [configured(tmp_path, **change)])
    assert not (tmp_path / "x.vtkhdf").exists()
