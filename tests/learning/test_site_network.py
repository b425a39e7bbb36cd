"""What a network of sites is given, what it learns, and how it ranks a specimen's sites anew."""

import numpy as np
import pytest

from porefail.dataset import symmetry
from porefail.errors import PorefailError
from porefail.learning import site_network
from porefail.learning.candidates import MOST, candidates, failed_at
from porefail.learning.site_network import MEMBERS, REACH, SOLID
from porefail.metrics.peaks import local_maxima

SHAPE = (8, 8, 12)
PLACES = np.array([[2, 2, 2], [5, 2, 9], [2, 5, 6], [6, 6, 2]])
SETTINGS = {"filters": 4, "seed": 1, "epochs": 60, "batch_size": 8, "learning_rate": 5e-3}
VOID = -14.0  # of the stress: as the logarithm of a damage that did not grow


def specimens(count: int, seed: int) -> tuple[list, list]:
    """(likelihood, channels) with peaks at four places; that with the most stress around fails."""
    rng = np.random.default_rng(seed)
    given, failed = [], []
    for _ in range(count):
        likelihood = 1e-3 * rng.uniform(0.5, 1, SHAPE)
        stress = rng.normal(-7, 1, SHAPE).astype(np.float32)
        strong = rng.permutation(4)
        likelihood[tuple(PLACES.T)] = rng.uniform(0.8, 1.0, 4)
        for k, (x, y, z) in enumerate(PLACES):
            stress[x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2] += 2 * strong[k]
        likelihood[0, 0, 0], stress[0, 0, 0] = np.nan, VOID
        mask = np.zeros(SHAPE, bool)
        mask[tuple(PLACES[strong.argmax()])] = True
        given.append((likelihood, {"stress": stress}))
        failed.append(mask)
    return given, failed


def around(given) -> list[site_network.Surroundings]:
    return [site_network.surroundings(*each, ["stress"]) for each in given]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "state.npz"
    given, failed = specimens(70, 2)
    return site_network.fit(around(given), failed, SETTINGS, path, lambda text: None)


def test_surroundings_are_blocks_of_what_is_there():
    ((likelihood, channels),), _ = specimens(1, 1)
    found, blocks = site_network.surroundings(likelihood, channels, ["stress"])
    assert list(blocks) == [SOLID, "stress"]
    for k, (x, y, z) in enumerate(found.place):
        assert blocks["stress"][k, REACH, REACH, REACH] == channels["stress"][x, y, z]
        assert blocks[SOLID][k, REACH, REACH, REACH] == 1
        assert not blocks[SOLID][k, : max(REACH - x, 0)].any()  # outside is no metal


def test_what_is_no_metal_is_the_mean_whether_it_is_a_void_or_outside():
    """A round section in its box has air inside the grid, a square one outside."""
    given, _ = specimens(3, 1)
    parts = around(given)
    scales = site_network.scales_of(parts)
    solid = np.concatenate([each.blocks[SOLID] for each in parts]) == 1
    stress = np.concatenate([each.blocks["stress"] for each in parts])
    np.testing.assert_allclose(scales[1], (stress[solid].mean(), stress[solid].std()), rtol=1e-4)
    for each in parts:
        found = site_network.scaled(each.blocks, (SOLID, "stress"), scales)
        metal = each.blocks[SOLID] == 1
        assert not found["stress"][~metal].any()
        assert (each.blocks["stress"][~metal] == VOID).any()
        values = each.blocks["stress"][metal]
        np.testing.assert_allclose(
            found["stress"][metal], (values - scales[1, 0]) / scales[1, 1], rtol=1e-4, atol=1e-5
        )
        assert len(np.unique(found[SOLID])) == 2


def test_it_learns_what_the_likelihood_does_not_tell(trained):
    committee, curves = trained
    assert len(committee) == len(curves) == MEMBERS
    assert {len(epochs) for epochs in curves} == {SETTINGS["epochs"] // MEMBERS}
    given, failed = specimens(40, 4)
    before = [
        failed_at(candidates(each[0]).place[:1], m)[0]
        for each, m in zip(given, failed, strict=True)
    ]
    right = []
    for each, mask in zip(given, failed, strict=True):
        found, field = site_network.ranked(committee, *each)
        first = np.unravel_index(np.nanargmax(field), SHAPE)
        assert tuple(found.place[found.share.argmax()]) == first
        right.append(mask[first])
    assert np.mean(before) < 0.5 and np.mean(right) > 0.8


def test_the_order_of_the_maxima_is_the_networks(trained):
    """Of the sites by their shares, and nothing that it has not judged is before them."""
    (each,), _ = specimens(1, 6)
    found, field = site_network.ranked(trained[0], *each)
    first = candidates(each[0])
    np.testing.assert_array_equal(found.place, first.place)
    at = field[tuple(found.place.T)]
    np.testing.assert_allclose(at, np.exp(found.share - found.share.max()), rtol=1e-5)
    assert np.logaddexp.reduce(found.share) == pytest.approx(np.logaddexp.reduce(first.share))
    solid = ~np.isnan(each[0])
    assert np.array_equal(np.isnan(field), ~solid) and np.nanmax(field) == 1
    rank = local_maxima(np.where(solid, field, 0), solid).rank[tuple(found.place.T)]
    order = np.argsort(-found.share)
    near = [k for k in order if rank[k]]  # a low site beside a high one is no maximum any more
    assert [rank[k] for k in near] == list(range(1, len(near) + 1)) and len(near) > MOST // 2


def test_what_is_beside_a_site_goes_with_it(trained):
    (each,), _ = specimens(1, 7)
    found, field = site_network.ranked(trained[0], *each)
    place = found.place[found.share.argmax()]
    beside = tuple(place + [1, 0, 0] if place[0] < 7 else place - [1, 0, 0])
    wanted = each[0][beside] / each[0][tuple(place)]
    lowest = np.exp(found.share.min() - found.share.max())
    assert field[beside] == pytest.approx(wanted, rel=1e-4) or wanted < lowest


def test_it_turns_with_the_specimen(trained):
    ((likelihood, channels),), _ = specimens(1, 8)
    _, field = site_network.ranked(trained[0], likelihood, channels)
    for name in ("rotate_90", "mirror_z", "inversion"):
        turned = {key: symmetry.apply(name, each) for key, each in channels.items()}
        _, again = site_network.ranked(trained[0], symmetry.apply(name, likelihood), turned)
        peaks = field > 0.01
        np.testing.assert_allclose(
            again[symmetry.apply(name, peaks)].sum(), field[peaks].sum(), rtol=1e-2
        )


@pytest.mark.parametrize("low", [1e-40, 0.0])
def test_sites_of_no_likelihood_are_numbers_all_the_same(trained, low):
    likelihood = np.full(SHAPE, low)
    likelihood[3, 3, 3] = 1.0
    likelihood[:, :, 6] = np.nan  # a plateau behind voids is a maximum
    channels = {"stress": np.full(SHAPE, -7, np.float32)}
    found, field = site_network.ranked(trained[0], likelihood, channels)
    assert np.isfinite(field[~np.isnan(likelihood)]).all() and np.isfinite(found.share).all()
    assert np.nanmax(field) == 1


def test_a_committee_says_the_mean_of_its_members(trained):
    (each,), _ = specimens(1, 9)
    said = [site_network.ranked((one,), *each)[0].share for one in trained[0]]
    mean = np.mean([share - np.logaddexp.reduce(share) for share in said], axis=0)
    found = site_network.ranked(trained[0], *each)[0].share
    np.testing.assert_allclose(found - found.max(), mean - mean.max(), atol=1e-6)
    assert not np.allclose(said[0], said[1])


def test_a_training_goes_on_and_is_the_same(trained, tmp_path):
    given, failed = specimens(70, 2)
    told = []
    wanted = {**SETTINGS, "epochs": MEMBERS}
    for _ in range(2):
        found = site_network.fit(around(given), failed, wanted, tmp_path / "s.npz", told.append)
    assert sum("goes on after epoch 1/1" in line for line in told) == MEMBERS
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"s-{k}.npz" for k in range(MEMBERS)
    ]
    assert len(found[0]) == MEMBERS


def test_too_few_failed_sites_are_refused(tmp_path):
    given, failed = specimens(8, 5)
    none = failed[:4] + [np.zeros(SHAPE, bool)] * 4
    with pytest.raises(PorefailError, match="4 specimens failed at one of their sites, expected 5"):
        site_network.fit(around(given), none, SETTINGS, tmp_path / "state.npz")
    assert not list(tmp_path.iterdir())
