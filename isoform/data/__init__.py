"""Data: processors that turn examples of known tasks into features."""
