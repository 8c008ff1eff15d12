"""The bot manager: keeps every listening bot of one process alive, and looks after all channels.

`BotManager(parts, pace).run()` supervises; `Watchdog(channels, record, http).run()` tests every channel now and then.
Neither knows the database: `Leases` gives a manager the channels that it alone may listen to, `Records` keeps what both
tell.
"""
