"""Fixtures for the tests of figures."""

import io
import warnings

import pytest


@pytest.fixture
def saved():
    """Axes of a figure that has been drawn without a warning (glyphs, layout, empty legends)."""

    def save(figure):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            file = io.BytesIO()
            figure.savefig(file, dpi=50)
        assert file.getvalue().startswith(b"\x89PNG")
        assert figure.canvas.manager is None  # no window, nothing that pyplot would keep
        return figure.axes

    return save
