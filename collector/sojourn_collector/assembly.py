"""Puts the parts of a collector together and takes them apart again; what each is given is said here alone."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from zoneinfo import ZoneInfo

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context, now
from sojourn_collector.counters import Counters
from sojourn_collector.engines import engine_of
from sojourn_collector.folder_lock import StartError, folder_lock
from sojourn_collector.forward.forwarding import ForwardError, Forwarding
from sojourn_collector.forward.place import ForwardPlace
from sojourn_collector.impact_version import content_of, version_of
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.ranges import AllNodes
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.receive.batches import Batches, Key
from sojourn_collector.running import Collector
from sojourn_collector.several import open_control, take_part
from sojourn_collector.sources import normalise
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.configured import check_secrets, configured
from sojourn_collector.sources.further import Further
from sojourn_collector.sources.fx import Fx
from sojourn_collector.sources.language import tell_languages
from sojourn_collector.sources.pulling import Pulling
from sojourn_collector.sources.records import EventReading, Records
from sojourn_collector.sources.signed_rows import row_secrets
from sojourn_collector.store.books import SharedBooks
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.authors import author_key
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.damaged_parts import DamagedParts
from sojourn_collector.store.disk_budget import DiskBudget
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.others import Others
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.links import USE, EvidenceLinks
from sojourn_collector.store.evidence.place import EvidencePlaceError, open_evidence
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.turns import Turns
from sojourn_collector.web.answers.remembered import ProblemMemory
from sojourn_collector.web.slis import Slis


def probe_keys(config: CollectorConfig, environ: Mapping[str, str]) -> dict[str, bytes]:
    """Secrets of probe marks by key id. Raises StartError naming where one is missing."""
    found = {}
    for key in config.probe_keys:
        try:
            text = key.file.read_text(encoding="utf-8").strip() if key.file else environ.get(key.env or "", "")
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"probe key {key.id}: {key.file} cannot be read ({error}); make the file or drop the key from collector.yaml") from error
        if not text:
            raise StartError(
                f"probe key {key.id}: {key.file or 'the environment variable ' + str(key.env)} is empty; put the key there or drop it from collector.yaml"
            )
        found[key.id] = text.encode()
    return found


@contextlib.asynccontextmanager
async def build(config: CollectorConfig, impact: ImpactConfig, environ: Mapping[str, str]) -> AsyncIterator[Collector]:
    """Open everything but the listeners; close it in the reverse order. Raises StartError, ConfigError, JourneyFileError, EngineStartError."""
    keys = probe_keys(config, environ)
    journeys = JourneyFolder(config.journeys)
    counters = Counters()
    webhooks = configured(config.sources, environ)
    signed = row_secrets(config.signed, environ)
    try:
        check_secrets(webhooks)
        for read in signed.values():
            read()
    except KeptKeyError as error:
        raise StartError(str(error)) from error
    reading = EventReading(webhooks, config.feeds)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(folder_lock(config.data))
        try:
            control = await open_control(config, environ)
            stack.callback(control.close)
            several = await take_part(control, config)
            if several is not None:
                await several.shares_engine(config.engine.embedded)
        except (ControlError, ControlUnavailableError) as error:
            raise StartError(str(error)) from error
        journal = Journal(config.data / "journal", limit=config.limits.journal)
        supervisor = engine_of(config, environ)
        stack.push_async_callback(supervisor.stop)
        store = Store(supervisor.endpoint)
        decides = content_of(impact)
        await control.impact_versions.remember(version_of(decides), decides, now(), tenant=store.tenant)
        damaged = Damaged(config.data / "damaged")
        parts = DamagedParts(store, damaged)
        if config.engine.embedded:
            store.on_refusal = parts.noticed
        stack.push_async_callback(store.close)
        batches = Batches(control.ledger, several.claiming if several else None)
        books = SharedBooks(several.claims, journal, lambda name: batches.forget(Key(*name))) if several else None
        letters = config.data / "dead-letters"
        turns = Turns()
        tombstones = Tombstones(store, control, turns, shared=several is not None, reading=reading)
        await tombstones.read()
        loader = Loader(
            journal,
            store,
            control.ledger,
            control.dead_letters,
            letters,
            counters,
            books=books,
            on_settled=batches.settled,
            forget=tombstones,
            turns=turns,
            damaged=damaged,
        )
        files = await journal.open(several.node.last_seq if several else await control.ledger.highest_seq())
        stack.push_async_callback(journal.close)
        batches.index(files)
        if several:
            await several.recover(files)
            stack.push_async_callback(several.leave, journal, loader)
        links = EvidenceLinks(await control.signing_keys.get(USE, now()), config.evidence.link, now)
        kept_under = Secrets(keys, await author_key(control.signing_keys, now()))
        pulling = Pulling(control, config.feeds, kept_under.author_key, environ, counters, now)
        try:
            pulling.check_secrets()
        except KeptKeyError as error:
            raise StartError(str(error)) from error
        fx = Fx(impact.fx, impact.currency, impact.timezone)
        context = Context(store, control, journeys, impact, config, loader, now, kept_under, links, ProblemMemory(), webhooks, signed, fx.rate)
        forwarding = Forwarding(config.forward, config.data, journal, counters, environ)
        try:
            await forwarding.open()
        except ForwardError as error:
            raise StartError(str(error)) from error
        stack.push_async_callback(forwarding.close)
        run_counts = RunCounts()
        try:
            evidence = open_evidence(config.evidence, config.data, environ, control.evidence, counters, now, shared=several is not None)
        except EvidencePlaceError as error:
            raise StartError(str(error)) from error
        ranges, turn = (AllNodes(control.nodes, several.node.number, loader), several.turn) if several else (None, None)
        join = JoinWorker(
            store,
            control,
            journeys,
            impact,
            loader,
            normalise=fx.converting(normalise),
            ranges=ranges,
            turn=turn,
            counts=run_counts,
            turns=turns,
            sift=tombstones.sift,
            records=Records(control, reading, kept_under, now),
            languages=tell_languages,
        )
        everywhere = places(config.data, store, control, evidence, [ForwardPlace(forwarding.erase)], reading)
        others = Others(control, several.node.number, [place for place in everywhere if isinstance(place, (LettersPlace, ForwardPlace))]) if several else None
        eraser = Eraser(store, control, turns, tombstones, everywhere, journal, loader, now, others=others)
        token = secrets.token_urlsafe(32)
        yield Collector(
            config=config,
            impact=impact,
            control=control,
            supervisor=supervisor,
            store=store,
            journal=journal,
            loader=loader,
            batches=batches,
            counters=counters,
            journeys=journeys,
            join=join,
            rollups=Rollups(store, control, ZoneInfo(impact.timezone), config.keep.runs, lambda: join.written_version, now, turn=turn),
            disk=DiskBudget(store, control.progress, config.keep, counters, now),
            forwarding=forwarding,
            slis=Slis(context, run_counts, counters),
            evidence=evidence,
            context=context,
            further=Further(control, webhooks, now),
            fx=fx,
            pulling=pulling,
            eraser=eraser,
            tombstones=tombstones,
            turns=turns,
            token=token,
            damaged=damaged,
            parts=parts,
            several=several,
            others=others,
        )
