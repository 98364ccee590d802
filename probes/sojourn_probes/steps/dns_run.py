"""Walks a `dns` step: one question over UDP, TCP, TLS or HTTPS; an answer cut short over UDP is asked for again over TCP."""

from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.dns import DEFAULT_PORTS, DnsPart
from sojourn_probes.steps.dns_ways import ask_https, ask_stream, ask_udp, failed, place
from sojourn_probes.steps.resolving import ResolveError
from sojourn_probes.steps.talk import Broken

if TYPE_CHECKING:
    from dns.message import Message

_KEPT: Final = "dns_answers"
_MOST_KEPT: Final = 10_000


class Runner:
    """Walks one `dns` step."""

    async def run(self, part: DnsPart, context: StepContext) -> Observation:
        """Ask the resolver of `part` and say what it answered."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        name, resolver = context.names.fill_text(part.name), context.names.fill_text(part.resolver or "")
        try:
            await _ask(part, name, resolver or _of_system(), context, seen)
        except Broken as fault:
            seen.failure = failed(fault.failure.kind, fault.failure.message, context)
        except ResolveError as fault:
            seen.failure = failed(FailureKind.DNS, f"{fault}; look at the name of the resolver", context)
        finally:
            seen.ended_ns = context.clock.now_ns()
        context.kept.pop("partial", None)
        return seen


def _of_system() -> str:
    """The first resolver of this machine."""
    import dns.resolver

    try:
        server = str(dns.resolver.get_default_resolver().nameservers[0])
    except (dns.resolver.NoResolverConfiguration, IndexError):
        raise Broken(FailureKind.CONFIG, "this machine names no resolver in /etc/resolv.conf; write resolver: host") from None
    return f"[{server}]" if ":" in server else server


async def _ask(part: DnsPart, name: str, resolver: str, context: StepContext, seen: Observation) -> None:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rcode

    try:
        question = dns.message.make_query(name, part.record, use_edns=True, payload=1232)
    except (dns.exception.DNSException, UnicodeError) as fault:
        raise Broken(FailureKind.CONFIG, f"{name} is no name that can be asked about ({type(fault).__name__}); write it as shop.example") from None
    if not part.recursion:
        question.flags &= ~dns.flags.RD
    answer: Message | None
    if part.transport == "https":
        answer = await ask_https(part, question, resolver, context, seen)
    else:
        host, port = place(resolver, DEFAULT_PORTS[part.transport])
        if part.transport == "udp":
            answer = await ask_udp(part, question, host, port, context, seen)
        if part.transport != "udp" or (answer is not None and answer.flags & dns.flags.TC):
            answer = await ask_stream(part, question, host, port, context, seen)
    if answer is None:
        return
    found = [(rrset.ttl, record.to_text()) for rrset in answer.answer if rrset.rdtype == question.question[0].rdtype for record in rrset]
    records = [text for _, text in found]
    seen.facts |= {"rcode": dns.rcode.to_text(answer.rcode()), "records": records, "answers": len(found)}
    if found:
        seen.facts["ttl"] = float(min(ttl for ttl, _ in found))
    _compare((context.journey_id, context.step_id, name, part.record, resolver), sorted(records), context, seen)


def _compare(key: tuple[str, ...], records: list[str], context: StepContext, seen: Observation) -> None:
    """Whether the answer is another than in the run before; the agent remembers until it is started again."""
    before: dict[Any, list[str]] = context.tools.setdefault(_KEPT, {})
    last = before.pop(key, None)
    before[key] = records
    if len(before) > _MOST_KEPT:
        del before[next(iter(before))]
    if last is None:
        return
    seen.facts["changed"] = last != records
    if last != records:
        seen.note = f"the answer differs from last time: {_shown(last)} → {_shown(records)}"


def _shown(records: list[str]) -> str:
    more = f" and {len(records) - 4} more" if len(records) > 4 else ""
    return (", ".join(record[:80] for record in records[:4]) or "nothing") + more
