"""What models exist: models and their versions, features, bands of wording, examples, and who did what when.

Inside: admin | views | commands > actions | forms > models > states. May import accounts, gateways, errors, and the
scanner's parent side.
"""
