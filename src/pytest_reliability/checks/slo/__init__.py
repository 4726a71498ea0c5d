"""Service level objectives."""
