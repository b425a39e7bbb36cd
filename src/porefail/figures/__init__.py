"""Figures: arrays in, a Matplotlib figure out. The only room that draws."""
