"""Configuration, selection, levels."""
