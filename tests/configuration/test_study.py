"""Folds, targets and figures of the study, from what it compares."""

import pytest

from porefail.configuration import study_figures, study_folds, study_targets

PAPER = {"labels": ["id", "t"], "models": ["uniform"]}


def config(comparisons: dict, folds: int = 5, split=(7, 1, 2), transfer=()) -> dict:
    study = {"folds": folds, "comparisons": comparisons, "transfer": dict(transfer)}
    return {"dataset": {"split": list(split)}, "study": study}


@pytest.mark.parametrize(
    "split, most", [((7, 1, 2), 5), ((3, 1, 1), 5), ((2, 1, 1), 4), ((4, 1, 2), 1)]
)
def test_no_more_folds_than_test_parts_make_up_the_whole(split, most):
    folds = study_folds(config({"paper": PAPER}, 9, split))
    assert folds == {("id", "uniform"): most, ("t", "uniform"): most}


def test_a_variant_of_two_comparisons_has_the_folds_of_the_larger_one():
    other = {"labels": ["t"], "models": ["IH", "uniform"], "folds": 2}
    folds = study_folds(config({"paper": PAPER | {"folds": 1}, "weightings": other}))
    assert folds == {("id", "uniform"): 1, ("t", "uniform"): 2, ("t", "IH"): 2}


def test_targets_are_those_of_the_comparisons_that_have_the_variant():
    comparisons = {"paper": PAPER, "sites": {"labels": ["t"], "models": ["uniform", "IH"]}}
    transfer = {"sparse": ["sites", "paper"], "porous": ["sites"], "larger": ["paper"]}
    assert study_targets(config(comparisons, transfer=transfer)) == {
        ("id", "uniform"): ["larger", "sparse"],
        ("t", "uniform"): ["larger", "porous", "sparse"],
        ("t", "IH"): ["porous", "sparse"],
    }


def test_figures_are_those_of_comparisons_that_have_a_variant():
    left_out = {"labels": ["t"], "models": []}
    parameters = {"labels": ["t", "t-k1"], "models": ["uniform"]}
    found = {"paper": left_out, "parameters": parameters, "mine": PAPER}
    assert study_figures(config(found)) == ["label_parameters"]
    assert study_figures(config(found, transfer={"larger": ["paper"]})) == ["label_parameters"]
    tested = config(found, transfer={"larger": ["mine"]})
    assert study_figures(tested) == ["label_parameters", "transfer_skill"]
    assert study_figures(config({"mine": left_out})) == []
