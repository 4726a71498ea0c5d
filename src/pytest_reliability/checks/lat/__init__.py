"""Latency budgets in tests."""
