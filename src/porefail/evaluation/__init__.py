"""How predictions and simple predictors meet the simulations (paper, section 4.1)."""
