"""Metrics: how a predicted damage field compares with the true one, voxels, clusters, sites."""
