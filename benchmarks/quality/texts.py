"""Simulated texts, one column each: log lines, sequences of steps, payloads, short names."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

Rng = np.random.Generator
Pair = tuple[pd.DataFrame, pd.DataFrame]


def column(rows: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"text": pd.Series(rows, dtype=object)})


def pick(rng: Rng, values: tuple[str, ...]) -> str:
    return values[rng.integers(len(values))]


# ------------------------------------------------------------------ log lines
USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
FILES = ("cache/index.db", "spool/mail", "lib/units.json", "tmp/upload", "log/app.log")
TEMPLATES = (
    "sshd[{pid}]: Accepted publickey for {user} from {ip} port {port}",
    "sshd[{pid}]: session closed for user {user}",
    "sshd[{pid}]: session opened for user {user} by (uid=0)",
    "nginx: {ip} GET /item/{id} 200 in {ms} ms",
    "nginx: {ip} POST /order 201 in {ms} ms",
    "app: order {id} of {user} paid, total {eur}.{cent} EUR",
    "app: cache hit for key item:{id}",
    "app: read {bytes} bytes from /var/{file} in {ms} ms",
    "cron[{pid}]: ({user}) CMD (run-parts /etc/cron.hourly)",
    "db: checkpoint complete, wrote {blocks} buffers in {ms} ms",
    "db: automatic vacuum of table shop.orders: pages {blocks} remain",
    "disk: sda1 at {percent} % of capacity",
)
NEW_TEMPLATES = (
    "kernel: Out of memory: Killed process {pid} (java)",
    "kernel: segfault at {id} ip 00007f{pid} error 4",
    "app: unhandled exception in worker {pid}: KeyError 'price'",
    "db: could not write to file base/{id}: No space left on device",
    "sshd[{pid}]: error: maximum authentication attempts exceeded for {user}",
)
KNOWN_BAD = "sshd[{pid}]: Failed password for invalid user {user}{id} from {ip} port {port}"
ODD = (
    ("sshd[{pid}]: Accepted publickey for {user} from {ip} port {port}", "port", "999999"),
    ("sshd[{pid}]: Accepted publickey for {user} from {ip} port {port}", "ip", "185.220.101.4"),
    ("app: read {bytes} bytes from /var/{file} in {ms} ms", "file", "../etc/shadow"),
    ("nginx: {ip} GET /item/{id} 200 in {ms} ms", "ms", "184467"),
    ("cron[{pid}]: ({user}) CMD (run-parts /etc/cron.hourly)", "user", "x7q_zz"),
    ("disk: sda1 at {percent} % of capacity", "percent", "-1"),
)


def log_line(rng: Rng, template: str, **given: str) -> str:
    values = {
        "pid": rng.integers(1000, 32000),
        "user": pick(rng, USERS),
        "ip": f"10.0.{rng.integers(0, 8)}.{rng.integers(1, 255)}",
        "port": rng.integers(32768, 61000),
        "id": rng.integers(100, 9999),
        "ms": int(np.exp(rng.normal(3, 0.6))),
        "eur": int(np.exp(rng.normal(3.5, 0.8))),
        "cent": f"{rng.integers(0, 100):02d}",
        "bytes": int(np.exp(rng.normal(8, 1))),
        "file": pick(rng, FILES),
        "blocks": rng.integers(10, 400),
        "percent": rng.integers(40, 75),
    }
    stamp = f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}:{rng.integers(0, 60):02d}"
    return f"{stamp} host{rng.integers(1, 5)} " + template.format(**{**values, **given})


def usual_line(rng: Rng) -> str:
    shares = 1.0 / np.arange(1, len(TEMPLATES) + 1)
    return log_line(rng, TEMPLATES[rng.choice(len(TEMPLATES), p=shares / shares.sum())])


def odd_line(rng: Rng, kind: str) -> str:
    if kind == "new template":
        return log_line(rng, pick(rng, NEW_TEMPLATES))
    if kind == "odd parameter":
        template, name, value = ODD[rng.integers(len(ODD))]
        return log_line(rng, template, **{name: value})
    if kind == "truncated":
        line = usual_line(rng)
        return line[: int(len(line) * rng.uniform(0.4, 0.8))]
    return log_line(rng, KNOWN_BAD)


def log_lines(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """Lines of twelve templates; three in a thousand are of a kind known to be bad."""
    normal = [
        log_line(rng, KNOWN_BAD) if rng.random() < 0.003 else usual_line(rng) for _ in range(n)
    ]
    kinds = LOG_KINDS if kind == "all kinds" else (kind,)
    return column(normal), column([odd_line(rng, pick(rng, kinds)) for _ in range(n_anomalies)])


LOG_KINDS = ("new template", "odd parameter", "truncated", "burst of a rare kind")


# ------------------------------------------------------------------ sequences
def session(rng: Rng) -> list[str]:
    """Steps of one session: open, parts that repeat, close."""
    steps = ["5", "22"]
    for _ in range(rng.integers(2, 6)):
        steps += ["11", "9"] if rng.random() < 0.8 else ["9", "11"]
        steps += ["26"] * int(rng.integers(1, 4))
        if rng.random() < 0.3:
            steps += ["3", "4"]
    return [*steps, "23", "21"]


def odd_session(rng: Rng, kind: str) -> list[str]:
    steps = session(rng)
    at = int(rng.integers(1, len(steps) - 2))
    if kind == "step left out":
        needed = ("22", "23", "11", "9")
        steps.remove(pick(rng, needed))
    elif kind == "steps swapped":
        at = pick_place(rng, [i for i in range(len(steps) - 2) if steps[i] != steps[i + 2]])
        steps[at], steps[at + 2] = steps[at + 2], steps[at]
    elif kind == "unknown step":
        steps[at] = "17"
    else:  # one step again and again: simpler than any normal session
        at = steps.index("26")
        steps[at:at] = ["26"] * int(rng.integers(12, 30))
    return steps


def pick_place(rng: Rng, places: list[int]) -> int:
    return places[rng.integers(len(places))]


def sequences(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    normal = [" ".join(session(rng)) for _ in range(n)]
    return column(normal), column([" ".join(odd_session(rng, kind)) for _ in range(n_anomalies)])


def chains(rng: Rng, n: int, n_anomalies: int) -> Pair:
    """Long sequences of six symbols; anomalies have other odds of what follows what."""
    usual = rng.dirichlet(np.full(6, 1.0), 6)
    other = 0.85 * usual + 0.15 * rng.dirichlet(np.full(6, 1.0), 6)

    def draw(odds: np.ndarray) -> str:
        cumulated = odds.cumsum(axis=1)
        state, states = int(rng.integers(6)), []
        for u in rng.random(int(rng.integers(150, 300))):
            state = min(int(np.searchsorted(cumulated[state], u)), 5)
            states.append(f"call{state}")
        return " ".join(states)

    normal = column([draw(usual) for _ in range(n)])
    return normal, column([draw(other) for _ in range(n_anomalies)])


# ------------------------------------------------------------------- payloads
QUERIES = (
    "id={}&page={}",
    "user={u}&sort=price&page={}",
    "q={w}+{w}&lang=en",
    "item={}&color={w}&size=m",
    "email={u}{}@example.org&newsletter=1",
    "name={u}+{s}&city={c}",
)
PLAIN = ("lamp", "chair", "desk", "carpet", "sofa", "shelf", "table", "mirror", "curtain", "pillow")
NAMES = ("smith", "o'neil", "garcia", "mueller", "rossi", "kowalski", "tan", "johansson")
CITIES = ("berlin", "new+york", "rome", "san+jose", "oslo", "madrid")
INJECTIONS = (
    "' OR {}={} -- ",
    "1; DROP TABLE users",
    "' UNION SELECT null,{} FROM cards#",
    "<script>alert({})</script>",
    "%3Cimg src=x onerror=alert({})%3E",
    "../../../etc/passwd",
    "..%2f..%2fboot.ini",
    "; cat /etc/hosts",
    "| ping -c {} 10.0.0.1",
    "$(id)",
)


def query(rng: Rng) -> str:
    text = pick(rng, QUERIES)
    for mark, values in (("{u}", USERS), ("{w}", PLAIN), ("{s}", NAMES), ("{c}", CITIES)):
        while mark in text:
            text = text.replace(mark, pick(rng, values), 1)
    return numbered(rng, text)


def numbered(rng: Rng, text: str) -> str:
    while "{}" in text:
        text = text.replace("{}", str(rng.integers(1, 10_000)), 1)
    return text


def payloads(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """Query strings; anomalies have an injection behind a value, or two values exchanged."""
    bend = injected if kind == "injection" else exchanged
    return column([query(rng) for _ in range(n)]), column([bend(rng) for _ in range(n_anomalies)])


def injected(rng: Rng) -> str:
    parts = query(rng).split("&")
    parts[rng.integers(len(parts))] += numbered(rng, pick(rng, INJECTIONS))
    return "&".join(parts)


def exchanged(rng: Rng) -> str:
    parts = [part.split("=") for part in query(rng).split("&")]
    first, second = rng.permutation(len(parts))[:2]
    parts[first][1], parts[second][1] = parts[second][1], parts[first][1]
    return "&".join("=".join(part) for part in parts)


# ---------------------------------------------------------------- short names
SYLLABLES = ("ba", "con", "der", "fi", "gra", "ho", "in", "ket", "lo", "mar", "net", "or", "pa")
SYLLABLES += ("qui", "ra", "shop", "ter", "un", "vi", "web", "zen", "port", "mail", "blue", "tech")


def names(rng: Rng, n: int, n_anomalies: int) -> Pair:
    """Host names of two to four syllables; anomalies are the same letters in another order."""

    def spoken() -> str:
        stem = "".join(pick(rng, SYLLABLES) for _ in range(rng.integers(2, 5)))
        return stem + (str(rng.integers(1, 30)) if rng.random() < 0.2 else "")

    def shuffled() -> str:
        return "".join(rng.permutation(list(spoken())))

    return (
        column([f"{spoken()}.example" for _ in range(n)]),
        column([f"{shuffled()}.example" for _ in range(n_anomalies)]),
    )


TEXTS = {
    **{f"log lines: {kind}": partial(log_lines, kind=kind) for kind in (*LOG_KINDS, "all kinds")},
    **{
        f"sequences: {kind}": partial(sequences, kind=kind)
        for kind in ("step left out", "steps swapped", "unknown step", "one step repeated")
    },
    "sequences: other odds": chains,
    **{
        f"payloads: {kind}": partial(payloads, kind=kind)
        for kind in ("injection", "values exchanged")
    },
    "short names: letters shuffled": names,
}
