"""`python -m tools.docs` writes every generated page; `--check` only says which are out of date."""

from __future__ import annotations

import sys

from tools.docs.pages import FOLDER, PAGES, outdated


def main(check: bool) -> int:
    """Write what is out of date, or with `check` name it and return 1."""
    stale = outdated()
    for name in stale:
        path = FOLDER / name
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PAGES[name]())
        print(f"{'out of date' if check else 'written'}: docs/{name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
