"""What a ranking of held-out specimens results in."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd


class Ranked(NamedTuple):
    """prediction: datasets of a "ranking" by name; table: of the sites; scores by name; text: what
    they mean; figures by name."""

    prediction: Mapping[str, np.ndarray]
    table: pd.DataFrame
    scores: Mapping[str, float]
    text: str
    figures: Mapping[str, object]
