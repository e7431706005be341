"""Sample models: what they are fitted on, what their features mean, how good they are on rows they never saw.

`python -m model.train --out DIR` writes everything that docs/contract.md section 6 names. Imports scikit-learn, pandas,
matplotlib; nothing of portal, lambda_docker or deploy.
"""
