"""docs/reference/config.md, from the declarations in `runyard.config`."""

from __future__ import annotations

from runyard.config import SETTINGS
from runyard.setting_sources import FILE_NAME, FILE_VARIABLE, INSIDE_PREFIX, PREFIX
from tools.docs.markdown import code, page, table


def settings_page() -> str:
    """Every setting: variable, meaning, unit, default."""
    return page(
        "Settings",
        f"A value comes from the environment (`{PREFIX}PORT=8000`), else from a TOML file "
        f"(`port = 8000`), else it is the default. The file is the one that `{FILE_VARIABLE}` "
        f"names, else `{FILE_NAME}` in the state folder, where there is one. `runyard config` "
        "shows what is in force and where each value came from.",
        "Amounts of bytes may be written as `64Mi`, lengths of time as `90s` or `12h`. A "
        f"variable that begins with `{PREFIX}` and is no setting is an error, with a suggestion; "
        f"only names that begin with `{INSIDE_PREFIX}` are left to the tasks that Runyard starts. "
        "A file that holds a secret must be readable by its owner only.",
        table(
            ("setting", "variable", "meaning", "unit", "default"),
            (
                (
                    code(name),
                    code(PREFIX + name.upper()),
                    setting.meaning + (" (secret: never shown)" if setting.secret else ""),
                    setting.unit,
                    setting.default_words or code(setting.default),
                )
                for name, setting in SETTINGS.items()
            ),
        ),
    )
