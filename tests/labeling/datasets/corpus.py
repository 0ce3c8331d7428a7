"""Cells that must come back byte for byte, and files in the dialects that people bring (C31)."""

CELLS = (
    "NA",
    "null",
    "None",
    "nan",
    "007",
    "1e5",
    "TRUE",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "'=1+1",
    "''@x",
    "'plain",
    "\tstarts with a tab",
    "  spaces around  ",
    '"',
    'a "quoted" word',
    '""',
    "a,b;c|d",
    "line\nfeed",
    "carriage\r\nreturn and feed",
    "lone\rreturn",
    "\n",
    "inner \ufeff mark",
    "👩🏽‍🚀 👨‍👩‍👧",
    "e\u0301 combining",
    "שלום عالم",
    "\u2028 separators \u2029 \x85 \x0b \x0c",
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% now 'Y' %}",
    "\\",
    "\\n",
    "x" * 1_000_000,
    "",
)


def _table(delimiter, end="\n", quote="", rows=3):
    cells = [["id", "text", "label"], *([str(i), f"text number {i}", "good"] for i in range(rows))]
    return end.join(delimiter.join(quote + cell + quote for cell in row) for row in cells) + end


WORDS = {
    "cp1252": "Füße größer, naïve façade “déjà vu”",
    "cp1251": "Привет, это обычный русский текст для проверки",
    "cp1253": "Καλημέρα, αυτό είναι ένα ελληνικό κείμενο",
    "cp932": "これは日本語の文章です。文字コードを確認します。",
    "gb18030": "这是一个中文句子，用来检查编码是否正确。",
    "cp949": "이것은 한국어 문장입니다. 인코딩을 확인합니다.",
}


def _encoded(encoding):
    rows = "".join(f"{i},{WORDS[encoding]} {i},good\n" for i in range(40))
    return f"id,text,label\n{rows}".encode(encoding)


# name -> (bytes, rows taken, rows refused)
FILES = {
    "comma": (_table(",").encode(), 3, 0),
    "semicolon": (_table(";").encode(), 3, 0),
    "tab": (_table("\t").encode(), 3, 0),
    "bar": (_table("|").encode(), 3, 0),
    "all quoted": (_table(",", quote='"').encode(), 3, 0),
    "semicolon quoted": (_table(";", quote='"').encode(), 3, 0),
    "crlf": (_table(",", end="\r\n").encode(), 3, 0),
    "cr": (_table(",", end="\r").encode(), 3, 0),
    "no newline at the end": (_table(",").rstrip("\n").encode(), 3, 0),
    "blank lines": (_table(",", end="\n\n").encode(), 3, 0),
    "bom": (_table(",").encode("utf-8-sig"), 3, 0),
    "bom and quotes": (_table(";", quote='"').encode("utf-8-sig"), 3, 0),
    "utf-16 with bom": (_table(",").encode("utf-16"), 3, 0),
    "utf-16-be with bom": (b"\xfe\xff" + _table("\t").encode("utf-16-be"), 3, 0),
    "utf-16-le without bom": (_table(",").encode("utf-16-le"), 3, 0),
    "utf-16-be without bom": (_table(";").encode("utf-16-be"), 3, 0),
    "excel separator line": (b"sep=;\r\n" + _table(";", end="\r\n").encode(), 3, 0),
    "windows-1252": (_encoded("cp1252"), 40, 0),
    "windows-1251": (_encoded("cp1251"), 40, 0),
    "windows-1253": (_encoded("cp1253"), 40, 0),
    "shift-jis": (_encoded("cp932"), 40, 0),
    "gb18030": (_encoded("gb18030"), 40, 0),
    "euc-kr": (_encoded("cp949"), 40, 0),
    "one column": (b"text\nfirst, with a comma\nsecond\n", 2, 0),
    "one row": (b"text\nhello\n", 1, 0),
    "delimiters inside quotes": (b'id;text\n1;"a;b,c"\n2;"d|e\tf"\n', 2, 0),
    "line breaks inside quotes": (b'id,text\n1,"a\nb"\n2,"c\r\n\r\nd"\n', 2, 0),
    "quotes inside cells": (b'id,text\n1,5" screen\n2,"say ""hi"""\n', 2, 0),
    "unnamed first column": (b",text\n0,hello\n1,world\n", 2, 0),
    "spaces in the header": (b" id , the text \n1,hello\n2,world\n", 2, 0),
    "commas in a semicolon file": (b"id;text;score\n1;well, yes, no;0,5\n2;a, b;1,5\n", 2, 0),
    "ragged rows": (b"id,text\n1,hello\n2\n3,a,b\n4,world\n", 2, 2),
    "empty texts": (b"id,text\n1,\n2,  \n3,hello\n", 1, 2),
    "duplicate ids": (b"id,text\n1,a longer text\n1,another text\n2,more text\n", 2, 1),
    "text after a quote": (b'id,text\n1,"a" b\n2,hello\n', 1, 1),
    "nul": (b"id,text\n1,a\0b\n2,hello\n", 1, 1),
    "one bad byte in utf-8": ("id,text\n1,größer über Füße\n".encode() + b"2,gr\xff\n3,hello\n", 2, 1),
    "a huge cell": (b"id,text\n1," + b"x" * 1_048_577 + b"\n2,hello\n", 1, 1),
    "jsonl": (b'{"id": 1, "text": "hello"}\n{"id": 2, "text": "world", "more": [1, 2]}\n', 2, 0),
    "jsonl with flaws": (b'{"text": "a"}\n[1]\n{"text": 3}\n{"x": 1}\n{"text": "\\ud800"}\nnope\n', 1, 5),
}

# name -> (bytes, words of the message)
REFUSED = {
    "empty": (b"", "empty"),
    "only a bom": (b"\xef\xbb\xbf", "empty"),
    "header only": (b"id,text\n", "no rows"),
    "zip": (b"PK\x03\x04" + b"\0" * 60, "zip archive"),
    "xlsx": (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml" + b"\0" * 60, "Excel workbook"),
    "gzip": (b"\x1f\x8b\x08" + b"\0" * 60, "gzip"),
    "parquet": (b"PAR1" + b"\0" * 60, "Parquet"),
    "png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "PNG image"),
    "web page": (b"<!DOCTYPE html><html><script>alert(1)</script>", "web page"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "web page"),
    "binary": (bytes(range(256)) * 40, "binary file"),
    "json list": (b'[{"text": "a"}]', "JSON list"),
}

# found only when the file is read to its end, or under its header
UNREADABLE = {
    "duplicate headers": (b"text,text\na,b\n", "Two columns are called"),
    "too many columns": (
        ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n" + b"," * 9_999 + b"\n",
        "10000 columns",
    ),
    "open quote": (b'id,text\n1,hello\n2,"never closed\n3,x\n', "line 3 is never closed"),
}
