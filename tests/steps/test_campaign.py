"""campaign: table and figure of a made-up ensemble; one line for what cannot be."""

import json
import re

import pandas as pd
import pytest

from porefail import store
from porefail.__main__ import main
from porefail.learning import active

from .conftest import configuration


@pytest.fixture(scope="module")
def wanted(settings) -> dict:
    return {
        "dataset": settings["dataset"],
        "campaign": configuration("default")["campaign"] | {"sizes": [3, 8, 500], "repeats": 2},
        "near_voxels": 1,
    }


def run(ensemble, output, wanted) -> int:
    words = [f"--ensemble={ensemble}", f"--output={output}", f"--settings={json.dumps(wanted)}"]
    return main(["campaign", *words])


def test_table_and_figure(made, wanted, tmp_path, capsys):
    ensemble = made["ensemble"]
    assert run(ensemble, tmp_path / "campaign", wanted) == 0
    table = pd.read_csv(tmp_path / "campaign" / "table.csv")
    count = len(store.read(ensemble, ["realization"])[0]["realization"])
    assert set(table["choice"]) == {active.RANDOM, active.UNSURE}
    sizes = sorted(set(table["specimens"]))
    assert sizes[:-1] == [3, 8] and 8 < sizes[-1] < count
    assert table["top_1"].between(0, 1).all()
    assert (tmp_path / "campaign" / "skill.png").read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr().out
    number = r"[+-]\d\.\d{3} \([+-]\d\.\d{3}, [+-]\d\.\d{3}\)"
    assert re.search(f"over all sizes, finds {number} more of 4 first, and adds {number}", told)
    again = tmp_path / "again"
    assert run(ensemble, again, wanted) == 0
    pd.testing.assert_frame_equal(pd.read_csv(again / "table.csv"), table)


MISTAKES = {
    "sizes fall": ({"sizes": [8, 3]}, r"campaign.sizes is \[8, 3\], expected rising numbers"),
    "too large": ({"sizes": [3, 5000]}, "campaign.sizes has 1 below the 16 specimens to choose"),
    "repeats": ({"repeats": 0}, "campaign.repeats is 0, expected a whole number, at least 1"),
    "channel": ({"channels": ["log_coarse_damage"]}, "no dataset /presolve/damage"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(made, wanted, tmp_path, capsys, name):
    changes, message = MISTAKES[name]
    given = wanted | {"campaign": wanted["campaign"] | changes}
    assert run(made["ensemble"], tmp_path / "campaign", given) == 1
    line = capsys.readouterr().err
    assert line.startswith("porefail campaign: error: ") and line.count("\n") == 1, line
    assert re.search(message, line), line
    assert not (tmp_path / "campaign").exists()
