"""`/api/docs`: the operations of `/api/openapi.json` as a plain page from our own origin; no script, nothing from elsewhere."""

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn API</title><link rel="stylesheet" href="/api/docs.css"></head>
<body><main><h1>Sojourn API</h1>
<p>The same as a machine reads it: <a href="/api/openapi.json">/api/openapi.json</a></p>{operations}</main></body></html>
"""
STYLE = """:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: auto; padding: 1.5rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .75rem 0; }
h2 { font-size: 1rem; margin: 0 0 .25rem; }
code { font-family: ui-monospace, monospace; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
th { font-weight: 600; } p { margin: .25rem 0; white-space: pre-line; }
"""


def build_docs(app: FastAPI) -> APIRouter:
    """The page and its style."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/docs")
    def docs(request: Request) -> HTMLResponse:
        found = app.openapi()
        operations = [operation(method, path, described) for path, methods in found.get("paths", {}).items() for method, described in methods.items()]
        return HTMLResponse(PAGE.replace("{operations}", "".join(operations)))

    @router.get("/api/docs.css")
    def style() -> HTMLResponse:
        return HTMLResponse(STYLE, media_type="text/css")

    return router


def operation(method: str, path: str, described: dict[str, Any]) -> str:
    """One operation as HTML."""
    rows = "".join(
        f"<tr><th><code>{escape(one['name'])}</code></th><td>{escape(one['in'])}{', needed' if one.get('required') else ''}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in described.get("parameters", [])
    )
    answers = ", ".join(f"{escape(code)} {escape(answer.get('description', ''))}" for code, answer in described.get("responses", {}).items())
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code> {escape(described.get('summary', ''))}</h2>"
        f"<p>{escape(described.get('description', ''))}</p>{f'<table>{rows}</table>' if rows else ''}<p>Answers: {answers}</p></section>"
    )
