"""YAML as YAML 1.2 has it: exact numbers, plain words as text, and a place for every value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.diagnostics import Position, Report
from slo_compiler.documents import MAX_DEPTH, MAX_NODES, read_documents
from slo_compiler.source import MAX_BYTES, Document


def read(text: str) -> Document:
    report = Report()
    (document,) = read_documents("x.yaml", text.encode(), report)
    assert report.diagnostics == []
    return document


def data(text: str) -> Any:  # noqa: ANN401  (it is what YAML reads)
    return read(text).data


def findings(content: str | bytes) -> list[str]:
    report = Report()
    read_documents("x.yaml", content.encode() if isinstance(content, str) else content, report)
    return [
        f"{d.position.line}:{d.position.column} {d.id}: {d.message}" for d in report.diagnostics
    ]


def shown(at: Position) -> tuple[int, int, str]:
    """Give line, column and the text under the caret."""
    return at.line, at.column, at.text[at.column - 1 : at.column - 1 + at.width]


# --- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("99.9", Decimal("99.9")),
        ("99.90", Decimal("99.90")),
        ("0.1", Decimal("0.1")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1E+3")),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("123456789012345678", 123456789012345678),
        ("12345678901234567890123", Decimal(12345678901234567890123)),
        ("1" * 400 + ".1", Decimal("1" * 400 + ".1")),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ('"99.9"', "99.9"),
        ("!!str 99.9", "99.9"),
    ],
)
def test_numbers_are_exact_and_the_few_words_have_their_meaning(text: str, value: object) -> None:
    found = data(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "No", "NO", "yes", "on", "off", "y", "n"),
        *("12:30", "1:30:00", "2024-01-01", "2024-01-01T10:00:00Z"),
        *("1_000", "0x1F", "0o17", "0b1", ".inf", ".nan", "1e", "1.2.3", "=", "tRue", "nUll"),
    ],
)
def test_what_yaml_1_1_would_reinterpret_stays_text(text: str) -> None:
    assert data(f"a: {text}") == {"a": text}
    assert data(f"{text}: a") == {text: "a"}


@pytest.mark.parametrize(
    "text",
    [
        *("!!int abc", "!!float x", "!!bool maybe", "!!null x", "!!int 0x1F", "!foo:int 7", "!x 7"),
        *("!!binary aGk=", "!!timestamp 2024-01-01", "!!python/object:os.system x"),
        *("!!set {a, b}", "!!omap [a: 1]", "!x {b: 1}", "!x [1]"),
    ],
)
def test_tags_have_no_meaning_and_no_effect(text: str) -> None:
    (finding,) = findings(f"a: {text}")
    assert finding.startswith("1:4 yaml-tag: the YAML tag ")


@settings(max_examples=60)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_every_decimal_reads_back_digit_by_digit(number: Decimal) -> None:
    text = format(number, "f")
    assert str(data(f"a: {text}")["a"]) == text


# --- places

TEXT = """\
spec:
  slos:
    - name: a
      objective: 99.9
    - {name: b, "objective": 100}
  empty: {}
  query: >-
    sum(rate(first[5m]))
    / sum(rate(second[5m]))
  quoted: "sum(x{a=\\"b\\"}) + y"
  block: |
    one
    two one
"""


@pytest.mark.parametrize(
    ("loc", "value", "key"),
    [
        (("spec", "slos", 0, "name"), (3, 13, "a"), (3, 7, "name")),
        (("spec", "slos", 0, "objective"), (4, 18, "99.9"), (4, 7, "objective")),
        (("spec", "slos", 1, "objective"), (5, 30, "100"), (5, 17, '"objective"')),
        (("spec", "slos", 1), (5, 7, '{name: b, "objective": 100}'), None),
        (("spec", "slos"), (3, 5, "-"), (2, 3, "slos")),
        (("spec", "empty"), (6, 10, "{}"), (6, 3, "empty")),
    ],
)
def test_values_and_keys_have_a_place(
    loc: tuple[str | int, ...], value: tuple[int, int, str], key: tuple[int, int, str] | None
) -> None:
    document = read(TEXT)
    assert shown(document.locate(loc)) == value
    if key:
        assert shown(document.locate(loc, key=True)) == key


@pytest.mark.parametrize(
    ("loc", "place"),
    [
        (("spec", "absent"), (1, 1, "spec")),
        (("spec", "absent", "deeper"), (1, 1, "spec")),
        (("absent",), (1, 1, "spec")),
        (("spec", "slos", 0, "sli"), (3, 7, "name")),
        (("spec", "empty", "x"), (6, 3, "empty")),
        (("spec", "slos", 7), (2, 3, "slos")),
    ],
)
def test_what_is_missing_is_marked_at_its_parent(
    loc: tuple[str | int, ...], place: tuple[int, int, str]
) -> None:
    assert shown(read(TEXT).locate(loc)) == place


@pytest.mark.parametrize(
    ("key", "part", "place"),
    [
        ("query", "first", (8, 14, "first")),
        ("query", "second", (9, 16, "second")),
        ("query", "/", (9, 5, "/")),
        ("quoted", "y", (10, 30, "y")),
        ("block", "two", (13, 5, "two")),
    ],
)
def test_a_part_of_a_text_is_found_however_the_text_is_written(
    key: str, part: str, place: tuple[int, int, str]
) -> None:
    document = read(TEXT)
    text = document.data["spec"][key]
    assert shown(document.within(("spec", key), text.index(part), len(part))) == place


def test_of_equal_parts_the_right_one_is_found() -> None:
    document = read(TEXT)
    text = document.data["spec"]["block"]
    assert shown(document.within(("spec", "block"), text.rindex("one"), 3)) == (13, 9, "one")
    assert shown(document.within(("spec", "block"), text.index("one"), 3)) == (12, 5, "one")


def test_a_part_that_is_written_otherwise_falls_back_to_the_whole() -> None:
    document = read('q: "a\\x62c"\n')
    assert shown(document.within(("q",), 1, 2)) == (1, 4, '"a\\x62c"')


def test_columns_count_characters_not_bytes() -> None:
    assert shown(read("{ä: 💥, ö: x}").locate(("ö",))) == (1, 11, "x")


# --- structure


def test_merged_keys_are_defaults_and_keep_their_place() -> None:
    document = read(
        "a: &a {x: 1, y: 2}\nb: &b {y: 3}\nc: {<<: [*b, *a], z: 4}\nd: {<<: *a, x: 5}\n"
    )
    assert document.data["c"] == {"x": 1, "y": 3, "z": 4}
    assert document.data["d"] == {"x": 5, "y": 2}
    assert shown(document.locate(("c", "x"))) == (1, 11, "1")
    assert shown(document.locate(("c", "y"))) == (2, 11, "3")
    assert shown(document.locate(("d", "x"))) == (4, 16, "5")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("a: 1\nb: 2\na: 3\n", '3:1 duplicate-key: the key "a" is here twice; first on line 1'),
        ("{a: 1, 'a': 2}", '1:8 duplicate-key: the key "a" is here twice; first on line 1'),
        ("{1: 1, '1': 2}", '1:8 duplicate-key: the key "1" is here twice; first on line 1'),
        (
            "a: &a {}\n<<: *a\n<<: *a\n",
            '3:1 duplicate-key: the key "<<" is here twice; first on',
        ),
        ("<<: 5", "1:1 yaml-key: << merges mappings only"),
        ("<<: [5]", "1:1 yaml-key: << merges mappings only"),
        ("? [a]\n: b\n", "1:3 yaml-key: a key must be plain text"),
        ("a: *b", "1:4 yaml-syntax: not valid YAML: found undefined alias"),
        ("a: [", "1:5 yaml-syntax: not valid YAML: did not find expected node content"),
        ("a: 'x", "1:6 yaml-syntax: not valid YAML: found unexpected end of stream"),
        ("%YAML 3.0\n---\na", "1:1 yaml-syntax: not valid YAML: found incompatible YAML document"),
        ("", "1:1 empty-file: the file holds no document"),
        ("# only a comment\n---\n", "1:1 empty-file: the file holds no document"),
        ("a: \x07", "1:4 control-character: the file holds the control character U+0007"),
        ("a: 1\r\nb: \x00", "2:4 control-character: the file holds the control character U+0000"),
    ],
)
def test_what_is_wrong_with_a_file_is_reported_at_its_place(text: str, finding: str) -> None:
    (found,) = findings(text)
    assert found.startswith(finding)


def test_a_file_may_hold_several_documents() -> None:
    report = Report()
    documents = read_documents("x.yaml", b"a: 1\n---\n---\n# none\n---\na: 2\n...\n", report)
    assert [d.data for d in documents] == [{"a": 1}, {"a": 2}]
    assert [d.locate(("a",)).line for d in documents] == [1, 6]
    assert report.diagnostics == []


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert data("\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_refused(encoding: str) -> None:
    (found,) = findings("é: ü".encode(encoding))
    assert "not-utf8: byte 0x" in found


# --- hostile files


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "&a [", "!!seq ["])
def test_a_mebibyte_of_nesting_is_refused_before_anything_recurses(unit: str) -> None:
    (found,) = findings((unit * MAX_BYTES)[:MAX_BYTES])
    assert f"not valid YAML: nested deeper than {MAX_DEPTH} levels" in found


@pytest.mark.parametrize(
    "unit", ["&a", "&a ", "!x ", "*a ", "'a", '"', "|\n", "%", "@", "\t", ": ", "`"]
)
def test_a_mebibyte_of_anything_else_is_an_error_too(unit: str) -> None:
    assert findings((unit * MAX_BYTES)[:MAX_BYTES])


@pytest.mark.processes
@pytest.mark.parametrize("unit", ["- a\n", "---\n", "a\n", "#\n", "\n", " "])
def test_a_mebibyte_of_little_things_is_answered(unit: str) -> None:
    found = findings((unit * MAX_BYTES)[: MAX_BYTES // 4 * 4])
    assert len(found) <= 1
    assert all("yaml-bomb" in f or "empty-file" in f for f in found)


def test_aliases_count_as_what_they_name() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (found,) = findings("\n".join(lines))
    assert found.startswith(f"5:5 yaml-bomb: this holds more than {MAX_NODES:,} values")


def test_aliases_nest_as_deep_as_what_they_name() -> None:
    lines = ["a0: &a0 x", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2_000))]
    (found,) = findings("\n".join(lines))
    assert f"yaml-bomb: aliases nest this deeper than {MAX_DEPTH} levels" in found
    assert found.startswith(f"{MAX_DEPTH + 2}:")


def test_an_alias_to_itself_is_refused() -> None:
    assert findings("a: &a\n  b: [*a]\n") == ["1:4 yaml-bomb: this value holds an alias to itself"]


def test_a_file_beyond_the_limit_is_not_even_decoded() -> None:
    assert findings(b"\xff" * (MAX_BYTES + 1)) == [
        "1:1 file-too-large: the file is larger than 1,048,576 bytes"
    ]


@settings(max_examples=150)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    *"[]{}:,-?&*!|>'\"%@`#~\n\t ",
                    "a",
                    "<<",
                    "1",
                    ": ",
                    "- ",
                    "&a",
                    "*a",
                    "---\n",
                    "!!int ",
                ]
            ),
            max_size=25,
        ).map("".join),
        st.binary(max_size=40),
    )
)
def test_no_file_makes_anything_but_findings(content: str | bytes) -> None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    report = Report()
    for document in read_documents("x.yaml", raw, report):
        document.locate(("a", 0, "b"))
    assert all(d.position.line >= 1 and d.position.column >= 1 for d in report.diagnostics)
