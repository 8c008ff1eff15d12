"""Analytics: what happened, per day of the tenant's time zone, by brand and kind of channel."""
