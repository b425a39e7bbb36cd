"""Sites of a likelihood, what a network is given of them, and how it ranks them anew."""

import numpy as np
import pytest

from porefail.configuration.variants import CHANNELS
from porefail.dataset import symmetry
from porefail.errors import PorefailError
from porefail.learning import site_network
from porefail.learning.candidates import MOST, candidates, failed_at
from porefail.metrics.peaks import local_maxima
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.site_network import SHARE

SHAPE = (8, 8, 12)
SETTINGS = {
    "filters": 4,
    "seed": 1,
    "symmetric": True,
    "symmetries": ["identity"],
    "epochs": 30,
    "batch_size": 8,
    "learning_rate": 5e-3,
    "copies": 1,
}


def specimens(count: int, seed: int):
    """Likelihoods with peaks at four places; that with the highest stress around it fails."""
    rng = np.random.default_rng(seed)
    porosity = np.zeros((count, *SHAPE), np.uint8)
    porosity[:, 0, 0, 0] = 1
    likelihood = np.full((count, *SHAPE), 1e-3) * rng.uniform(0.5, 1, (count, *SHAPE))
    stress = rng.normal(size=(count, *SHAPE)).astype(np.float32)
    places = np.array([[2, 2, 2], [5, 2, 9], [2, 5, 6], [6, 6, 2]])
    failed = np.zeros((count, *SHAPE), bool)
    for n in range(count):
        strong = rng.permutation(4)
        likelihood[n][tuple(places.T)] = rng.uniform(0.8, 1.0, 4)
        for k, (x, y, z) in enumerate(places):
            stress[n, x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2] += 2 * strong[k]
        failed[n][tuple(places[strong.argmax()])] = True
    likelihood[porosity == 1] = np.nan
    return porosity, likelihood, {"stress": stress}, failed


def given(porosity, likelihood, channels, failed):
    found = [candidates(each) for each in likelihood]
    hits = [failed_at(each.place, mask) for each, mask in zip(found, failed, strict=True)]
    return found, site_network.inputs(found, channels, porosity, ["stress"]), hits


def test_candidates_are_the_highest_maxima_with_their_shares():
    _, likelihood, _, _ = specimens(1, 0)
    found = candidates(likelihood[0])
    assert len(found.place) == MOST
    value = likelihood[0][tuple(found.place.T)]
    assert (np.diff(value) <= 0).all()
    rank = local_maxima(np.nan_to_num(likelihood[0]), ~np.isnan(likelihood[0])).rank
    assert rank[tuple(found.place.T)].tolist() == list(range(1, MOST + 1))
    x, y, z = found.place[0]
    near = likelihood[0][x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2].sum()
    assert found.share[0] == pytest.approx(np.log(near / np.nansum(likelihood[0])))


def test_inputs_are_blocks_of_what_is_there_and_shares():
    porosity, likelihood, channels, failed = specimens(3, 1)
    likelihood[0] = np.where(np.isnan(likelihood[0]), np.nan, 0.0)
    likelihood[0, 3, 3, 3] = 1.0  # one site alone, at the surface nothing
    found, blocks, _ = given(porosity, likelihood, channels, failed)
    assert set(blocks) == {"solid", "stress", SHARE}
    assert blocks[SHARE][0, 0] == 0 and (blocks[SHARE][0, 1:] <= -1e3).sum() >= MOST - 2
    reach = site_network.REACH
    for n in (1, 2):
        for k, (x, y, z) in enumerate(found[n].place):
            middle = blocks["stress"][n, k, reach, reach, reach]
            assert middle == channels["stress"][n, x, y, z]
            assert blocks["solid"][n, k, reach, reach, reach] == 1
            assert not blocks["solid"][n, k, : max(reach - x, 0)].any()  # outside is no metal


def test_it_learns_what_the_likelihood_does_not_tell(tmp_path):
    training, validation = (given(*specimens(count, seed)) for count, seed in ((60, 2), (20, 3)))
    test = specimens(40, 4)
    model, epochs = site_network.fit(
        *training[1:], *validation[1:], SETTINGS, tmp_path / "state.npz", lambda text: None
    )
    assert len(epochs) == SETTINGS["epochs"]
    found, blocks, hits = given(*test)
    score = site_network.predict(model, blocks)
    right = np.mean([hit[each[: len(hit)].argmax()] for hit, each in zip(hits, score, strict=True)])
    before = np.mean([hit[0] for hit in hits])
    assert before < 0.5 and right > 0.8
    site_network.require(model, ["stress"], "model.keras")
    with pytest.raises(PorefailError, match="m.keras: its input stress is unknown, known are"):
        site_network.require(model, CHANNELS, "m.keras")
    with pytest.raises(PorefailError, match="m.keras: not a network of 12 sites"):
        site_network.require(heteroencoder(), CHANNELS, "m.keras")


def test_a_part_without_a_failed_site_is_refused(tmp_path):
    found, blocks, hits = given(*specimens(4, 5))
    none = [np.zeros_like(each) for each in hits]
    with pytest.raises(PorefailError, match="no specimen of the validation part failed at one"):
        site_network.fit(blocks, hits, blocks, none, SETTINGS, tmp_path / "state.npz")
    assert not list(tmp_path.iterdir())


def test_ranked_anew_sites_are_as_likely_as_the_network_says():
    _, likelihood, _, _ = specimens(1, 6)
    found = candidates(likelihood[0])
    score = np.random.default_rng(0).normal(size=MOST)
    field = site_network.ranked_anew(likelihood[0], found, score)
    at = field[tuple(found.place.T)]
    np.testing.assert_allclose(at / at.max(), np.exp(score - score.max()), rtol=1e-5)
    assert np.isnan(field[0, 0, 0]) and np.nanmax(field) == 1
    # What is nearest to a site goes with it.
    for name in ("mirror_z", "rotate_90"):
        turned = symmetry.apply(name, likelihood[0])
        places = candidates(turned)
        # The same sites, in the same order: no two are as likely.
        again = site_network.ranked_anew(turned, places, score)
        assert np.nanmax(again) == 1
        np.testing.assert_allclose(np.sort(again[tuple(places.place.T)]), np.sort(at), rtol=1e-5)
