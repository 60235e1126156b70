"""Protocol constants, each with the section that defines it. Times are in picoseconds."""

SECOND = 10**12

# RFC 5944
REGISTRATION_RETRANSMIT = SECOND
"""3.6.3: first wait for a reply, at least 1 s. Each further wait is at least twice as long, up to the requested lifetime."""
REGISTRATION_PROCESSING = SECOND // 10
"""3.6.3: allowance for processing. The first wait is at least two round trips to the home agent plus this allowance."""
IDENTIFICATION_TOLERANCE = 7 * SECOND
"""5.7.1: largest difference between the timestamp in an identification and the clock of the home agent."""
MAX_LIFETIME_S = 65_534
"""3.3: longest lifetime in seconds; 65,535 means infinity."""
ADVERTISEMENT_INTERVAL = SECOND
"""2.3: agent advertisements are sent at most once a second. 2.3.1: the interval is at most a third of their lifetime."""
REGISTRATION_INTERVAL = SECOND
"""3.6.1: advertisements make a mobile node register at most once a second."""
ADVERTISEMENTS_IN_LIFETIME = 3
"""2.3.1: the lifetime of an advertisement is three intervals, so that two in a row may be lost."""

# RFC 6275
INITIAL_BINDACK_TIMEOUT = SECOND
"""13: first wait for a binding acknowledgement."""
INITIAL_BINDACK_TIMEOUT_FIRST_REG = 3 * SECOND // 2
"""11.8, 13: first wait if the home agent has no binding yet and checks the home address for duplicates first."""
MAX_BINDACK_TIMEOUT = 32 * SECOND
"""13: longest wait for a binding acknowledgement."""
MAX_DELETE_BCE_TIMEOUT = 10 * SECOND
"""RFC 5213 6.9.1, and decision 1: how long a deregistration waits for the registration that replaces its binding."""
MAX_RR_BINDING_LIFETIME_S = 420
"""12: longest lifetime in seconds of a binding that return routability protects."""
MAX_TOKEN_LIFETIME = 210 * SECOND
"""12: how long a mobile node may use a home or care-of keygen token."""
MAX_NONCE_LIFETIME = 240 * SECOND
"""12: how long a correspondent accepts a nonce."""
NONCE_INTERVAL = 30 * SECOND
"""5.2.2: interval at which a correspondent generates nonces. It accepts each one for MAX_NONCE_LIFETIME."""
MAX_UPDATE_RATE = 3
"""11.8, 12: largest number of messages of one type to one node within a second."""
DHAAD_TIMEOUT = 3 * SECOND
"""12: INITIAL_DHAAD_TIMEOUT, the first wait for a reply of dynamic home agent address discovery."""
DHAAD_RETRIES = 4
"""12: number of retransmissions of a discovery request; the wait doubles each time (11.4.1)."""

# RFC 4861, 4862
MAX_RTR_SOLICITATION_DELAY = SECOND
"""4861 10: longest random delay before a solicitation. 4862 5.4.2: also before duplicate address detection after a multicast
advertisement."""
RTR_SOLICITATION_INTERVAL = 4 * SECOND
"""4861 10: interval between solicitations."""
MAX_RTR_SOLICITATIONS = 3
"""4861 10: largest number of solicitations on a link."""
DUPLICATE_ADDRESS_DETECTION = SECOND
"""4862 5.1, 5.4: DupAddrDetectTransmits (1) times RetransTimer (1 s)."""

# decisions
FORWARDING_LIFETIME = {4: 10 * SECOND, 6: 12 * SECOND}
"""Decision 12: lifetime of the old router's forwarding entry by IP version. IPv6 counts lifetimes in units of 4 s."""

# kinds of advertisements, in the place of a status
SOLICITED = 0
"""4861 6.2.6: the answer to a solicitation, sent to the mobile node alone."""
RESTARTED = 1
"""5944 2.3.2: multicast, with a sequence number that shows that the agent has restarted."""
PERIODIC = 2
"""4861 6.2.4, 5944 2.3.1: multicast at intervals."""


class Status:
    """Codes of registration replies (RFC 5944 3.4) and status values of binding acknowledgements (RFC 6275 6.1.8)."""

    ACCEPTED = 0
    FA_INSUFFICIENT_RESOURCES = 66
    HA_INSUFFICIENT_RESOURCES = 130
    AUTHENTICATION_FAILED = 131
    IDENTIFICATION_MISMATCH = 133
    BA_INSUFFICIENT_RESOURCES = 130
    SEQUENCE_OUT_OF_WINDOW = 135
    EXPIRED_HOME_NONCE = 136
    EXPIRED_CARE_OF_NONCE = 137
