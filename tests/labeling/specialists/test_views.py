import pytest
from django.urls import reverse

from labeling.projects.models import Role
from labeling.specialists.models import Specialist, SpecialistVersion
from labeling.specialists.queries import newest_version
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.pool import add_fake, own_targets, work_off

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def project(client):
    user = make_user(is_superuser=True)
    client.force_login(user)
    return make_project(user)


def url(project, name="list", **kwargs):
    return reverse(f"specialists:{name}", kwargs={"slug": project.slug} | kwargs)


def test_an_empty_list_offers_hub_and_folder(client, project):
    page = client.get(url(project)).content.decode()
    assert url(project, "add", source="hub") in page
    assert url(project, "add", source="folder") in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_however_long(client, project, tmp_path, count, django_assert_num_queries):
    for number in range(count):
        add_fake(project, tmp_path / f"model-{number}")
    client.get(url(project))
    with django_assert_num_queries(8 if count else 0):
        client.get(url(project))


def test_the_whole_way_from_folder_to_vote(client, project, tmp_path):
    from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist

    make_dataset(project, [f"text {i}" for i in range(150)])
    folder = write_fake_specialist(tmp_path / "m", FakeSettings(labels=("LABEL_0", "LABEL_1", "positive")))
    answer = client.post(url(project, "add", source="folder"), {"location": str(folder), "name": "Mine"})
    specialist = Specialist.objects.get()
    assert answer.headers["Location"] == url(project, "detail", specialist_id=specialist.pk)
    assert "Fetching files" in client.get(answer.headers["Location"]).content.decode()
    work_off()
    page = client.get(answer.headers["Location"])
    fields = page.context["form"].label_fields()
    assert [field.initial for field in fields] == [
        "",
        "",
        str(own_targets(project)[2]),
    ]  # unnamed labels map to nothing
    chosen = {f"label_{index}": pk for index, pk in enumerate(own_targets(project))} | {"max_length": 64}
    client.post(url(project, "map", specialist_id=specialist.pk), chosen)
    work_off()
    assert "Let it vote" in client.get(answer.headers["Location"]).content.decode()
    client.post(url(project, "act", specialist_id=specialist.pk, verb="confirm"))
    assert newest_version(specialist).may_vote
    assert "This version may vote" in client.get(answer.headers["Location"]).content.decode()


def test_an_unmapped_label_is_asked_for(client, project, tmp_path):
    specialist = add_fake(project, tmp_path / "m", labels=("LABEL_0", "LABEL_1"))
    answer = client.post(url(project, "map", specialist_id=specialist.pk), {"label_0": "", "max_length": 64})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"label_0", "label_1"}
    assert not SpecialistVersion.objects.exists()


def test_a_bad_hub_id_is_refused_at_its_field(client, project):
    answer = client.post(url(project, "add", source="hub"), {"location": "file:///etc/passwd"}, headers=HTMX)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["location"])


def test_removing_keeps_the_row_and_frees_the_name(client, project, tmp_path):
    specialist = add_fake(project, tmp_path / "m")
    client.post(url(project, "act", specialist_id=specialist.pk, verb="remove"))
    assert b"No specialists yet" in client.get(url(project)).content
    assert add_fake(project, tmp_path / "m").name == "m"


def test_s06_hostile_label_names_are_text(client, project, tmp_path):
    specialist = add_fake(
        project, tmp_path / "m", labels=("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    )
    page = client.get(url(project, "detail", specialist_id=specialist.pk)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_s19_another_projects_specialist_is_not_found(client, project, tmp_path):
    specialist = add_fake(make_project(make_user()), tmp_path / "m")
    assert client.get(url(project, "detail", specialist_id=specialist.pk)).status_code == 404
    assert client.post(url(project, "act", specialist_id=specialist.pk, verb="remove")).status_code == 404


def test_annotators_are_kept_out(client, project, tmp_path):
    annotator = make_user()
    add_member(project, annotator, Role.ANNOTATOR)
    client.force_login(annotator)
    assert client.get(url(project)).status_code == 403
    assert client.post(url(project, "add", source="folder"), {"location": "/"}).status_code == 403
