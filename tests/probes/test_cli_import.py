"""`sojourn import`, as a process."""

import json
import subprocess

from sojourn_probes.importers import FORMATS
from tests.probes.commanding import PROGRAM, program
from tests.probes.importers.importing import SAMPLES

CURL = "curl https://a.example/ -H 'X-API-Key: canary-key-42' --resolve a:1:2\n"


async def test_one_journey_goes_to_stdout_and_what_was_left_out_to_stderr(tmp_path):
    """The YAML alone is on stdout and is a good file; stderr has a line for each thing left out and each secret to set; exit 0."""
    file = tmp_path / "one.sh"
    file.write_text(CURL)
    done = await program("import", "curl", file)
    assert (done.code, done.err) == (
        0,
        f"{file}:1: line 1: --resolve was left out; http steps resolve names by themselves\nset SOJOURN_SECRET_X_API_KEY, which stood in line 1\n",
    )
    made = tmp_path / "made.yaml"
    made.write_text(done.out)
    checked = await program("validate", "--no-env", made)
    assert checked.code == 0, checked.err
    assert "canary" not in done.out


def test_standard_input_is_a_dash():
    """`-` reads standard input."""
    done = subprocess.run([*PROGRAM, "import", "curl", "-"], input=CURL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[2]) == (0, "id: a-example"), done.stderr


async def test_files_are_written_into_a_folder_and_never_overwritten(tmp_path):
    """--out writes one file for each journey; when one is there nothing is written, unless --force says so."""
    out = tmp_path / "journeys"
    first = await program("import", "postman", SAMPLES / "shop.postman_collection.json", "--out", out)
    assert (first.code, first.out) == (0, f"wrote {out}/shop-api.yaml\nwrote {out}/shop-api-admin.yaml\nnext: sojourn validate {out}\n")
    (out / "shop-api-admin.yaml").unlink()
    (out / "shop-api.yaml").write_text("mine")
    again = await program("import", "postman", SAMPLES / "shop.postman_collection.json", "--out", out)
    assert (again.code, again.out, again.err) == (2, "", f"{out}/shop-api.yaml is there already; nothing was written, say --force to overwrite\n")
    assert not (out / "shop-api-admin.yaml").exists()
    forced = await program("import", "postman", SAMPLES / "shop.postman_collection.json", "--out", out, "--force")
    assert forced.code == 0
    assert (out / "shop-api.yaml").read_text() != "mine"


async def test_several_journeys_want_a_folder():
    """Two journeys do not fit one output, and the cure is said."""
    file = SAMPLES / "shop.postman_collection.json"
    done = await program("import", "postman", file)
    assert (done.code, done.out, done.err) == (2, "", f"{file} makes 2 journeys; name a folder for them with --out\n")


async def test_the_report_as_json():
    """--json gives the journeys with their texts, the secrets to set and what was not carried over."""
    done = await program("import", "gatus", SAMPLES / "gatus.yaml", "--json")
    report = json.loads(done.out)
    assert [one["id"] for one in report["journeys"]][:1] == ["core-front"]
    assert report["journeys"][0]["text"].startswith("# Written by `sojourn import gatus` from gatus.yaml\n")
    assert report["secrets"][0] == {"name": "token", "variable": "SOJOURN_SECRET_TOKEN", "place": "core: front"}
    assert report["not_carried_over"][0] == {"place": "core: front", "line": 8, "message": "client: dns-resolver was left out"}


async def test_wrong_arguments_are_one_sentence(tmp_path):
    """An unknown format, a file that is not there and an address that is none end with exit 2."""
    for arguments, message in (
        (
            ("import", "jmeter", "x"),
            "invalid value for 'FORMAT': 'jmeter' is not one of har, postman, openapi, curl, playwright, gatus, blackbox, heartbeat, checkly; "
            "`sojourn import --help` shows what there is\n",
        ),
        (("import", "har", tmp_path / "x.har"), f"{tmp_path}/x.har: is not there; name a file, or - for standard input\n"),
        (("import", "har", tmp_path), f"{tmp_path}: is a folder; name a file in it\n"),
        (
            ("import", "openapi", SAMPLES / "pets.openapi.yaml", "--base-url", "ftp://u:canary@x"),
            "--base-url 'x' is no address; write it with http:// or https://, without user and password\n",
        ),
    ):
        done = await program(*arguments)
        assert (done.code, done.out, done.err) == (2, "", message)


def test_every_format_is_documented():
    """docs/authoring.md has a row for each format of the one list."""
    page = (SAMPLES.parents[3] / "docs/authoring.md").read_text()
    assert [form for form in FORMATS if f"| `{form}`" not in page] == []
