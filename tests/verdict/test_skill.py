"""What a locator is worth, in words: rates with intervals, gains on the same specimens."""

import numpy as np
import pandas as pd
import pytest

from porefail.metrics.intervals import bootstrap, wilson
from porefail.verdict.skill import set_rows, skill_summary

TRUE = np.arange(10)


@pytest.fixture
def scores() -> pd.DataFrame:
    names = {"top_1": TRUE < 7, "top_3": TRUE < 9, "in_set": TRUE < 10}
    names |= {"elastic_top_1": TRUE < 5, "coarse_top_1": TRUE > 3}
    found = pd.DataFrame({name: hits.astype(int) for name, hits in names.items()})
    return found.assign(set_size=[1, 2] * 5)


def test_rates_gains_and_sizes(scores):
    lines = skill_summary(scores).splitlines()
    low, high = wilson(7, 10)
    assert lines[0] == f"the first site: right in 0.700 ({low:.3f}, {high:.3f}) of 10"
    low, high = bootstrap(np.where((TRUE >= 5) & (TRUE < 7), 1, 0))
    assert f"the first site over highest elastic stress: +0.200 ({low:+.3f}, {high:+.3f})" in lines
    assert any("over highest damage of one coarse load step: +0.100 (" in line for line in lines)
    assert lines[-1] == "sites in the set: 1.50"
    assert not any("block" in line for line in lines)


def test_blocks(scores):
    scores["block_top_1"] = (TRUE < 8).astype(int)
    scores["block_strain"] = [np.nan, *np.linspace(0.8, 1.0, 9)]
    lines = skill_summary(scores).splitlines()
    assert any(line.startswith("the first block to fail: right in 0.800 (") for line in lines)
    assert any("the first block to fail over the first site: +0.100 (" in line for line in lines)
    assert lines[-1].endswith("5, 25, 50, 75, 95 %: 0.810, 0.850, 0.900, 0.950, 0.990")


def test_sets_of_several_coverages():
    """Three specimens of two sites: by hand, the first site always in, all where none is enough."""
    probabilities = [np.array([0.7, 0.2]), np.array([0.3, 0.5]), np.array([0.9, 0.05])]
    failed = [np.array([True, False]), np.array([True, False]), np.array([False, False])]
    found = set_rows({0.5: -0.6, 0.8: -0.3, 0.99: np.inf}, probabilities, failed)
    low, high = wilson(2, 3)
    expected = pd.DataFrame(
        {
            "coverage": [0.5, 0.8, 0.99],
            "least": [0.6, 0.3, 0.0],
            "specimens": 3,
            "in_set": [1 / 3, 2 / 3, 2 / 3],
            "in_set_low": [wilson(1, 3)[0], low, low],
            "in_set_high": [wilson(1, 3)[1], high, high],
            "set_size": [1.0, 4 / 3, 2.0],
        }
    )
    pd.testing.assert_frame_equal(found, expected)
