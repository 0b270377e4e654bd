"""Error rates of the eyes on anybody's own data: `anxin models evaluate` and `anxin models report`.

`read` parses what is given, `workers` looks at it through the terminal's eyes in several processes, `metrics` counts,
`pairs` and `attacks` put the figures together, `results` is their documented shape, `plots` draws them.
"""
