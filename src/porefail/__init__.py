"""Where does a porous metal specimen fail? Simulated ensembles, neural networks and metrics."""

__version__ = "0.1.0"
