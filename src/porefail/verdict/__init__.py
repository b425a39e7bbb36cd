"""From the voxels of a part to a ranked list of where it will fail, and how far to trust it."""
