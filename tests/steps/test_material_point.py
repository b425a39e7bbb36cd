"""material-point: the tables that it reads and writes, and one line for each mistake."""

import numpy as np
import pytest

from porefail import configuration, files
from porefail.__main__ import main
from porefail.errors import PorefailError
from porefail.fe import material_point as fe_point
from porefail.steps import material_point

HEADER = "time,sxx,syy,ezz,sxy,syz,szx"
START = "0,0,0,0,0,0,0"
OUTPUT = "time,exx,eyy,ezz,exy,eyz,ezx,sxx,syy,szz,sxy,syz,szx,kappa,eta,damage,eqps"


def table(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def pulled(tmp_path):
    """Uniaxial stress to 2 % strain at the paper's rate."""
    return table(tmp_path / "path.csv", HEADER, START, "5,0,0,0.01,0,0,0", "10,0,0,0.02,0,0,0")


def test_output(tmp_path, pulled, capsys):
    arguments = ["--path", str(pulled), "--out", str(tmp_path / "out.csv")]
    assert main(["material-point", *arguments]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "material-point: 3 rows, material deviator_norm; at the end damage 0.08"
    )
    out = files.read_table(tmp_path / "out.csv")
    assert ",".join(out) == OUTPUT
    assert out["time"].tolist() == [0, 5, 10]
    assert out["ezz"].tolist() == [0, 0.01, 0.02]
    for stress in ("sxx", "syy", "sxy", "syz", "szx"):
        np.testing.assert_allclose(out[stress], 0, atol=1e-6)
    start = {name: column[0] for name, column in out.items() if name not in ("time", "damage")}
    assert start == {**dict.fromkeys(start, 0), "kappa": 460, "eta": 0.001}
    assert out["damage"][0] == 0.08
    elastic = out["szz"] / (1 - out["damage"]) / 240_000
    np.testing.assert_allclose(out["eqps"], out["ezz"] - elastic, atol=2e-6)
    np.testing.assert_allclose(out["exx"], -0.27 * elastic - out["eqps"] / 2, atol=2e-6)


def test_columns_in_any_order_and_tensor_shear(tmp_path):
    """Shear of the tensor strain ε has the stress 2μ(1−φ)ε; spaces around names are allowed."""
    header = "ezx, time,exx,eyy,ezz, exy,syz"
    path = table(tmp_path / "path.csv", header, START, "", "0.002,1,0,0,0,0.001,0")
    material_point.run(path, tmp_path / "out.csv")
    out = files.read_table(tmp_path / "out.csv")
    shear = 240_000 / 1.27 * (1 - 0.08)
    np.testing.assert_allclose([out["exy"][1], out["ezx"][1]], [0.001, 0.002], rtol=1e-12)
    np.testing.assert_allclose([out["sxy"][1], out["szx"][1]], [shear * 0.001, shear * 0.002])
    assert out["eqps"][1] == out["eyz"][1] == 0


def test_named_materials_and_a_configuration_on_top(tmp_path, pulled):
    """A configuration changes some parameters of a known material or adds a whole one."""
    config = tmp_path / "my.yaml"
    config.write_text(
        "name: other\n"
        "materials:\n"
        "  literal: {initial_damage: 0.02}\n"
        "  soft: {young_modulus: 100000, poisson_ratio: 0.3, yield_strength: 100, void_size: 0,\n"
        "    void_density: 0, flow_exponent: 10, damage_exponent: 2, flow_coefficient: 10,\n"
        "    growth_coefficient: 1, growth_triaxiality_factor: 1,\n"
        "    dynamic_recovery: 4, hardening_modulus: 0, initial_hardening: 50,\n"
        "    initial_damage: 0, shear_nucleation: 0, triaxiality_nucleation: 0,\n"
        "    maximum_damage: 0.5}\n"
    )
    first = {}
    for name, given in (("literal", []), ("literal", [config]), ("soft", [config])):
        material_point.run(pulled, tmp_path / "out.csv", name, given)
        out = files.read_table(tmp_path / "out.csv")
        first[name, bool(given)] = (out["damage"][0], out["kappa"][0], out["szz"][2])
    assert first["literal", False][:2] == (0.08, 460)
    assert first["literal", True][:2] == (0.02, 460)
    assert first["literal", True][2] > first["literal", False][2] > 1000
    assert first["soft", True][:2] == (0, 50) and 150 < first["soft", True][2] < 250


def test_the_step_is_as_small_as_asked_for(tmp_path, pulled):
    results = []
    for step in (1e-2, 1e-3, 1e-4):
        material_point.run(pulled, tmp_path / "out.csv", max_strain_step=step)
        results.append(files.read_table(tmp_path / "out.csv")["szz"][2])
    assert abs(results[1] - results[2]) < 0.2 * abs(results[0] - results[2])


@pytest.mark.parametrize(
    "lines, message",
    [
        ((HEADER, START), "expected a header and at least two rows"),
        ((HEADER + ",wet", START, START), "unknown column 'wet', known are time, exx, eyy, "),
        ((HEADER + ",time", START, START), "column time appears twice"),
        ((HEADER.replace("time,", ""), START, START), "missing column time"),
        ((HEADER.replace(",syz", ""), START, START), "missing column eyz or syz"),
        ((HEADER + ",exx", START, START), "columns exx and sxx, expected one of them"),
        ((HEADER, START, "1,0,0,0"), "line 3: 4 cells, expected 7"),
        ((HEADER, START, "1,0,0,x,0,0,0"), "line 3, column ezz: 'x' is not a number"),
        ((HEADER, START, "1,0,,0,0,0,0"), "line 3, column syy: '' is not a number"),
        ((HEADER, START, "nan,0,0,0,0,0,0"), "line 3, column time: 'nan' is not a number"),
        ((HEADER, START, "1,0,0,0,0,0,0", START), "line 4, column time: 0 is not later than 1"),
        ((HEADER, START, "", START), "line 4, column time: 0 is not later than 0"),
        (("", ""), "is empty, expected a table with a header"),
        ((HEADER, START, "1,0,0,0,0,0,\0"), "cannot be read as a table: it holds a NUL byte"),
        ((HEADER, START, "1,0,0,1e308,0,0,0"), "a path of 1e+308 strain takes more than 1e+07 sub"),
        (
            (HEADER, START, "1,0,0,1e308,0,0,0", "2,0,0,-1e308,0,0,0"),
            "a path of inf strain takes more than 1e+07 substeps of 0.0001: expected less strain",
        ),
        ((HEADER, START, "1,1e308,0,0,0,0,0"), "strain takes more than 1e+07 substeps"),
        (
            (HEADER, "0,0,0,0.1,0,0,0", "1,0,0,0.2,0,0,0"),
            "line 2, column ezz: is 0.1, expected 0: the first row is the undeformed start",
        ),
    ],
)
def test_bad_table(tmp_path, capsys, lines, message):
    path = table(tmp_path / "path.csv", *lines)
    assert main(["material-point", "--path", str(path), "--out", str(tmp_path / "out.csv")]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"porefail material-point: error: {path}") and line.count("\n") == 1
    assert message in line
    assert [p.name for p in tmp_path.iterdir()] == ["path.csv"]


def test_missing_table(tmp_path):
    with pytest.raises(PorefailError, match="none.csv: cannot be read: No such file"):
        material_point.run(tmp_path / "none.csv", tmp_path / "out.csv")


def test_stress_that_the_material_cannot_carry(tmp_path):
    header = HEADER.replace("ezz", "szz")
    path = table(tmp_path / "path.csv", header, START, "10,0,0,2000,0,0,0")
    message = r"path.csv: at 7\.\d+ s: the material cannot carry szz = 1[45]\d\d"
    with pytest.raises(PorefailError, match=message):
        material_point.run(path, tmp_path / "out.csv", "staged", max_strain_step=1e-3)
    assert not (tmp_path / "out.csv").exists()


def test_a_response_that_is_not_finite(tmp_path):
    header = HEADER.replace(",s", ",e")
    path = table(tmp_path / "path.csv", header, START, "1,0,0,0,0,0,0", "2,0,0,1e300,0,0,0")
    with pytest.raises(PorefailError, match=r"path.csv: row 3, at 2 s: the response is not finite"):
        material_point.run(path, tmp_path / "out.csv", max_strain_step=1e300)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "step, message",
    [
        (1e-320, "max-strain-step is 9.99.*e-321, expected 1e-12 or more"),
        (1e-10, r"a path of 0\.02 strain takes more than 1e\+07 substeps of 1e-10"),
    ],
)
def test_steps_without_end(tmp_path, pulled, step, message):
    with pytest.raises(PorefailError, match=message):
        material_point.run(pulled, tmp_path / "out.csv", max_strain_step=step)
    assert not (tmp_path / "out.csv").exists()


def test_substeps_are_counted(tmp_path, monkeypatch):
    """Where stresses are prescribed, how far the point goes is not known before."""
    monkeypatch.setattr(fe_point, "MOST_SUBSTEPS", 30)
    header = HEADER.replace("ezz", "szz")
    path = table(tmp_path / "path.csv", header, START, "10,0,0,1440,0,0,0")
    with pytest.raises(PorefailError, match="row 2: more than 30 substeps of 0.001: expected a la"):
        material_point.run(path, tmp_path / "out.csv", max_strain_step=1e-3)


@pytest.mark.parametrize("step", [0.0, -1e-4, float("nan")])
def test_bad_step(tmp_path, pulled, step):
    with pytest.raises(PorefailError, match="max-strain-step is .*, expected a positive number"):
        material_point.run(pulled, tmp_path / "out.csv", max_strain_step=step)


@pytest.mark.parametrize(
    "text, message",
    [
        ("materials: {mine: {yield_strength: 1}}", "materials.mine.young_modulus is missing"),
        ("materials: {mine: 3}", "materials.mine is 3, expected a mapping"),
        ("materials: [", r"my.yaml: expected YAML or JSON \(while parsing"),
        ("- materials", r"my.yaml: is \['materials'\], expected keys of a configuration"),
        ("materials: {}", "material 'mine', expected one of deviator_norm, literal"),
        ("seed: 1", "material 'mine', expected one of deviator_norm, literal"),
    ],
)
def test_bad_material(tmp_path, pulled, text, message):
    config = tmp_path / "my.yaml"
    config.write_text(text)
    with pytest.raises(PorefailError, match=message):
        material_point.run(pulled, tmp_path / "out.csv", "mine", [config])


@pytest.mark.parametrize(
    "change, message",
    [
        (
            "poisson_ratio: 0.5",
            "staged.poisson_ratio is 0.5, expected a number, at least 0 and below 0.5",
        ),
        ("yield_strength: 1e3", "staged.yield_strength is '1e3', expected a number"),
        ("yield_strength: .nan", "staged.yield_strength is nan, expected a number"),
        ("yield: 600", "staged.yield is not a known key; "),
    ],
)
def test_bad_parameter(tmp_path, pulled, change, message):
    config = tmp_path / "my.yaml"
    config.write_text(f"materials: {{staged: {{{change}}}}}")
    with pytest.raises(PorefailError, match=message):
        material_point.run(pulled, tmp_path / "out.csv", configfile=[config])


def test_missing_configuration(tmp_path, pulled):
    with pytest.raises(PorefailError, match="my.yaml: cannot be read: No such file"):
        material_point.run(pulled, tmp_path / "out.csv", configfile=[tmp_path / "my.yaml"])


def test_a_package_without_its_configuration(tmp_path, pulled, monkeypatch):
    monkeypatch.setattr(configuration.schema, "CONFIG", tmp_path / "config")
    configuration.schema.schema.cache_clear()
    with pytest.raises(PorefailError, match="schema.yaml: missing file: porefail is not whole"):
        material_point.run(pulled, tmp_path / "out.csv")
