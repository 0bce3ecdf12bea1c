"""The FastAPI application."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from dedup2d import __version__
from dedup2d.gateway import (
    compare,
    config,
    deliveries,
    direct,
    errors,
    events,
    geometries,
    health,
    index,
    jobs,
    presets,
    search,
    vision,
)
from dedup2d.gateway.bodies import PREFIX
from dedup2d.gateway.state import lifespan
from dedup2d.settings import MatcherKind, Settings

ABOUT: Final = """Tells whether a 2D drawing already exists in a vault, and shows why.

Send a drawing to `POST /api/v1/dedup/2d/search`; every search is a flow run in Prefect.
Errors are `{"detail": ...}` with a code in `detail.error` or in the header `X-Error-Code`.
"""
PAGE: Final = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>dedup2d</title>
<style>body{{font:16px/1.5 system-ui;margin:4rem auto;max-width:40rem;padding:0 1rem}}
code{{background:#eee;padding:.1rem .3rem}}</style>
<h1>dedup2d</h1>
<p>Does this drawing exist already? Send it:</p>
<p><code>curl -F file=@part.dxf '.../api/v1/dedup/2d/search?async=true'</code></p>
<ul><li><a href="/docs">the interface, to read and try</a>
<li><a href="{PREFIX}/2d/health">is everything up?</a>
<li><a href="{PREFIX}/2d/jobs">my jobs</a></ul>
</html>
"""


def create_app(settings: Settings) -> FastAPI:
    """The gateway for these settings; connections are opened when it starts, not before."""
    app = FastAPI(
        title="dedup2d", version=__version__, description=ABOUT, lifespan=lifespan(settings)
    )
    errors.install(app)
    for part in (
        *(search, direct, jobs, events, deliveries),
        *(index, geometries, compare, presets, config, health),
    ):
        app.include_router(part.router, prefix=PREFIX)
    if settings.matcher is MatcherKind.EMBEDDED:  # else there would be no engine behind it
        app.include_router(vision.router)

    @app.get("/", include_in_schema=False)
    async def front_page() -> HTMLResponse:
        return HTMLResponse(PAGE)

    return app
