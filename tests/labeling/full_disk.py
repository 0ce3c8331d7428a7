"""A SQLite database that has room for a few pages more, as on a full disk."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def room_for(pages):
    """Within the block the database may use `pages` pages more than it holds data now."""
    with connection.cursor() as cursor:
        used = cursor.execute("PRAGMA page_count").fetchone()[0]
        free = cursor.execute("PRAGMA freelist_count").fetchone()[0]
        # Pages that earlier tests freed are room, too: they are filled before the limit is set.
        cursor.execute("CREATE TABLE filler (content BLOB)")
        for _page in range(free):
            cursor.execute("INSERT INTO filler VALUES (zeroblob(4000))")
        used = max(used, cursor.execute("PRAGMA page_count").fetchone()[0])
        cursor.execute(f"PRAGMA max_page_count = {used + pages}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1000000000")
            cursor.execute("DROP TABLE filler")
