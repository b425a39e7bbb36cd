"""Voxels: which neighbour which, and on which side of a bound a value counts."""
