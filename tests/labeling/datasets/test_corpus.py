import pytest

from labeling.datasets.models import RefusedRow, Sample, UploadState
from labeling.datasets.readers.parts import Columns, UnreadableFile
from labeling.web.errors import ActionError
from tests.labeling.datasets.corpus import FILES, REFUSED, UNREADABLE, WORDS
from tests.labeling.datasets.imports import begin, import_file, receive
from tests.labeling.factories import make_project, make_user


@pytest.fixture
def project(transactional_db):
    return make_project(make_user())


@pytest.mark.parametrize("name", FILES)
def test_c30_c31_file_imports_or_explains(project, name):
    content, taken, refused = FILES[name]
    columns = {"columns": Columns("text", "id")} if name == "duplicate ids" else {}
    upload = import_file(project, content, "data.jsonl" if name.startswith("jsonl") else "data.csv", **columns)
    assert (upload.state, upload.error) == (UploadState.DONE, "")
    assert (upload.accepted_count, upload.refused_count) == (taken, refused)
    assert list(upload.dataset.samples.order_by("position").values_list("position", flat=True)) == list(range(taken))
    assert RefusedRow.objects.filter(upload=upload).exclude(reason="").count() == refused


@pytest.mark.parametrize("encoding", WORDS)
def test_c30_guessed_encoding_gives_the_right_letters(project, encoding):
    name = {"cp1252": "windows-1252", "cp1251": "windows-1251", "cp1253": "windows-1253", "cp932": "shift-jis"}
    name |= {"gb18030": "gb18030", "cp949": "euc-kr"}
    import_file(project, FILES[name[encoding]][0].replace(f"{WORDS[encoding]} 0,".encode(encoding), b'"', 0))
    assert WORDS[encoding].split(",")[0] in Sample.objects.get(position=0).text


@pytest.mark.parametrize("name", REFUSED)
def test_c31_s05_other_file_is_refused_by_what_it_is(project, name):
    content, words = REFUSED[name]
    with pytest.raises((ActionError, UnreadableFile), match=words):
        begin(receive(project, content))
    assert not Sample.objects.exists()


@pytest.mark.parametrize("name", UNREADABLE)
def test_c25_unreadable_file_fails_whole_with_its_line(project, name):
    content, words = UNREADABLE[name]
    with pytest.raises(UnreadableFile, match=words):
        import_file(project, content)
    assert not Sample.objects.exists()
    assert not project.datasets.exists()


def test_c25_refused_row_names_line_column_and_reason(project):
    upload = import_file(project, b'id,text,note\n1,"two\nlines",x\n2,a\0b,x\n3,hello\n4,,x\n5,fine,x\n')
    rows = list(RefusedRow.objects.values_list("record", "line", "column", "reason"))
    assert rows == [
        (1, 4, "text", "The cell holds a NUL character."),
        (2, 5, "", "Cells in this row: 2; columns in the header: 3."),
        (3, 6, "text", "The text is empty."),
    ]
    assert upload.accepted_count == 2


def test_broken_utf16_names_the_line(project):
    content = "id,text\n1,hello\n".encode("utf-16-le") + b"\x00\xd8\x41\x00" + "\n".encode("utf-16-le")
    with pytest.raises(UnreadableFile, match="Line 3 is not utf-16-le"):
        import_file(project, b"\xff\xfe" + content)
