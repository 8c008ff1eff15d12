"""Text to vectors: offline, behind an endpoint, or through an extra."""
