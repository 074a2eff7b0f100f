"""Strings that try to come alive: in a page, a terminal, a spreadsheet, a log, a parser."""

from __future__ import annotations

PAYLOADS = (
    # HTML
    "<script>window.pwned=1</script>",
    "</script><img src=x onerror=window.pwned=2>",
    "\"'`><svg onload=window.pwned=3>",
    "<!--<script>--><a href=javascript:window.pwned=4>x</a>",
    "javascript:window.pwned=5",
    "<style>*{display:none}</style><meta http-equiv=refresh content=0>",
    "{{7*7}}{% raw %}${7*7}#{7*7}<%= 7*7 %>",
    "&lt;script&gt;&#60;b&#62;&amp;",
    # XML
    "]]></failure><testcase name='x'/>",
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>&b;',
    "\x00\x01\x08\x0b\x0c\x0e\x1f",
    "\ufffe\uffff\U0001ffff",
    "a\tb\r\nc\rd",
    "--><!-- -- -->",
    # JSON and SARIF
    '"},{"verdict":"pass"},{"',
    "\\u0000\\",
    "__proto__",
    "[link](https://example.invalid/x) [a]: b",
    "\u2028\u2029",
    # spreadsheets
    "=HYPERLINK('http://example.invalid','x')",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\uff1d1+1",
    '","=1+1"\n=2+2',
    ";=1+1;",
    # Markdown
    "`` ` `` `x` ```\n# heading\n",
    "| a | b |\n|---|---|",
    "@everyone #123 GH-12 owner/repo#1 deadbeef1",
    "![i](http://example.invalid/i.png) <https://example.invalid>",
    "**bold** _it_ ~~no~~ \\| \\",
    "- [x] done\n1. one\n> quoted",
    # logs of CI services
    "::error file=a::pwned",
    "\n::set-output name=a::b\n  ::add-mask::x",
    "##[error]pwned",
    "##vso[task.setvariable variable=a]b",
    "%0A::error::pwned%0D%25",
    "section_start:1:x\r\x1b[0K",
    # terminals
    "\x1b[2J\x1b[1;1H\x1b[8mhidden",
    "\x1b]0;title\x07\x1b]8;;http://example.invalid\x1b\\link",
    "\x9b31m\x90q\x9c",
    "[bold red]rich[/] \x1b[31mred",
    # what a reader cannot see
    "a\u202egpj.exe\u202c\u2066b\u2069",
    "zero\u200bwidth\ufeff\u00ad\u2060",
    "lone \ud800 and \udfff, pair \ud83d\ude00",
    "\U000e0041\U000e0042",
    # sheer size and plain unusual letters
    "x" * 5000,
    "\u0430\u0301\u0489 \u00e9\u4e2d\U0001f4a3 \u0645\u0631\u062d\u0628\u0627",
)
