"""Small pages that are no part of a front end."""

_DOCUMENTATION = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Xin: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_NOTHING_BUILT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Xin</title>
<link rel="icon" href="data:,">
</head>
<body>
<h1>Xin runs, without its pages</h1>
<p>The console and the widget have not been built here yet. <code>make frontends</code> builds them; it needs the npm
registry. The platform need not be started again: reload this page afterwards.</p>
<p>The <a href="/docs">API</a> serves all the same.</p>
</body>
</html>
"""


def documentation_page() -> str:
    """Return the page that shows `/openapi.json`."""
    return _DOCUMENTATION


def nothing_built_page() -> str:
    """Return the page that says how the pages are made."""
    return _NOTHING_BUILT
