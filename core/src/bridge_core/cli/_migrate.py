"""`pybridge migrate`: the beginning of a plugin, written from a bridge of an older kind."""

from __future__ import annotations

import os

import click

__all__ = ["migrate"]


@click.command(short_help="Write the skeleton of a plugin from an old bridge.")
@click.argument("source", metavar="FILE[:CLASS]")
@click.option("--output", metavar="DIR", help="Where to write it (bridge-NAME).")
@click.option("--name", metavar="NAME", help="What to call the framework (what the class calls it).")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def migrate(source: str, output: str | None, name: str | None, force: bool) -> None:
    """Write the skeleton of a plugin from the source of a class that `pybridge worker --bridge` serves.

    The file is read, never run. What is written installs, loads and passes its tests; a person moves the bodies.
    """
    # Only this command reads sources.
    from msgspec import structs

    from bridge_core.compat._brought import divided
    from bridge_core.compat._names import distribution_name, framework_name, is_taken
    from bridge_core.compat._reading import read_class
    from bridge_core.compat._skeleton import skeleton

    old = read_class(*divided(source))
    if name is not None:
        if framework_name(name) != name:
            raise click.ClickException(
                f"--name {name!r}: a framework's name is a lower-case identifier such as 'my_lib'"
            )
        old = structs.replace(old, framework=name)
    if is_taken(old.framework):
        what = f"{distribution_name(old.framework)} would replace the distribution of Bridge itself with that name"
        raise click.ClickException(f"{what}; give the framework another one with --name")
    folder = output or distribution_name(old.framework)
    files = {os.path.join(folder, path): text for path, text in skeleton(old).items()}
    there = sorted(path for path in files if os.path.lexists(path))
    if there and not force:
        raise click.ClickException(f"{there[0]} exists already; choose another --output, or overwrite it with --force")
    for path, text in files.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        click.echo(path)
    if old.unread:
        lines = ", ".join(map(str, old.unread))
        missing = f"{len(old.unread)} registration(s) could not be read (line {lines} of {old.file})"
        click.echo(f"warning: {missing}: what they register is missing in the skeleton", err=True)
    click.echo(f"\nRead {folder}/README.md, then: pip install -e {folder} && python -m pytest {folder}/tests")
