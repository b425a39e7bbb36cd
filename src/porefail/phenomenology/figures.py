"""Figures of an ensemble (paper, Figs 1 to 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import store
from porefail.figures.damage_histograms import damage_histograms
from porefail.figures.damage_sequence import damage_sequence
from porefail.figures.damage_stages import damage_stages
from porefail.phenomenology import measures as ph
from porefail.phenomenology.comparison import PLATEAU, Measures
from porefail.store import Collapse


def stages(found: Measures):
    low, high = PLATEAU
    history = found.strain, found.max_damage
    return damage_stages(
        {
            f"stage II: {low:g} φ$_{{max}}$ reached": ph.strain_at(*history, low),
            f"stage III: {high:g} φ$_{{max}}$ left": ph.last_strain_at(*history, high),
            "first failure": found.first_strain,
        },
        ph.strain_between(*history, *PLATEAU),
        found.max_damage,
        found.saturated,
        PLATEAU,
    )


def has_snapshots(ensemble: str | Path) -> bool:
    return "snapshots/damage" in store.shapes(ensemble)


def _frames(ensemble: str | Path, source: Mapping, row: int) -> tuple[list, list, list]:
    """Strains, fields φ/φ_max and names of what is known of a specimen's damage, by strain."""
    material = source["simulation"]["material"]
    names = ["porosity", "damage", "first_failure_strain"]
    if has_snapshots(ensemble):
        names += ["snapshots/strain", "snapshots/damage"]
    fields = {name: values[0] for name, values in _read_row(ensemble, names, row).items()}
    start = np.where(fields["porosity"] == 0, material["initial_damage"], np.nan)
    frames = [
        (0.0, start, "start"),
        (fields["first_failure_strain"], fields["damage"], "1st failure"),
    ]
    for strain, damage in zip(
        fields.get("snapshots/strain", []), fields.get("snapshots/damage", []), strict=True
    ):
        if np.isfinite(damage).any():
            frames.append((strain, damage, ""))
    frames.sort(key=lambda frame: frame[0])
    strains, damages, titles = zip(*frames, strict=True)
    return list(strains), [field / material["maximum_damage"] for field in damages], list(titles)


def _read_row(ensemble: str | Path, names: Sequence[str], row: int) -> dict[str, np.ndarray]:
    return store.read(ensemble, names, slice(row, row + 1))[0]


def sequence(ensemble: str | Path, source: Mapping, found: Measures, ended: np.ndarray):
    """The specimen of median strain at first failure, of those that collapsed if there are any."""
    usable = ended == Collapse.REACHED
    among = np.flatnonzero(usable) if usable.any() else np.arange(len(ended))
    row = int(among[ph.representatives(found.first_strain[among], 1)[0]])
    strains, damage, titles = _frames(ensemble, source, row)
    names = ["porosity", "final_failed"] if usable.any() else ["porosity"]
    fields = _read_row(ensemble, names, row)
    return damage_sequence(
        fields["porosity"][0],
        np.array(strains),
        np.stack(damage),
        titles,
        fields["final_failed"][0] == 1 if usable.any() else None,
        {name: getattr(found, name)[row] for name in ("strain", "max_damage", "stress")},
        source["spacing"],
    )


def histograms(ensemble: str | Path, source: Mapping, found: Measures, count: int):
    rows = ph.representatives(found.first_strain, count)
    frames = [_frames(ensemble, source, int(row)) for row in rows]
    numbers = store.read(ensemble, ["realization"])[0]["realization"]
    titles = [
        f"specimen {numbers[row]}, fails at {100 * found.first_strain[row]:.1f} %" for row in rows
    ]
    return damage_histograms(
        [np.array(strains) for strains, _, _ in frames],
        [np.stack(damage) for _, damage, _ in frames],
        titles,
    )
