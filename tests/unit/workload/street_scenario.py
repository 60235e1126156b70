"""Scenario of three routers along a street, with random waypoint movement and a coverage model."""

STREET = """\
name = "street"
duration = "60s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
node = [{ name = "gw" }]
link = [{ between = ["cn", "ha"], delay = "20ms" }, { between = ["ha", "gw"], delay = "5ms" }]
region = [{ gateway = "gw", routers = ["a", "b", "c"] }]

[routers]
names = ["a", "b", "c"]
wired = { delay = "2ms" }
neighbours = { delay = "2ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "10ms"
size_bytes = 200

[movement]
random_waypoint = { mobiles = 12, width = "300m", height = "100m", slowest = "5m/s", fastest = "30m/s", pause = "2s" }

[coverage]
positions_m = { a = [50, 50], b = [150, 50], c = [250, 50] }
shadowing = "8dB"
decorrelation = "10m"
hysteresis = "1dB"
time_to_trigger = "50ms"
minimum = "-80dBm"
lead = "60ms"
lead_spread = "60ms"
single_access = 0.25
"""

COMMUTERS = STREET[: STREET.index("[movement]")] + """\
[movement.commuters]
mobile_nodes = 20
handoff_rate = "5/min"
overlap = "100ms"
lead = "100ms"
guard = "20ms"
"""
