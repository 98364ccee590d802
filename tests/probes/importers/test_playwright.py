"""Playwright scripts become browser steps."""

import pytest

from sojourn_probes.importers.source import ImportFault
from tests.probes.importers.importing import imported, sample, steps


def test_python_as_codegen_writes_it():
    """Locators become targets, calls actions, in their order; the password is lifted; a title by regular expression is said to be left out."""
    found = sample("playwright", "buy.py.txt")
    assert found.data["buy-a-mug"]["steps"] == steps(
        """
        - id: open-login
          name: Open /login
          browser:
            - goto: /login?next=%2F
            - fill: {label: User, value: ana}
            - fill: {label: Password, value: "${secrets.password}"}
            - click: Sign in
            - click: {role: link, name: Mug, exact: true, nth: 0}
            - select: {css: "#qty", value: "2"}
            - check: {role: checkbox, name: Terms}
            - press: {placeholder: Code, key: Enter}
            - expect: Thank you
        """
    )
    assert [line.partition(" was left out")[0] for line in found.said] == [
        "buy.py.txt:15: line 15: 'expect(page).to_have_title(re.compile(\"Shop\"))'",
        "set SOJOURN_SECRET_PASSWORD, which stood in line 8",
    ]


def test_typescript_over_several_lines():
    """A statement may go on over lines; options, negation and unticking are read; what cannot be said is told with its line."""
    found = sample("playwright", "buy.spec.ts")
    assert found.data["buy-a-mug"]["steps"][0]["browser"] == steps(
        """
        - goto: /
        - fill: {role: textbox, name: Password, value: "${secrets.password}"}
        - click: {role: button, name: Pay, exact: true}
        - click: {test_id: basket, nth: 2}
        - select: {label: Size, value: m}
        - check: {label: Terms, on: false}
        - expect: {text: "Costs $${5}", timeout: 10s}
        - expect: {css: "#old", state: hidden}
        - expect: {label: Code, value: X1}
        """
    )
    assert [line.split(":")[1] for line in found.said[:2]] == ["16", "17"]


def test_things_within_things_frames_files_and_wants():
    """A locator inside another, a frame, an upload, and what is expected of text, number, state, address and title."""
    found = imported(
        "playwright",
        """
await page.goto('https://a.example/');
await page.getByRole('listitem').nth(1).getByRole('button', { name: 'Buy' }).click();
await page.locator('#card').contentFrame().getByLabel('Number').fill('4242');
await page.frameLocator('#card').getByLabel('Name').fill('Ana');
await page.getByLabel('Photo').setInputFiles('/home/ana/cat.png');
await expect(page.getByTestId('sum')).toContainText('12');
await expect(page.getByRole('row')).toHaveCount(3);
await expect(page.getByRole('button', { name: 'Pay' })).toBeDisabled();
await expect(page).toHaveURL('https://a.example/done');
await expect(page).toHaveTitle('Done');
""",
    )
    assert found.data["file"]["steps"][0]["browser"] == steps(
        """
        - goto: /
        - click: {role: button, name: Buy, within: {role: listitem, nth: 1}}
        - frame: {css: "#card", actions: [{fill: {label: Number, value: "4242"}}, {fill: {label: Name, value: Ana}}]}
        - upload: {label: Photo, file: cat.png}
        - expect: {test_id: sum, contains: "12"}
        - expect: {role: row, count: 3}
        - expect: {role: button, name: Pay, state: disabled}
        - expect: {url: https://a.example/done}
        - expect: {title: Done}
        """
    )
    assert found.said == ["file: line 6: put what is uploaded beside the journey: cat.png"]


@pytest.mark.parametrize(
    "text",
    [
        """
page.goto("https://a.example/")
with page.expect_popup() as page1_info:
    page.get_by_role("link", name="Terms").click()
page1 = page1_info.value
expect(page1.get_by_text("Small print")).to_be_visible()
page1.close()
page.get_by_role("button", name="Agree").click()
""",
        """
await page.goto('https://a.example/');
const page1Promise = page.waitForEvent('popup');
await page.getByRole('link', { name: 'Terms' }).click();
const page1 = await page1Promise;
await expect(page1.getByText('Small print')).toBeVisible();
await page1.close();
await page.getByRole('button', { name: 'Agree' }).click();
""",
    ],
    ids=["python", "javascript"],
)
def test_a_second_tab(text):
    """What opens a tab is said so, what is done there is done there, and its end leads back."""
    found = imported("playwright", text)
    assert found.data["file"]["steps"][0]["browser"] == steps(
        """
        - goto: /
        - new_tab: {click: {role: link, name: Terms}}
        - expect: Small print
        - tab: close
        - click: Agree
        """
    )
    assert found.said == []


def test_values_in_lines_left_out_are_not_repeated():
    """A line about a password says only that it is there."""
    found = imported("playwright", "page.goto('https://a.example/')\nsecret_password = 'canary-1'\npage.frame('x').fill('#p', 'canary-2')\n")
    assert found.said[0] == "file:2: line 2: \"secret_password = '…'\" was left out: is nothing a journey can say"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("print('x')", "file: is no Playwright script (nothing is done with page); record one with `playwright codegen`"),
        ("page.reload()", "file: holds no action that a journey can say; see docs/authoring.md for those it can"),
        ("page.goto('https://a.example)", "file:1: a quote that opens here is not closed; add it"),
        ("await page.click(" + "[" * 1000, "file:1: is nested more than 40 deep; a file of this kind is not"),
    ],
)
def test_bad_files_are_one_sentence(text, message):
    """What is no script is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported("playwright", text)
    assert str(raised.value) == message
