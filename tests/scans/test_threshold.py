"""Thresholds: which grey values are metal."""

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.scans import threshold
from porefail.scans.threshold import grey_values, mask_values, otsu, sample

RANDOM = np.random.default_rng(3)


def within(values: np.ndarray, limit: float) -> float:
    """Variance of two classes about their own means, weighted by their sizes."""
    parts = [part for part in (values[values < limit], values[values >= limit]) if part.size]
    return sum(part.size * part.var() for part in parts)


def two_kinds(shape=(24, 24, 24), metal=40_000.0, air=10_000.0, noise=1500.0) -> np.ndarray:
    """Air around a block of metal, with noise."""
    values = np.full(shape, air)
    values[4:-4, 4:-4] = metal
    return values + noise * RANDOM.standard_normal(shape)


@pytest.mark.parametrize("share", [0.5, 0.2, 0.9])
def test_otsu_has_the_least_variance_within_two_classes(share):
    """No other threshold does better, but for the width of a bin."""
    metal = RANDOM.random(4000) < share
    values = np.where(metal, RANDOM.normal(200, 20, 4000), RANDOM.normal(60, 30, 4000)).round()
    found = otsu(values)
    least = min(within(values, limit) for limit in np.unique(values)[1:])
    assert within(values, found) <= least * 1.001


def test_otsu_of_two_equal_normal_kinds_is_between_them():
    values = np.concatenate([RANDOM.normal(mean, 3, 50_000) for mean in (10, 20)])
    assert otsu(values) == pytest.approx(15, abs=0.3)


def test_otsu_parts_two_values():
    values = np.repeat([3.0, 7.0], [5, 900])
    assert 3 < otsu(values) <= 7


def test_values_of_metal_and_voids_and_halfway_between():
    found = grey_values("scan", two_kinds())
    assert found.metal == pytest.approx(40_000, abs=100)
    assert found.void == pytest.approx(10_000, abs=100)
    assert found.threshold == 0.5 * (found.metal + found.void)
    assert found.noise == pytest.approx(1500 / 30_000, rel=0.05)
    assert found.brighter and found.contrast == found.metal - found.void


def test_negative_values_and_floats_will_do():
    found = grey_values("scan", two_kinds(metal=0.4, air=-1.0, noise=0.05).astype(np.float32))
    assert found.metal == pytest.approx(0.4, abs=0.01)
    assert found.threshold == pytest.approx(-0.3, abs=0.01)


def test_a_given_threshold_is_kept():
    found = grey_values("scan", two_kinds(), 22_000.0)
    assert found.threshold == 22_000
    assert found.metal == pytest.approx(40_000, abs=100)


def test_a_threshold_is_moved_towards_the_metal():
    known = grey_values("scan", two_kinds())
    assert known.moved(0.1).threshold == pytest.approx(known.threshold + 0.1 * known.contrast)
    assert known.moved(-0.1).threshold == pytest.approx(known.threshold - 0.1 * known.contrast)
    assert known.moved(0.1)[:2] == known[:2]


def test_a_sample_of_a_large_scan_is_spread_over_it(monkeypatch):
    monkeypatch.setattr(threshold, "SAMPLES", 1000)
    values = np.arange(60**3, dtype=float).reshape(60, 60, 60)
    some = sample(values)
    assert 500 < some.size < 2000
    assert some.mean() == pytest.approx(values.mean(), rel=0.1)
    assert some.min() < 0.1 * values.max() and some.max() > 0.9 * values.max()


@pytest.mark.parametrize(
    "change, given, message",
    [
        (lambda v: v * 0 + 7, None, "all voxels have the value 7"),
        (lambda v: np.where(v > 1e4, np.nan, v), None, r"no numbers \(NaN or infinite\)"),
        (lambda v: np.where(v > 3e4, np.inf, v), None, r"no numbers \(NaN or infinite\)"),
        (lambda v: v, 1e6, r"with the threshold 1e\+06 all is air; values go from"),
        (lambda v: v, -1e6, r"with the threshold -1e\+06 all is metal; values go from"),
    ],
)
def test_no_two_kinds(change, given, message):
    with pytest.raises(PorefailError, match=f"^scan: .*{message}"):
        grey_values("scan", change(two_kinds()), given)


def labelled(metal=1, void=2, air=0) -> np.ndarray:
    """Part in air with a pore, as labels."""
    values = np.full((20, 20, 20), air, np.uint8)
    values[3:-3, 3:-3] = metal
    values[8:11, 8:11, 8:11] = void
    return values


@pytest.mark.parametrize("metal, void", [(1, 0), (0, 1), (255, 0), (1, 2), (2, 1)])
def test_of_two_labels_the_middle_is_metal(metal, void):
    value, words = mask_values("scan", labelled(metal, void, void), None, None)
    assert value == metal and words


def test_most_of_the_scan_may_be_air():
    values = labelled(1, 0, 0)
    wide = np.pad(values, ((8, 8), (8, 8), (0, 0)))
    assert (wide == 0).mean() > 0.5
    assert mask_values("scan", wide, None, None)[0] == 1


def test_a_part_beside_the_middle_is_not_guessed():
    wide = np.pad(labelled(1, 0, 0), ((0, 40), (0, 40), (0, 0)))
    with pytest.raises(PorefailError, match="^scan: holds 0 and 1: --metal-value tells"):
        mask_values("scan", wide, None, None)


def test_a_scan_inside_of_a_part_is_metal():
    inside = labelled(1, 0, 1)
    assert mask_values("scan", inside, None, None)[0] == 1


def test_a_grey_scan_is_no_mask():
    assert mask_values("scan", two_kinds(), None, None) is None
    assert mask_values("scan", labelled() + 0.25 * (labelled() == 2), None, None) is None


def test_of_three_labels_one_must_be_said_to_be_metal():
    with pytest.raises(PorefailError, match="^scan: holds the labels 0, 1, 2: --metal-value tells"):
        mask_values("scan", labelled(), None, None)


@pytest.mark.parametrize(
    "given, expected",
    [({"metal": 1.0}, 1), ({"metal": 2.0}, 2), ({"metal": 1.0, "void": 2.0}, 1)],
)
def test_values_as_given(given, expected):
    value, _ = mask_values("scan", labelled(), given.get("metal"), given.get("void"))
    assert value == expected


def test_of_two_values_the_other_one_is_metal():
    assert mask_values("scan", labelled(1, 0, 0), None, 0.0)[0] == 1
    assert mask_values("scan", labelled(1, 0, 0), None, 1.0)[0] == 0


@pytest.mark.parametrize(
    "metal, void, message",
    [
        (5.0, None, "--metal-value 5 is not in it, values are 0, 1, 2"),
        (1.0, 7.0, "--void-value 7 is not in it, values are 0, 1, 2"),
        (None, 2.0, "3 values: --void-value alone does not tell which is metal"),
    ],
)
def test_values_that_do_not_tell(metal, void, message):
    with pytest.raises(PorefailError, match=f"^scan: {message}"):
        mask_values("scan", labelled(), metal, void)
