//! Whole numbers in order, each as wide as the widest needs: two, four or eight bytes, little-endian. The first byte of a
//! run that is not empty is the width.

/// Numbers where they lie.
#[derive(Clone, Copy, Debug)]
pub struct Integers<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Integers<'a> {
    /// The numbers in these bytes, which [`insert`] and [`remove`] have written.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, width: bytes.first().map_or(2, |width| usize::from(*width)) }
    }

    /// All bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Numbers.
    #[inline]
    pub fn len(self) -> usize {
        self.bytes.len().saturating_sub(1) / self.width
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The number at `index` in the order, from 0.
    #[inline]
    pub fn get(self, index: usize) -> i64 {
        let bytes = &self.bytes[1 + index * self.width..][..self.width];
        let sign = if bytes[self.width - 1] & 0x80 == 0 { 0 } else { u8::MAX };
        let mut wide = [sign; 8];
        wide[..self.width].copy_from_slice(bytes);
        i64::from_le_bytes(wide)
    }

    /// Where a number is, or where it would be.
    pub fn find(self, number: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(&number) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Bytes that the numbers take with one more.
    pub fn bytes_with(self, number: i64) -> usize {
        let width = if self.is_empty() { width_of(number) } else { self.width.max(width_of(number)) };
        1 + (self.len() + 1) * width
    }

    /// Length of the longest of the numbers as text.
    pub fn digits_max(self) -> usize {
        let digits = |at: usize| itoa::Buffer::new().format(self.get(at)).len();
        match self.len() {
            0 => 0,
            len => digits(0).max(digits(len - 1)),
        }
    }

    /// The numbers in order.
    pub fn iter(self) -> impl Iterator<Item = i64> + 'a {
        (0..self.len()).map(move |index| self.get(index))
    }
}

fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

/// Inserts a number at its place, as [`Integers::find`] names it.
pub(super) fn insert(bytes: &mut Vec<u8>, at: usize, number: i64) {
    let (numbers, needed) = (Integers::new(bytes), width_of(number));
    if bytes.is_empty() {
        bytes.push(needed as u8);
    } else if needed > numbers.width {
        let mut wider = Vec::with_capacity(1 + (numbers.len() + 1) * needed);
        wider.push(needed as u8);
        numbers.iter().for_each(|number| wider.extend_from_slice(&number.to_le_bytes()[..needed]));
        *bytes = wider;
    }
    let width = usize::from(bytes[0]);
    let (start, end) = (1 + at * width, bytes.len());
    bytes.resize(end + width, 0);
    bytes.copy_within(start..end, start + width);
    bytes[start..start + width].copy_from_slice(&number.to_le_bytes()[..width]);
}

/// Removes the number at `at` in the order.
pub(super) fn remove(bytes: &mut Vec<u8>, at: usize) {
    let width = Integers::new(bytes).width;
    bytes.drain(1 + at * width..1 + (at + 1) * width);
    if bytes.len() == 1 {
        bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_of_all_widths_stay_in_order() {
        let (mut rng, mut bytes, mut model) = (fastrand::Rng::with_seed(1), Vec::new(), BTreeSet::new());
        for step in 0..3000 {
            let number = rng.i64(..) >> rng.u32(40..64).saturating_sub(step / 50);
            match (Integers::new(&bytes).find(number), rng.u8(..) < 160) {
                (Ok(at), false) => {
                    remove(&mut bytes, at);
                    model.remove(&number);
                }
                (Err(at), true) => {
                    insert(&mut bytes, at, number);
                    model.insert(number);
                }
                (found, _) => assert_eq!(found.is_ok(), model.contains(&number)),
            }
            assert!(Integers::new(&bytes).iter().eq(model.iter().copied()));
        }
        assert!(model.len() > 100);
        for number in model {
            let at = Integers::new(&bytes).find(number).expect("it is there");
            remove(&mut bytes, at);
        }
        assert!(bytes.is_empty(), "an empty set takes no bytes");
    }
}
