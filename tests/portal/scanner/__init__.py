"""Tests of the static check for uploaded model files."""
