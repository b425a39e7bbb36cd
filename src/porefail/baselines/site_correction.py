"""How likely sites are by what is around each: a small trained network, as it is applied.

Convolutions over 3×3×3 voxels, each followed by the positive part, until one voxel of a block is
left; then a hidden layer that knows the site's likelihood of before too. nn.site_network trains it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from porefail.voxels.kernels import class_sums

SHARE = "share"  # log likelihood of each site that is known before


class SiteCorrection(NamedTuple):
    """What was learnt, float32. names: of the channels, c of them; scales (c, 2): mean and
    deviation of each; convolutions: kernel (6, in, out) by classes of its places, and bias (out,),
    of each; hidden: matrix (in + 1, h), bias (h,); correct: (h,)."""

    names: tuple[str, ...]
    scales: np.ndarray
    convolutions: list[tuple[np.ndarray, np.ndarray]]
    hidden: tuple[np.ndarray, np.ndarray]
    correct: np.ndarray

    @property
    def reach(self) -> int:
        """Voxels about a site that are seen."""
        return len(self.convolutions)

    @property
    def parameters(self) -> int:
        """Count of numbers learnt."""
        pairs = [*self.convolutions, self.hidden]
        return sum(each.size for pair in pairs for each in pair) + self.correct.size

    @property
    def products(self) -> int:
        """Multiplications of the convolutions of a site, which are nearly all."""
        sides = [2 * n + 1 for n in reversed(range(self.reach))]
        return sum(
            6 * side**3 * kernel.shape[1] * kernel.shape[2]
            for side, (kernel, _) in zip(sides, self.convolutions, strict=True)
        )


def scores(model: SiteCorrection, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log likelihoods (m,) of sites, up to a constant, from scaled blocks (m, s, s, s) of each
    channel, s = 2 reach + 1, and SHARE (m,)."""
    fields = np.stack([inputs[name] for name in model.names], -1).astype(np.float32)
    for kernel, bias in model.convolutions:
        around = class_sums(fields)
        fields = np.maximum(around @ kernel.reshape(-1, kernel.shape[-1]) + bias, 0)
    given = np.column_stack([fields.reshape(len(fields), -1), inputs[SHARE]])
    matrix, bias = model.hidden
    return inputs[SHARE] + np.maximum(given @ matrix + bias, 0) @ model.correct
