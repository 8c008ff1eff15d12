"""The pages of the platform: console, widget, demo, the API's documentation."""
