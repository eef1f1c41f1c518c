"""A framework."""
