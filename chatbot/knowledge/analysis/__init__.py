"""Text to words, stems and 4-grams, the same for what is indexed and what is asked."""
