"""Scans: volumes of computed tomography, from the files of scanners to what a simulation needs."""
