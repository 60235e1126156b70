//! Captures: pcap and pcapng with tunnels, Mobile IP messages and options, plain and compressed.

use crate::mutator::gzip;
use crate::Target;
use _native::capture::columns::Columns;
use _native::capture::signalling::Signalling;
use _native::capture::{self, Reading, Tunnels};

/// Ethernet, IPv4, UDP to port 434, a registration request.
fn registration() -> Vec<u8> {
    let mut body = vec![1, 0, 0, 60, 10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8];
    body.extend([32, 20, 0, 0, 1, 0]);
    body.extend([7; 16]);
    ethernet(0x0800, ipv4(17, [vec![0x01, 0xB2, 0x01, 0xB2, 0, 54, 0, 0], body].concat()))
}

/// Router discovery with the mobility agent extension.
fn advertisement() -> Vec<u8> {
    let mut body = vec![9, 0, 0, 0, 1, 2, 0, 45, 10, 0, 0, 2, 0, 0, 0, 1];
    body.extend([16, 10, 0, 4, 0, 30, 0xB0, 0, 10, 0, 0, 3]);
    ethernet(0x8100, [vec![0, 7, 8, 0], ipv4(1, body)].concat())
}

/// MPLS, IPv6 with a home address option, a binding update with an alternate care-of address.
fn update() -> Vec<u8> {
    let home = [vec![135, 2, 1, 4, 0, 0, 0, 0, 0xC9, 16], vec![9; 14]].concat();
    let update = [vec![59, 3, 5, 0, 0, 0, 0, 5, 0xC0, 0, 0, 150, 1, 0, 3, 16], vec![8; 16]].concat();
    ethernet(0x8847, [vec![0, 1, 1, 64], ipv6(60, [home, update].concat())].concat())
}

/// IP in IP, GRE with a key, minimal encapsulation, an echo.
fn tunnels() -> Vec<u8> {
    let echo = ipv4(1, vec![8, 0, 0, 0, 0, 9, 0, 12, 1, 2]);
    let minimal = ipv4(55, [vec![1, 0x80, 0, 0, 10, 0, 0, 9, 10, 0, 0, 8], echo[20..].to_vec()].concat());
    ethernet(0x0800, ipv4(4, ipv4(47, [vec![0x20, 0, 8, 0, 0, 0, 0, 1], minimal].concat())))
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

fn frames() -> Vec<Vec<u8>> {
    vec![registration(), advertisement(), update(), tunnels(), vec![0; 14]]
}

fn pcap() -> Vec<u8> {
    let mut file =
        vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0];
    for (second, frame) in frames().iter().enumerate() {
        let length = frame.len() as u32;
        for word in [second as u32, 7, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

fn block(kind: u32, mut body: Vec<u8>) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (body.len() as u32 + 12).to_be_bytes();
    [kind.to_be_bytes().to_vec(), length.to_vec(), body, length.to_vec()].concat()
}

fn pcapng() -> Vec<u8> {
    let mut section = vec![0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0];
    section.extend([0xFF; 8]);
    let mut file = block(0x0A0D_0D0A, section);
    file.extend(block(1, vec![0, 1, 0, 0, 0, 0, 1, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]));
    file.extend(block(1, vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4, b'e', b't', b'h', b'0']));
    for (i, frame) in frames().iter().enumerate() {
        let length = (frame.len() as u32).to_be_bytes();
        let head =
            [vec![0, 0, 0, i as u8 % 2, 0, 0, 0, 1, 0, 0, 0, 9], length.to_vec(), length.to_vec()].concat();
        file.extend(block(6, [head, frame.clone()].concat()));
    }
    file.extend(block(3, [14u32.to_be_bytes().to_vec(), vec![0; 14]].concat()));
    file
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
    b"\xC9\x10",
    b"\x10\xFF",
];

fn read(file: &[u8]) -> bool {
    let mut columns = Reading::new(Tunnels::Inner, Columns::default());
    let read = capture::read(file, file.len() as u64, &mut columns, &|| false);
    let mut outer = Reading::new(Tunnels::Outer, Signalling::new(100));
    let again = capture::read(file, file.len() as u64, &mut outer, &|| false);
    assert_eq!(read.is_ok(), again.is_ok());
    assert_eq!(columns.counts.packets, outer.counts.packets);
    assert_eq!(columns.sink.flow.len() as u64, columns.counts.packets);
    assert_eq!(columns.flows.packets.iter().sum::<u64>(), outer.flows.packets.iter().sum::<u64>());
    if let Err(fault) = &read {
        assert!(fault.count == 1 && !fault.problems[0].right.is_empty());
    }
    read.is_ok()
}

pub fn targets() -> Vec<Target> {
    let mut files = vec![pcap(), pcapng()];
    files.push(gzip(&files[0]));
    files.push(zstd::encode_all(&files[1][..], 1).expect("a file that can be compressed"));
    vec![Target { name: "captures", files, words: WORDS, read }]
}
