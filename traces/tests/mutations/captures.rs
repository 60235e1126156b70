//! Captures: pcap and pcapng with tunnels, Mobile IP messages and options, plain and compressed.

use crate::mutator::{gzip, mutate_file, Mutator};
use crate::Target;
use _native::capture::columns::Columns;
use _native::capture::compile::Compiler;
use _native::capture::flow_table::{FlowTable, NO_FLOW, NO_TIME};
use _native::capture::fragments::FragmentTable;
use _native::capture::signalling::Signalling;
use _native::capture::{self, CaptureState, Sink, TunnelLayer};
use _native::error::{OnBadRecord, Result};
use std::path::PathBuf;

/// Build Ethernet, IPv4, UDP to port 434, a registration request.
fn build_registration() -> Vec<u8> {
    let mut body = vec![1, 0, 0, 60, 10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8];
    body.extend([32, 20, 0, 0, 1, 0]);
    body.extend([7; 16]);
    ethernet(0x0800, ipv4(17, [vec![0x01, 0xB2, 0x01, 0xB2, 0, 54, 0, 0], body].concat()))
}

/// Build a router advertisement with the mobility agent extension, behind a VLAN tag.
fn build_advertisement() -> Vec<u8> {
    let mut body = vec![9, 0, 0, 0, 1, 2, 0, 45, 10, 0, 0, 2, 0, 0, 0, 1];
    body.extend([16, 10, 0, 4, 0, 30, 0xB0, 0, 10, 0, 0, 3]);
    let mut packet = ipv4(1, body);
    packet[8] = 1; // the TTL of an advertisement
    ethernet(0x8100, [vec![0, 7, 8, 0], packet].concat())
}

/// Build MPLS, IPv6 with a home address option, a binding update with an alternate care-of address.
fn build_binding_update() -> Vec<u8> {
    let home = [vec![135, 2, 1, 4, 0, 0, 0, 0, 0xC9, 16], vec![9; 14]].concat();
    let update = [vec![59, 3, 5, 0, 0, 0, 0, 5, 0xC0, 0, 0, 150, 1, 0, 3, 16], vec![8; 16]].concat();
    ethernet(0x8847, [vec![0, 1, 1, 64], ipv6(60, [home, update].concat())].concat())
}

/// Build an echo request in minimal encapsulation in GRE with a key in IP in IP.
fn build_nested_tunnels() -> Vec<u8> {
    let echo = ipv4(1, vec![8, 0, 0, 0, 0, 9, 0, 12, 1, 2]);
    let minimal = ipv4(55, [vec![1, 0x80, 0, 0, 10, 0, 0, 9, 10, 0, 0, 8], echo[20..].to_vec()].concat());
    ethernet(0x0800, ipv4(4, ipv4(47, [vec![0x20, 0, 8, 0, 0, 0, 0, 1], minimal].concat())))
}

/// Build UDP in UDP tunnels: GTP-U with an extension header, VXLAN, Geneve with an option, Teredo with both indications.
fn build_udp_tunnels() -> Vec<Vec<u8>> {
    let data = ipv4(17, udp(5004, vec![7; 9]));
    let gtp =
        [vec![0x34, 255, 0, data.len() as u8 + 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0x10, 9, 0], data.clone()];
    let vxlan = [vec![8, 0, 0, 0, 0, 0, 7, 0], ethernet(0x0800, data.clone())];
    let geneve = [
        vec![1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 0x80, 0],
        ethernet(0x8100, [vec![0, 7, 8, 0], data].concat()),
    ];
    let teredo = [
        vec![0, 1, 1, 1, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
        ipv6(17, udp(7, vec![1; 4])),
    ];
    [(2152, gtp.concat()), (4789, vxlan.concat()), (6081, geneve.concat()), (3544, teredo.concat())]
        .into_iter()
        .map(|(port, payload)| ethernet(0x0800, ipv4(17, udp(port, payload))))
        .collect()
}

/// Build the three fragments of a datagram, the last one first.
fn build_fragments() -> Vec<Vec<u8>> {
    [(0, 0x03), (0x20, 0x01), (0x20, 0x00)]
        .into_iter()
        .map(|(flags, offset)| {
            let mut packet = ipv4(17, udp(5004, vec![7; 16]));
            packet[5..8].copy_from_slice(&[9, flags, offset]);
            ethernet(0x0800, packet)
        })
        .collect()
}

/// Build frames whose bytes are those of other link types: LLC with SNAP, PPP, a QoS data frame with radiotap, an aggregate.
fn build_other_links() -> Vec<Vec<u8>> {
    let data = ipv4(17, udp(5004, vec![7; 9]));
    let snap = [vec![0xAA, 0xAA, 3, 0, 0, 0, 8, 0], data.clone()].concat();
    let radiotap = vec![0, 0, 9, 0, 2, 0, 0, 0, 0x20];
    let qos = |control: u8, body: Vec<u8>| {
        [radiotap.clone(), vec![0x88, 3], vec![2; 28], vec![control, 0, 0, 0], body].concat()
    };
    let subframe = [vec![2; 12], (snap.len() as u16).to_be_bytes().to_vec(), snap.clone()].concat();
    vec![
        ethernet(snap.len() as u16, snap.clone()),
        [vec![0xFF, 3, 0, 0x21], data].concat(),
        qos(0, snap),
        qos(0x80, [subframe.clone(), subframe].concat()),
    ]
}

fn udp(port: u16, payload: Vec<u8>) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    [vec![0x1B, 0x58], port.to_be_bytes().to_vec(), length.to_be_bytes().to_vec(), vec![0, 0], payload]
        .concat()
}

fn ethernet(kind: u16, payload: Vec<u8>) -> Vec<u8> {
    [vec![2; 12], kind.to_be_bytes().to_vec(), payload].concat()
}

fn ipv4(protocol: u8, payload: Vec<u8>) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut header = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    header[2..4].copy_from_slice(&length.to_be_bytes());
    [header, payload].concat()
}

fn ipv6(next: u8, payload: Vec<u8>) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0, 0, 0, next, 64];
    header[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    [header, vec![1; 16], vec![2; 16], payload].concat()
}

fn build_frames() -> Vec<Vec<u8>> {
    let mut frames = vec![
        build_registration(),
        build_advertisement(),
        build_binding_update(),
        build_nested_tunnels(),
        vec![0; 14],
    ];
    frames.extend([build_udp_tunnels(), build_fragments(), build_other_links()].concat());
    frames
}

/// Byte order, link type and resolution of a capture file.
struct Container {
    big_endian: bool,
    link_type: u32,
    /// The value of pcapng's if_tsresol; in pcap, 9 selects nanoseconds.
    resolution: u8,
}

impl Container {
    fn word(&self, value: u32) -> [u8; 4] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn half(&self, value: u16) -> [u8; 2] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn words<const N: usize>(&self, values: [u32; N]) -> Vec<u8> {
        values.into_iter().flat_map(|value| self.word(value)).collect()
    }

    fn pcap(&self, packets: &[Packet]) -> Vec<u8> {
        let magic = if self.resolution == 9 { 0xA1B2_3C4D } else { 0xA1B2_C3D4 };
        let mut file = self.word(magic).to_vec();
        file.extend([self.half(2), self.half(4)].concat());
        file.extend(self.words([0, 0, 65_535, self.link_type]));
        for packet in packets {
            let captured = packet.frame.len() as u32;
            file.extend(self.words([packet.seconds, 7, captured, captured + packet.cut]));
            file.extend(&packet.frame);
        }
        file
    }

    fn block(&self, kind: u32, mut body: Vec<u8>) -> Vec<u8> {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = self.word(body.len() as u32 + 12).to_vec();
        [self.word(kind).to_vec(), length.clone(), body, length].concat()
    }

    fn section(&self) -> Vec<u8> {
        let head = [self.word(0x1A2B_3C4D).to_vec(), self.half(1).to_vec(), self.half(0).to_vec()];
        self.block(0x0A0D_0D0A, [head.concat(), vec![0xFF; 8]].concat())
    }

    fn interface(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [self.half(self.link_type as u16), self.half(0)].concat();
        body.extend(self.word(0));
        for &(code, value) in options {
            body.extend([self.half(code), self.half(value.len() as u16)].concat());
            body.extend(value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        body.extend([0; 4]);
        self.block(1, body)
    }

    fn pcapng(&self, packets: &[Packet]) -> Vec<u8> {
        let mut file = self.section();
        file.extend(self.interface(&[(9, &[self.resolution]), (14, &[0; 8])]));
        file.extend(self.interface(&[(2, b"eth0")]));
        for (number, packet) in packets.iter().enumerate() {
            let captured = packet.frame.len() as u32;
            if packet.seconds % 8 == 7 {
                let body = [self.word(captured).to_vec(), packet.frame.clone()].concat();
                file.extend(self.block(3, body));
                continue;
            }
            let head =
                self.words([number as u32 % 2, 0, packet.seconds << 20, captured, captured + packet.cut]);
            file.extend(self.block(6, [head, packet.frame.clone()].concat()));
        }
        file
    }
}

struct Packet {
    seconds: u32,
    frame: Vec<u8>,
    /// Bytes that were not captured.
    cut: u32,
}

/// Make a capture whose container is usually valid and whose packets are not, or the other way round.
fn make_capture(mutator: &mut Mutator, target: &Target) -> Vec<u8> {
    if mutator.below(4) == 0 {
        return mutate_file(mutator, target);
    }
    let frames = build_frames();
    let mut packets: Vec<Packet> = (0..1 + mutator.below(6))
        .map(|_| {
            let mut frame = mutator.choose(&frames).clone();
            for _ in 0..mutator.below(4) {
                match mutator.below(3) {
                    0 => mutator.change_integer(&mut frame),
                    1 => mutator.change_bytes(&mut frame),
                    _ => {
                        // the end of one frame behind the beginning of another
                        let (other, at) = (mutator.choose(&frames).clone(), mutator.below(frame.len() + 1));
                        frame.truncate(at);
                        frame.extend(&other[mutator.below(other.len())..]);
                    }
                }
            }
            let cut = if mutator.below(4) == 0 { mutator.below(200) as u32 } else { 0 };
            Packet { seconds: mutator.below(40) as u32, frame, cut }
        })
        .collect();
    packets.iter_mut().for_each(|packet| packet.frame.truncate(2000));
    let container = Container {
        big_endian: mutator.below(2) == 0,
        link_type: *mutator
            .choose(&[1, 1, 1, 1, 0, 9, 12, 50, 51, 101, 101, 108, 113, 127, 127, 147, 228, 229, 276]),
        resolution: *mutator.choose(&[6, 9, 0, 3, 12, 18, 0x80, 0x8A, 0x9E, 0xBF]),
    };
    let mut file = if mutator.below(2) == 0 { container.pcap(&packets) } else { container.pcapng(&packets) };
    for _ in 0..[0, 0, 0, 1, 2][mutator.below(5)] {
        mutator.change_integer(&mut file);
    }
    if mutator.below(8) == 0 {
        mutator.change_bytes(&mut file);
    }
    mutator.maybe_compress(file)
}

/// Return all frames as a valid pcap and a valid pcapng file.
fn make_valid_files(big_endian: bool) -> [Vec<u8>; 2] {
    let packet = |(second, frame): (usize, Vec<u8>)| Packet { seconds: second as u32, frame, cut: 0 };
    let packets: Vec<Packet> = build_frames().into_iter().enumerate().map(packet).collect();
    let container = Container { big_endian, link_type: 1, resolution: 9 };
    [container.pcap(&packets), container.pcapng(&packets)]
}

const WORDS: &[&[u8]] = &[
    b"\xD4\xC3\xB2\xA1",
    b"\x4D\x3C\xB2\xA1",
    b"\x0A\x0D\x0D\x0A",
    b"\x1A\x2B\x3C\x4D",
    b"\xFF\xFF\xFF\xFF",
    b"\x00\x00\x00\x00",
    b"\x7F\xFF\xFF\xFF",
    b"\x80\x00\x00\x00",
    b"\x00\x04\x00\x00",
    b"\x88\x47",
    b"\x86\xDD",
    b"\x81\x00",
    b"\x01\xB2",
    b"\x45\x00",
    b"\x60\x00",
    b"\x04",
    b"\x29",
    b"\x2F",
    b"\x37",
    b"\x3C",
    b"\x87",
    b"\x08\x68",
    b"\x12\xB5",
    b"\x17\xC1",
    b"\x0D\xD8",
    b"\xAA\xAA\x03\x00\x00\x00",
    b"\x20\x00",
    b"\xC9\x10",
    b"\x10\xFF",
];

fn read_with<S: Sink>(
    layer: TunnelLayer,
    policy: OnBadRecord,
    make_sink: impl Fn() -> S,
    file: &[u8],
) -> (Result<()>, CaptureState<S>) {
    let mut known = FragmentTable::default();
    loop {
        let mut state = CaptureState::new(layer, make_sink());
        state.tables.left_out.policy = policy;
        state.tables.fragments = known;
        let result = capture::read(file, file.len() as u64, &mut state, &|| false);
        match state.tables.fragments.take_early() {
            Some(early) if result.is_ok() => known = FragmentTable::with_known(early),
            _ => return (result, state),
        }
    }
}

/// Read a file with two consumers of packets and compare their results; then with other treatments of bad records.
fn read(file: &[u8]) -> bool {
    let refuse = OnBadRecord::Refuse;
    let (result, columns) = read_with(TunnelLayer::Inner, refuse, Columns::default, file);
    let (outer_result, outer) = read_with(TunnelLayer::Outer, refuse, || Signalling::new(100), file);
    assert_eq!(result.is_ok(), outer_result.is_ok());
    assert_eq!(columns.counts.packets, outer.counts.packets);
    assert_eq!(columns.sink.flow.len() as u64, columns.counts.packets);
    let packets = |table: &FlowTable| table.rows().map(|(_, counts)| counts.packets).sum::<u64>();
    assert_eq!(packets(&columns.flows), packets(&outer.flows));
    assert!(columns.tables.tunnels.rows().eq(outer.tables.tunnels.rows()));
    assert_eq!(columns.interfaces.iter().map(|i| i.packets).sum::<u64>(), columns.counts.packets);
    assert!(outer.sink.messages.len() as u64 <= outer.sink.counts.iter().sum());
    if let Err(error) = &result {
        assert!(error.count == 1 && !error.problems[0].expected.is_empty());
    }
    check_policies(file, &result, &columns);
    result.is_ok()
}

/// Check that what is left out is what was refused: nothing of a file that can be read whole, and nothing before the first bad
/// record of another.
fn check_policies(file: &[u8], result: &Result<()>, refused: &CaptureState<Columns>) {
    let (skip_result, skipped) = read_with(TunnelLayer::Inner, OnBadRecord::Skip, Columns::default, file);
    let (first_result, first) = read_with(TunnelLayer::Inner, OnBadRecord::KeepFirst, Columns::default, file);
    assert!(skip_result.is_ok() || first_result.is_err());
    if result.is_ok() {
        assert!(skip_result.is_ok() && skipped.tables.left_out.skipped.iter().next().is_none());
        assert_eq!(skipped.counts, refused.counts);
        assert_eq!(first.counts, refused.counts);
    } else if first_result.is_ok() {
        assert_eq!(first.counts.packets, refused.counts.packets);
        // none if the file has a link type that is not supported, and no packets
        assert!(first.tables.left_out.skipped.iter().map(|row| row.1).sum::<u64>() <= 1);
        assert!(skipped.counts.packets >= first.counts.packets);
    }
}

/// Compile a file and check that the columns on disk are the sorted columns in memory.
fn compile(file: &[u8]) -> bool {
    // a file system in memory if there is one, for speed
    let parent = Some(PathBuf::from("/dev/shm")).filter(|path| path.is_dir()).unwrap_or(std::env::temp_dir());
    let folder = parent.join(format!("handoff-mutations-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for columns");
    let refuse = OnBadRecord::Refuse;
    let make_compiler = || {
        let _ = std::fs::remove_file(folder.join("runs"));
        Compiler::new(&folder, 0)
    };
    let (result, mut compiled) = read_with(TunnelLayer::Inner, refuse, make_compiler, file);
    let (_, columns) = read_with(TunnelLayer::Inner, refuse, Columns::default, file);
    if result.is_ok() {
        let compiler = std::mem::replace(&mut compiled.sink, Compiler::new(&folder, 0));
        let index = compiler.finish(compiled.flows.len()).expect("columns that can be written");
        let mut rows: Vec<(u32, u8, i64, u32)> = (0..columns.sink.flow.len())
            .map(|i| {
                let Columns { flow, direction, time_ns, ip_length, .. } = &columns.sink;
                (flow[i], direction[i], time_ns[i], ip_length[i])
            })
            .filter(|&(flow, _, time_ns, _)| flow != NO_FLOW && time_ns != NO_TIME)
            .collect();
        rows.sort_by_key(|&(flow, direction, time_ns, _)| (flow, direction, time_ns));
        let column = |name: &str| std::fs::read(folder.join(name)).expect("a column")[128..].to_vec();
        assert_eq!(
            column("time_ns.npy"),
            rows.iter().flat_map(|row| row.2.to_le_bytes()).collect::<Vec<u8>>()
        );
        assert_eq!(
            column("ip_length.npy"),
            rows.iter().flat_map(|row| row.3.to_le_bytes()).collect::<Vec<u8>>()
        );
        assert_eq!(column("direction.npy"), rows.iter().map(|row| row.1).collect::<Vec<u8>>());
        assert_eq!(index.count.iter().sum::<u64>(), rows.len() as u64);
    }
    std::fs::remove_dir_all(&folder).expect("a folder that can be removed");
    result.is_ok()
}

pub fn targets() -> Vec<Target> {
    let mut files = [make_valid_files(false), make_valid_files(true)].concat();
    files.push(gzip(&files[0]));
    files.push(zstd::encode_all(&files[1][..], 1).expect("a file that can be compressed"));
    vec![
        Target { name: "captures", files: files.clone(), words: WORDS, one_in: 1, make: make_capture, read },
        Target {
            name: "compiled captures",
            files,
            words: WORDS,
            one_in: 10,
            make: make_capture,
            read: compile,
        },
    ]
}
