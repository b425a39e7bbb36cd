"""Finite elements: the mechanics of a porous tension specimen up to first failure."""

# Raised when a change of the physics or of the discretisation changes simulated results. The
# workflow passes it on, so that raising it reruns the simulations.
MODEL_VERSION = 1
