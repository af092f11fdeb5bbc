"""The service under load, beside the library in the same run; a Markdown table.

    python benchmarks/service_load.py [--minutes 5]

Requests of 1,000 simulated events over a real socket, 400 of them the baseline. First one client,
then four at once, then a steady 120 requests a minute, then ten times as many clients as can be
served or wait at once, and one client after that.
"""

from __future__ import annotations

import argparse

from benchmarks.serving import Load, body_of, library_seconds, memory_mb, running

OVERLOAD = 180  # clients; 2 are served and 16 wait


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    minutes = parser.parse_args().minutes
    body = body_of(1_000)
    direct = library_seconds(body)
    rows = [("library, median call", f"{1e3 * direct:.0f} ms")]
    with running(concurrency=2, queue=16) as (url, pid):
        Load(url, body, 2).run(3)
        alone = Load(url, body, 1).run(15)
        median = alone.quantile(0.5)
        rows.append(
            ("one client, median", f"{1e3 * median:.0f} ms, {median / direct:.2f} x library")
        )
        four = Load(url, body, 4).run(30)
        p50, p99 = (1e3 * four.quantile(q) for q in (0.5, 0.99))
        rows.append(("four clients, p50 and p99", f"{p50:.0f} ms, {p99:.0f} ms"))
        rows.append(("four clients, requests a second", f"{four.statuses()[200] / 30:.1f}"))
        before = memory_mb(pid)
        steady = Load(url, body, 4, pause=2.0).run(60 * minutes)
        rows.append((f"steady for {minutes:g} min, answers by status", str(steady.statuses())))
        rows.append(("steady, p99", f"{1e3 * steady.quantile(0.99):.0f} ms"))
        rows.append(("memory before and after", f"{before:.0f} MB, {memory_mb(pid):.0f} MB"))
        flood = Load(url, body, OVERLOAD).run(15)
        refused = 1e3 * flood.quantile(0.99, lambda status: status in (429, 503))
        rows.append(("overload, answers by status", str(flood.statuses())))
        rows.append(("overload, p99 of refusals", f"{refused:.0f} ms"))
        after = Load(url, body, 1).run(10)
        rows.append(("one client after it, median", f"{1e3 * after.quantile(0.5):.0f} ms"))
        rows.append(("most memory ever", f"{memory_mb(pid, 'VmHWM'):.0f} MB"))
    print("| figure | value |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
