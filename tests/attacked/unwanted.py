"""A module that nobody may import."""

raise AssertionError("imported for a target that is refused")
