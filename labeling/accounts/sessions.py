"""Sessions in the database, as Django's own keeps them, found by a query that is composed once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from labeling.web.prepared import Prepared

_living = Prepared(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now))


class SessionStore(db.SessionStore):
    """What Django's own reads for every request costs as much to put into words as to answer (docs/decisions/0040)."""

    def _get_session_from_db(self) -> Session | None:
        found = _living(str(self.session_key), timezone.now())
        if not found:
            self._session_key = None
            return None
        session: Session = found[0]
        return session
