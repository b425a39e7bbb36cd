"""The network that ranks the likely sites of a regression anew, by what is around each of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from porefail.dataset import symmetry
from porefail.errors import PorefailError
from porefail.learning.candidates import MOST, Candidates
from porefail.voxels.blocks import blocks_about

if TYPE_CHECKING:
    import keras

KIND = "site_network"
REACH = 5  # voxels about a site that the network sees
SOLID = "solid"  # channel of the voxels that are no void
NO_SITE = -1e3  # log likelihood of a site that is not there


def inputs(
    found: Sequence[Candidates],
    channels: Mapping[str, np.ndarray],
    porosity: np.ndarray,
    names: Sequence[str],
) -> dict[str, np.ndarray]:
    """What the network takes of n specimens; channels, porosity (1 = void): (n, nx, ny, nz).

    By name: blocks (n, MOST, s, s, s) of SOLID and of each channel, 0 outside and in voids, and the
    shares (n, MOST), NO_SITE where there are fewer sites.
    """
    from porefail.nn.site_network import SHARE

    side = 2 * REACH + 1
    given = {SOLID: 1 - porosity} | {name: channels[name] for name in names}
    blocks = {name: np.zeros((len(found), MOST, side, side, side), np.float32) for name in given}
    share = np.full((len(found), MOST), NO_SITE, np.float32)
    for n, each in enumerate(found):
        share[n, : len(each.share)] = each.share
        for name, fields in given.items():
            blocks[name][n, : len(each.place)] = blocks_about(fields[n], each.place, REACH, 0)
    return blocks | {SHARE: share}


def channel_names(model: "keras.Model") -> list[str]:
    """Channels that a network of sites takes, beside SOLID and the shares."""
    from porefail.nn.site_network import SHARE

    return [each.name for each in model.inputs if each.name not in (SOLID, SHARE)]


def require(model: "keras.Model", known: Collection[str], path: str | Path) -> None:
    """Raise PorefailError unless a model of a file is a network of sites, of known channels."""
    from porefail.nn.site_network import SHARE

    side = 2 * REACH + 1
    shapes = {each.name: tuple(each.shape[1:]) for each in model.inputs}
    wanted = dict.fromkeys(shapes, (MOST, side, side, side, 1)) | {SHARE: (MOST, 1)}
    if shapes != wanted or SOLID not in shapes or tuple(model.output.shape[1:]) != (MOST, 1):
        raise PorefailError(f"{path}: not a network of {MOST} sites, {REACH} voxels about each")
    unknown = [name for name in channel_names(model) if name not in known]
    if unknown:
        raise PorefailError(
            f"{path}: its input {unknown[0]} is unknown, known are {', '.join(known)}"
        )


def fit(
    training: Mapping[str, np.ndarray],
    training_failed: Sequence[np.ndarray],
    validation: Mapping[str, np.ndarray],
    validation_failed: Sequence[np.ndarray],
    settings: Mapping,
    checkpoint: str | Path,
    report: Callable[[str], None] = print,
) -> tuple["keras.Model", list]:
    """Train a network on the sites of specimens; returns it with its epochs.

    training, validation: of inputs(); failed: of each specimen, bool (m,), which of its sites did.
    A specimen that failed at none of them teaches nothing. settings: the keys of learning.SETTINGS.
    Raises PorefailError where a part has no specimen to learn from.
    """
    from porefail.nn import training as nn
    from porefail.nn.batches import Examples
    from porefail.nn.losses import site_cross_entropy
    from porefail.nn.site_network import SHARE, site_network

    parts = []
    for words, given, failed in (
        ("training", training, training_failed),
        ("validation", validation, validation_failed),
    ):
        useful = np.array([each.any() for each in failed], bool)
        if not useful.any():
            raise PorefailError(f"no specimen of the {words} part failed at one of its sites")
        label = np.full((len(failed), MOST), np.nan, np.float32)
        for row, each in zip(label, failed, strict=True):
            row[: len(each)] = each
        parts.append(
            Examples({name: field[useful] for name, field in given.items()}, label[useful])
        )
    scales = {
        name: (float(field.mean()), float(field.std()) or 1.0)
        for name, field in parts[0].inputs.items()
        if name != SHARE
    }
    model = site_network(
        scales,
        MOST,
        REACH,
        filters=settings["filters"],
        seed=settings["seed"],
        symmetric=settings["symmetric"],
    )
    return model, nn.train(
        model,
        *parts,
        [partial(symmetry.apply, name) for name in settings["symmetries"]],
        nn.Settings(
            settings["epochs"],
            settings["batch_size"],
            settings["learning_rate"],
            settings["seed"],
            settings["copies"],
        ),
        Path(checkpoint),
        site_cross_entropy,
        report,
    )


def ranked_anew(likelihood: np.ndarray, found: Candidates, score: np.ndarray) -> np.ndarray:
    """A likelihood (nx, ny, nz), NaN in voids, with the network's scores (>= m,) of its sites.

    What is nearest to a site is scaled with it, so that the sites' own voxels are as likely as the
    network says; over the likeliest voxel's.
    """
    score = score[: len(found.place)]
    sites = np.ones(likelihood.shape, bool)
    number = np.zeros(likelihood.shape, int)
    at = tuple(found.place.T)
    sites[at], number[at] = False, np.arange(len(score))
    nearest = ndimage.distance_transform_edt(sites, return_distances=False, return_indices=True)
    factor = np.exp(score - score.max()) / likelihood[at]
    scaled = likelihood * factor[number[tuple(nearest)]]
    return (scaled / np.nanmax(scaled)).astype(np.float32)


def predict(model: "keras.Model", given: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log likelihoods (n, MOST) of sites, up to a constant of each specimen; given: of inputs()."""
    from porefail.nn import site_network as nn

    return nn.predict(model, given)
