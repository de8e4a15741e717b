"""`moorage serve`: control plane and registry alone, in this terminal."""

import errno
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from moorage.cli.place import DataOption, data_folder, fail
from moorage.cli.ports import holder_of
from moorage.gateway import log, server
from moorage.gateway.address import ListenRefused, parted
from moorage.gateway.certificates import CertificateRefused
from moorage.gateway.folder import FolderRefused
from moorage.gateway.settings import SettingsRefused, load
from moorage.sql.transaction import OpenRefused

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage serve --listen 0.0.0.0:4750 --public-name registry.lab")
def serve(
    data: DataOption = None,
    listen: Annotated[
        str | None, typer.Option(help="ADDRESS:PORT; default 127.0.0.1:4750.")
    ] = None,
    public_name: Annotated[
        list[str] | None, typer.Option(help="A name that answers show; may be repeated.")
    ] = None,
    database: Annotated[str | None, typer.Option(help="postgresql://...; default SQLite.")] = None,
    config: Annotated[Path | None, typer.Option(help="A settings file elsewhere.")] = None,
    settle_seconds: Annotated[
        float | None, typer.Option(help="How long a task runs before it counts as healthy.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="TLS on loopback, too.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="A certificate of your own and its chain (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The private key of it (PEM).")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Whom clients shall trust for it; default: their system's.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond loopback without TLS.")
    ] = False,
    log_to_file: Annotated[
        bool, typer.Option("--log-to-file", help="Log to DATA/log/server.log instead of here.")
    ] = False,
) -> None:
    """Run control plane and registry in this terminal, until Ctrl-C or SIGTERM.

    On anything but loopback it speaks TLS, with a certificate of its own authority unless one is
    given. Clients trust DATA/keys/ca.pem: AWS's by AWS_CA_BUNDLE (moorage env exports it), docker as
    /etc/docker/certs.d/NAME:PORT/ca.crt. SIGHUP reads the files of --certificate again.
    """
    given: dict[str, object] = {
        "data": str(data_folder(data)),
        "listen": listen,
        "public_names": tuple(public_name) if public_name else None,
        "database": database,
        "settle_seconds": settle_seconds,
        "insecure": insecure or None,
        "tls": tls or None,
        "certificate": str(certificate) if certificate else None,
        "key": str(key) if key else None,
        "authority": str(authority) if authority else None,
    }
    _run({name: value for name, value in given.items() if value is not None}, config, log_to_file)


def _run(flags: dict[str, object], config: Path | None, log_to_file: bool) -> NoReturn:
    """Serve until the end, or end the command with what is wrong."""
    try:
        settings = load(flags, os.environ, config).settings
        folder = Path(settings.data) / "log" if log_to_file else None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        log.begin(folder, "server", settings.log_file_mib)
        raise typer.Exit(server.run(settings))
    except (
        SettingsRefused,
        FolderRefused,
        OpenRefused,
        ListenRefused,
        CertificateRefused,
    ) as refused:
        fail(str(refused))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            fail(str(error))
        port = int(parted(settings.listen)[1])
        holder = holder_of(port) or "a process that this user cannot see"
        fail(f"Port {port} is taken by {holder}.", "Stop it, or choose another with --listen.")
