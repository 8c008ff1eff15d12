"""Sign-in through an OpenID provider: authorization code with PKCE."""
