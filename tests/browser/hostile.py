"""Texts that would run if a page took them for HTML, and a project in which people and models say them everywhere."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from labeling.labels.actions.returns import escalate
from labeling.labels.models import Escalation, ReviewItem, Verdict, VerifierAnswer
from labeling.projects.models import Invitation, LabelClass, Project, Role
from labeling.review.actions.returns import return_item
from labeling.review.models import Comment, Flag, Preferences, Return, Skip
from tests.labeling.factories import add_member, make_user

# Whatever one of these would make carries the id "pwned" or the attribute data-pwned.
PAYLOADS = (
    "<script id=pwned>alert(1)</script>",
    "<img id=pwned src=x onerror=alert(1)>",
    "<IMG ID=pwned SRC=x ONERROR=alert(1)",
    "<img/id=pwned/src=x/onerror=alert(1)>",
    "<svg id=pwned onload=alert(1)>",
    "<svg><script id=pwned href='data:,alert(1)'/></svg>",
    "<svg><animate id=pwned onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mi id=pwned xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe id=pwned srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object id=pwned data='data:text/html,<script>alert(1)</script>'></object>",
    "<a id=pwned href=javascript:alert(1)>click</a>",
    "javascript:alert(1)//",
    "[click](javascript:alert(1))",
    '![x](x" onerror="alert(1)" id="pwned)',
    '"><img id=pwned src=x onerror=alert(1)>',
    "'><img id=pwned src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) data-pwned="1',
    "' autofocus onfocus='alert(1)' data-pwned='1",
    "` onmouseover=`alert(1)` data-pwned=`1",
    "</textarea><script id=pwned>alert(1)</script>",
    "</title><script id=pwned>alert(1)</script>",
    "</option></select><img id=pwned src=x onerror=alert(1)>",
    "</dialog></template><img id=pwned src=x onerror=alert(1)>",
    "--><script id=pwned>alert(1)</script>",
    "]]><script id=pwned>alert(1)</script>",
    "{{ request.user.password }}{% debug %}",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}#{alert(1)}<%= alert(1) %>",
    "&lt;img id=pwned src=x onerror=alert(1)&gt;",
    "&#60;script id=pwned&#62;alert(1)&#60;/script&#62;",
    "%3Cscript id=pwned%3Ealert(1)%3C/script%3E",
    "\\u003cscript id=pwned\\u003ealert(1)\\u003c/script\\u003e",
    "＜script id=pwned＞alert(1)＜/script＞",
    "\u202e<img id=pwned src=x onerror=alert(1)>\u202c",
    "<\u200bscript id=pwned>alert(1)</\u200bscript>",
    "</style><style id=pwned>* { display: none }</style>",
    "<div id=pwned style=\"background: url('javascript:alert(1)')\">",
    "<link id=pwned rel=stylesheet href=//example.invalid/x.css>",
    "<base id=pwned href=//example.invalid/>",
    "<meta id=pwned http-equiv=refresh content='0;url=//example.invalid'>",
    "<form id=pwned action=//example.invalid><input type=submit>",
    "<div id=pwned hx-post=/sign-out hx-trigger=load>",
    "<div id=pwned hx-on::load=alert(1) data-hx-on-load=alert(1)>",
    "<details id=pwned open ontoggle=alert(1)>",
)
IMAGE, BREAKER = PAYLOADS[1], PAYLOADS[14]
# A link that runs counts as well: a guideline is Markdown.
FOUND = """
const made = document.querySelectorAll("#pwned, [data-pwned], [href^='javascript:' i], [src^='javascript:' i]");
return [...made].map((one) => one.outerHTML);
"""
LONG = " ".join(PAYLOADS)


def say_everywhere(project, staff):
    """Comments, notes, reasons, names, keys: hostile ones on a decided text, on the desk, and on the staff's screen."""
    foe = make_user(PAYLOADS[4][:150])
    add_member(project, foe, Role.REVIEWER)
    decided = ReviewItem.objects.filter(project=project, state="decided").earliest("id")
    flagged, sent = ReviewItem.objects.filter(project=project, state="open", is_blind=False).order_by("priority")[:2]
    escalate(project=project, item_id=flagged.pk, why=Escalation.FLAGGED)
    Verdict.objects.filter(item=decided).update(note=LONG[:2000])
    for item in (decided, flagged, sent):
        _remark(item, foe)
    return_item(project=project, item_id=sent.pk, by_id=foe.pk, reason=LONG[:500], to_id=staff.pk)
    Invitation.objects.create(
        project=project, role=Role.ANNOTATOR, created_by=foe, expires_at=timezone.now() + timedelta(days=1)
    )
    Preferences.objects.create(user=staff, keys={"undo": IMAGE, BREAKER: "x", "skip": "\\u003c/script>"})
    Project.objects.update(votes_shown="shown")
    for number, one in enumerate(LabelClass.objects.all()):
        LabelClass.objects.filter(pk=one.pk).update(description=PAYLOADS[number % len(PAYLOADS)])
    for number, answer in enumerate(VerifierAnswer.objects.all()):
        VerifierAnswer.objects.filter(pk=answer.pk).update(reason=PAYLOADS[number % len(PAYLOADS)] + LONG)


def _remark(item, foe):
    Skip.objects.create(item=item, user=foe, client_id=uuid4())
    for payload in PAYLOADS:
        Comment.objects.create(item=item, user=foe, client_id=uuid4(), text=payload)
        Flag.objects.create(item=item, user=foe, client_id=uuid4(), note=payload)
        Return.objects.create(item=item, by=foe, to=foe, reason=payload)
