"""The cookies of one attempt: one jar that http steps and browser steps read and write, so that a login in one holds in the other."""

from http.cookiejar import CookieJar

from sojourn_probes.steps.base import StepContext


def jar_of(context: StepContext) -> CookieJar:
    """The jar of the attempt that `context` belongs to.

    As `http.cookiejar` has it, a host without a dot lies in it as `<host>.local`.
    """
    jar: CookieJar = context.kept.setdefault("cookies", CookieJar())
    return jar
