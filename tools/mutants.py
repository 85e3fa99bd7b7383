"""Mutants of the code, judged in forks of one process: `python -m tools.mutants [NAME...]`, in a
copy of the code.

mutmut makes them, and finds out which tests pass through which function. By itself it starts
pytest anew for each one, which takes longer than most tests do. Here pytest has collected its tests
once, and a fork of it runs those that fit, quickest first, until one fails.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from pathlib import Path
from time import process_time

import pytest
from mutmut.__main__ import (
    collect_or_load_stats,
    collect_source_file_mutation_data,
    create_mutants,
)
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.stats import print_stats
from mutmut.utils.file_utils import (
    change_cwd,
    copy_also_copy_files,
    copy_src_dir,
    setup_source_paths,
)
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import get_mutant_runner

NOTICED, UNNOTICED, NO_TESTS = 1, 0, 33  #: as mutmut keeps them
KEPT_EVERY = 50  #: mutants, after which what was found is written down


class Judge:
    """A plugin of pytest that runs no test in its own process, but those of mutants in forks."""

    def __init__(self, names: list[str]) -> None:
        self._root = Path.cwd()
        self._mutants, self._files = collect_source_file_mutation_data(mutant_names=names)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See `pytest`."""
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        for count, (data, name, _) in enumerate(self._mutants, 1):
            tests = state().tests_by_mangled_function_name.get(
                mangled_name_from_mutant_name(name), set()
            )
            quickest = sorted(tests & items.keys(), key=state().duration_by_test.__getitem__)
            fitting = [items[test] for test in quickest]
            data.exit_code_by_key[name] = _fate(session, name, fitting) if fitting else NO_TESTS
            if not count % KEPT_EVERY:
                self._keep()
        self._keep()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """See `pytest`. A failure is all that is asked for: to word it takes ten times as long as
        the test did, since pytest reads and parses the sources of all frames."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
            os._exit(NOTICED)

    def _keep(self) -> None:
        with change_cwd(self._root):
            touched: dict[int, SourceFileMutationData] = {
                id(data): data for data, _, _ in self._mutants
            }
            for data in touched.values():
                data.save()
        print_stats(self._files, force_output=True)


def _fate(session: pytest.Session, name: str, items: Sequence[pytest.Item]) -> int:
    """What becomes of a mutant, as an exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os._exit(_judged(session, name, items))
    finally:
        os._exit(NOTICED)


def _judged(session: pytest.Session, name: str, items: Sequence[pytest.Item]) -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    usual = sum(state().duration_by_test[item.nodeid] for item in items)
    patience = (usual + config().timeout_constant) * config().timeout_multiplier
    limit = ceil(process_time() + patience)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    set_mutant_under_test(name)
    for item, following in pairwise([*items, None]):
        if item is not None:
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return NOTICED
    return UNNOTICED


def main() -> int:
    """Make the mutants, measure the tests, judge."""
    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(1)
    collect_or_load_stats(get_mutant_runner(), apply_config_invalidation=True)
    set_mutant_under_test("")
    judge = Judge(sys.argv[1:])
    said = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
    with change_cwd("mutants"):
        return int(pytest.main(["--rootdir=.", "-q", "-s", *said], plugins=[judge]))


if __name__ == "__main__":
    sys.exit(main())
