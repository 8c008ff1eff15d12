"""The stores of passages: lexical and dense, written and searched."""
