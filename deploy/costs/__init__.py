"""What a stack costs on AWS in a month: `prices.toml` × what was measured (`docs/figures/`).

`prices.py` reads the one price table there is, benchmarks included; `batches.py` is the arithmetic of one batch,
`measured.py` reads the figures, `bill.py` multiplies. Nothing here asks AWS.
"""
