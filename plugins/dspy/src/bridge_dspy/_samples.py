"""Deterministic sample values for the types that a prompt of DSPy's asks for."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import attrs

_MAX_DEPTH = 8
_MUST_ADHERE = "must adhere to the JSON schema: "
_MUST_BE_ONE_OF = "must be one of: "
_MUST_MATCH = "must exactly match (no extra characters) one of: "
_FORMATS = {
    "date-time": "2001-02-03T04:05:06Z",
    "date": "2001-02-03",
    "time": "04:05:06Z",
    "duration": "P1D",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.org/",
    "binary": "embedded",
}


@attrs.frozen
class Sample:
    """Where values come from: a sentence for text, and a number that depends on the inputs for the rest."""

    said: str
    seed: int

    def of_note(self, name: str, note: str) -> Any:
        """Make a value from the adapter's note about a field, such as `must be a single int value`."""
        if note.startswith(_MUST_ADHERE):
            schema = json.loads(note.removeprefix(_MUST_ADHERE))
            return self.of_schema(schema, schema.get("$defs", {}), name)
        for start in (_MUST_MATCH, _MUST_BE_ONE_OF):
            if note.startswith(start):
                return self._one_of(note.removeprefix(start).split("; "))
        if "True or False" in note:
            return self.seed % 2 == 1
        return self.of_schema({"type": "number" if "float" in note else "integer"}, {}, name)

    def of_literal(self, type_: str, note: str) -> Any:
        """Choose one of the values of `Literal[…]`."""
        return self._one_of(_literal_texts(type_.removeprefix("Literal[")[:-1], note.removeprefix(_MUST_MATCH)))

    def of_schema(self, schema: dict[str, Any], definitions: dict[str, Any], name: str, depth: int = 0) -> Any:
        """Make a value that a JSON Schema accepts; the empty value where the schema refers to itself too often."""
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._one_of(schema["enum"])
        if "anyOf" in schema:
            return self.of_schema(schema["anyOf"][-1 if depth > _MAX_DEPTH else 0], definitions, name, depth + 1)
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, definitions, name, depth)
        if kind == "array":
            return self._array(schema, definitions, name, depth)
        if kind == "integer":
            return self._within(self.seed % 100, schema)
        if kind == "number":
            return self._within(self.seed % 1000 / 10, schema)
        if kind == "boolean":
            return self.seed % 2 == 1
        if kind == "null":
            return None
        return _FORMATS.get(schema.get("format", ""), self.said)

    def _object(self, schema: dict[str, Any], definitions: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        wanted = schema.get("required", []) if depth > _MAX_DEPTH else properties
        made = {key: self.of_schema(properties[key], definitions, key, depth + 1) for key in wanted}
        values = schema.get("additionalProperties")
        if not properties and isinstance(values, dict) and depth <= _MAX_DEPTH:
            # Keys that are numbers or bools have no schema; this is one of them, and a text.
            key = self.of_schema(schema["propertyNames"], definitions, name) if "propertyNames" in schema else "1"
            made[key] = self.of_schema(values, definitions, name, depth + 1)
        return made

    def _array(self, schema: dict[str, Any], definitions: dict[str, Any], name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.of_schema(item, definitions, name, depth + 1) for item in schema["prefixItems"]]
        if depth > _MAX_DEPTH:
            return []
        item = self.of_schema(schema.get("items", {}), definitions, name, depth + 1)
        return [item] * max(1, schema.get("minItems", 1))

    def _one_of(self, values: list[Any]) -> Any:
        return values[self.seed % len(values)]

    def _within(self, number: Any, schema: dict[str, Any]) -> Any:
        return min(max(number, schema.get("minimum", number)), schema.get("maximum", number))


def _literal_texts(quoted: str, listed: str) -> list[str]:
    """Read the values of a `Literal` from the two ways in which a prompt writes them.

    Neither is escaped well enough to be read alone: one is `'a', "it's"`, the other `a; it's`.
    """
    texts: list[str] = []
    while listed:
        ends = [match.start() for match in re.finditer("; ", listed)] + [len(listed)]
        for end in ends:
            text = listed[:end]
            form = next((form for form in _quoted(text) if f"{quoted}, ".startswith(f"{form}, ")), None)
            if form is not None:
                break
        else:
            return texts or [listed]
        texts.append(text)
        quoted, listed = quoted[len(form) + 2 :], listed[end + 2 :]
    return texts


def _quoted(text: str) -> tuple[str, ...]:
    """Return how DSPy may quote a value; numbers and bools are not quoted."""
    escaped = text.replace("'", "\\'")
    return (f"'{text}'", f'"{text}"', f"'{escaped}'", text)


def sample_of(text: str, *, said: str) -> Sample:
    """Return the values that belong to a prompt: equal prompts, equal values."""
    return Sample(said=said, seed=zlib.crc32(text.encode("utf-8", "surrogatepass")))
