"""Portico on one laptop, without Docker or an account: the emulator, the stack on it, the portal before it.

`run.py` is `make up`. The emulator and the portal are child processes; nothing of the portal is imported.
"""
