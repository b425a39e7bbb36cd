"""The voxel grid as a mesh: which voxels bear load, which nodes are held, who owns what.

Inside fe/ arrays are ordered (z, y, x), so that planes normal to the tensile axis are contiguous;
outside they are (x, y, z).
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError

# Kinds of degree of freedom.
FREE, HELD, VOID = 0, 1, 2


class Slab(NamedTuple):
    """One rank's share: node planes [first_plane, end_plane), and the element layers
    [first_layer, end_layer) that touch them. Layers at the seams are computed on both sides, so
    that assembly needs no communication."""

    first_plane: int
    end_plane: int
    first_layer: int
    end_layer: int

    @property
    def owned(self) -> slice:
        """Owned planes among the local planes (first_layer ... end_layer)."""
        return slice(self.first_plane - self.first_layer, self.end_plane - self.first_layer)

    @property
    def owned_layers(self) -> slice:
        """Element layers that this rank reports, among its local ones: each has one owner."""
        return slice(
            self.first_plane - self.first_layer,
            min(self.end_plane, self.end_layer) - self.first_layer,
        )


def slab(layers: int, rank: int, size: int) -> Slab:
    """Share of `rank` of `size` ranks in a grid of `layers` element layers along z."""
    if size > layers + 1:
        raise PorefailError(f"{size} ranks share {layers + 1} planes of nodes: use fewer ranks")
    first, end = rank * (layers + 1) // size, (rank + 1) * (layers + 1) // size
    return Slab(first, end, max(first - 1, 0), min(end, layers))


def load_bearing(solid: np.ndarray) -> np.ndarray | None:
    """Voxels (nz, ny, nx) of the one piece that joins both grips; None if there is no such piece.

    Voxels hang together by faces: an edge or a corner is a hinge and carries nothing. Pieces that
    hang on nothing, or on one grip alone, bear no load and are left out of the mesh. Two separate
    pieces between the grips count as none: the minimal boundary conditions do not hold both.
    """
    pieces, _ = ndimage.label(solid)
    joining = np.setdiff1d(np.intersect1d(pieces[0], pieces[-1]), [0])
    return pieces == joining[0] if joining.size == 1 else None


def node_planes(bearing: np.ndarray) -> np.ndarray:
    """Nodes (nz+1, ny+1, nx+1) that belong to a load-bearing element."""
    padded = np.pad(bearing, 1)
    nodes = np.zeros(np.array(bearing.shape) + 1, dtype=bool)
    for dz in (0, 1):
        for dy in (0, 1):
            for dx in (0, 1):
                nodes |= padded[
                    dz : dz + nodes.shape[0], dy : dy + nodes.shape[1], dx : dx + nodes.shape[2]
                ]
    return nodes


def degrees_of_freedom(bearing: np.ndarray) -> np.ndarray:
    """Kind of each degree of freedom, (nz+1, ny+1, nx+1, 3): FREE, HELD or VOID.

    Both grips hold u_z and stay free to contract. Two nodes of the lower grip hold the three
    lateral rigid motions (paper, section 2.3).
    """
    nodes = node_planes(bearing)
    kinds = np.where(nodes, FREE, VOID)[..., None].repeat(3, axis=-1).astype(np.uint8)
    for plane in (0, -1):
        kinds[plane, nodes[plane], 2] = HELD
    held = np.argwhere(nodes[0])
    pivot = held[0]
    offset = held - pivot
    y, x = held[np.argmax((offset**2).sum(axis=1))]
    kinds[0, pivot[0], pivot[1], :2] = HELD
    along_y = abs(x - pivot[1]) >= abs(y - pivot[0])
    kinds[0, y, x, 1 if along_y else 0] = HELD
    return kinds
