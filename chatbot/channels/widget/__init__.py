"""The widget on web pages: what it may know, who an anonymous visitor is, the snippet that puts it there."""
