"""Names and looks of the network's variants and of the scores, the same in all figures."""

from porefail.figures import style

# Transform of the label: colour, its sign in the paper (section 4.2).
TRANSFORMS = {
    "id": (style.GREY, "id"),
    "sigma": (style.ORANGE, "σ"),
    "g": (style.GREEN, "g"),
    "t": (style.BLUE, "t"),
}
# Weighting of the loss: line, short and long name.
WEIGHTINGS = {
    "uniform": ("-", "id", "uniform"),
    "logistic": ("-.", "logistic", "logistic"),
    "inverse_histogram": ("--", "IH", "inverse histogram (IH)"),
    "inverse_histogram_per_realization": (
        ":",
        "IH$_{pr}$",
        "inverse histogram per realization (IH$_{pr}$)",
    ),
}
SCORES = {
    "site_recall": "cluster recall",
    "site_precision": "cluster precision",
    "top_1": "top-1 hit rate",
    "top_3": "top-3 hit rate",
}
