"""Settings that several steps share, see porefail.configuration.schema."""

from porefail.configuration.schema import section

# What the pores of a realization are made from. How many there are, and in which batches, changes
# no realization.
PORES = {"seed": "seed", **section("porosity", without=("realizations", "batch_size"))}
SIMULATION = section("simulation") | {
    "material": {"name": "simulation.material", **section("materials.*")}
}
PRESOLVE = {"simulation": SIMULATION, "presolve": "presolve"}
DATASET = {"seed": "seed", **section("dataset")}
# How the study judges, and what makes the sites of a prediction.
EVALUATION = section("evaluation") | {
    "site_recall": "study.site_recall",
    "site_volume": "study.site_volume",
}
