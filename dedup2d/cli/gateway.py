"""``dedup2d gateway``: the HTTP interface."""

from __future__ import annotations

from dedup2d.cli.stack_options import DataOption, HostOption, PortOption
from dedup2d.settings import read_settings


def gateway(
    *, data: DataOption = None, host: HostOption = "127.0.0.1", port: PortOption = 8000
) -> None:
    """Serve the HTTP interface: submit, search, jobs, index.

    Needs a Prefect server (PREFECT_API_URL) and a Redis (DEDUP2D_REDIS_URL). Without API_KEYS
    it serves this machine only.

    [bold]Example[/]

      API_KEYS=secret-one,secret-two dedup2d gateway --host 0.0.0.0 --port 8000
    """
    from dedup2d.gateway.serve import serve  # noqa: PLC0415  # imports Prefect: --help must not wait

    settings = read_settings() if data is None else read_settings(data_dir=data)
    serve(settings, host, port)
