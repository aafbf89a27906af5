"""Texts that are legal in Telegram and break what is not written with care; every one is ours and harmless."""

# ruff: noqa: RUF001  # letters that resemble Latin ones are what this text is made of

TEXTS = (
    "'); DROP TABLE messages; --",
    'Robert"; delete from channels where "1"=\'1',
    "$$; select pg_sleep(10); $$ %s %(name)s {0} {} :param ?",
    "<script>alert('tide')</script>",
    "<b>not bold</b> &amp; &lt;i&gt; &#x41; <img src=x onerror=alert(1)>",
    "**not bold** __not italic__ `tick` [text](https://example.org) ~~no~~ ||no||",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "\\N",
    "\\.",
    "C:\\new\\table\\x41\\u0041 \\\\ \\t \\",
    "tab\there\tand\tthere",
    "line one\nline two\n\n\nline five",
    "carriage\r\nreturn\r\nlines, and one \r alone",
    "quotes: \" ' ` “ ” « » „ ‚ ‘ ’ \"\"doubled\"\" ''doubled''",
    'a,b;c\t"d ""e"""\n1,2;3\t4',
    "\u202eright to left override\u202c and back",
    "\u2066isolate \u2067mixed \u05e9\u05dc\u05d5\u05dd\u2069 end\u2069",
    "The sign says \u0645\u064a\u0646\u0627\u0621 42 \u05e0\u05de\u05dc (Pier 9).",
    "zero\u200bwidth\u200dspaces\u200c and\ufeffa byte order mark",
    "soft\u00adhy\u00adphens and\u00a0hard\u2009spaces\u3000wide",
    "line\u2028separator and paragraph\u2029separator and\u0085next line",
    "bell\x07 escape\x1b[31m vertical\x0btab form\x0cfeed delete\x7f unit\x1f",
    "Z\u0351\u0343a\u0300\u0301\u0302\u0303\u0304l\u0327\u0328\u0323go\u0489 rises",
    "e\u0301 is not \u00e9, \u212b is not \u00c5, \ufb01 is not fi",
    "\U0001d4d7\U0001d4ea\U0001d4fb\U0001d4eb\U0001d4f8\U0001d4fb in mathematical letters",
    (
        "\U0001f469\U0001f3fe\u200d\U0001f4bb\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f4\U000e0067"
        "\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f\U0001f1ef\U0001f1f5"
    ),
    "\ue000 private use, \ufffd replacement, \ufffe\uffff noncharacters, \U0010ffff the last one",
    "NULL",
    "null",
    "NaN",
    '=HYPERLINK("https://example.org","click")',
    "+1+1",
    "@",
    "-",
    "0",
    '{"a": "\\u0000"}',
    "x" * 300,
    "\U0001f525" * 60,
    "\u0915\u094d\u0937\u093f \u0b95\u0bcd\u0bb7\u0bbf \u0e01\u0e33\u0e49 \u1019\u103c\u1014\u103a\u1019\u102c",
)
