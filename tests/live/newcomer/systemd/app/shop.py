import os


def app(environ, start):
    start("200 OK", [("content-type", "text/plain")])
    return [os.environ["GREETING"].encode()]
