//! What a submission carries through the kernel and its completion brings back.
//!
//! ```text
//!   bit 63            32 31   28 27                    0
//!      +----------------+-------+-----------------------+
//!      |   generation   | kind  |         index         |
//!      +----------------+-------+-----------------------+
//! ```
//!
//! The index is a place in the table that the kind says (connections, listeners, cores). The generation tells a late
//! completion from one for the place's next tenant.

/// Which operation a completion answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Multishot accept of a listener.
    Accept = 0,
    /// Multishot receive of a connection.
    Receive = 1,
    /// Send of a connection; answered only if it was short or failed.
    Send = 2,
    /// Wait until a connection takes bytes again.
    Writable = 3,
    /// Cancellation of one of the above; answered only if it failed, and then the target's own completion says more.
    Cancel = 4,
    /// Close of a descriptor; answered only if it failed.
    Close = 5,
    /// Our message to another core; answered only if it failed.
    Ring = 6,
    /// Another core's message to us.
    Bell = 7,
}

impl Kind {
    const ALL: [Kind; 8] =
        [Kind::Accept, Kind::Receive, Kind::Send, Kind::Writable, Kind::Cancel, Kind::Close, Kind::Ring, Kind::Bell];
}

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token(pub u64);

const INDEX_BITS: u32 = 28;
const KIND_BITS: u32 = 4;

const _: () = assert!(crate::limits::CONNECTIONS_MAX == 1 << INDEX_BITS);
const _: () = assert!(Kind::ALL.len() <= 1 << KIND_BITS);

impl Token {
    /// Packs the three parts; the index is below `CONNECTIONS_MAX`.
    #[inline]
    pub fn new(kind: Kind, index: u32, generation: u32) -> Self {
        debug_assert!(index >> INDEX_BITS == 0);
        Self(u64::from(generation) << 32 | u64::from(kind as u8) << INDEX_BITS | u64::from(index))
    }

    /// The operation, or `None` for a token that is not ours.
    #[inline]
    pub fn kind(self) -> Option<Kind> {
        Kind::ALL.get((self.0 as u32 >> INDEX_BITS) as usize).copied()
    }

    /// The place in the kind's table.
    #[inline]
    pub fn index(self) -> u32 {
        self.0 as u32 & ((1 << INDEX_BITS) - 1)
    }

    /// The tenant of the place.
    #[inline]
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back() {
        for kind in Kind::ALL {
            for (index, generation) in [(0, 0), ((1 << INDEX_BITS) - 1, u32::MAX), (12345, 7)] {
                let token = Token::new(kind, index, generation);
                assert_eq!((token.kind(), token.index(), token.generation()), (Some(kind), index, generation));
            }
        }
        assert_eq!(Token(u64::MAX).kind(), None);
    }
}
