"""The signed web chat webhook: for servers that ask on behalf of their visitors."""
