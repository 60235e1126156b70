//! The internet checksum (RFC 1071) and the pseudo-headers that it covers.

/// A running sum of 16-bit words.
#[derive(Clone, Copy, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// Add bytes that begin at an even offset; an odd last byte is the high half of a word.
    #[inline(always)]
    pub fn add(mut self, bytes: &[u8]) -> Checksum {
        let mut words = bytes.chunks_exact(2);
        for word in &mut words {
            self.0 += u64::from(u16::from_be_bytes([word[0], word[1]]));
        }
        if let [last] = words.remainder() {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    #[inline(always)]
    pub fn add_u32(mut self, value: u32) -> Checksum {
        self.0 += u64::from(value >> 16) + u64::from(value & 0xFFFF);
        self
    }

    /// Fold the sum to 16 bits and return its complement.
    #[inline(always)]
    pub fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xFFFF {
            sum = (sum >> 16) + (sum & 0xFFFF);
        }
        !(sum as u16)
    }
}

/// Sum the pseudo-header of an upper-layer packet of `length` bytes (RFC 768, RFC 8200 8.1).
///
/// The addresses are those of the endpoints: the home address in place of a care-of address where a home address option or a
/// type 2 routing header carries it.
#[inline(always)]
pub fn pseudo_header(source: &[u8], destination: &[u8], protocol: u8, length: u32) -> Checksum {
    Checksum::default().add(source).add(destination).add_u32(u32::from(protocol)).add_u32(length)
}
