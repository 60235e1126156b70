//! The internet checksum (RFC 1071) and the pseudo-headers that it covers.

/// A sum of 16-bit words that is still to be folded.
#[derive(Clone, Copy, Default)]
pub struct Sum(u64);

impl Sum {
    /// Add bytes from an even place on; an odd last byte is the high half of a word.
    #[inline(always)]
    pub fn bytes(mut self, bytes: &[u8]) -> Sum {
        let mut words = bytes.chunks_exact(2);
        for word in &mut words {
            self.0 += u64::from(u16::from_be_bytes([word[0], word[1]]));
        }
        if let [last] = words.remainder() {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    /// Add a number of at most 32 bits.
    #[inline(always)]
    pub fn number(mut self, value: u32) -> Sum {
        self.0 += u64::from(value >> 16) + u64::from(value & 0xFFFF);
        self
    }

    /// The checksum.
    #[inline(always)]
    pub fn done(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xFFFF {
            sum = (sum >> 16) + (sum & 0xFFFF);
        }
        !(sum as u16)
    }
}

/// The pseudo-header of an upper-layer packet of `length` bytes (RFC 768, RFC 8200 8.1); the addresses are those of the
/// ends, so the home address where there is a home address option or a type 2 routing header.
#[inline(always)]
pub fn pseudo_header(source: &[u8], destination: &[u8], protocol: u8, length: u32) -> Sum {
    Sum::default().bytes(source).bytes(destination).number(u32::from(protocol)).number(length)
}
