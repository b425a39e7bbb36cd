"""reproduction: what the tables say stands beside the paper, and what they lack is told."""

import numpy as np
import pandas as pd
import pytest

from porefail import files
from porefail.errors import PorefailError
from porefail.steps import reproduction

SETTINGS = {"site_threshold": 0.8}
THRESHOLDS = np.arange(0.1, 1.0, 0.1)
# Mean recall and precision of voxels of a label, and what a weighting adds.
LABELS = {"id": (0.4, 0.3), "sigma": (0.2, 0.3), "g": (0.6, 0.5), "t": (0.7, 0.6)}
WEIGHTS = {"uniform": (0.0, 0.0), "IH": (0.1, -0.1), "IHpr": (0.2, -0.2)}


def row(quantity: str, median: float, unit: str = "%", paper: str = "p") -> dict:
    numbers = {"mean": median, "deviation": 1.0, "median": median}
    bounds = {"lower": median - 1, "upper": median + 1, "n": 9}
    return {"quantity": quantity, "unit": unit, "paper": paper, **numbers, **bounds}


def study(models: dict, labels: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    table, curves = [], []
    for label, (recall, precision) in labels.items():
        for model, (more, less) in models.items():
            name = {"label": label, "model": model}
            scores = {"same_cluster_recall": 0.95, "same_cluster_precision": 0.31}
            known = {"parameters": 7385.0, "noise": 0.065**2, "log_score": -1.0, "top_1": 0.5}
            known |= {"top_1_low": 0.4, "top_1_high": 0.6, "top_3": 0.7, "ceiling_1": 0.67}
            for part in ("validation", "test"):
                wrong = 0.1 if part == "validation" else 1.0  # is not to be taken
                table.append(name | {"set": part, **scores, **known, "parameters": 7385.0 * wrong})
            upper = np.where(THRESHOLDS >= 0.79, 0.4, 0.0) * (model != "uniform")
            curves.append(
                pd.DataFrame(
                    name
                    | {"threshold": THRESHOLDS, "voxel_recall": recall + more}
                    | {"voxel_precision": precision + less + upper}
                )
            )
    return pd.DataFrame(table), pd.concat(curves)


@pytest.fixture
def tables(tmp_path) -> dict[str, str]:
    """The tables of a run that has all that the paper has."""
    models = WEIGHTS | {"bayesian": (0.02, 0.0), "bayesian-IH": (-0.1, -0.1), "one-sigma": (0, 0)}
    scores, curves = study(models | {"one-noise": (0, 0)}, LABELS)
    counts = {"copies": 100, "failed": 100, "moved": [0, 40, 90], "places": [1, 2, 6]}
    counts |= {"in_ranked_sites": 95, "in_first_site": 80, "ranked_volume": 0.1}
    counts |= {"false_positives": 3, "false_positives_with_failures": 2}
    for name in ("ranking", "network"):
        counts |= {f"moved_met_by_{name}": [np.nan, 0.8, 0.6], f"volume_of_{name}": 0.1}
        counts |= {f"moved_met_by_elastic_as_{name}": [np.nan, 0.5, 0.7]}
    ranked = {"specimens": 20, "sites": 1.5, "first_by_probability": 0.8, "stability": 0.9}
    ranked |= {"first_3_by_probability": 0.95, "stable_specimens": 7, "rare_variance": 3.0}
    ranked |= {f"variation_{k}{end}": k for k in range(1, 7) for end in ("", "_bias")}
    found = {
        "phenomenology": pd.DataFrame([row("strain at first failure", 4.5, paper="4 to 5")]),
        "study": scores,
        "curves": curves,
        "ranking": pd.DataFrame({"score": list(ranked), "value": list(ranked.values())}),
        "sensitivity": pd.DataFrame(counts),
        "collapse": pd.DataFrame([row("strain at structural failure", 9.0, paper="about 5")]),
    }
    for name, table in found.items():
        files.write_table(tmp_path / f"{name}.csv", table)
    return {name: tmp_path / f"{name}.csv" for name in found}


@pytest.fixture
def claims(made, tables, tmp_path):
    def run(**changes) -> pd.DataFrame:
        output = tmp_path / "out"
        paths = {"ensemble": made["ensemble"]} | tables | changes
        reproduction.run(**paths, output=output, settings=SETTINGS)
        table = pd.read_csv(output / "table.csv", keep_default_na=False)
        return table.set_index("quantity")

    return run


def test_agreement_follows_from_the_tables(claims, tables, tmp_path):
    found = claims()
    agrees = found["agrees"]
    assert agrees["strain at first failure"] == "yes"
    assert found["ours"]["strain at first failure"] == "4.5 %, 3.5-5.5 (n 9)"
    assert agrees["strain at structural failure"] == "no"
    assert agrees["weights of the network"] == "yes"
    assert agrees["t with IHpr, both cut at 0.8: recall of clusters"] == "yes"
    assert found["ours"]["unweighted: label with the least recall of voxels"] == "sigma"
    assert found["ours"]["calibrated noise of the label, unweighted"] == "0.065"
    assert agrees["the same, weighted by IH"] == "no"
    assert agrees.filter(like="precision of voxels, weighted less").tolist() == ["yes"]
    assert found["ours"].filter(like="specimens that hardly react").tolist() == ["1 of 3"]
    assert "0.700; 0.600; 0.100" in found["ours"].tolist()
    page = (tmp_path / "out" / "reproduction.md").read_text()
    told = agrees[agrees != ""]
    assert page.endswith(f"{(told == 'yes').sum()} of {len(told)} agree.\n")
    assert page.count("\n| ") == len(found) + 2  # head and line
    assert set(agrees) == {"yes", "no", ""}


def test_the_other_way_round_they_disagree(claims, tables):
    labels = {"id": (0.7, 0.6), "sigma": (0.6, 0.5), "g": (0.2, 0.3), "t": (0.4, 0.3)}
    for path, table in zip(
        (tables["study"], tables["curves"]),
        study({name: (-more, -less) for name, (more, less) in WEIGHTS.items()}, labels),
        strict=True,
    ):
        files.write_table(path, table)
    found = claims()
    for words in ("recall of voxels, thresholds from 0.5: smooth", "unweighted: label with"):
        assert found["agrees"].filter(like=words).tolist() == ["no"]
    assert found["agrees"].filter(like="weighted, unweighted").tolist() == ["no"]
    # No Bayesian twin was trained.
    assert found["ours"]["calibrated noise of the label, unweighted"] == "not run"
    assert found["agrees"]["calibrated noise of the label, unweighted"] == ""


def test_without_collapse_it_says_what_gives_it(claims):
    found = claims(collapse=None)
    assert found["ours"]["strain at structural failure"] == "not run"
    assert "config/collapse.yaml" in found["why"]["strain at structural failure"]


def test_a_table_of_another_kind(claims, tables, tmp_path):
    with pytest.raises(PorefailError, match="a table lacks"):
        claims(study=tables["sensitivity"])
    assert not (tmp_path / "out").exists()
