"""Walks a `dns` step: one question over UDP, TCP, TLS or HTTPS; an answer cut short over UDP is asked for again over TCP."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes import semconv
from sojourn_probes.result import Exchange
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

MOST_SERVERS: Final = 3
"""Resolvers of this machine that are asked, as the C library does (resolv.conf(5), MAXNS)."""

PATIENCE_SECONDS: Final = 5.0
"""How long one of several is waited for at most, as the C library does."""

MOST_ANSWERS: Final = 16
"""Addresses an exchange carries."""


class Runner:
    """Walks one `dns` step."""

    async def run(self, part: DnsPart, context: StepContext) -> Observation:
        """Ask the resolver of `part`, or those of this machine one after the other, and say what it answered."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        name, resolver = context.names.fill_text(part.name), context.names.fill_text(part.resolver or "")
        try:
            servers = [resolver] if resolver else _of_system(part.ip_family)
            await _first_of(servers, part, name, context, seen)
        except Broken as fault:
            seen.failure = failed(fault.failure.kind, fault.failure.message, context)
        except ResolveError as fault:
            seen.failure = failed(FailureKind.DNS, f"{fault}; look at the name of the resolver", context)
        finally:
            seen.ended_ns = context.clock.now_ns()
            seen.exchanges[:] = [_described(one, part, name, seen, context) for one in seen.exchanges]
        context.kept.pop("partial", None)
        return seen


def _of_system(family: str = "any") -> list[str]:
    """The resolvers of this machine as it names them now, as many as its own lookups would ask, of one address family or any. Raises `Broken`."""
    import dns.resolver

    try:
        # Made anew each time: /etc/resolv.conf changes with the network.
        named = [str(server) for server in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        named = []
    except ValueError as fault:
        raise Broken(FailureKind.CONFIG, f"/etc/resolv.conf names a resolver that is none ({fault}); mend it, or write resolver: host") from None
    servers = [server for server in named if family == "any" or (":" in server) is (family == "6")][:MOST_SERVERS]
    if not servers:
        raise Broken(
            FailureKind.CONFIG, f"this machine names no resolver{'' if family == 'any' else f' over IPv{family}'} in /etc/resolv.conf; write resolver: host"
        )
    return [f"[{server}]" if ":" in server else server for server in servers]


async def _first_of(servers: Sequence[str], part: DnsPart, name: str, context: StepContext, seen: Observation) -> None:
    """Ask the servers in turn until one answers, each for its share of the time; one that is silent or not reached is said."""
    silent: list[str] = []
    key = (name, part.record, context.names.fill_text(part.resolver or ""))
    for left in range(len(servers), 0, -1):
        server = servers[-left]
        try:
            async with asyncio.timeout(None if left == 1 else min(PATIENCE_SECONDS, context.timeout / len(servers))):
                await _ask(part, name, server, key, context, seen)
        except TimeoutError:
            silent.append(server)
            continue
        except Broken as fault:
            if left == 1 or fault.failure.kind is not FailureKind.CONNECT:
                raise
            silent.append(server)
            continue
        if left == 1 or seen.failure is None or seen.failure.kind is not FailureKind.CONNECT:
            break
        silent.append(server)
        seen.failure = None
    if silent:
        said = f"no answer of this machine's resolver {', '.join(silent)}, so {server} was asked"
        seen.note = f"{said}; {seen.note}" if seen.note else said


def _described(exchange: Exchange, part: DnsPart, name: str, seen: Observation, context: StepContext) -> Exchange:
    """The exchange with what was asked, and the last one with the addresses that were answered."""
    asked: dict[str, str | tuple[str, ...]] = {semconv.DNS_QUESTION_NAME: context.redact.text(name)}
    if part.record in ("A", "AAAA") and exchange is seen.exchanges[-1] and seen.facts.get("records"):
        asked[semconv.DNS_ANSWERS] = tuple(seen.facts["records"][:MOST_ANSWERS])
    return replace(exchange, attributes=asked)


async def _ask(part: DnsPart, name: str, resolver: str, key: tuple[str, ...], context: StepContext, seen: Observation) -> None:
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
    _compare((context.journey_id, context.step_id, *key), sorted(records), context, seen)


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
