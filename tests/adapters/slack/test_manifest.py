"""The app that a customer installs: of the documented form, and no wider than what is used (S31)."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.slack import commands
from adapters.slack.budget import RULES
from adapters.slack.manifest import EVENTS, LEGACY_EVENTS, SCOPES, Shape, manifest, reasons, scope_names
from bot.cli import app
from tests.fake_slack import documented

ADAPTER = Path(__file__).parents[3] / "adapters" / "slack"
SHAPES = [
    Shape(), Shape(url="https://bot.acme.example"), Shape(legacy=True), Shape("Ask Ann!", organisation=True),
    Shape(url="https://bot.acme.example/", legacy=True),
]


def text(most: int, least: int = 1, pattern: str = "") -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most, "pattern": pattern}


def record(required: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": fields}


def many(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


BOOLEAN = {"type": "boolean"}
URL = text(2_000, pattern=r"https://[^\s]+")
PROMPTS = many(record("title message", title=text(75), message=text(4_000)), 4)
SCHEMA = record(
    "display_information features oauth_config settings",
    display_information=record(
        "name", name=text(35), description=text(140), long_description=text(4_000, least=174),
        background_color=text(7, pattern=r"#(?:[0-9a-fA-F]{3}){1,2}"),
    ),
    features=record(
        "bot_user",
        app_home=record("", home_tab_enabled=BOOLEAN, messages_tab_enabled=BOOLEAN,
                        messages_tab_read_only_enabled=BOOLEAN),
        bot_user=record("display_name", display_name=text(80, pattern=r"[a-z0-9\-_.]+"), always_online=BOOLEAN),
        shortcuts=many(record("type name callback_id description", type=text(7, pattern="global|message"),
                              name=text(24), callback_id=text(255), description=text(150)), 10),
        slash_commands=many(record("command description", command=text(32, pattern=r"/\S+"), description=text(2_000),
                                   usage_hint=text(1_000), should_escape=BOOLEAN, url=URL), 25),
        agent_view=record("agent_description", agent_description=text(300), suggested_prompts=PROMPTS),
        assistant_view=record("assistant_description", assistant_description=text(300), suggested_prompts=PROMPTS),
    ),
    oauth_config=record("scopes", redirect_urls=many(URL, 1_000),
                        scopes=record("bot", bot=many(text(60, pattern=r"[a-z_]+(?::[a-z.]+)?"), 255))),
    settings=record(
        "",
        event_subscriptions=record("", request_url=URL, bot_events=many(text(60, pattern=r"[a-z_.]+"), 100)),
        interactivity=record("is_enabled", is_enabled=BOOLEAN, request_url=URL),
        org_deploy_enabled=BOOLEAN, socket_mode_enabled=BOOLEAN, token_rotation_enabled=BOOLEAN,
    ),
)
"""As JSON Schema, after the manifest reference of Slack's documentation; what does not stand in it is not taken."""


def refused(value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
    """Why a schema does not take a value."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]):
        return [f"{at} is no {schema['type']}"]
    match value:
        case dict():
            odd = [f"{at}.{name} missing" for name in schema["required"] if name not in value]
            odd += [f"{at}.{name} unknown" for name in value if name not in schema["properties"]]
            return odd + [why for name, inner in value.items() if name in schema["properties"]
                          for why in refused(inner, schema["properties"][name], f"{at}.{name}")]
        case list():
            odd = [f"{at} holds {len(value)}"] if len(value) > schema["maxItems"] else []
            return odd + [why for n, inner in enumerate(value) for why in refused(inner, schema["items"], f"{at}[{n}]")]
        case str():
            fits = schema["minLength"] <= len(value) <= schema["maxLength"]
            fits = fits and (not schema["pattern"] or re.fullmatch(schema["pattern"], value) is not None)
            return [] if fits else [f"{at} is {value!r}"]
    return []


def called() -> frozenset[str]:
    """The methods of the Web API that the adapter calls: names in its code, but for tables of all there are."""
    names = set[str]()
    for file in ADAPTER.glob("*.py"):
        if file.name == "budget.py":
            continue
        tree = ast.parse(file.read_text())
        tables = {node for table in tree.body if isinstance(table, ast.AnnAssign) for node in ast.walk(table)}
        names |= {node.value for node in ast.walk(tree)
                  if isinstance(node, ast.Constant) and node not in tables and node.value in RULES}
    return frozenset(names)


@pytest.mark.parametrize("shape", SHAPES)
def test_slack_takes_the_manifest(shape: Shape) -> None:
    assert refused(json.loads(json.dumps(manifest(shape))), SCHEMA) == []


def test_each_scope_is_used_and_nothing_is_used_without_its_scope() -> None:
    used = called()
    assert {"chat.startStream", "users.conversations", "views.publish", "conversations.open"} <= used
    needed = {scope for method in used for scope in documented.METHODS[method].scopes
              if not documented.METHODS[method].app_level}
    needed |= {event.scope for event in (*EVENTS, *LEGACY_EVENTS) if event.scope}
    if used & {"conversations.members", "conversations.info", "users.conversations"}:
        needed |= set(documented.READS.values())
    if used & {"conversations.history", "conversations.replies"}:
        needed |= set(documented.HISTORIES.values())
    if "conversations.open" in used:
        needed.add("im:write")
    if "url_private" in (ADAPTER / "normalise.py").read_text():
        needed.add("files:read")        # what is fetched from there asks for it
    needed.add("commands")              # the slash command and the shortcuts, which the manifest has
    assert set(scope_names()) == needed
    assert len(scope_names()) == len(set(scope_names()))


def test_each_event_is_heard_and_stands_under_the_scope_that_it_needs() -> None:
    heard = (ADAPTER / "listen.py").read_text()
    for event in (*EVENTS, *LEGACY_EVENTS):
        assert f'"{event.name.partition(".")[0]}"' in heard, event.name
        if event.name in documented.EVENTS:
            assert event.scope == documented.EVENTS[event.name], event.name
        assert event.scope in {*scope_names(), ""}
    assert {f"message.{kind}" for kind in ("channels", "groups", "im", "mpim")} <= {event.name for event in EVENTS}


def test_every_scope_and_event_has_its_reason() -> None:
    said = reasons(legacy=True)
    for each in (*SCOPES, *EVENTS, *LEGACY_EVENTS):
        assert each.reason in said
        assert each.name in said


def test_over_http_everything_arrives_at_one_address_and_over_sockets_at_none() -> None:
    over_http, over_sockets = manifest(Shape(url="https://bot.acme.example/")), manifest(Shape())
    addresses = re.findall(r'"(?:request_)?url": "([^"]+)"', json.dumps(over_http))
    assert addresses == ["https://bot.acme.example/slack/events"] * 3
    assert "url" not in json.dumps(over_sockets)
    assert [each["settings"]["socket_mode_enabled"] for each in (over_http, over_sockets)] == [False, True]


def test_what_the_manifest_announces_is_answered() -> None:
    features = manifest(Shape())["features"]
    assert {s["callback_id"] for s in features["shortcuts"]} == {commands.ASK, commands.ASK_ABOUT, commands.SUMMARISE}
    assert [c["command"] for c in features["slash_commands"]] == [commands.COMMAND]
    assert all(word in commands.HELP for word in ("ask", "summarise", "leave", "privacy"))


def test_an_app_has_one_of_the_two_views() -> None:
    both = [manifest(Shape(legacy=legacy)) for legacy in (False, True)]
    views = [set(each["features"]) & {"agent_view", "assistant_view"} for each in both]
    assert views == [{"agent_view"}, {"assistant_view"}]
    told = [each["settings"]["event_subscriptions"]["bot_events"] for each in both]
    assert ["assistant_thread_started" in names for names in told] == [False, True]


@pytest.mark.parametrize("shape", [Shape(""), Shape("x" * 36), Shape(url="http://bot.acme.example"), Shape(url="bot")])
def test_what_slack_would_not_take_is_said_here(shape: Shape) -> None:
    with pytest.raises(ValueError, match=r"characters|https"):
        manifest(shape)


def test_the_command_prints_what_can_be_pasted() -> None:
    runner = CliRunner()
    said = runner.invoke(app, ["slack", "manifest", "--url", "https://bot.acme.example", "--name", "Ask Us"])
    assert json.loads(said.stdout) == manifest(Shape("Ask Us", "https://bot.acme.example"))
    assert "chat:write" in runner.invoke(app, ["slack", "manifest", "--reasons"]).stdout
    wrong = runner.invoke(app, ["slack", "manifest", "--url", "bot.acme.example"])
    assert wrong.exit_code == 2
    assert "https://" in wrong.stderr
