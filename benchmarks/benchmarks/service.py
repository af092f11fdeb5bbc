"""What the HTTP service adds to the library: requests of 1,000 events over a real socket."""

from __future__ import annotations

from .serving import Load, body_of, library_seconds, memory_mb, running

SECONDS = 5


class Service:
    timeout = 600

    def setup_cache(self):
        """One run for all figures: alone, then with four clients at once."""
        body = body_of(1_000)
        direct = library_seconds(body)
        with running() as (url, pid):
            Load(url, body, 1).run(1)
            alone = Load(url, body, 1).run(SECONDS)
            four = Load(url, body, 4).run(SECONDS)
            return {
                "ratio": alone.quantile(0.5) / direct,
                "p50": four.quantile(0.5),
                "p99": four.quantile(0.99),
                "rate": four.statuses()[200] / SECONDS,
                "memory": memory_mb(pid, "VmHWM"),
            }

    def track_times_library(self, figures):
        """Median request of one client, by the library's own time for the same events."""
        return figures["ratio"]

    track_times_library.unit = "x"

    def track_p50_of_four_clients(self, figures):
        return figures["p50"]

    track_p50_of_four_clients.unit = "s"

    def track_p99_of_four_clients(self, figures):
        return figures["p99"]

    track_p99_of_four_clients.unit = "s"

    def track_requests_per_second(self, figures):
        return figures["rate"]

    track_requests_per_second.unit = "requests/s"

    def track_memory(self, figures):
        return figures["memory"]

    track_memory.unit = "MB"
