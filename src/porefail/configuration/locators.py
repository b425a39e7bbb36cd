"""Locators that ship with porefail, by name, from the cheapest to the best."""

LOCATORS = ("pores", "elastic", "coarse")
DEFAULT = "coarse"
