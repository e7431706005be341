"""The commands of `python -m deploy`: they parse, call one function of the rooms beside, and say what came of it."""
