"""Alerts, and where they land."""
