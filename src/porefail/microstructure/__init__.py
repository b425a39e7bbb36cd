"""Explicit porosity: the random process that places the pores of a specimen."""
