"""Tests of the inference container, against a real S3 interface: an emulator in a child process."""
