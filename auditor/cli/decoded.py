"""A JSON document of somebody, read field by field: what is wrong is told with file and field."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from auditor.errors import ConfigError
from auditor.values import dataclass

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a document, and where it stands. What is asked of it and is not so raises a
    `ConfigError`.
    """

    value: Any
    file: str
    field: str = ""

    def __getitem__(self, key: str) -> Part:
        """The field of a mapping, which has to be there."""
        there = self._mapping()
        place = f"{self.field}.{key}" if self.field else key
        if key not in there:
            raise ConfigError(f"{self.file}: {place}: is missing")
        return Part(there[key], self.file, place)

    def has(self, key: str) -> bool:
        """Whether a mapping has the field."""
        return key in self._mapping()

    def items(self) -> list[Part]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            self._refuse("a list")
        return [
            Part(each, self.file, f"{self.field}[{index}]") for index, each in enumerate(self.value)
        ]

    def text(self) -> str:
        """The text that it is."""
        if not isinstance(self.value, str):
            self._refuse("a text")
        return self.value

    def text_or_none(self) -> str | None:
        """The text that it is; None for null."""
        return None if self.value is None else self.text()

    def number_or_none(self) -> int | None:
        """The whole number that it is; None for null."""
        if self.value is None:
            return None
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self._refuse("a whole number")
        return self.value

    def one_of(self, words: type[E]) -> E:
        """The one of these words that it is."""
        said = self.text()
        if said not in {each.value for each in words}:
            self._refuse(f"one of {', '.join(each.value for each in words)}")
        return words(said)

    def _mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            self._refuse("a mapping")
        return self.value

    def _refuse(self, wanted: str) -> NoReturn:
        raise ConfigError(f"{self.file}: {self.field or 'the document'}: must be {wanted}")
