//! Deadlines, and how they are written into four bytes.
//!
//! Nearly all deadlines lie within some weeks of now, so an entry stores the distance from an **epoch** in milliseconds,
//! which fits four bytes for 49 days. There are two epochs, used in turn: when the present one is 24 days old, the other
//! is set to now, which is allowed only while no entry counts from it any more. Whatever lies further ahead, or finds no
//! epoch, takes eight bytes.

/// The moment after which a key is gone, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deadline(u64);

impl Deadline {
    /// The deadline of a key that stays.
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// A deadline at `unix_ms`.
    pub fn at(unix_ms: u64) -> Self {
        Deadline(unix_ms.min(u64::MAX - 1))
    }

    /// The moment in milliseconds since 1970, if there is one.
    #[inline]
    pub fn unix_ms(self) -> Option<u64> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// Whether the moment has passed. As in Redis, a key still lives in the millisecond of its deadline.
    #[inline]
    pub fn is_due(self, now_ms: u64) -> bool {
        self.0 < now_ms
    }
}

/// How a deadline is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Form {
    /// There is none.
    #[default]
    None,
    /// Four bytes, from one of the two epochs.
    Near(u8),
    /// Eight bytes.
    Far,
}

impl Form {
    /// The form with these two bits.
    #[inline]
    pub(super) fn of_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Form::None,
            1 => Form::Near(0),
            2 => Form::Near(1),
            _ => Form::Far,
        }
    }

    #[inline]
    pub(super) fn bits(self) -> u8 {
        match self {
            Form::None => 0,
            Form::Near(epoch) => 1 + epoch,
            Form::Far => 3,
        }
    }

    /// Bytes that a deadline takes.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        match self {
            Form::None => 0,
            Form::Near(_) => 4,
            Form::Far => 8,
        }
    }
}

/// The moments from which near deadlines count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Epochs {
    /// Milliseconds since 1970.
    starts: [u64; 2],
    /// Entries that count from each.
    entries: [usize; 2],
    present: u8,
}

/// Age at which an epoch is followed by the next, in milliseconds.
const EPOCH_MS: u64 = 1 << 31;

impl Epochs {
    /// The form for a deadline that is written at `now_ms`.
    #[inline]
    pub(super) fn form(&mut self, deadline: Deadline, now_ms: u64) -> Form {
        let Some(unix_ms) = deadline.unix_ms() else { return Form::None };
        let mut present = usize::from(self.present);
        if now_ms.saturating_sub(self.starts[present]) > EPOCH_MS && self.entries[1 - present] == 0 {
            present = 1 - present;
            self.present = present as u8;
            self.starts[present] = now_ms;
        }
        match unix_ms.checked_sub(self.starts[present]) {
            Some(distance) if distance <= u64::from(u32::MAX) => Form::Near(self.present),
            _ => Form::Far,
        }
    }

    /// Writes a deadline in a form that [`Epochs::form`] chose.
    #[inline]
    pub(super) fn write(&self, deadline: Deadline, form: Form, bytes: &mut [u8]) {
        match form {
            Form::None => {}
            Form::Near(epoch) => {
                let distance = deadline.0.saturating_sub(self.starts[usize::from(epoch)]) as u32;
                bytes[..4].copy_from_slice(&distance.to_le_bytes());
            }
            Form::Far => bytes[..8].copy_from_slice(&deadline.0.to_le_bytes()),
        }
    }

    /// Reads a deadline that stands at the beginning of `bytes`.
    #[inline]
    pub(super) fn read(&self, form: Form, bytes: &[u8]) -> Deadline {
        match form {
            Form::None => Deadline::NEVER,
            Form::Near(epoch) => {
                let distance = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
                Deadline(self.starts[usize::from(epoch)] + u64::from(distance))
            }
            Form::Far => Deadline(bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))),
        }
    }

    /// Takes note of an entry that was written.
    #[inline]
    pub(super) fn wrote(&mut self, form: Form) {
        if let Form::Near(epoch) = form {
            self.entries[usize::from(epoch)] += 1;
        }
    }

    /// Takes note of an entry that went, or was written anew.
    #[inline]
    pub(super) fn dropped(&mut self, form: Form) {
        if let Form::Near(epoch) = form {
            self.entries[usize::from(epoch)] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3600 * 1000;

    fn round_trip(epochs: &mut Epochs, deadline: Deadline, now_ms: u64) -> Form {
        let form = epochs.form(deadline, now_ms);
        let mut bytes = [0; 8];
        epochs.write(deadline, form, &mut bytes);
        assert_eq!(epochs.read(form, &bytes), deadline);
        epochs.wrote(form);
        form
    }

    #[test]
    fn deadlines_come_back_whole() {
        let mut epochs = Epochs::default();
        let start = 1_700_000_000_000;
        for ms in [0, 1, DAY_MS, 40 * DAY_MS] {
            assert_eq!(round_trip(&mut epochs, Deadline::at(start + ms), start), Form::Near(1));
        }
        assert_eq!(round_trip(&mut epochs, Deadline::at(start + 50 * DAY_MS), start), Form::Far);
        assert_eq!(round_trip(&mut epochs, Deadline::at(start - 1), start), Form::Far);
        assert_eq!(round_trip(&mut epochs, Deadline::at(u64::MAX), start), Form::Far);
        assert_eq!(round_trip(&mut epochs, Deadline::NEVER, start), Form::None);
    }

    #[test]
    fn an_epoch_moves_only_when_nothing_counts_from_it() {
        let mut epochs = Epochs::default();
        let mut now_ms = 1_700_000_000_000;
        let first = round_trip(&mut epochs, Deadline::at(now_ms + 1), now_ms);
        now_ms += 25 * DAY_MS;
        let second = round_trip(&mut epochs, Deadline::at(now_ms + 1), now_ms);
        assert!(first != second && second != Form::Far);
        now_ms += 25 * DAY_MS;
        assert_eq!(round_trip(&mut epochs, Deadline::at(now_ms + 1), now_ms), second, "the first is still in use");
        now_ms += 25 * DAY_MS;
        assert_eq!(
            round_trip(&mut epochs, Deadline::at(now_ms + 1), now_ms),
            Form::Far,
            "so is the second, which is too old"
        );
        epochs.dropped(first);
        assert_eq!(round_trip(&mut epochs, Deadline::at(now_ms + 1), now_ms), first);
    }
}
