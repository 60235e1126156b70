//! Fragments of IP datagrams: the later ones carry no ports and take those of the first (RFC 791, RFC 8200 4.5).

use super::flow_table::NO_TIME;
use super::ip_header::{Fragment, IpHeader};
use hashbrown::HashMap;

/// A fragment belongs to a datagram whose other fragments came within this time (RFC 1122 3.3.2: 60 to 120 s).
const REASSEMBLY_TIME_NS: i64 = 120_000_000_000;
/// Datagrams remembered: up to twice this number.
const MAX_DATAGRAMS: usize = 1 << 15;
/// Later fragments remembered that came before the first one.
const MAX_EARLY: usize = 1 << 16;

type Ports = (u16, u16);

/// Position of a packet in the file and its time.
#[derive(Clone, Copy)]
pub struct PacketStamp {
    pub number: u64,
    pub time_ns: i64,
}

impl PacketStamp {
    fn is_near(self, other: PacketStamp) -> bool {
        let is_unknown = self.time_ns == NO_TIME || other.time_ns == NO_TIME;
        is_unknown || self.time_ns.abs_diff(other.time_ns) <= REASSEMBLY_TIME_NS as u64
    }
}

/// The fields that all fragments of a datagram share. In IPv6, the protocol may differ between them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Datagram {
    version: u8,
    protocol: u8,
    source: [u8; 16],
    destination: [u8; 16],
    identification: u32,
}

/// Ports of the datagrams whose first fragment was read.
#[derive(Default)]
pub struct FragmentTable {
    /// The latest datagrams, and those before them.
    recent: HashMap<Datagram, (Ports, PacketStamp)>,
    older: HashMap<Datagram, (Ports, PacketStamp)>,
    /// Later fragments that wait for their first.
    waiting: HashMap<Datagram, Vec<PacketStamp>>,
    waiting_count: usize,
    /// Ports of later fragments that came before their first, by the position of the packet.
    early: HashMap<u64, Ports>,
    /// Ports that an earlier reading of the file has found, in the same form.
    known: HashMap<u64, Ports>,
}

impl FragmentTable {
    /// Return a table for another reading of a file, in which `early` of the first reading is known.
    pub fn with_known(early: HashMap<u64, Ports>) -> FragmentTable {
        FragmentTable { known: early, ..FragmentTable::default() }
    }

    /// Return the ports of later fragments that came before their first, so that the file has to be read again to use them.
    pub fn take_early(&mut self) -> Option<HashMap<u64, Ports>> {
        (!self.early.is_empty() && self.known.is_empty()).then(|| std::mem::take(&mut self.early))
    }

    /// Return the ports of a packet that may be a fragment; `ports` are in the packet if it is the first.
    pub fn find_ports(&mut self, header: &IpHeader, ports: Ports, stamp: PacketStamp) -> Ports {
        let (is_first, identification) = match header.fragment {
            Fragment::Whole => return ports,
            Fragment::First(identification) => (true, identification),
            Fragment::Later(identification) => (false, identification),
        };
        let datagram = Datagram {
            version: header.version,
            protocol: if header.version == 4 { header.protocol } else { 0 },
            source: header.source,
            destination: header.destination,
            identification,
        };
        if is_first {
            self.add_first(datagram, ports, stamp);
            return ports;
        }
        let found = self.recent.get(&datagram).or_else(|| self.older.get(&datagram));
        match found.filter(|(_, first)| first.is_near(stamp)) {
            Some(&(ports, _)) => ports,
            None => self.find_known_ports(datagram, stamp),
        }
    }

    fn add_first(&mut self, datagram: Datagram, ports: Ports, stamp: PacketStamp) {
        if self.recent.len() == MAX_DATAGRAMS {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(datagram, (ports, stamp));
        for early in self.waiting.remove(&datagram).unwrap_or_default() {
            self.waiting_count -= 1;
            if early.is_near(stamp) && ports != (0, 0) {
                self.early.insert(early.number, ports);
            }
        }
    }

    fn find_known_ports(&mut self, datagram: Datagram, stamp: PacketStamp) -> Ports {
        if let Some(&ports) = self.known.get(&stamp.number) {
            return ports;
        }
        if self.waiting_count + self.early.len() < MAX_EARLY {
            self.waiting.entry(datagram).or_default().push(stamp);
            self.waiting_count += 1;
        }
        (0, 0)
    }
}
