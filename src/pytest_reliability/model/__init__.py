"""What a repository holds: frozen, located nodes, and the graph that joins them."""
