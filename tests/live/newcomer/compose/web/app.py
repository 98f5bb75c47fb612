import os

from tasks import add


def app(environ, start_response):
    if environ["PATH_INFO"] == "/health":
        text = "fine"
    else:
        text = f"{os.environ['GREETING']} {add.delay(2, 3).get(timeout=60)}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
