"""An ensemble beside section 2.4 of the paper: its numbers, its figures."""
