"""The table of section 2.4 for an ensemble of three whose numbers are known."""

import numpy as np
import pytest

from porefail.phenomenology.comparison import Measures, compare

NAN = np.nan
# The largest damage of two specimens rises in a straight line until they fail; the third has a
# plateau at 0.6 from 2 to 4 % and does not collapse.
FOUND = Measures(
    strain=np.array([[0.01, 0.02, 0.04, NAN], [0.01, 0.02, 0.05, NAN], [0.02, 0.04, 0.045, 0.05]]),
    max_damage=np.array([[0.25, 0.5, 1.0, NAN], [0.2, 0.4, 1.0, NAN], [0.6, 0.6, 0.8, 1.0]]),
    failed_share=np.zeros((3, 4)),
    stress=np.array([[900.0, 1000, 800, NAN], [900, 950, 980, NAN], [1200, 1100, 900, 800]]),
    saturated=np.array([[0.0, 1, 8, NAN], [0, 0, 8, NAN], [2, 3, 6, 8]]),
    first_strain=np.array([0.04, 0.05, 0.05]),
    final_strain=np.array([0.045, 0.056, NAN]),
    first_voxels=np.array([1.0, 2.0, 1.0]),
    first_share=np.array([1e-4, 2e-4, 1e-4]),
    final_share=np.array([0.01, 0.02, NAN]),
    first_height=np.array([1.0, 2.0, 3.0]),
    final_height=np.array([1.1, 1.9, NAN]),
    final_layer=np.array([1.0, 1.95, NAN]),
    final_thickness=np.array([0.02, 0.04, NAN]),
    voxels_above=np.array([[5.0, 2.0], [7.0, 3.0], [9.0, 4.0]]),
)


@pytest.fixture(scope="module")
def table() -> dict:
    return {row.quantity: row for row in compare(FOUND, [0.01, 0.03, 0.045], [0.4, 0.6])}


@pytest.mark.parametrize(
    "quantity, unit, mean, n",
    [
        ("strain at first failure", "%", 14 / 3, 3),
        ("strain at structural failure", "%", 5.05, 2),
        ("strain from first to structural failure", "%", 0.55, 2),
        ("|dz| of first and final failure", "mm", 0.1, 2),
        ("|dz| of first failure, final layer", "mm", 0.025, 2),
        ("z deviation of final failure", "mm", 0.03, 2),
        ("voxels failed at first failure", "1", 4 / 3, 3),
        ("failed share at first failure", "1", 4e-4 / 3, 3),
        ("failed share at the end", "1", 0.015, 2),
        ("voxels above 0.4 phi_max, first failure", "1", 7, 3),
        ("voxels above 0.6 phi_max, first failure", "1", 3, 3),
        ("peak nominal stress", "MPa", (1000 + 980 + 1200) / 3, 3),
        ("strain at peak stress", "%", 3, 3),
    ],
)
def test_means(table, quantity, unit, mean, n):
    row = table[quantity]
    assert row.found.mean == pytest.approx(mean)
    assert (row.unit, row.found.n) == (unit, n)


def test_largest_damage_is_of_specimens_that_have_not_failed(table):
    early, middle, late = (table[f"largest damage at {at} % strain"] for at in ("1", "3", "4.5"))
    assert early.found.mean == pytest.approx((0.25 + 0.2 + 0.6) / 3)
    assert middle.found.mean == pytest.approx((0.75 + 0.6 + 0.6) / 3)
    assert late.found.n == 2 and late.found.mean == pytest.approx((0.9 + 0.8) / 2)
    assert (early.paper, middle.paper, late.paper) == ("", "0.6", "")


def test_plateau_is_long_only_where_there_is_one(table):
    # 0.2 / 25 in the first, 0.2 / 20 in the second; the third stays at 0.6 for 2 %, then rises by
    # 0.15 of 0.2 in 0.5 %.
    spent = np.array([0.8, 1.0, 2 + 0.5 * 0.75])
    lengths = table["plateau: strain at 0.55 to 0.75 phi_max"].found
    assert lengths.n == 3 and lengths.mean == pytest.approx(spent.mean())
    assert table["specimens with a plateau above 1 %"].found.mean == pytest.approx(1 / 3)
    level = table["level of the plateau"].found
    assert level.n == 1 and level.mean == pytest.approx(0.6, abs=0.01)


def test_stages_begin(table):
    second, third = (
        table[name].found
        for name in (
            "stage II begins (0.55 phi_max reached)",
            "stage III begins (0.75 phi_max left)",
        )
    )
    assert second.mean == pytest.approx(np.mean([2.2, 2.75, 2.0]))
    assert third.mean == pytest.approx(np.mean([3.0, 3.75, 4 + 0.5 * 0.75]))


def test_saturated_points_in_the_plateau(table):
    """Of steps that end in it: two of the third specimen's, of 2 % strain each."""
    found = table["saturated points of 8, steps in the plateau"].found
    assert found.n == 1 and found.mean == pytest.approx(2.5)


def test_far_failures(table):
    found = table["specimens with |dz| above 0.2 mm"].found
    assert (found.mean, found.n) == (0.0, 2)
    (row,) = (
        row
        for row in compare(FOUND._replace(final_height=np.array([1.5, 1.9, NAN])), [], [0.4, 0.6])
        if row.quantity == "specimens with |dz| above 0.2 mm"
    )
    assert row.found.mean == 0.5


def test_correlation_is_one_number(table):
    assert table["correlation of z, first and final"].found.n == 2  # too few for a correlation
    more = FOUND._replace(final_height=np.array([1.0, 2.0, 3.5]))
    rows = {row.quantity: row for row in compare(more, [], [0.4, 0.6])}
    found = rows["correlation of z, first and final"].found
    assert found.n == 3 and found.mean == pytest.approx(np.corrcoef([1, 2, 3], [1, 2, 3.5])[0, 1])


def test_what_the_paper_says(table):
    printed = {
        "strain at first failure": "4 to 5",
        "|dz| of first and final failure": "0.04",
        "failed share at first failure": "about 1e-4",
        "peak nominal stress": "",
    }
    assert {name: table[name].paper for name in printed} == printed
