import numpy as np
import pytest

from porefail.ranking.copies import Specimen
from porefail.ranking.equal_volume import columns, highest_zone, moved_failures, moved_words
from porefail.ranking.locus import locus
from porefail.voxels.neighbours import grown

from .conftest import SHAPE, at


@pytest.mark.parametrize("near", [0, 1, 2])
def test_a_zone_is_as_large_as_it_may_be(near):
    """Brute force: the largest number of highest voxels whose surroundings are not too many."""
    random = np.random.default_rng(4)
    solid = random.random(SHAPE) < 0.9
    score = np.where(solid, random.random(SHAPE), np.nan)
    falling = np.sort(score[solid])[::-1]
    for volume in (0, 1, 30, 150, 400, solid.sum()):
        zones = [grown(solid & (np.nan_to_num(score) >= value), near) for value in falling]
        sizes = np.array([np.count_nonzero(zone & solid) for zone in zones])
        count = np.count_nonzero(sizes <= volume)
        found = highest_zone(score, solid, volume, near)
        expected = zones[count - 1] if count else np.zeros(SHAPE, bool)
        np.testing.assert_array_equal(found, expected)


def specimen(elastic: np.ndarray, places: np.ndarray, original: np.ndarray) -> Specimen:
    nothing = np.zeros(SHAPE)
    return Specimen(
        *(7, nothing, original, elastic, nothing, nothing, nothing),
        *(np.empty(0), np.arange(len(places)), np.ones(len(places)), np.ones(len(places))),
        places,
    )


def test_moved_failures_are_counted_alone():
    """Two of four failures have moved; sites meet one, the elastic solve the other one."""
    original = at((1, 1, 4))
    places = np.array([original, original, at((4, 4, 15)), at((1, 4, 10))])
    elastic = np.zeros(SHAPE)
    elastic[1, 4, 10] = 1.0
    one = specimen(elastic, places, original)
    sites = at((1, 1, 4), (4, 4, 16)).astype(int)
    found = moved_failures([one], [locus(places, original, 1, 0.05)], [sites], 1)
    assert found["sites"].tolist() == found["elastic"].tolist() == [0.5]
    assert found["volume"].tolist() == [2 * 27 / 720]
    words = moved_words(found.rename(columns=columns("network")), "network")
    assert words.startswith("0.500; the elastic") and "difference 0.000; by chance 0.075" in words
    many = found.loc[[0, 0, 0, 0]].assign(sites=[0.0, 0.5, 1.0, 1.0])
    words = moved_words(many.rename(columns=columns("network")), "network")
    assert words.startswith("0.625 (0.250, 1.000); ") and "(4 specimens)" in words
    one = specimen(elastic, places[:2], original)
    still = moved_failures([one], [locus(places[:2], original, 1, 0.05)], [sites], 1)
    assert still["sites"].isna().all()
    table = still.rename(columns=columns("ranking"))
    assert moved_words(table, "ranking") == "no failure has moved"
