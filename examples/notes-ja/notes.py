"""メモ帳: メモを書き、読み、検索する。"""

from __future__ import annotations

import json
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

NOTES: list[str] = []


def app(environ, start_response):
    """GET /notes?q=語 は検索、POST /notes は追加。"""
    if environ["PATH_INFO"] != "/notes":
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return ["見つかりません\n".encode()]
    if environ["REQUEST_METHOD"] == "POST":
        NOTES.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
        start_response("201 Created", [])
        return []
    word = parse_qs(environ["QUERY_STRING"]).get("q", [""])[0]
    found = json.dumps([note for note in NOTES if word in note], ensure_ascii=False)
    start_response("200 OK", [("Content-Type", "application/json; charset=utf-8")])
    return [found.encode()]


if __name__ == "__main__":
    make_server("", 8000, app).serve_forever()
