//! A cursor over a payload: lengths, and bytes that must be there.

/// The first byte of a length of four bytes.
pub(super) const LENGTH_32: u8 = 0x80;
/// The first byte of a length of eight bytes.
pub(super) const LENGTH_64: u8 = 0x81;

/// What the first byte announces.
pub(super) enum Head {
    /// So many bytes or elements.
    Length(usize),
    /// Something else, which the byte names.
    Encoding(u8),
}

/// Bytes that are still to be read.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn head(&mut self) -> Option<Head> {
        let [first] = self.array()?;
        let length = match first {
            0xC0.. => return Some(Head::Encoding(first)),
            LENGTH_32 => u32::from_be_bytes(self.array()?).into(),
            LENGTH_64 => u64::from_be_bytes(self.array()?),
            0x82..0xC0 => return None,
            0x40..0x80 => {
                let [low] = self.array()?;
                u16::from_be_bytes([first & 0x3F, low]).into()
            }
            0..0x40 => first.into(),
        };
        usize::try_from(length).ok().map(Head::Length)
    }

    pub(super) fn length(&mut self) -> Option<usize> {
        match self.head()? {
            Head::Length(length) => Some(length),
            Head::Encoding(_) => None,
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}
