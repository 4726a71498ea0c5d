"""Prometheus rules and scraping."""
