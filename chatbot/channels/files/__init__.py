"""Files in the web chat: a visitor's and an agent's, in and out."""
