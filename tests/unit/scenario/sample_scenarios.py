"""Scenario files that several tests change in one place."""

MINIMAL = """\
name = "study"
duration = "10s"

[correspondent]
name = "cn"

[home_agent]
name = "ha"
registration = "1ms"

[[link]]
between = ["cn", "ha"]
delay = "20ms"

[routers]
names = ["a", "b"]
wired_to = "ha"

[routers.wired]
delay = "10ms"

[routers.cell]
delay = "4ms"

[[traffic]]
interval = "20ms"
size_bytes = 200

[movement]
associations = "moves.csv"
"""

COMMUTERS = """\
name = "street"
duration = "60s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]

[routers]
names = "r{0..6}"
wired = { delay = "2ms" }
neighbours = { delay = "2ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "10ms"
size_bytes = 200

[movement.commuters]
mobile_nodes = 20
handoff_rate = "5/min"
overlap = "100ms"
lead = "100ms"
guard = "20ms"

[regions]
count = 3
gateway = { name = "gw", registration = "500us", registration_queue = 9 }
wired_to = "ha"
wired = { delay = "5ms", rate = "1Gbit/s" }
neighbours = { delay = "1ms" }

[[regions.link]]
to = "cn"
delay = "15ms"
"""
