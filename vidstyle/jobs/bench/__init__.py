"""How fast it is, and what holds it back: the measurements behind `vidstyle bench`.

`bench` runs them; `config` and `report` are what goes in and comes out. Every row is measured in
processes of its own: `whole` paints the clip as `vidstyle run` does, `alone` runs each stage by
itself, `baseline` paints as most tools do.
"""
