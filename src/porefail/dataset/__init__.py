"""Data set: transforms of the damage, symmetries of the specimen, split by realization."""
