"""Tests of how files of every kind become UTF-8 CSV."""
