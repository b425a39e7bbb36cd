"""What figures of the study are given, where comparisons leave gaps."""

import numpy as np
import pandas as pd
import pytest

from porefail.study import figures
from porefail.study.folds import Fold

SCORES = ("site_recall", "site_precision", "top_1", "top_3")


def fold(hits: dict[str, list[float]], score: float = 0.5) -> Fold:
    """A fold with hits of each specimen, by set; the same score whatever it is of."""
    scores = pd.DataFrame({"set": list(hits)} | dict.fromkeys(SCORES, score))
    parts = [pd.DataFrame({"set": name, "top_1": values}) for name, values in hits.items()]
    return Fold(scores, pd.DataFrame(), pd.DataFrame(), pd.concat(parts))


@pytest.fixture
def drawn(monkeypatch) -> dict[str, tuple]:
    """Arguments of the figures."""
    seen = {}
    for name in ("transfer_skill", "label_parameters"):
        monkeypatch.setattr(
            figures, name, lambda *args, name=name, **used: seen.update({name: args})
        )
    return seen


def test_variants_are_shown_on_the_sets_that_they_are_tested_on(drawn):
    """No variant is tested on both, and `later` is tested by none."""
    folds = {
        ("t", "one"): [fold({"test": [1.0, 0.0], "larger": [1.0, 1.0]})] * 2,
        ("t", "other"): [fold({"test": [0.0, 0.0], "porous": [0.5, 0.0, 1.0]})],
        ("t", "untested"): [fold({"test": [1.0, 1.0]})],
    }
    transfer = {"larger": ["a"], "porous": ["b"], "later": ["c"]}
    assert list(figures.figures("", folds, {"comparisons": {}, "transfer": transfer})) == [
        "transfer_skill"
    ]
    group, specimens, predictor, share, low, high = drawn["transfer_skill"]
    assert group == ["as trained", "larger", "porous"] and specimens.tolist() == [2, 2, 3]
    assert predictor == ["one, t", "other, t"]
    np.testing.assert_array_equal(share, [[0.5, 0.0], [1.0, np.nan], [np.nan, 0.5]])
    for bound in (low, high):
        np.testing.assert_array_equal(np.isnan(bound), np.isnan(share))


@pytest.mark.parametrize("transfer", [{}, {"larger": []}, {"larger": ["empty"]}])
def test_nothing_tested_on_others_is_not_drawn(drawn, transfer):
    folds = {("t", "one"): [fold({"test": [1.0]})]}
    settings = {"comparisons": {}, "transfer": transfer}
    assert figures.figures("", folds, settings) == {} == drawn


@pytest.mark.parametrize("names, widths", [(["wide"], []), (["narrow", "wide"], [0.75])])
def test_a_parameter_that_no_label_varies_at_the_default_of_the_other(drawn, names, widths):
    settings = {
        "dataset": {"filter_width": 1.5, "contrast": 5.0},
        "labels": {
            "wide": {"filter_width": 3.0, "contrast": 9.0},
            "narrow": {"filter_width": 0.75, "contrast": 5.0},
        },
        "comparisons": {"parameters": {"labels": names, "models": ["uniform"]}},
        "transfer": {},
    }
    folds = {(name, "uniform"): [fold({"test": [1.0]})] for name in names}
    assert list(figures.figures("", folds, settings)) == ["label_parameters"]
    width, by_width, contrast, by_contrast = drawn["label_parameters"]
    assert width.tolist() == widths and not contrast.size and not by_contrast
    assert set(by_width) == (set(SCORES) if widths else set())
