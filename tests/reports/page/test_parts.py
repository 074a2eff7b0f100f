"""What pages are made of: templates that escape, and a policy that allows only our code."""

from __future__ import annotations

import re
from base64 import b64decode
from hashlib import sha256

import jinja2
import pytest

from auditor.reports.page.parts import asset, content_policy, templates


def test_whatever_is_put_into_a_template_is_escaped():
    made = templates().from_string("<b title='{{ text }}'>{{ text }}</b>")
    assert (
        made.render(text="<'&\">")
        == "<b title='&lt;&#39;&amp;&#34;&gt;'>&lt;&#39;&amp;&#34;&gt;</b>"
    )


def test_what_is_not_given_is_an_error_and_no_blank():
    with pytest.raises(jinja2.UndefinedError):
        templates().from_string("{{ nothing }}").render()


def test_the_policy_allows_the_two_texts_and_nothing_else():
    policy = content_policy("b{}", "let a = 1")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for name, text in (("style-src", "b{}"), ("script-src", "let a = 1")):
        (digest,) = re.findall(r"^'sha256-(.+)'$", rules[name])
        assert b64decode(digest) == sha256(text.encode()).digest()
    assert "unsafe" not in policy


def test_without_a_script_none_is_allowed():
    assert "script-src 'none'" in content_policy("b{}", "")


@pytest.mark.parametrize("name", ["report.css", "report.js", "trend.css"])
def test_an_asset_is_a_text_of_ours(name: str):
    assert asset(name).isprintable() is False
    assert asset(name).endswith("\n")
    assert asset(name) is asset(name)
