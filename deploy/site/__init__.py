"""The published page: its files, and what makes a folder of them for one stack."""
