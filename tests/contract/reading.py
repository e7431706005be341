"""Reads docs/contract.md."""

import re


def documented_keys(example: str) -> set[str]:
    """The keys of an object as the contract writes it, without those of objects inside it."""
    inner, nested = example.strip()[1:-1], r"\{[^{}]*\}|\[[^\[\]]*\]"
    while re.search(nested, inner):
        inner = re.sub(nested, "", inner)
    return set(re.findall(r'"(\w+)":', inner))


def documented_table(section: str) -> list[list[str]]:
    """The cells of a section's first table, row by row, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
