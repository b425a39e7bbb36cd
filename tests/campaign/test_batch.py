"""A batch: what makes a file of it valid."""

import numpy as np

from porefail.campaign.batch import fingerprint

PHYSICS = {"spacing": 0.05, "model_version": 3, "simulation": {"max_strain": 0.1}}
VOXELS = np.arange(8, dtype=np.uint8).reshape(2, 2, 2) % 2


def test_the_fingerprint_is_that_of_files_made_before():
    """With another one a campaign would simulate again what it has."""
    known = "72a57373f32e41bd3168865e891390c4c19595cabca537a1b492c8260f1c4285"
    assert fingerprint(PHYSICS, VOXELS) == known
    assert fingerprint(dict(reversed(PHYSICS.items())), VOXELS) == known


def test_the_fingerprint_is_of_the_physics_and_of_all_voxels():
    others = [
        fingerprint(PHYSICS | {"spacing": 0.1}, VOXELS),
        fingerprint(PHYSICS, 1 - VOXELS),
        fingerprint(PHYSICS, VOXELS.reshape(1, 4, 2)),
        fingerprint(PHYSICS, VOXELS, VOXELS),
    ]
    assert len({fingerprint(PHYSICS, VOXELS), *others}) == 5
