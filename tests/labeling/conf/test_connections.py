"""What every connection to the database begins with."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.only_postgres
def test_postgresql_compiles_no_statement_looks_small_tables_up_and_keeps_plans():
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
        cursor.execute("SHOW random_page_cost")
        assert cursor.fetchone() == ("1.1",)
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)
