"""A study: folds of cross-validated variants, their scores, table and figures."""
