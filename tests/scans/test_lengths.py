"""Lengths: units are asked for, and what is no voxel of a CT scan is refused."""

import pytest

from porefail.errors import PorefailError
from porefail.scans import lengths


@pytest.mark.parametrize(
    "text, expected",
    [
        ("9.8um", 0.0098),
        ("9.8 \u00b5m", 0.0098),
        (" 9.8\u03bcm ", 0.0098),
        ("9800nm", 0.0098),
        ("0.0098mm", 0.0098),
        ("9.8e-3 mm", 0.0098),
        ("50um", 0.05),
        (".5cm", 5.0),
        ("0.001m", 1.0),
        ("1in", 25.4),
        ("0.5 inch", 12.7),
    ],
)
def test_units(text, expected):
    assert lengths.length(text, "--voxel") == expected


@pytest.mark.parametrize(
    "text",
    ["9.8", "", "um", "9,8um", "9.8 furlong", "0um", "-3um", "nanum", "inf um", "1e999um"]
    + ["9.8um2", "9.8 u m", "1_0um", "\u0669um", "9.8MM", "9.8\num\n3"],
)
def test_what_is_no_length(text):
    with pytest.raises(PorefailError) as raised:
        lengths.length(text, "--voxel")
    assert str(raised.value).startswith("--voxel: ") and "\n" not in str(raised.value)


def test_spacing():
    assert lengths.spacing("9.8um", "--voxel") == (0.0098, 0.0098, 0.0098)
    assert lengths.spacing("9.8um, 0.01mm,12um", "--voxel") == (0.0098, 0.01, 0.012)


@pytest.mark.parametrize(
    "text", ["9.8um,9.8um", "9,8um", "1um,2um,3um,4um", "9.8um,,12um", "1,1,1um"]
)
def test_what_is_no_spacing(text):
    with pytest.raises(PorefailError, match="^--voxel: [^\n]*$"):
        lengths.spacing(text, "--voxel")


def test_voxels_in_a_wrong_unit():
    lengths.plausible((0.0098, 0.0098, 1.0), (700, 700, 1000), "scan.mhd")
    with pytest.raises(PorefailError) as raised:
        lengths.plausible((9.8, 9.8, 9.8), (700, 700, 1000), "scan.mhd")
    assert str(raised.value) == (
        "scan.mhd: voxels of 9.8 mm x 9.8 mm x 9.8 mm make a scan of 6860 x 6860 x 9800 mm,"
        " expected voxels of 50 nm to 1 mm; is the unit right?"
    )
    with pytest.raises(PorefailError, match="^scan.mhd: voxels of 9.8 nm"):
        lengths.plausible((9.8e-6,) * 3, (700, 700, 1000), "scan.mhd")


@pytest.mark.parametrize(
    "mm, text",
    [(0.0098, "9.8 um"), (0.05, "50 um"), (0.001, "1 um"), (5e-5, "50 nm"), (1.0, "1 mm")]
    + [(12.345, "12.35 mm"), (0.9999999, "1000 um"), (2000.0, "2 m"), (1e-9, "0.001 nm")],
)
def test_shown(mm, text):
    assert lengths.shown(mm) == text
