"""Runs container-image Lambda functions in LocalStack's free edition (4.14.0)."""
