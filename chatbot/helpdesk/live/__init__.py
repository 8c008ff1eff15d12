"""The live feed of the inbox: what happens in a tenant, told to its agents as it happens."""
