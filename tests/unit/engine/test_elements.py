"""Elements of a network: names of mobiles in groups."""

import pytest

from engine import Network
from engine.elements import MobileGroup
from engine.network_columns import NetworkError

NUMBERED = MobileGroup("m", key=1, first=100, mobiles=12, numbered=True, home=0)
SINGLE = MobileGroup("m7", key=1, first=5, mobiles=1, numbered=False, home=0)


@pytest.mark.parametrize(("name", "index"), [("m0", 100), ("m7", 107), ("m11", 111)])
def test_a_numbered_mobile_is_found_by_its_name(name, index):
    assert NUMBERED.find(name) == index


@pytest.mark.parametrize("name", ["m007", "m07", "m00", "m12", "m", "m-1", "m+7", "m 7", "m1_1", "m\u0667", "m\u00b2", "n7", "7"])
def test_no_other_name_is_accepted(name):
    """A name has one spelling, without leading zeros and in ASCII digits."""
    assert NUMBERED.find(name) is None


def test_a_single_mobile_is_found_by_its_whole_name():
    assert [SINGLE.find(name) for name in ("m7", "m07", "m70", "m")] == [5, None, None, None]


def test_a_number_with_zeros_names_another_mobile():
    """Both may exist in one network."""
    net = Network()
    net.node("home")
    net.mobiles(10, prefix="m", home="home")
    with pytest.raises(NetworkError, match="no mobile 'm007'"):
        net.mobile_index("m007")
    net.mobile("m007", home="home")
    assert [net.mobile_index(name) for name in ("m7", "m007")] == [7, 10]
