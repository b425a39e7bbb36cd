"""Networks that rank the likely sites of a regression anew, by what is around each of them.

One training says little: each ends by chance here or there. So there are MEMBERS, and their mean
counts. They learn from shares of a regression that was fitted to the same specimens: 13 numbers or
so, of hundreds of specimens.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.special import logsumexp

from porefail.baselines import site_correction
from porefail.baselines.site_correction import SHARE, SiteCorrection
from porefail.errors import PorefailError
from porefail.learning.candidates import MOST, NEAR, Candidates, candidates, failed_at
from porefail.nn.checkpoint import Epoch
from porefail.voxels.blocks import blocks_about
from porefail.voxels.neighbours import grown

KIND = "site_network"
MEMBERS = 5
REACH = 3  # voxels about a site that a new network sees; more teach it no more
SOLID = "solid"  # channel of the voxels that are no void
NO_SITE = -1e3  # log likelihood of a site that is not there
LOWER = 0.999  # of the lowest site's likelihood: what no network has judged


class Surroundings(NamedTuple):
    """What is around the sites of a specimen: candidates; blocks (m, s, s, s) by channel, with
    SOLID, as they are, 0 outside."""

    found: Candidates
    blocks: Mapping[str, np.ndarray]


Committee = tuple[SiteCorrection, ...]
Pair = tuple[Surroundings, np.ndarray]  # of a specimen, and which of its sites failed


def channel_names(committee: Committee) -> list[str]:
    """Channels that a committee is given, beside SOLID; none of an empty one."""
    return [name for model in committee[:1] for name in model.names if name != SOLID]


def surroundings(
    likelihood: np.ndarray,
    channels: Mapping[str, np.ndarray],
    names: Sequence[str],
    reach: int = REACH,
) -> Surroundings:
    """Of a specimen; likelihood (nx, ny, nz), NaN in voids; channels: fields of its shape; reach:
    voxels about each site."""
    found = candidates(likelihood)
    solid = (~np.isnan(likelihood)).astype(np.float32)
    fields = {SOLID: solid} | {name: channels[name] for name in names}
    return Surroundings(
        found,
        {name: blocks_about(field, found.place, reach, 0.0) for name, field in fields.items()},
    )


def scales_of(parts: Sequence[Surroundings]) -> np.ndarray:
    """Mean and deviation (c, 2) of each channel in the solid voxels around all sites."""
    solid = np.concatenate([each.blocks[SOLID] for each in parts]) == 1
    scales = []
    for name in parts[0].blocks:
        values = np.concatenate([each.blocks[name] for each in parts])
        values = values if name == SOLID else values[solid]
        scales.append((values.mean(), values.std() or 1.0))
    return np.array(scales, np.float32)


def scaled(
    blocks: Mapping[str, np.ndarray], names: Sequence[str], scales: np.ndarray
) -> dict[str, np.ndarray]:
    """Blocks as the network takes them; what is no metal, in a void or outside, is the mean."""
    solid = blocks[SOLID] == 1
    return {
        name: np.where(solid | (name == SOLID), (blocks[name] - mean) / deviation, 0.0).astype(
            np.float32
        )
        for name, (mean, deviation) in zip(names, scales, strict=True)
    }


def fit(
    specimens: Sequence[Surroundings],
    failed: Sequence[np.ndarray],
    settings: Mapping,
    checkpoint: str | Path,
    report: Callable[[str], None] = print,
) -> tuple[Committee, list[list[Epoch]]]:
    """Train a committee on the sites of specimens; returns what each has learnt, and its epochs.

    failed: of each specimen, (nx, ny, nz) bool, the voxels that failed. A specimen that failed at
    none of its sites teaches nothing. settings: seed, filters, epochs, which the networks share,
    batch_size, learning_rate. Each network is ended by another part of the specimens, which it does
    not learn from (cross-validated committee, Parmanto et al. 1996). A training that was killed
    goes on from files beside `checkpoint`. Raises PorefailError where there are too few specimens.
    """
    hits = [failed_at(each.found.place, mask) for each, mask in zip(specimens, failed, strict=True)]
    useful = [pair for pair in zip(specimens, hits, strict=True) if pair[1].any()]
    if len(useful) < MEMBERS:
        raise PorefailError(
            f"{len(useful)} specimens failed at one of their sites, expected {MEMBERS} or more to"
            " learn from"
        )
    own, path = dict(settings), Path(checkpoint)
    own["epochs"] = max(1, settings["epochs"] // MEMBERS)
    committee, curves = [], []
    for k in range(MEMBERS):
        report(f"network {k + 1} of {MEMBERS}")
        own["seed"] = settings["seed"] + 1000 * (k + 1)
        beside = path.with_name(f"{path.stem}-{k}{path.suffix}")
        rest = [pair for n, pair in enumerate(useful) if n % MEMBERS != k]
        model, epochs = _fit(rest, useful[k::MEMBERS], own, beside, report)
        committee.append(model)
        curves.append(epochs)
    return tuple(committee), curves


def _fit(
    training: Sequence[Pair],
    validation: Sequence[Pair],
    settings: Mapping,
    checkpoint: Path,
    report: Callable[[str], None],
) -> tuple[SiteCorrection, list[Epoch]]:
    from porefail.nn import site_network as nn
    from porefail.nn import training as loop
    from porefail.nn.batches import Examples
    from porefail.nn.losses import site_cross_entropy

    scales, names = scales_of([each for each, _ in training]), tuple(training[0][0].blocks)
    parts = []
    for pairs in (training, validation):
        side = 2 * REACH + 1
        given = {n: np.zeros((len(pairs), MOST, side, side, side), np.float32) for n in names}
        share = np.full((len(pairs), MOST), NO_SITE, np.float32)
        label = np.full((len(pairs), MOST), np.nan, np.float32)
        for row, (each, hit) in enumerate(pairs):
            share[row, : len(hit)], label[row, : len(hit)] = each.found.share, hit
            for name, blocks in scaled(each.blocks, names, scales).items():
                given[name][row, : len(hit)] = blocks
        parts.append(Examples(given | {SHARE: share}, label))
    model = nn.site_network(names, SHARE, MOST, REACH, settings["filters"], settings["seed"])
    keys = ("epochs", "batch_size", "learning_rate", "seed")
    epochs = loop.train(
        model,
        *parts,
        [np.asarray],
        loop.Settings(*(settings[key] for key in keys), copies=1),
        checkpoint,
        site_cross_entropy,
        report,
    )
    found = nn.weights(model)
    kernels = found["convolutions"]
    return SiteCorrection(
        names,
        scales,
        list(zip(kernels[::2], kernels[1::2], strict=True)),
        tuple(found["hidden"]),
        found["correct"][0][:, 0],
    ), epochs


def ranked(
    committee: Committee, likelihood: np.ndarray, channels: Mapping[str, np.ndarray]
) -> tuple[Candidates, np.ndarray]:
    """The sites of a specimen with log shares of the likelihood as a committee says, and the
    likelihood (nx, ny, nz), NaN in voids, of its voxels, over the likeliest one's.

    What the sites have of the likelihood together stays as it was, so the order of the sites is
    that of before. A site's own voxel is as likely as its share says, what is nearest to it and no
    more than NEAR voxels away in proportion; all else is below the sites.
    """
    names, reach = channel_names(committee), committee[0].reach
    found, blocks = surroundings(likelihood, channels, names, reach)
    each = []
    for model in committee:
        given = scaled(blocks, model.names, model.scales) | {SHARE: found.share}
        score = site_correction.scores(model, given).astype(float)
        each.append(score - logsumexp(score))
    score = np.mean(each, axis=0)
    share = score - logsumexp(score) + logsumexp(found.share)
    at = tuple(found.place.T)
    mark = np.zeros(likelihood.shape, bool)
    mark[at] = True
    number = np.zeros(likelihood.shape, int)
    number[at] = np.arange(len(score))
    nearest = ndimage.distance_transform_edt(~mark, return_distances=False, return_indices=True)
    number = number[tuple(nearest)]
    solid = ~np.isnan(likelihood)
    field = np.full(likelihood.shape, np.nan)
    tiny = np.finfo(np.float32).tiny
    logs = np.log(np.maximum(likelihood.astype(float), tiny))
    # Of its own site a voxel has a share of 1 at most: no other maximum rises above it.
    relative = np.minimum(logs - logs[at][number], 0.0) + (share - share.max())[number]
    lowest = (share - share.max()).min() + np.log(LOWER)
    relative = np.where(grown(mark, NEAR), relative, np.minimum(relative, lowest))
    field[solid] = np.exp(relative[solid])
    return Candidates(found.place, share), field
