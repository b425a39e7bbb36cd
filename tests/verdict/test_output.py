"""The files of a verdict: what ParaView and a browser find in them."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from porefail.learning.candidates import MOST
from porefail.verdict.output import write_verdict

from .conftest import VOXEL

NAMES = {"report.html", "sites.csv", "pores.csv", "part.vtkhdf", "summary.txt"}
NAMES |= {"sites.png", "sections.png", "grey_values.png"}


@pytest.fixture(scope="module")
def written(verdict, lying, locator, tmp_path_factory):
    """Folders of the verdicts by their axes; pictures of the first one are drawn."""
    folders = {axis: tmp_path_factory.mktemp(axis) / "out" for axis in "zx"}
    for axis, (scan, found) in (("z", verdict), ("x", lying)):
        with pytest.MonkeyPatch.context() as patch:
            if axis == "x":
                draw_nothing(patch)
            write_verdict(folders[axis], scan, scan.spacing, found, locator)
    return folders


def draw_nothing(patch) -> None:
    """Figures are not drawn, which takes longest."""
    for place in ("porefail.files.png", "porefail.files.pictures.png"):
        patch.setattr(place, lambda figure: b"picture")


class Page(HTMLParser):
    """Tags and their attributes; fails where one is closed that is not open."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_every_file(written):
    for folder in written.values():
        assert {path.name for path in folder.iterdir()} == NAMES


def test_the_report_needs_no_network(written):
    text = (written["z"] / "report.html").read_text(encoding="utf-8")
    bare = re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)
    for word in ("http:", "https:", "//", "@import", "url(", "<script", "<link"):
        assert word not in bare, word
    page = Page(text)
    assert not page.open
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 3
    assert all(each["src"].startswith("data:image/png;base64,iVBOR") for each in images)
    assert all(each["alt"] for each in images)
    for _, attributes in page.tags:
        assert not {"href", "srcset", "action"} & attributes.keys()


def test_the_report_tells_what_the_tables_do(written, verdict):
    folder = written["z"]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    words = " ".join(page.words)
    sites = pd.read_csv(folder / "sites.csv")
    first = sites.iloc[0]
    assert f"x = {first.x_mm:.3f}, y = {first.y_mm:.3f}, z = {first.z_mm:.3f} mm" in words
    assert f"probability of {first.probability:.0%}" in words
    assert "nothing learnt" in words and "phantom.tif" in words
    rows = sum(tag == "tr" for tag, _ in page.tags)
    assert rows > len(sites) + len(verdict[1].part.pores)


@pytest.fixture
def undrawn(monkeypatch):
    draw_nothing(monkeypatch)


def test_names_in_the_report_are_text(verdict, locator, tmp_path, undrawn):
    """A path, a warning and a source with markup in them."""
    scan, found = verdict
    odd = found._replace(warnings=["<script>alert(1)</script> & more"])
    named = scan._replace(path="/a/<b>&'\".tif")
    used = locator._replace(source="<i>mine</i>")
    write_verdict(tmp_path, named, scan.spacing, odd, used)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "b", "i"} & {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script> & more" in "".join(page.words)
    assert "warning: <script>" in (tmp_path / "summary.txt").read_text()


def test_the_same_bytes_twice(verdict, locator, written, tmp_path, undrawn):
    scan, found = verdict
    write_verdict(tmp_path, scan, scan.spacing, found, locator)
    for name in ("sites.csv", "pores.csv", "summary.txt"):
        assert (tmp_path / name).read_bytes() == (written["z"] / name).read_bytes(), name


def test_tables_are_read_back(written, verdict):
    _, found = verdict
    sites = pd.read_csv(written["z"] / "sites.csv")
    pd.testing.assert_frame_equal(sites, found.sites, check_dtype=False)
    pores = pd.read_csv(written["z"] / "pores.csv")
    assert len(pores) == len(found.part.pores) == 3


@pytest.fixture(scope="module")
def image_of(written, tmp_path_factory):
    """The cells of a file, as VTK reads them."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOHDF import vtkHDFReader

    def read(axis: str):
        reader = vtkHDFReader()
        path = str(written[axis] / "part.vtkhdf")
        assert reader.CanReadFile(path)
        reader.SetFileName(path)
        reader.Update()
        image = reader.GetOutput()
        shape = tuple(side - 1 for side in image.GetDimensions()[::-1])
        data = image.GetCellData()
        arrays = [data.GetArray(i) for i in range(data.GetNumberOfArrays())]
        cells = {array.GetName(): vtk_to_numpy(array).reshape(shape) for array in arrays}
        return image, cells

    return read


def centre(image, cell: int) -> np.ndarray:
    low_high = np.reshape(image.GetCell(cell).GetBounds(), (3, 2))
    return low_high.mean(axis=1)


def test_fields_are_read_back(image_of, verdict, porosity):
    """Cells of the file are (z, y, x)."""
    _, found = verdict
    image, cells = image_of("z")
    physics, coarse = found.assessment.physics, found.part.coarse
    assert image.GetSpacing() == (VOXEL,) * 3
    np.testing.assert_allclose(image.GetOrigin(), (0.1, 0.1, 0.0), atol=1e-12)
    expected = {
        "part": ~coarse.outside,
        "pores": porosity,
        "void_fraction": coarse.fraction,
        "likelihood": found.assessment.likelihood,
        "von_mises": physics.fields["elastic/von_mises"],
        "mean_stress": physics.fields["elastic/pressure"],
        "coarse_damage": physics.fields["presolve/damage"],
    }
    assert set(cells) == {*expected, "site"}
    for name, values in expected.items():
        np.testing.assert_array_equal(cells[name], values.T, name)


@pytest.mark.parametrize("axis", ["x", "z"])
def test_a_site_is_at_its_place(image_of, written, axis):
    """Centres of the cells of sites are their places in the table."""
    image, cells = image_of(axis)
    sites = pd.read_csv(written[axis] / "sites.csv")
    assert 1 < len(sites) <= MOST
    rank = cells["site"].ravel()
    assert np.count_nonzero(rank) == len(sites)
    for row in sites.itertuples():
        (cell,) = np.flatnonzero(rank == row.rank)
        np.testing.assert_allclose(centre(image, cell), (row.x_mm, row.y_mm, row.z_mm), atol=1e-9)
    place, inside = [0, 0, 0], [0.0, 0.0, 0.0]
    first = sites.iloc[0][["x_mm", "y_mm", "z_mm"]].tolist()
    assert image.ComputeStructuredCoordinates(first, place, inside)
    assert cells["site"][tuple(place[::-1])] == 1


def test_pores_are_at_their_places_along_x(image_of, written):
    """The centroid of the void cells is that of the pores in the table."""
    for axis in ("x", "z"):
        image, cells = image_of(axis)
        pores = pd.read_csv(written[axis] / "pores.csv")
        middle = [centre(image, cell) for cell in np.flatnonzero(cells["pores"].ravel())]
        weight = pores["volume_mm3"]
        table = [np.average(pores[f"{name}_mm"], weights=weight) for name in "xyz"]
        np.testing.assert_allclose(np.mean(middle, axis=0), table, atol=0.003)


def test_fields_along_x_are_those_along_z_turned(image_of):
    _, upright = image_of("z")
    _, lying = image_of("x")
    for name, values in upright.items():  # (z, y, x) -> what was z is now x
        np.testing.assert_array_equal(lying[name], values.transpose(1, 2, 0), name)


def test_sites_and_warnings_in_the_summary(written, verdict):
    text = (written["z"] / "summary.txt").read_text()
    assert text.startswith("The likeliest failure site is at x = ")
    for each in verdict[1].warnings:
        assert f"warning: {each}\n" in text
