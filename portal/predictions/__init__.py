"""What was asked and answered: single predictions, batches, and the history of both.

Inside: views > actions | forms > models > states. May import registry, accounts, gateways, errors.
"""
