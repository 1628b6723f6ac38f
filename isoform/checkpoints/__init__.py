"""Checkpoints on disk: reading, writing, sharding, and matching their keys to a model."""
