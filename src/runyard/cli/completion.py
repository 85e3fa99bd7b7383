"""`runyard completion`: what a shell needs to complete commands, job names and run ids."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.completion import ShellDetectionError

from runyard.cli import output
from runyard.cli.main import app
from runyard.model.errors import Fault, InvalidSpec

Shell = Literal["bash", "zsh", "fish"]


def completion(
    shell: Annotated[Shell | None, Parameter(help="Which shell; else the one you are in.")] = None,
    /,
    *,
    install: Annotated[
        bool,
        Parameter(help="Write it where the shell looks, and load it in the shell's startup file."),
    ] = False,
) -> None:
    """Complete commands in your shell.

    Prints the script that the shell needs. For this session only:
    `source <(runyard completion bash)`.
    """
    try:
        if install:
            output.line(f"written to {app.install_completion(shell=shell)}; start a new shell")
        else:
            output.line(app.generate_completion(prog_name="runyard", shell=shell))
    except ShellDetectionError:
        fault = Fault("SHELL", "", "bash, zsh or fish")
        raise InvalidSpec("which shell this is cannot be seen", faults=(fault,)) from None
