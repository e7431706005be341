"""Tests of compiled documents: what is written, and that the walker answers as scikit-learn does."""
