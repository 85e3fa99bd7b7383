"""What a trigger was told becomes arguments and variables of its runs. Pure.

Values go where a program reads them as they are: no shell sees them. A text from outside that
begins with `-` could still be an option to a program; as an argument it needs a prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runyard.model.asking import ARGUMENT_BYTES_MAX, VALUE_BYTES_MAX
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.run import InputFile, Overrides
from runyard.model.trigger.filtering import written
from runyard.model.trigger.mapping import (
    FILE_BYTES_MAX,
    FileItem,
    MapSpec,
    Taken,
    ValueType,
)
from runyard.model.trigger.pointing import MESSAGES, Told, find

_UNFIT = "what was sent does not fit the trigger's map"
_EXPECTED = {
    None: "a text, a number, true or false",
    ValueType.TEXT: "a text",
    ValueType.INTEGER: "a whole number",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
}
_KINDS: dict[ValueType | None, tuple[type, ...]] = {
    None: (str, int, float),
    ValueType.TEXT: (str,),
    ValueType.INTEGER: (int,),
    ValueType.NUMBER: (int, float),
    ValueType.BOOLEAN: (bool,),
}


def mapped(spec: MapSpec, told: Told, over: Overrides) -> Overrides:
    """`over` with the arguments and variables that `spec` makes of what was told; those win.

    Raises InvalidSpec with every place where there is nothing, or something else.
    """
    args = {number: _argument(item, told, number) for number, item in enumerate(spec.args or ())}
    env = {name: _variable(item, told, name) for name, item in spec.env.items()}
    file = None if spec.file is None else _filed(spec.file, _text(spec.file, told))
    return _merged(spec, args, env, file, over)


def mapped_all(spec: MapSpec, many: Sequence[Told], over: Overrides) -> Overrides:
    """`over` with what `spec` makes of several together: all of them, as JSON, where it says
    `messages`, else the list of what each has at the place (null where it may be left out).

    Raises InvalidSpec with every place where one has nothing, or something else, and where the
    list is too long.
    """

    def listed(item: str | Taken, name: str, bytes_max: int) -> str | Fault | None:
        return item if isinstance(item, str) else _fitting(item, _list(item, many), name, bytes_max)

    args = {
        number: listed(item, f"argument {number}", ARGUMENT_BYTES_MAX - 1)
        for number, item in enumerate(spec.args or ())
    }
    env = {
        name: listed(item, f"variable {name}", VALUE_BYTES_MAX) for name, item in spec.env.items()
    }
    file = None if spec.file is None else _filed(spec.file, _list(spec.file, many))
    return _merged(spec, args, env, file, over)


def must_fit(spec: MapSpec, told: Told) -> None:
    """Raises InvalidSpec with every place where one of several has nothing, or something else."""
    items = (item for item in spec.taken() if item.source != MESSAGES)
    faults = [one for item in items if isinstance(one := _text(item, told), Fault)]
    if faults:
        raise InvalidSpec(_UNFIT, faults=tuple(faults))


def _list(item: Taken, many: Sequence[Told]) -> str | Fault:
    if item.source == MESSAGES:
        return f"{item.prefix}{written(list(many))}"
    found: list[Any] = []
    for told in many:
        if isinstance(one := _text(item, told), Fault):
            return one
        value = find(told, item.source)
        found.append(item.default if value is None else value)
    return f"{item.prefix}{written(found)}"


def _merged(
    spec: MapSpec,
    args: Mapping[int, str | Fault | None],
    env: Mapping[str, str | Fault | None],
    file: InputFile | Fault | None,
    over: Overrides,
) -> Overrides:
    faults = [one for one in (*args.values(), *env.values(), file) if isinstance(one, Fault)]
    if faults:
        raise InvalidSpec(_UNFIT, faults=tuple(faults))
    merged = dict(over.env) | {key: one for key, one in env.items() if isinstance(one, str)}
    return replace(
        over,
        args=over.args
        if spec.args is None
        else tuple(one for one in args.values() if isinstance(one, str)),
        env=tuple(sorted(merged.items())),
        file=file if isinstance(file, InputFile) else over.file,
    )


def _filed(item: FileItem, text: str | Fault | None) -> InputFile | Fault | None:
    """The file; None where it is left out."""
    fitting = _fitting(item, text, f"file {item.path}", FILE_BYTES_MAX)
    return InputFile(item.path, fitting) if isinstance(fitting, str) else fitting


def _argument(item: str | Taken, told: Told, number: int) -> str | Fault | None:
    """Its text; None where it is left out."""
    if isinstance(item, str):
        return item
    name, text = f"argument {number}", _text(item, told)
    value = find(told, item.source)
    if isinstance(value, str) and text == value and value.startswith("-"):
        hint = "a prefix such as `--name=` makes one argument of both"
        return Fault(item.source, sort_of(value), f"no hyphen first in {name}", hint)
    return _fitting(item, text, name, ARGUMENT_BYTES_MAX - 1)


def _variable(item: str | Taken, told: Told, name: str) -> str | Fault | None:
    if isinstance(item, str):
        return item
    return _fitting(item, _text(item, told), f"variable {name}", VALUE_BYTES_MAX)


def _text(item: Taken, told: Told) -> str | Fault | None:
    value = find(told, item.source)
    if value is None:
        if item.optional or item.default is not None:
            return None if item.default is None else f"{item.prefix}{item.default}"
        expected = _EXPECTED.get(item.type, "a value")
        return Fault(item.source, "nothing", expected, "or say `optional` or a default")
    if not _is(value, item.type):
        hint = "" if item.type else "`type: json` takes anything"
        return Fault(item.source, sort_of(value), _EXPECTED[item.type], hint)
    return f"{item.prefix}{written(value)}"


def _fitting(
    item: Taken, text: str | Fault | None, name: str, bytes_max: int
) -> str | Fault | None:
    if not isinstance(text, str):
        return text
    if "\0" in text or len(text.encode("utf-8", "surrogatepass")) > bytes_max:
        expected = f"at most {bytes_max} bytes without NUL in {name}"
        return Fault(item.source, f"a text of {len(text)} characters", expected)
    return text


def _is(value: Any, kind: ValueType | None) -> bool:
    if kind is ValueType.JSON:
        return True
    if isinstance(value, bool) and kind not in (None, ValueType.BOOLEAN):
        return False
    return isinstance(value, _KINDS[kind])


def sort_of(value: Any) -> str:
    """What sort of thing a value is. The value itself may be a secret of somebody's."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    return f"a list of {len(value)}" if isinstance(value, list) else f"a mapping of {len(value)}"
