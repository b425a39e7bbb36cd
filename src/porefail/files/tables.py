"""Columns of the CSV tables that one step writes and another one reads.

A column holds text (str), whole numbers (int), finite numbers (float), or finite numbers and NaN
where there is none (float | None). The columns of learning curves are those of nn.checkpoint.Epoch.
"""

MAYBE = float | None
_SCORES = ("precision", "recall", "f", "jaccard", "dice")
_CLUSTERS = ("predicted", "hit", "true", "found")
_VOXELS = ("true_positive", "false_positive", "false_negative")
_HITS = tuple(f"{name}_{rank}" for name in ("top", "ceiling") for rank in (1, 3, 5))

# gather: what became of each realization.
ACCOUNT = {
    "realization": int,
    "status": str,
    "used": int,
    "structural": str,
    "seconds": MAYBE,
    "host": str,
    "file": str,
}

# evaluate: scores over thresholds; hits of each predictor; the site of each specimen, in mm.
CURVES = {
    "threshold": float,
    **{f"{kind}_{name}": MAYBE for kind in ("voxel", "cluster") for name in _SCORES},
}
PREDICTORS = {
    "predictor": str,
    **{
        f"{name}{end}": MAYBE if end else float
        for name in ("holds", "near", "near_z")
        for end in ("", "_low", "_high")
    },
    "specimens": int,
    "mean_voxels": float,
}
SPECIMENS = {
    "realization": int,
    **{f"{end}_{axis}": float for end in ("failed", "predicted") for axis in "xyz"},
    **dict.fromkeys(("holds", "near", "near_z", "peak"), float),
}

# rank: likely failure sites, by specimen and rank.
SITES = {
    "realization": int,
    "rank": int,
    "probability": float,
    "in_set": int,
    **dict.fromkeys(("mass", "average", "deviation", "peak"), float),
    "voxels": int,
    **dict.fromkeys(("x_mm", "y_mm", "z_mm"), float),
    "pore_mm": MAYBE,
    "failed": int,
}

# crossvalidate, with a set of specimens in each row: scores; counts over thresholds; voxels by bins
# of their damage; hits of each specimen.
FOLD = {
    "scores": {
        "set": str,
        "specimens": int,
        "mean_squared_error": float,
        "threshold": float,
        "site_recall": MAYBE,
        "site_precision": MAYBE,
        **dict.fromkeys(("site_volume", "top_1", "top_3", "top_5"), float),
        "parameters": int,
        "products": int,
        "fit_seconds": float,
        "predict_seconds": float,
    },
    "curves": {
        "set": str,
        "threshold": float,
        "predicted_volume": float,
        **{f"{kind}_{name}": int for kind in ("voxel", "failure") for name in _VOXELS},
        **{f"{kind}_{name}": int for kind in ("cluster", "site") for name in _CLUSTERS},
    },
    "distribution": {
        "set": str,
        "low": float,
        "true": int,
        "predicted": int,
        "squared_error": float,
    },
    "specimens": {
        "set": str,
        "realization": int,
        **dict.fromkeys(_HITS, float),
    },
}
# The same of networks that say how sure they are.
_COVERAGE = ("coverage", "interval_coverage", "predicted_coverage", "predicted_interval_coverage")
_VARIANCE = ("epistemic", "noise")
_SURE = ("log_score", "crps", "coverage", "top_coverage", "sharpness")
_INTERVAL = ("interval_coverage", "interval_top_coverage", "interval_sharpness")
SURE = {
    "scores": dict.fromkeys((*_SURE, *_INTERVAL, *_VARIANCE), MAYBE),
    "curves": {},
    "distribution": dict.fromkeys((*_COVERAGE, *_VARIANCE), MAYBE),
    "specimens": {"epistemic": float},
}

# What `reproduction` reads of what other steps write, by the option that it is given as.
_COUNTED = ("copies", "failed", "moved", "places", "in_ranked_sites", "in_first_site")
_MET = ("moved_met_by_{}", "moved_met_by_elastic_as_{}", "volume_of_{}")
REPRODUCED = {
    "phenomenology": {
        "quantity": str,
        "unit": str,
        **dict.fromkeys(("mean", "median", "lower", "upper"), MAYBE),
        "n": int,
    },
    "study": {
        **dict.fromkeys(("label", "model", "set"), str),
        **dict.fromkeys(("same_cluster_recall", "same_cluster_precision", "parameters"), MAYBE),
        **dict.fromkeys(("noise", "epistemic", "log_score"), MAYBE),
        **dict.fromkeys(("top_1", "top_1_low", "top_1_high", "top_3", "ceiling_1"), MAYBE),
    },
    "curves": {
        **dict.fromkeys(("label", "model"), str),
        "threshold": float,
        **dict.fromkeys(("voxel_recall", "voxel_precision"), MAYBE),
    },
    "ranking": {"score": str, "value": MAYBE},
    "sensitivity": {
        **dict.fromkeys(_COUNTED, int),
        **dict.fromkeys(("false_positives", "false_positives_with_failures"), int),
        "ranked_volume": float,
        **{each.format(kind): MAYBE for kind in ("ranking", "network") for each in _MET},
    },
}
