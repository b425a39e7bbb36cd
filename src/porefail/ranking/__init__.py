"""Ranked sites: their choice and probability, conformal sets, failures of perturbed copies."""
