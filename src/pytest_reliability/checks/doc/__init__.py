"""A file is what it claims to be."""
