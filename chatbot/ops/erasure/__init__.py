"""Erasing a visitor: from every place that can hold something of one, with a receipt."""
