"""What Portico measures of itself: `python -m benchmarks NAME [--json FILE]`.

One module a benchmark, registered in `__main__.py`; each compares within one run, checks that answers are equal before
it counts a time, and prints a table. docs/performance.md quotes dated runs. May import every room; nothing imports it.
"""
