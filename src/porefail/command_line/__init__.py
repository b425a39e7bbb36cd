"""The command line: verbs and their options, which are the parameters of the steps."""
