"""The tables of a verdict: sites and pores in the coordinates of the scan."""

import numpy as np
import pytest

from porefail.verdict.tables import pore_columns, site_table

from .conftest import VOXEL


def test_sites_by_falling_probability(verdict):
    _, found = verdict
    table = found.sites
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table["probability"].is_monotonic_decreasing
    assert 0 < table["probability"].sum() <= 1
    members = table["in_set"].to_numpy()
    assert set(members) <= {0, 1} and (np.diff(members) <= 0).all() and members[0] == 1
    assert (table["pore"].isin(found.part.pores["id"])).all()


def test_a_site_lies_in_metal_beside_its_pore(verdict):
    """In the voxels of the scan: not more than a voxel of the simulation from a void."""
    scan, found = verdict
    labels = np.zeros(scan.values.shape, int)
    where = tuple(
        slice(a, a + n)
        for a, n in zip(found.part.segmented.first, found.part.labels.shape, strict=True)
    )
    labels[where] = found.part.labels
    edge = scan.spacing[0]
    for row in found.sites.head(3).itertuples():
        place = np.array([row.x_mm, row.y_mm, row.z_mm])
        np.testing.assert_allclose([row.x_voxel, row.y_voxel, row.z_voxel], place / edge - 0.5)
        away = np.linalg.norm((np.argwhere(labels) + 0.5) * edge - place, axis=1)
        assert row.pore_distance_mm == pytest.approx(away.min())
        assert labels[tuple(np.argwhere(labels)[away.argmin()])] == row.pore
        assert away.min() < 2 * VOXEL
        assert row.stress_concentration > 1


def test_the_largest_pore_is_where_it_fails(verdict, porosity):
    """The place of the first site is within two voxels of a pore in the specimen's own grid."""
    _, found = verdict
    first = found.sites.iloc[0]
    place = np.array([first.x_mm - 0.1, first.y_mm - 0.1, first.z_mm]) / VOXEL - 0.5
    np.testing.assert_allclose(place, place.round(), atol=0.15)
    away = abs(np.argwhere(porosity) - place.round()).max(axis=1).min()
    assert away == 1


def test_a_part_that_lies_has_the_same_sites(verdict, lying):
    """Along x: columns change places, nothing else does."""
    upright, turned = verdict[1].sites, lying[1].sites
    for kind in ("mm", "voxel"):
        before = upright[[f"z_{kind}", f"x_{kind}", f"y_{kind}"]]
        after = turned[[f"x_{kind}", f"y_{kind}", f"z_{kind}"]]
        np.testing.assert_allclose(after, before)
    for name in ("probability", "in_set", "pore", "pore_distance_mm", "stress_concentration"):
        np.testing.assert_array_equal(upright[name], turned[name])
    pores = [pore_columns(each[1].part) for each in (verdict, lying)]
    np.testing.assert_allclose(pores[1]["x_mm"], pores[0]["z_mm"])
    np.testing.assert_allclose(pores[1]["y_voxel"], pores[0]["x_voxel"])


def test_where_a_simulation_failed(verdict):
    _, found = verdict
    failed = np.zeros(found.assessment.likelihood.shape, bool)
    second = found.assessment.sites.place[found.assessment.ranking.order[1]]
    failed[tuple(second)] = True
    table = site_table(found.part, found.assessment, VOXEL, failed)
    assert table["simulated_failure"][1] == 1
    assert "simulated_failure" not in found.sites
    far = abs(found.assessment.sites.place[found.assessment.ranking.order] - second).max(axis=1) > 1
    assert not table["simulated_failure"][far].any()


def test_ranks_of_the_fine_stress(verdict):
    _, found = verdict
    count = len(found.sites)
    fine = np.random.default_rng(1).random(count)
    ranks = site_table(found.part, found.assessment, VOXEL, None, fine)["fine_elastic_rank"]
    assert sorted(ranks) == list(range(1, count + 1))
    order = found.assessment.ranking.order
    assert order[np.argmin(ranks)] == np.argmax(fine)
    assert sorted(found.sites["fine_elastic_rank"]) == list(range(1, count + 1))
