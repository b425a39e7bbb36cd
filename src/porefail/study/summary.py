"""The table of a study, for a terminal."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def study_summary(table: pd.DataFrame, best: pd.DataFrame, settings: Mapping) -> str:
    """table: of variant_table; best: of hits.winners."""
    columns = {
        "failure_recall": "voxel recall",
        "failure_precision": "voxel precision",
        "same_cluster_recall": "cluster recall",
        "same_cluster_precision": "cluster precision",
        "site_recall": "site recall",
        "site_precision": "site precision",
    }
    ranks = {"top_1": "top 1 (95 %)", "top_3": "top 3 (95 %)"}
    wanted = settings["evaluation"]
    cut = wanted["site_threshold"]
    lines = [
        "Test parts: mean ± standard deviation over folds; of top k intervals over specimens.",
        f"voxel: truth are the voxels within {wanted['near_voxels']} voxel of those that failed,"
        " whatever the label; prediction at the threshold of the highest F on the validation part.",
        f"cluster: truth and prediction cut at {cut:g}.",
        f"site: truth cut at {cut:g}, prediction at the threshold chosen on the validation part",
        f"for a recall of {wanted['site_recall']:g}.",
        f"top k: a voxel that failed first is within {wanted['near_voxels']} voxel of one of the k"
        " highest maxima; ceiling: of the true label as a prediction; gain: of top 1 over",
        "the first regression, or elastic solve, on the same specimens, 95 % by bootstrap.",
        "Labels differ in their clusters: between rows of different labels only top k compares.",
        "MFLOP: of a network; ms each: without the elastic solve that stresses take.",
        "",
        f"{'label':8s} {'model':20s}{'folds':>6s}"
        + "".join(f"{name:>18s}" for name in columns.values())
        + "".join(f"{name:>24s}" for name in ranks.values())
        + f"{'ceiling':>9s}{'gain':>24s}"
        + f"{'numbers':>10s}{'MFLOP':>8s}{'fit s':>8s}{'ms each':>9s}",
    ]
    for row in table[table["set"] == "test"].to_dict("records"):
        cells = [f"{row[key]:.3f} ± {row[f'{key}_deviation']:.3f}" for key in columns]
        lines.append(
            f"{row['label']:8s} {row['model']:20s}{row['folds']:6d}"
            + "".join(f"{cell:>18s}" for cell in cells)
            + "".join(f"{_interval(row, key):>24s}" for key in ranks)
            + f"{row['ceiling_1']:9.3f}{_interval(row, 'gain_1', '+'):>24s}"
            + f"{row['parameters']:10.0f}{_flop(row['products']):>8s}"
            + f"{row['fit_seconds']:8.1f}{1e3 * row['predict_seconds']:9.2f}"
        )
    return "\n".join([*lines, *_winners(best), *_uncertainty(table)]) + "\n"


def _interval(row: Mapping, key: str, sign: str = "") -> str:
    """A number with its interval."""
    if np.isnan(row[key]):
        return "-"
    return f"{row[key]:{sign}.3f} ({row[f'{key}_low']:{sign}.3f}, {row[f'{key}_high']:{sign}.3f})"


def _winners(best: pd.DataFrame) -> list[str]:
    """Lines of the winner of each comparison."""
    if best.empty:
        return []
    lines = [
        "",
        "The best by top 1 on the validation part of each fold, on its test part, which chose",
        "nothing: top 1, top 3 and gain; which it was, and in how many folds.",
        "",
    ]
    for row in best.to_dict("records"):
        cells = (_interval(row, "top_1"), _interval(row, "top_3"), _interval(row, "gain_1", "+"))
        lines.append(
            f"{row['comparison']:14s}{row['specimens']:6d}"
            + "".join(f"{cell:>24s}" for cell in cells)
            + f"  {row['winners']}"
        )
    return lines


def _uncertainty(table: pd.DataFrame) -> list[str]:
    """Lines of the networks that say how sure they are, on the test parts and other ensembles."""
    columns = {
        "log_score": "NLL",
        "crps": "CRPS",
        "coverage": "coverage",
        "top_coverage": "of the top",
        "sharpness": "width",
        "interval_coverage": "conformal",
        "interval_top_coverage": "of the top",
        "interval_sharpness": "width",
        "epistemic": "1e4 epistemic",
        "noise": "1e4 noise",
        "larger_variance": "larger variance",
    }
    rows = table[np.isfinite(table["log_score"]) & (table["set"] != "validation")]
    if rows.empty:
        return []
    lines = [
        "",
        "How sure they are: a voxel's negative log-likelihood, continuous ranked probability",
        "score, share of labels in the central 95 % interval, the same of labels of 0.9 and more,",
        "width of the interval; the same of conformal bounds calibrated on the validation part,",
        "by the predicted label; mean variance between draws, and of the noise; how often one",
        "has a larger variance between draws than one of the test part, which follows the number",
        "of pores: fewer than learnt from are not told. Widths are cut to [0, 1].",
        "",
        f"{'model':18s}{'specimens':>10s}" + "".join(f"{name:>18s}" for name in columns.values()),
    ]
    for row in rows.to_dict("records"):
        cells = []
        for key in columns:
            scale = 1e4 if key in ("epistemic", "noise") else 1
            cells.append(f"{scale * row[key]:.3f} ± {scale * row[f'{key}_deviation']:.3f}")
        lines.append(f"{row['model']:18s}{row['set']:>10s}" + "".join(f"{c:>18s}" for c in cells))
    return lines


def _flop(products: float) -> str:
    """Millions of operations, a multiplication and an addition for each product."""
    return f"{2e-6 * products:.1f}" if products else "-"
