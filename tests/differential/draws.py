"""Keys and random draws of docs/model.md, sections 2 and 9, implemented a second time."""

from __future__ import annotations

import hashlib
from decimal import Decimal, localcontext
from functools import lru_cache

from engine.network import Network

WORD = 2**64
LOSS, GAP = 1, 2
LN2 = 762_123_384_786  # round(2**40 ln 2)


@lru_cache(maxsize=10_000)
def key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def mix(x: int) -> int:
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 % WORD
    x ^= x >> 27
    x = x * 0x94D049BB133111EB % WORD
    return x ^ (x >> 31)


def mix2(a: int, b: int) -> int:
    return mix(mix((a + 0x9E3779B97F4A7C15) % WORD) ^ b)


def scatter(x: int) -> int:
    """Scatter a word for the fingerprint (section 12)."""
    swapped = int.from_bytes((x * 0xBF58476D1CE4E5B9 % WORD).to_bytes(8, "little"), "big")
    upper, lower = divmod(swapped * 0x94D049BB133111EB, WORD)
    return upper ^ lower


def mobile_keys(network: Network) -> list[int]:
    """Return the keys of all mobiles, from their names and groups."""
    keys = []
    for name, _, _, count, numbered, _ in network.groups:
        keys += [mix2(key(name), i) for i in range(count)] if numbered else [key(name)]
    return keys


def flow_keys(network: Network) -> list[int]:
    """Return the keys of all flows, from label, correspondent and mobile."""
    mobiles, flows = mobile_keys(network), network.flows()
    keys = []
    for label, first, count in network.flow_labels:
        for flow in range(first, first + count):
            peer = int(flows["peer"][flow])
            correspondent = key(network.nodes[int(flows["node"][flow])].name) if peer < 0 else mobiles[peer]
            of_mobile = mix2(mix2(key(label), correspondent), mobiles[int(flows["mobile"][flow])])
            keys.append((of_mobile + int(flows["up"][flow])) % WORD)
    return keys


def draw(seed: int, purpose: int, entity: int, index: int) -> int:
    return mix2(mix2(mix2(seed, purpose), entity), index)


@lru_cache(maxsize=1)
def logarithms() -> list[int]:
    """Return T[i] = round(2**40 ln(1 + i/4096)) for i = 0 to 4096."""
    with localcontext() as context:
        context.prec = 40
        return [int((2**40 * (1 + Decimal(i) / 4096).ln()).to_integral_value()) for i in range(4097)]


def minus_log(u: int) -> int:
    """Return -ln((u + 1)/2**64) in units of 2**-40."""
    v = u + 1
    if v == WORD:
        return 0
    zeros = 64 - v.bit_length()
    m = v << zeros
    i, fraction = (m >> 51) & 4095, (m >> 11) & (2**40 - 1)
    t = logarithms()
    return (zeros + 1) * LN2 - (t[i] + (((t[i + 1] - t[i]) * fraction) >> 40))


def gap(seed: int, flow_key: int, seq: int, mean_ps: int) -> int:
    """Return the gap before packet ``seq`` of a Poisson flow."""
    return 1 + ((mean_ps * minus_log(draw(seed, GAP, flow_key, seq))) >> 40)
