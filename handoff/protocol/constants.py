"""Constants of the protocols, each with the section that sets it. Times in picoseconds."""

SECOND = 10**12

# RFC 5944
REGISTRATION_RETRANSMIT = SECOND
"""3.6.3: the first wait for a reply is at least 1 s; each period at least doubles, up to the requested lifetime."""
REGISTRATION_PROCESSING = SECOND // 10
"""3.6.3: the first wait is also at least two round trips to the home agent and this, for processing."""
IDENTIFICATION_TOLERANCE = 7 * SECOND
"""5.7.1: how far the timestamp of an identification may be from the home agent's clock."""
MAX_LIFETIME_S = 65_534
"""3.3: 65,535 would mean for ever."""
ADVERTISEMENT_INTERVAL = SECOND
"""2.3: agent advertisements are sent at most once a second; 2.3.1: at a third of their lifetime or sooner."""
REGISTRATION_INTERVAL = SECOND
"""3.6.1: advertisements make a mobile node register at most once a second."""
ADVERTISEMENTS_IN_LIFETIME = 3
"""2.3.1: an advertisement's lifetime is three times the interval, so three may be missed."""

# RFC 6275
INITIAL_BINDACK_TIMEOUT = SECOND
"""13: first wait for a binding acknowledgement."""
INITIAL_BINDACK_TIMEOUT_FIRST_REG = 3 * SECOND // 2
"""11.8, 13: the same if the home agent has no binding yet, since it checks for duplicate addresses first."""
MAX_BINDACK_TIMEOUT = 32 * SECOND
"""13: most that the wait grows to."""
MAX_DELETE_BCE_TIMEOUT = 10 * SECOND
"""RFC 5213 6.9.1, and decisions, 1: how long a deregistration waits for the registration that replaces it."""
MAX_RR_BINDING_LIFETIME_S = 420
"""12: lifetime of a binding that return routability protects."""
MAX_TOKEN_LIFETIME = 210 * SECOND
"""12: how long a home or care-of keygen token is good."""
MAX_NONCE_LIFETIME = 240 * SECOND
"""12: how long a correspondent accepts a nonce."""
NONCE_INTERVAL = 30 * SECOND
"""5.2.2: a correspondent makes a new nonce every so often; it accepts each for MAX_NONCE_LIFETIME."""
MAX_UPDATE_RATE = 3
"""11.8, 12: messages of one type a second to one node."""
DHAAD_TIMEOUT = 3 * SECOND
"""12: INITIAL_DHAAD_TIMEOUT, first wait for a home agent address discovery reply."""
DHAAD_RETRIES = 4
"""12: how often such a request is sent again; the wait doubles each time (11.4.1)."""

# RFC 4861, 4862
MAX_RTR_SOLICITATION_DELAY = SECOND
"""4861 10: random delay before a solicitation, and (4862 5.4.2) before the check of an address that an advertisement gave."""
RTR_SOLICITATION_INTERVAL = 4 * SECOND
"""4861 10."""
MAX_RTR_SOLICITATIONS = 3
"""4861 10."""
DUPLICATE_ADDRESS_DETECTION = SECOND
"""4862 5.1, 5.4: DupAddrDetectTransmits (1) times RetransTimer (1 s)."""

# decisions
FORWARDING_LIFETIME = {4: 10 * SECOND, 6: 12 * SECOND}
"""Decisions, 12: lifetime of the old router's forwarding entry; IPv6 counts lifetimes in units of 4 s."""


class Status:
    """Codes of replies (RFC 5944 3.4) and status of acknowledgements (RFC 6275 6.1.8); 0 is accepted."""

    ACCEPTED = 0
    FA_INSUFFICIENT_RESOURCES = 66
    HA_INSUFFICIENT_RESOURCES = 130
    AUTHENTICATION_FAILED = 131
    IDENTIFICATION_MISMATCH = 133
    BA_INSUFFICIENT_RESOURCES = 130
    SEQUENCE_OUT_OF_WINDOW = 135
    EXPIRED_HOME_NONCE = 136
    EXPIRED_CARE_OF_NONCE = 137
