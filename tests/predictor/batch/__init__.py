"""Tests of the batch steps and what they are made of."""
