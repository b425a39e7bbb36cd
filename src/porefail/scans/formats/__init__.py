"""Formats: one module for each kind of file that holds a volume; `scans.opening` chooses."""
