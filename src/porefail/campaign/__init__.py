"""A campaign: what became of each realization, and the queue of a batch."""
