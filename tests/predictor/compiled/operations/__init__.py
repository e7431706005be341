"""One module of tests for one of operations."""
