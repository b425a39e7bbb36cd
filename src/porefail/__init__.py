"""Where does a porous metal specimen fail? Simulated ensembles, neural networks and metrics."""

__version__ = "0.1.0"

# Raised when a change of the physics or of the discretisation changes simulated results. The
# workflow passes it on, so that raising it reruns the simulations.
MODEL_VERSION = 3
