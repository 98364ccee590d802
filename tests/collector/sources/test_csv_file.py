"""CSV read without trusting it."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.sources.body import BodyRefused, Unreadable
from sojourn_collector.sources.csv_file import DELIMITERS, LONGEST_ROW, CsvFile


def read(*pieces: bytes) -> tuple[list[str], list[tuple[int, object]]]:
    """Header and rows with their lines."""
    file = CsvFile(pieces)
    return file.header, [(line.number, line.cells) for line in file]


def refused(*pieces: bytes) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(BodyRefused) as caught:
        read(*pieces)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found_in_the_first_line(delimiter):
    """Comma, semicolon and tab; those within quotes do not count."""
    first = delimiter.join(['"a,b;c"', "d", "e"])
    assert read(f"{first}\n1{delimiter}2{delimiter}3\n".encode()) == (["a,b;c", "d", "e"], [(2, ["1", "2", "3"])])


def test_a_mark_of_utf_8_blank_lines_and_lines_within_quotes():
    """The mark goes, blank lines are left out, and a row has the number of the line it begins on."""
    body = codecs.BOM_UTF8 + b'id,comment\r\n\r\n1,"two\nlines"\r\n2,ok\r\n'
    assert read(body) == (["id", "comment"], [(3, ["1", "two\nlines"]), (5, ["2", "ok"])])


def test_pieces_may_be_cut_anywhere():
    """Even within a letter."""
    body = "id,name\n1,Zoë\n2,Ärger\n".encode()
    assert read(*(body[at : at + 1] for at in range(len(body)))) == (["id", "name"], [(2, ["1", "Zoë"]), (3, ["2", "Ärger"])])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The file is empty; its first line has the names of the columns."),
        ("id,a\n1,2\n".encode("utf-16"), "The file is in UTF-16; save it as “CSV UTF-8”."),
        (
            "id,name\n1,a\n2,Müller\n".encode("cp1252"),
            "Line 3 is not UTF-8; save it as “CSV UTF-8”, or convert it, such as with iconv -f windows-1252 -t utf-8.",
        ),
        (b",;,\n1,2\n", "Column 1 has no name; the first line has the names of the columns."),
        (b" \n,\n", "The file is empty; its first line has the names of the columns."),
        (b",,\n\n", "The first line has no names of columns."),
        (b"id,id\n", 'The column "id" stands twice in the first line.'),
        (b"id,,a\n", "Column 2 has no name; the first line has the names of the columns."),
        (b"id,a\0b\n", "The first line cannot be read: holds a NUL byte; the file may be damaged or no text, save it as “CSV UTF-8”."),
        (b",".join(b"c%d" % n for n in range(10_000)) + b"\n", "The first line names 10000 columns; at most 200 are taken."),
        (b'id,a\n1,"never closed\n2,b\n', "Line 2: a quote is opened and not closed; close it, or write a quote within a cell twice."),
        (b'id,a\n1,"' + b"x" * 200_000 + b"\n", "Line 2: a quote is opened and not closed; close it, or write a quote within a cell twice."),
        (b'id,a\n1,"' + b'x","\n' * 300_000, "Line 209716: a row is longer than 1 MiB; a quote may be open, or this is no CSV."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(body, said):
    """Place, cause and cure."""
    assert refused(body) == said


def test_a_line_without_end_is_given_up_at_its_bound():
    """A gigabyte of one line is not gathered: no more than the bound and a piece is asked for."""
    asked = 0

    def pieces():
        nonlocal asked
        yield b"id,a\n"
        while True:
            asked += 1
            yield b"x" * 65_536

    assert refused(*[]) == "The file is empty; its first line has the names of the columns."
    with pytest.raises(BodyRefused, match="Line 2: a line is longer than 1 MiB; this is no CSV"):
        list(CsvFile(pieces()))
    assert asked <= LONGEST_ROW // 65_536 + 1


def test_a_bad_row_does_not_end_the_file():
    """Letters after a closing quote and NUL bytes spoil their own row."""
    header, rows = read(b'id,a\n1,"b"c\n2,x\0y\n3,good\n')
    assert header == ["id", "a"]
    assert [(number, cells.reason if isinstance(cells, Unreadable) else cells) for number, cells in rows] == [
        (2, "the line is not CSV: ',' expected after '\"'"),
        (3, "holds a NUL byte; the file may be damaged or no text, save it as “CSV UTF-8”"),
        (4, ["3", "good"]),
    ]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_are_rows_or_one_sentence(body, size):
    """Nothing else comes out, however the bytes are cut."""
    header: list[str] = []
    rows: list[tuple[int, object]] = []
    said = ""
    try:
        header, rows = read(*(body[at : at + size] for at in range(0, len(body), size)))
    except BodyRefused as error:
        said = str(error)
    assert said.endswith(".") if said else header
    assert all(number > 1 for number, _ in rows)
