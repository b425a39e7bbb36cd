"""Baselines: what predicts damage from porosity without a neural network."""
