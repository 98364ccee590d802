"""collector.yaml and impact.yaml: what is taken and, by exact sentence, what is refused."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.config import ConfigError, Keep, Windows, check_keep, duration, load_collector_config, load_impact_config, size
from sojourn_collector.impact_config import FACTS, SegmentAttribute
from sojourn_collector.score.severities import Severities
from sojourn_collector.strict_yaml import scalar

ADDRESS = (
    "0.0.0.0:4318 can be reached from other machines; give tls: a certificate, listen on 127.0.0.1 behind a proxy, "
    "or say insecure: true (a key is needed all the same)"
)
BAD_COLLECTOR = {
    "an origin with a path": (
        "web: {origins: ['https://shop.example/cart']}",
        "1:7: web.origins: 'https://shop.example/cart' is no origin; write scheme and host in small letters and no path, such as https://shop.example",
    ),
    "every origin": (
        "web: {origins: ['*']}",
        "1:7: web.origins: '*' is no origin; write scheme and host in small letters and no path, such as https://shop.example",
    ),
    "unknown key": (
        "dta: x\n",
        "1:1: dta: unknown key; known here: data, journeys, impact, otlp, web, control, engine, probe_keys, limits, forward, evidence, keep, sources, "
        "signed, feeds",
    ),
    "unknown key inside": ("web:\n  port: 1\n", "2:3: web.port: unknown key; known here: listen, insecure, tls, hosts, origins"),
    "wrong type": ("web: {listen: 8400}\n", "1:7: web.listen: input should be a valid string, got 8400"),
    "clients' certificates at the report": (
        "web:\n  tls: {cert_file: a.pem, client_ca_file: b.pem}\n",
        "2:27: web.tls.client_ca_file: unknown key; known here: cert_file, key_file",
    ),
    "no address": ("web: {listen: here}\n", "1:1: web: 'here' is not an address; write host:port, such as 127.0.0.1:4318"),
    "no gRPC address": ("otlp: {grpc: here}\n", "1:1: otlp: 'here' is not an address; write host:port, such as 127.0.0.1:4318"),
    "gRPC for everybody": ("otlp: {grpc: '0.0.0.0:4318'}\n", f"1:1: otlp: {ADDRESS}"),
    "port too high": ("web: {listen: 'h:70000'}\n", "1:1: web: 'h:70000' is not an address; write host:port, such as 127.0.0.1:4318"),
    "off loopback": ('otlp: {listen: "0.0.0.0:4318"}\n', f"1:1: otlp: {ADDRESS}"),
    "size without unit": ("limits: {body: 20}\n", "1:10: limits.body: 20 is not a size; write a number with B, KiB, MiB or GiB, such as 20 MiB"),
    "duration without unit": (
        "limits: {body_deadline: 5}\n",
        "1:10: limits.body_deadline: 5 is not a duration; write a number with ms, s, m, h or d, such as 30m",
    ),
    "duration without end": (
        "limits: {body_deadline: 99999999999999999999d}\n",
        "1:10: limits.body_deadline: '99999999999999999999d' is too long; write at most 3650d",
    ),
    "size without end": (
        f"limits: {{body: {'9' * 400} B}}\n",
        f"1:10: limits.body: '{'9' * 400} B' is not a size; write a number with B, KiB, MiB or GiB, such as 20 MiB",
    ),
    "too small": ("limits: {memory: 1 MiB}\n", "1:10: limits.memory: input should be greater than or equal to 536870912, got 1048576"),
    "duplicate": ("data: a\ndata: b\n", "2:1: data: is given twice; keep one"),
    "key nowhere": ("probe_keys: [{id: k1}]\n", "1:14: probe_keys[0]: probe key k1 needs either file or env"),
    "same key twice": ("probe_keys: [{id: k, env: A}, {id: k, env: B}]\n", "1:1: probe_keys: two probe keys have the same id"),
    "a secret in the file": (
        "forward: [{name: far, endpoint: 'https://a.example', headers: {authorization: Bearer x}}]\n",
        "1:64: forward[0].headers.authorization: a header's value is not written here; keep it elsewhere and write {file: …} or {env: …}",
    ),
    "a header from nowhere": (
        "forward: [{name: far, endpoint: 'https://a.example', headers: {authorization: {}}}]\n",
        "1:64: forward[0].headers.authorization: a header needs either file or env; its value is not written here",
    ),
    "a header of ours": (
        "forward: [{name: far, endpoint: 'https://a.example', headers: {Idempotency-Key: {env: X}}}]\n",
        "1:54: forward[0].headers: 'Idempotency-Key' cannot be set as a header here; drop it",
    ),
    "in clear": (
        "forward: [{name: far, endpoint: 'http://a.example:4318'}]\n",
        "1:11: forward[0]: endpoint sends in clear to another machine; write https://, or say insecure: true",
    ),
    "no base URL": (
        "forward: [{name: far, endpoint: 'https://a.example/v1/traces'}]\n",
        "1:11: forward[0]: endpoint is a base URL; leave /v1/… away",
    ),
    "no URL": ("forward: [{name: far, endpoint: 'a b'}]\n", "1:11: forward[0]: endpoint is not a base URL; write one such as https://otlp.example:4318"),
    "a bad port": (
        "forward: [{name: far, endpoint: 'https://a:99999'}]\n",
        "1:11: forward[0]: endpoint is not a base URL; write one such as https://otlp.example:4318",
    ),
    "a password": (
        "forward: [{name: far, endpoint: 'https://me:s3cret@a.example'}]\n",
        "1:11: forward[0]: endpoint holds a name or password; give it under headers:, by file or env",
    ),
    "a name that is no folder": (
        "forward: [{name: ../x, endpoint: 'https://a.example'}]\n",
        "1:12: forward[0].name: string should match pattern '^[a-z0-9][a-z0-9-]{0,31}$', got '../x'",
    ),
    "a destination twice": (
        "forward: [{name: a, endpoint: 'https://a.example'}, {name: a, endpoint: 'https://b.example'}]\n",
        "1:1: forward: two destinations have the same name",
    ),
    "no such traffic": (
        "forward: [{name: a, endpoint: 'https://a.example', only: {traffic: [both]}}]\n",
        "1:69: forward[0].only.traffic[0]: input should be 'synthetic', 'real' or 'none', got 'both'",
    ),
    "half a key to the bucket": (
        "evidence: {bucket: {name: ev, access_key: {env: ID}}}\n",
        "1:12: evidence.bucket: access_key and secret_key go together; give both or neither",
    ),
    "a key in the file itself": (
        "evidence: {bucket: {name: ev, access_key: abc}}\n",
        "1:31: evidence.bucket.access_key: a key does not belong into this file; write {file: …} or {env: …}",
    ),
    "a bucket's key nowhere": (
        "evidence: {bucket: {name: ev, access_key: {}, secret_key: {env: S}}}\n",
        "1:31: evidence.bucket.access_key: say where the key is kept: file or env, one of them",
    ),
    "no endpoint": (
        "evidence: {bucket: {name: ev, endpoint: minio}}\n",
        "1:12: evidence.bucket: 'minio' is no endpoint; write scheme, host and port, such as https://minio.example:9000",
    ),
    "a bucket in the clear": (
        'evidence: {bucket: {name: ev, endpoint: "http://minio.example:9000"}}\n',
        "1:12: evidence.bucket: http://minio.example:9000 is not encrypted; write https, or say insecure: true beside it",
    ),
    "evidence for no time": ("evidence: {keep: 1s}\n", "1:12: evidence.keep: input should be greater than or equal to 60, got 1.0"),
    "not YAML": ("a: [\n", "2:1: not YAML: expected the node content, but found '<stream end>'; quote values that contain ': ', '#', '{' or '['"),
    "no time to keep": ("keep: {raw: 12h}\n", "1:8: keep.raw: '12h' is no time to keep data; write whole days or years, such as 30d or 5y"),
    "a bare number of days": ("keep: {runs: 400}\n", "1:8: keep.runs: '400' is no time to keep data; write whole days or years, such as 30d or 5y"),
    "kept too short": ("keep: {raw: 1d}\n", "1:8: keep.raw: input should be greater than or equal to 2, got 1"),
    "runs shorter than raw data": (
        "keep: {raw: 2y}\n",
        "1:1: keep: runs must not be kept shorter than raw (runs are made of raw data); give runs at least 730d",
    ),
    "sums shorter than runs": (
        "keep: {runs: 3y, rollups: 2y}\n",
        "1:1: keep: rollups must not be kept shorter than runs (they are what is left of runs); give rollups at least 1095d",
    ),
    "room of a cluster": (
        "engine: {hosts: ['https://a.example'], cluster: main}\ncontrol: {url: 'postgresql://a@localhost/b'}\nkeep: {disk: 5 GiB}\n",
        "3:1: keep: disk and free are for the embedded engine or one server; drop them, a cluster's hosts look after their own room",
    ),
    "no room": ("keep: {disk: 1 MiB}\n", "1:8: keep.disk: input should be greater than or equal to 1073741824, got '1 MiB'"),
    "a list": ("- a\n", "1:1: must be a mapping of keys to values"),
    "a tag": ("data: !env X\n", "1:7: the tag !env is not known here; write the plain value"),
}
BAD_IMPACT = {
    "zone": ("timezone: Mars/Olympus\n", "1:1: timezone: 'Mars/Olympus' is not a time zone; write one such as Europe/Berlin"),
    "bands": ("cart_bands: [75, 25]\n", "1:1: cart_bands: the edges of the cart bands must rise and be above 0, such as [25, 75, 150]"),
    "worth": (
        "journeys: {checkout: {worth: much}}\n",
        "1:23: journeys.checkout.worth: 'much' is not an amount of money; write a number and a currency, such as 62 EUR",
    ),
    "zero window": ("windows: {outcome: 0s}\n", "1:11: windows.outcome: input should be greater than 0, got 0.0"),
    "severity above 1": ("severities: {left: 1.5}\n", "1:14: severities.left: input should be less than or equal to 1, got 1.5"),
    "severity below 0": ("severities: {slow: -0.1}\n", "1:14: severities.slow: input should be greater than or equal to 0, got -0.1"),
    "severity as text": ("severities: {slow: '0.1'}\n", "1:14: severities.slow: input should be a valid number, got '0.1'"),
    "a worse one counts less": (
        "severities: {recovered: 0.9}\n",
        "1:1: severities: left: 0.8 is below recovered: 0.9; a worse experience counts no less, give left at least 0.9",
    ),
    "nobody could be hurt": (
        "severities: {slow: 0, recovered: 0, left: 0, blocked: 0}\n",
        "1:1: severities: all are 0, so nobody could be hurt; give blocked a number above 0, such as 1",
    ),
    "an unknown class": ("severities: {stopped: 1}\n", "1:14: severities.stopped: unknown key; known here: slow, recovered, left, blocked"),
    "worth of too short a time": (
        "weights: {paid: 1d}\n",
        "1:11: weights.paid: what somebody is worth is read off 7 to 730 days; write one of them, such as 90d",
    ),
    "a cap that is none": ("weights: {cap: 20}\n", "1:11: weights.cap: input should be greater than or equal to 50, got 20"),
    "who is silent": ("silent: {severity: hurt}\n", "1:10: silent.severity: input should be 'slow', 'recovered', 'left' or 'blocked', got 'hurt'"),
    "silent for too long": ("silent: {wait: 60d}\n", "1:10: silent.wait: the list looks back 28 days; write a time above 0 and at most that, such as 72h"),
    "a fact that is none of ours": (
        "segments: [plan, tier]\n",
        "1:1: segments: 'tier' is none of our facts (device, browser, release, app, country, region, location, channel, network, plan, segment, lifecycle, "
        "owner, role, known, day, hour); write {attribute: tier} for an attribute of yours",
    ),
    "no day": ("holidays: [2026-12-25, 24.12.2026]\n", "1:24: holidays[1]: '24.12.2026' is no day; write one such as 2026-12-25"),
    "a day there is not": ("holidays: [2026-02-30]\n", "1:12: holidays[0]: '2026-02-30' is no day; write one such as 2026-12-25"),
    "a segment twice": ("segments: [plan, plan]\n", "1:1: segments: plan is there twice; name each once"),
    "a number for a fact": ("segments: [7]\n", "1:1: segments: 7 is no fact; write one of ours, such as plan, or {attribute: name} for an attribute of yours"),
    "an attribute of nobody": (
        "segments: [{attribute: tier, of: run}]\n",
        "1:30: segments[0].of: input should be 'person', 'account' or 'visit', got 'run'",
    ),
    "yes is no boolean": ("simulated: yes\n", "1:1: simulated: input should be a valid boolean, got 'yes'"),
}


@pytest.mark.parametrize("case", BAD_COLLECTOR)
def test_bad_collector_yaml(tmp_path: Path, case: str):
    """A bad key or value is refused with file, line, column, key and cure."""
    text, said = BAD_COLLECTOR[case]
    path = tmp_path / "collector.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_collector_config(path)
    assert str(caught.value) == f"{path}:{said}"


@pytest.mark.parametrize("case", BAD_IMPACT)
def test_bad_impact_yaml(tmp_path: Path, case: str):
    """The same for impact.yaml."""
    text, said = BAD_IMPACT[case]
    path = tmp_path / "impact.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_impact_config(path)
    assert str(caught.value) == f"{path}:{said}"


def test_every_problem_is_said_at_once(tmp_path: Path):
    """Two mistakes are two lines."""
    path = tmp_path / "collector.yaml"
    path.write_text("engine: x\nweb: {listen: 1}\n")
    with pytest.raises(ConfigError) as caught:
        load_collector_config(path)
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file(tmp_path: Path):
    """No file is one sentence."""
    with pytest.raises(ConfigError) as caught:
        load_collector_config(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path / 'none.yaml'}: there is no such file; give the collector's configuration with --config"


def test_paths_are_relative_to_the_file(tmp_path: Path):
    """Folders named in the file, and the ones not named, lie beside it."""
    path = tmp_path / "collector.yaml"
    path.write_text("data: ../kept\nprobe_keys: [{id: k1, file: secrets/k}]\n")
    config = load_collector_config(path)
    assert config.data == tmp_path.parent / "kept"
    assert config.journeys == tmp_path / "journeys"
    assert config.probe_keys[0].file == tmp_path / "secrets/k"


def test_off_loopback_with_insecure_needs_keys(tmp_path: Path):
    """With insecure: true another address is taken, and a key is then needed."""
    path = tmp_path / "collector.yaml"
    path.write_text('otlp: {listen: "0.0.0.0:4318", insecure: true}\nweb: {listen: "[::1]:0"}\n')
    config = load_collector_config(path)
    assert (config.otlp.needs_key, config.web.needs_key) == (True, False)
    assert config.web.address == ("::1", 0)


def test_impact_yaml_is_read(tmp_path: Path):
    """Windows become seconds, worth becomes money, lists keep their order."""
    path = tmp_path / "impact.yaml"
    path.write_text(
        "windows: {outcome: 7d, abandon: 8s}\njourneys: {checkout: {worth: 62.50 EUR, apdex: 1.5s}}\ncart_bands: [10, 20.5]\nsimulated: true\n"
        "holidays: [2026-12-25, '2027-01-01']\n"
    )
    impact = load_impact_config(path)
    assert (impact.windows.outcome, impact.windows.abandon, impact.cart_bands, impact.simulated) == (604_800.0, 8.0, (10.0, 20.5), True)
    assert impact.holidays == (date(2026, 12, 25), date(2027, 1, 1))
    worth = impact.journeys["checkout"].worth
    assert worth is not None
    assert (str(worth.amount), worth.currency, impact.journeys["checkout"].apdex) == ("62.50", "EUR", 1.5)


def test_what_weighs_how_much_has_defaults_that_need_no_reading(tmp_path: Path):
    """An empty file scores as ever; what is named is taken, the rest keeps its default; segments keep their order."""
    path = tmp_path / "impact.yaml"
    path.write_text("")
    usual = load_impact_config(path)
    assert usual.severities.numbers == Severities(0.25, 0.5, 0.8, 1.0)
    assert (usual.weights.days, usual.weights.cap, usual.silent.severity, usual.silent.worth, usual.silent.wait) == (90.0, 99.0, "recovered", 80.0, 259_200.0)
    assert usual.segments == FACTS
    path.write_text(
        "severities: {left: 0.6}\nweights: {paid: 365d}\nsilent: {severity: left}\n"
        "segments: [region, {attribute: tier, of: account, label: Tier}, {attribute: ab}]\n"
    )
    own = load_impact_config(path)
    assert own.severities.numbers == Severities(0.25, 0.5, 0.6, 1.0)
    assert (own.weights.days, own.weights.cap, own.silent.severity, own.silent.worth) == (365.0, 99.0, "left", 80.0)
    assert own.segments == ("region", SegmentAttribute(attribute="tier", of="account", label="Tier"), SegmentAttribute(attribute="ab"))
    assert own.visit_attributes == ("ab",)


@pytest.mark.parametrize(
    ("text", "value"), [("06:00", "06:00"), ("22:00", "22:00"), ("NO", "NO"), ("on", "on"), ("0123", 123), ("1e3", 1000.0), ("~", None), ("true", True)]
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object):
    """Nothing is taken for a number, a time or a boolean that YAML 1.2 takes for text."""
    assert scalar(text) == value


@given(st.text(max_size=20) | st.from_regex(r"\A[0-9]{1,400}(\.[0-9]+)? ?(ms|d|B|GiB)\Z"))
def test_durations_and_sizes_refuse_or_give_a_number(text: str):
    """Any text is either a number of seconds or bytes, or a ValueError that quotes it."""
    for read in (duration, size):
        try:
            value = read(text)
        except ValueError as error:
            value = 0 if repr(text) in str(error) or "is too long" in str(error) else -1
        assert value >= 0


def test_keep_is_read_in_days_and_years(tmp_path: Path):
    """`5y` is 1825 days; without the key the defaults hold."""
    path = tmp_path / "collector.yaml"
    path.write_text("keep: {raw: 14d, runs: 2y, rollups: 10y, feedback: 3y, disk: 50 GiB, free: 2 GiB}\n")
    keep = load_collector_config(path).keep
    assert (keep.raw, keep.runs, keep.rollups, keep.feedback, keep.disk, keep.free) == (14, 730, 3650, 1095, 50 << 30, 2 << 30)
    path.write_text("{}\n")
    keep = load_collector_config(path).keep
    assert (keep.raw, keep.runs, keep.rollups, keep.feedback, keep.disk, keep.free) == (30, 400, 1825, None, None, None)


@pytest.mark.parametrize(
    ("keep", "windows", "said"),
    [
        (
            Keep(raw=3),
            Windows(),
            "keep.raw: 3d is shorter than windows.outcome + windows.identity of impact.yaml, and the join reads a session again that long; give it at least 4d",
        ),
        (
            Keep(raw=4, runs=28),
            Windows(),
            "keep.runs: 28d is shorter than windows.usual + windows.outcome of impact.yaml, and the scores look back that long; give it at least 29d",
        ),
        (
            Keep(),
            Windows(identity=86_400.0 * 30.5),
            "keep.raw: 30d is shorter than windows.outcome + windows.identity of impact.yaml, and the join reads a session again that long; "
            "give it at least 32d",
        ),
    ],
)
def test_data_are_kept_as_long_as_they_are_needed(keep: Keep, windows: Windows, said: str):
    """Both files together: nothing may go before the join and the scores have used it."""
    with pytest.raises(ConfigError) as caught:
        check_keep(keep, windows)
    assert str(caught.value) == said
    check_keep(Keep(), Windows())
