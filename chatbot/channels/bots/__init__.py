"""The bot manager: keeps every listening bot of one process alive, and looks after all channels.

`BotManager(parts, pace).run()` supervises; `Watchdog(channels, record, http).run()` tests every channel now and then.
Neither knows the database or leases: whoever composes them gives `Parts`, whose `accounts` returns only those channels
that this manager alone may listen to (`provider.listens(account)`, enabled, lease held).
"""
