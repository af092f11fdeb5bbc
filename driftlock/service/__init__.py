"""The HTTP service: the same engine behind a small API. Needs ``driftlock-toolkit[service]``.

A request comes in through `app` (what is mounted, and in which order), `guard` (keys, rates) and
`admission` (how many at once, for how long). `body` and `events` turn it into rows, `screening`
hands these to the library and its result to `findings`, which puts it into the shapes of `answers`.
`baselines` keeps fitted detectors on disk. `settings` has every number that can be set, `problems`
every way to refuse.
"""
