"""Web chat over sockets: what is said in a conversation reaches every open page of it, from any process."""
