"""Figures as PNG: whole files, the same bytes for the same data."""

import io

import numpy as np
import pytest
from PIL import Image

from porefail import files
from porefail.figures import style


def figure(seed: int):
    drawn = style.new(3.0, 2.0)
    axes = drawn.subplots()
    axes.plot(np.random.default_rng(seed).random(20), label="µ")
    axes.legend()
    return drawn


def test_the_same_bytes_twice():
    assert files.png(figure(0)) == files.png(figure(0))
    assert files.png(figure(0)) != files.png(figure(1))


def test_a_picture_without_a_version_in_it():
    image = Image.open(io.BytesIO(files.png(figure(0))))
    image.load()
    assert image.format == "PNG" and image.width > image.height > 100
    assert "Software" not in image.info


def test_one_file_for_each_figure(tmp_path):
    files.write_figures(tmp_path / "new", {"a": figure(0), "b": figure(1)})
    found = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    assert found == {"a.png": files.png(figure(0)), "b.png": files.png(figure(1))}


def test_nothing_is_written_where_a_figure_cannot_be_drawn(tmp_path):
    broken = figure(1)
    broken.axes[0].set_title("$\\nonsense{$")
    with pytest.raises(ValueError):
        files.write_figures(tmp_path, {"a": figure(0), "b": broken})
    assert not list(tmp_path.iterdir())
