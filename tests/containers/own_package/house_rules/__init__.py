"""A package as a data scientist may have one: a transformer of their own, which their saved models refer to."""

from house_rules.scaling import PerThousand

__all__ = ["PerThousand"]
