"""Scenarios of one mobile node with constant delays, and their values in milliseconds."""

BO = BN = 10
"""Delay in ms from the home agent to the old and to the new router."""
C, W, P, T = 6, 4, 1, 1
"""Delay in ms between the routers, delay of the radio, processing time of the home agent, interval between packets."""

_NETWORK = f"""
name = "one"
duration = "{{duration}}"
home_agent = {{{{ name = "ha", registration = "{P}ms" }}}}
correspondent = {{{{ name = "cn" }}}}

[[link]]
between = ["cn", "ha"]
delay = "20ms"

[routers]
names = ["old", "new"]
wired_to = "ha"
wired = {{{{ delay = "{BO}ms" }}}}
neighbours = {{{{ delay = "{C}ms" }}}}
cell = {{{{ delay = "{W}ms" }}}}

[[traffic]]
interval = "{T}ms"
size_bytes = 200

[options]
correspondent_race = "hold"
"""


def one_handoff(folder, *, predict="", warn="", down, up):
    """Write the scenario of one handoff, with times in ms after half a second, and return its file.

    The run lasts longer than an old router keeps packets (10 s), so that every packet is delivered or lost at its end.
    """
    times = [f"{0.5 + t / 1000:.6f}" if t != "" else "" for t in (down, predict, warn, up)]
    rows = ["mobile,router,up_s,down_s,predict_s,going_down_s", f"mn0,old,0,{','.join(times[:3])}", f"mn0,new,{times[3]},,,"]
    (folder / "one.csv").write_text("\n".join(rows) + "\n")
    file = folder / "one.toml"
    file.write_text(_NETWORK.format(duration="12s") + '\n[movement]\nassociations = "one.csv"\n')
    return file


def commuting(folder, *, lead="100ms", overlap="20ms", nodes=1):
    """Write a scenario whose nodes move to and fro: a handoff each 5 s, with a warning 20 ms before the old link ends."""
    file = folder / "commuting.toml"
    file.write_text(
        _NETWORK.format(duration="12s")
        + f'\n[movement.commuters]\nmobile_nodes = {nodes}\nhandoff_rate = "720/h"\npath = "ring"\ndwell = "constant"\n'
        + f'overlap = "{overlap}"\nguard = "20ms"\nlead = "{lead}"\n'
    )
    return file
