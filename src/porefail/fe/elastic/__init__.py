"""Linear elasticity of a voxel grid of one material: scans of a hundred million voxels."""
