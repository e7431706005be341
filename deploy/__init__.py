"""Puts Portico's cloud side (`template.yaml`) on a target, and runs all of it on one laptop.

`plan.py` decides, `execute.py` and `removal.py` act, `following.py` and `causes.py` tell what came of it, `commands/`
speak. `aws/` is what only an account needs, `costs/` the bill, `embedded/` is `make up`. `bootstrap.py` runs before
anything is installed. Imports nothing of portal, predictor or model: it runs them as child processes.
"""
