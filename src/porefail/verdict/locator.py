"""What finds the sites of a part: a regression on cheap physics, a committee of networks that ranks
its sites anew by what is around them, calibrated probabilities.

Those in `locators` ship with porefail; `calibrate` makes others.
"""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files
from porefail.baselines.site_correction import SiteCorrection
from porefail.baselines.site_regression import SiteRegression
from porefail.configuration import require_settings
from porefail.configuration.locators import DEFAULT, LOCATORS
from porefail.configuration.sections import PRESOLVE
from porefail.configuration.variants import CHANNELS
from porefail.errors import PorefailError
from porefail.learning import site_network
from porefail.learning.candidates import MOST
from porefail.learning.site_network import Committee
from porefail.ranking.choice import Choice
from porefail.verdict.measures import MEASURES

SHIPPED = {name: Path(__file__).with_name("locators") / f"{name}.json" for name in LOCATORS}
# Channels that are known of a part, see assessment.py: no sub-models of it are pulled.
SCANNED = tuple(name for name, fields in CHANNELS.items() if not fields[0].startswith("submodels/"))
FEATURES = 2  # of a site, see assessment.py
SKILL = ("specimens", "top_1", "top_3", "in_set", "set_size")
VERSION = 4  # one of version 1 has no committee, of 2 no blocks, of 3 other blocks


class BlockChoice(NamedTuple):
    """Of sites that are ranked anew by blocks around the likeliest, see pulled.py.

    most: blocks of a specimen; choice: of the sites, by FEATURES and their lateness; level, skill:
    as of a locator.
    """

    most: int
    choice: Choice
    level: float
    skill: Mapping[str, float]


class Locator(NamedTuple):
    """A calibrated predictor of the site.

    model_version: of the physics; voxel: edge, mm; simulation, presolve: sections of the
    configuration that its physics is of; regression: of the voxels; committee: of its sites, see
    learning.site_network; choice: of the sites; level: of the conformal set that holds the true
    site with probability `coverage`; ranges: of each measure in the specimens that it learnt from;
    skill: on specimens that chose
    nothing (SKILL); source: in words; scanned: voxel (mm) and noise of the scans that probabilities
    are of, 0 where they are of exact voxels; blocks: None of one that was calibrated without.
    """

    model_version: int
    voxel: float
    simulation: Mapping
    presolve: Mapping
    regression: SiteRegression
    committee: Committee
    choice: Choice
    level: float
    coverage: float
    ranges: Mapping[str, tuple[float, float]]
    skill: Mapping[str, float]
    source: str
    scanned: tuple[float, float]
    blocks: BlockChoice | None = None

    @property
    def channels(self) -> list[str]:
        """What it must be given of a part."""
        return needed_channels(self.regression, self.committee)


def needed_channels(regression: SiteRegression, committee: Committee) -> list[str]:
    """Channels by name that a regression and the committee of its sites are given."""
    return list(dict.fromkeys([*regression.names, *site_network.channel_names(committee)]))


def write_locator(path: str | Path, locator: Locator) -> None:
    """Write a locator as JSON."""
    regression, blocks = locator.regression, locator.blocks
    text = {
        "locator": VERSION,
        "source": locator.source,
        "model_version": locator.model_version,
        "voxel_mm": locator.voxel,
        "coverage": locator.coverage,
        "scanned": list(locator.scanned),
        "skill": dict(locator.skill),
        **_chosen(locator.choice, locator.level),
        "regression": {
            "names": list(regression.names),
            **{
                name: np.asarray(getattr(regression, name)).tolist()
                for name in ("centre", "scale", "coefficients", "penalty", "validation_loss")
            },
        },
        "committee": [_packed(each) for each in locator.committee],
        "blocks": None
        if blocks is None
        else {"most": blocks.most, "skill": dict(blocks.skill)}
        | _chosen(blocks.choice, blocks.level),
        "ranges": {name: list(each) for name, each in locator.ranges.items()},
        "simulation": dict(locator.simulation),
        "presolve": dict(locator.presolve),
    }
    files.write_text(path, json.dumps(text, indent=1) + "\n")


def is_locator(model: str | Path) -> bool:
    """Whether a model by name or path is a locator: shipped, or JSON."""
    return str(model) in SHIPPED or Path(model).suffix == ".json"


def read_locator(path: str | Path = DEFAULT) -> Locator:
    """A shipped locator by name, or one of a file; PorefailError that names what is wrong."""
    path = SHIPPED.get(str(path), path)
    try:
        text = json.loads(Path(path).read_bytes().decode())
    except OSError as error:
        raise PorefailError(
            f"{path}: cannot be read: {files.reason(error)} (expected a file, or one of"
            f" {', '.join(LOCATORS)})"
        ) from None
    except (ValueError, RecursionError):
        raise PorefailError(f"{path}: not a locator (JSON of `porefail calibrate`)") from None
    if not isinstance(text, dict) or text.get("locator") not in range(1, VERSION + 1):
        raise PorefailError(f"{path}: not a locator of version {VERSION} (see `calibrate`)")
    if text["locator"] == 3 and text.get("blocks") is not None:
        raise PorefailError(
            f"{path}: ranks sites by blocks of an older porefail (expected version {VERSION}: make"
            " it anew with `calibrate --submodels`)"
        )
    try:
        found = _parsed(text)
        require_settings({"simulation": found.simulation, "presolve": found.presolve}, PRESOLVE)
        return found
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        PorefailError,
    ) as error:
        raise PorefailError(
            f"{path}: a damaged locator: {type(error).__name__} {str(error):.80}"
        ) from None


def _parsed(text: Mapping) -> Locator:
    given = text["regression"]
    names = tuple(given["names"])
    unknown = set(names) - set(SCANNED)
    if not names or unknown:
        raise ValueError(f"regression.names {sorted(unknown)}")
    count = 2 * len(names) + len(names) * (len(names) + 1) // 2 + 1
    regression = SiteRegression(
        names,
        *(_numbers(given[name], count) for name in ("centre", "scale", "coefficients")),
        float(given["penalty"]),
        float(given["validation_loss"]),
    )
    if not (regression.scale > 0).all():
        raise ValueError("regression.scale")
    voxel, coverage = _number(text["voxel_mm"]), _number(text["coverage"])
    if not (voxel > 0 and 0 < coverage < 1):
        raise ValueError("voxel_mm, coverage")
    for name in ("simulation", "presolve"):
        if not isinstance(text[name], dict):
            raise ValueError(name)
    committee = tuple(map(_unpacked, text.get("committee", [])))
    if len({(each.names, each.reach) for each in committee}) > 1:
        raise ValueError("committee: members that see different things")
    return Locator(
        _version(text),
        voxel,
        text["simulation"],
        text["presolve"],
        regression,
        committee,
        *_choice(text, FEATURES),
        coverage,
        {name: tuple(_numbers(text["ranges"][name], 2)) for name in MEASURES},
        {name: _number(text["skill"][name]) for name in SKILL},
        str(text["source"]),
        tuple(_numbers(text["scanned"], 2)),
        _blocks(text.get("blocks")),
    )


def _chosen(choice: Choice, level: float) -> dict:
    """A choice with the level of its sets as JSON."""
    return {
        "level": level if np.isfinite(level) else None,
        "choice": {"coefficient": choice.coefficient.tolist(), "none": choice.none},
    }


def _choice(text: Mapping, features: int) -> tuple[Choice, float]:
    """What _chosen() wrote."""
    given = text["choice"]
    return (
        Choice(_numbers(given["coefficient"], features), _number(given["none"])),
        np.inf if text["level"] is None else _number(text["level"]),
    )


def _blocks(text: Mapping | None) -> BlockChoice | None:
    if text is None:
        return None
    if type(text["most"]) is not int or not 0 < text["most"] <= MOST:
        raise ValueError(f"blocks.most {text['most']}")
    skill = {name: _number(text["skill"][name]) for name in SKILL}
    return BlockChoice(text["most"], *_choice(text, FEATURES + 1), skill)


def _version(text: Mapping) -> int:
    """Version of the physics; of older locators it is in their source alone."""
    if "model_version" in text:
        return int(_number(text["model_version"]))
    words = re.search(r"model version (\d+)", str(text["source"]))
    return int(words[1]) if words else 0


def _packed(network: SiteCorrection) -> dict:
    """A network as JSON: numbers are float32, little-endian, in base64."""

    def text(array: np.ndarray) -> dict:
        values = np.ascontiguousarray(array, "<f4")
        return {"shape": list(array.shape), "values": base64.b64encode(values).decode()}

    return {
        "names": list(network.names),
        "scales": text(network.scales),
        "convolutions": [[text(each) for each in pair] for pair in network.convolutions],
        "hidden": [text(each) for each in network.hidden],
        "correct": text(network.correct),
    }


def _unpacked(given: Mapping) -> SiteCorrection:
    names, count = tuple(given["names"]), len(given["convolutions"])
    unknown = set(names) - {site_network.SOLID, *SCANNED}
    if names[:1] != (site_network.SOLID,) or unknown or not count:
        raise ValueError(f"committee names {sorted(unknown)}, of {count} convolutions")
    inside, convolutions = len(names), []
    for kernel, bias in given["convolutions"]:
        convolutions.append((_array(kernel, 6, inside, None), _array(bias, None)))
        inside = convolutions[-1][0].shape[-1]
        if convolutions[-1][1].shape != (inside,):
            raise ValueError("committee convolutions")
    matrix, bias = given["hidden"]
    matrix = _array(matrix, inside + 1, None)
    width = matrix.shape[1]
    found = SiteCorrection(
        names,
        _array(given["scales"], len(names), 2),
        convolutions,
        (matrix, _array(bias, width)),
        _array(given["correct"], width),
    )
    if not (found.scales[:, 1] > 0).all():
        raise ValueError("committee scales")
    return found


def _array(given: Mapping, *shape: int | None) -> np.ndarray:
    """Finite numbers of a shape, any along an axis of None."""
    found = np.frombuffer(base64.b64decode(given["values"], validate=True), "<f4")
    found = found.reshape([int(side) for side in given["shape"]])
    fits = found.ndim == len(shape) and all(
        wanted in (None, side) for wanted, side in zip(shape, found.shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        raise ValueError(f"committee: finite numbers of shape {shape} expected")
    return found.astype(np.float32)


def _numbers(values: list, count: int) -> np.ndarray:
    found = np.array(values, float)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ValueError(f"{count} finite numbers expected")
    return found


def _number(value) -> float:
    return float(_numbers([value], 1)[0])
