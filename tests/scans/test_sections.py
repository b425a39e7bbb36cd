"""What sections near one another have in common, beside means of windows."""

import numpy as np
import pytest

from porefail.scans.sections import usual_sections


@pytest.mark.parametrize("reach", [1, 3, 50])
def test_usual_is_what_half_of_a_window_has(reach):
    mask = np.random.default_rng(reach).random((5, 4, 17)) < 0.5
    found = list(usual_sections(mask, reach))
    assert len(found) == 17
    for k, usual in enumerate(found):
        window = mask[:, :, max(k - reach, 0) : k + reach + 1]
        np.testing.assert_array_equal(usual, window.mean(axis=2) >= 0.5)
