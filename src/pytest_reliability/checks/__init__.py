"""The catalogue: one module and one page a check. What is put here is found; there is no list to edit."""
