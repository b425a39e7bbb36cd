"""What the paper says, figure by figure and number by number, beside what a run of ours has."""
