//! Bounds-checked reads of integers in either byte order.

/// The byte order of a file or of a section of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline(always)]
    pub fn read_u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self == ByteOrder::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    #[inline(always)]
    pub fn read_u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self == ByteOrder::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    pub fn read_u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let raw: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self == ByteOrder::Little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) })
    }
}

/// Read 16 bits in network byte order.
#[inline(always)]
pub fn read_net_u16(bytes: &[u8], at: usize) -> Option<u16> {
    ByteOrder::Big.read_u16(bytes, at)
}

/// Read 64 bits in network byte order.
pub fn read_net_u64(bytes: &[u8], at: usize) -> Option<u64> {
    ByteOrder::Big.read_u64(bytes, at)
}
