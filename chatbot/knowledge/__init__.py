"""What a tenant knows: sources, parsing, chunks, indexes, retrieval."""
