"""phenomenology: how an ensemble is damaged, fails and collapses (paper, section 2.4)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import files, store
from porefail.configuration import require_settings, section
from porefail.figures.damage_histograms import damage_histograms
from porefail.figures.damage_sequence import damage_sequence
from porefail.figures.damage_stages import damage_stages
from porefail.figures.ensemble_curves import ensemble_curves
from porefail.figures.failure_spread import failure_spread
from porefail.metrics import phenomenology as ph
from porefail.metrics.comparison import PLATEAU, Measures, Row, compare
from porefail.steps import write_figures
from porefail.store import Collapse, Status

SETTINGS = section("phenomenology")
ROWS = 256  # specimens in memory at a time


def run(ensemble: str | Path, account: str | Path, output: str | Path, settings: Mapping) -> None:
    """Write figures (PNG), table.csv and summary.txt to the folder `output`; print the summary.

    settings: the keys of SETTINGS. What the ensemble does not hold is left out, and the summary
    tells which setting gives it.
    """
    require_settings(settings, SETTINGS)
    _, source = store.read(ensemble, [], kind="ensemble")
    excluded = account.read_excluded(account, ensemble)
    found, ended = _measured(ensemble, source, settings["levels"])
    rows = compare(found, settings["strains"], settings["levels"])
    text = summary(rows, source, excluded, ended, _snapshots(ensemble))
    length = source["spacing"] * store.shapes(ensemble)["porosity"][3]
    figures = {
        "damage_sequence": _sequence(ensemble, source, found, ended),
        "damage_histograms": _histograms(ensemble, source, found, settings["specimens"]),
        "damage_stages": _stages(found),
        "ensemble_curves": ensemble_curves(*found[:4], found.first_strain),
        "failure_spread": failure_spread(
            found.first_strain,
            found.final_strain,
            found.first_height,
            found.final_height,
            length,
            source["spacing"],
        ),
    }
    columns = {name: [getattr(row, name) for row in rows] for name in Row._fields[:-1]}
    columns |= {name: [getattr(row.found, name) for row in rows] for name in ph.Spread._fields}
    write_figures(output, figures)
    files.write_table(Path(output) / "table.csv", columns)
    files.write_text(Path(output) / "summary.txt", text)
    print(text, end="")


def _stages(found: Measures):
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


def _snapshots(ensemble: str | Path) -> bool:
    return "snapshots/damage" in store.shapes(ensemble)


def _measured(
    ensemble: str | Path, source: Mapping, levels: Sequence[float]
) -> tuple[Measures, np.ndarray]:
    """Measures of all specimens, and how their runs to structural failure ended, (n,)."""
    limit, spacing = source["simulation"]["material"]["maximum_damage"], source["spacing"]
    there = store.shapes(ensemble)
    histories = [name for name in store.HISTORY if name in there]
    whole, _ = store.read(ensemble, [*histories, "first_failure_strain"])
    count = len(whole["first_failure_strain"])
    ended = np.full(count, Collapse.NOT_RUN, np.uint8)
    final_strain = np.full(count, np.nan)
    names = ["porosity", "damage", "failed"]
    if "structural_status" in there:
        names.append("final_failed")
        more, _ = store.read(ensemble, ["structural_status", "structural_failure_strain"])
        ended, final_strain = more["structural_status"], more["structural_failure_strain"]
    columns: dict[str, list] = {name: [] for name in Measures._fields[7:]}
    for first in range(0, count, ROWS):
        block, _ = store.read(ensemble, names, slice(first, first + ROWS))
        failed, final = block["failed"], block.get("final_failed", np.zeros_like(block["failed"]))
        columns["first_voxels"].append(ph.count_above(failed, 1))
        columns["first_share"].append(ph.failed_fraction(failed, block["porosity"]))
        columns["final_share"].append(ph.failed_fraction(final, block["porosity"]))
        columns["first_height"].append(ph.height(failed, spacing))
        columns["final_height"].append(ph.height(final, spacing))
        columns["final_layer"].append(ph.densest_layer(final, spacing))
        columns["final_thickness"].append(ph.thickness(final, spacing))
        above = [ph.count_above(block["damage"], level * limit) for level in levels]
        columns["voxels_above"].append(np.reshape(above, (len(levels), len(failed))).T)
    measures = Measures(
        whole["history/strain"],
        whole["history/max_damage"] / limit,
        whole["history/failed_fraction"],
        whole["history/stress"],
        whole.get("history/saturated_points", np.full_like(whole["history/strain"], np.nan)),
        whole["first_failure_strain"],
        final_strain,
        **{name: np.concatenate(blocks) for name, blocks in columns.items()},
    )
    return measures, ended


def _frames(ensemble: str | Path, source: Mapping, row: int) -> tuple[list, list, list]:
    """Strains, fields φ/φ_max and names of what is known of a specimen's damage, by strain."""
    material = source["simulation"]["material"]
    names = ["porosity", "damage", "first_failure_strain"]
    if _snapshots(ensemble):
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


def _sequence(ensemble: str | Path, source: Mapping, found: Measures, ended: np.ndarray):
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


def _histograms(ensemble: str | Path, source: Mapping, found: Measures, count: int):
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


def _written(value: float) -> str:
    """Three digits, whole numbers from 1000 on, nothing for NaN."""
    if np.isnan(value):
        return ""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def summary(
    rows: Sequence[Row],
    source: Mapping,
    excluded: Sequence[str],
    ended: np.ndarray,
    snapshots: bool,
) -> str:
    """The table and what one must know to read it.

    excluded: statuses of the realizations left out by gather; ended: (n,), of Collapse.
    """
    simulation = source["simulation"]
    left_out = Counter(excluded)
    lines = [
        f"{len(ended)} specimens of {len(ended) + len(excluded)} realizations, material "
        f"{simulation['material'].get('name', 'unnamed')}, "
        f"{simulation.get('kinematics', 'small')} strain",
        f"  element {simulation.get('element', 'b_bar')}, stress feels the damage of the "
        + simulation.get("damage_in_stress", "end_of_step").replace("_", " "),
    ]
    if left_out:
        listed = ", ".join(f"{count} {name}" for name, count in left_out.items())
        lines.append(f"  left out, no first failure: {listed}")
    if left_out[Status.NO_FAILURE.name]:
        lines.append(
            f"  NO_FAILURE: still whole at {100 * simulation['max_strain']:g} % strain, so that "
            "strains and shares below are without them"
        )
    asked = ended[ended != Collapse.NOT_RUN]
    if asked.size:
        ways = [(status.name, np.count_nonzero(asked == status)) for status in Collapse]
        listed = ", ".join(f"{count} {name}" for name, count in ways if count)
        lines.append(f"  runs to structural failure: {listed}; only REACHED counts for it below")
    form = "{:43s} {:>14s} {:>8s} {:>8s} {:>8s}  {:19s} {:>5s}"
    lines += ["", form.format("", "paper", "mean", "sd", "median", "quartiles", "n")]
    for row in rows:
        if row.found.n:
            mean, sd, median, *quartiles = map(_written, row.found[:5])
            name = row.quantity + ("" if row.unit == "1" else f" ({row.unit})")
            between = " - ".join(filter(None, quartiles))
            lines.append(form.format(name, row.paper, mean, sd, median, between, str(row.found.n)))
    lines += [
        "",
        "The largest damage at a strain is of the specimens that have not failed by then.",
    ]
    if asked.size:
        lines.append("z of first and of final failure: mean over all voxels failed by then.")
    else:
        lines.append(
            "Left out: structural failure, where it is, stress after first failure; they need "
            "simulation.until: structural_failure."
        )
    if not next(row.found.n for row in rows if row.quantity.startswith("saturated")):
        lines.append("Left out: saturated points, which older simulations did not note.")
    if not snapshots:
        lines.append(
            "Left out: damage fields before and after first failure; they need "
            "simulation.snapshot_strains."
        )
    return "\n".join(lines) + "\n"
