"""One small folder for each provider; none knows another."""
