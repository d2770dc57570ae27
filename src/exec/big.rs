//! Whole numbers of any size, with the few operations that [`extended`](super::extended) rounds by.
//!
//! Limbs of 64 bits, the lowest first. Invariant: the highest limb is not zero, so that zero has none.

use std::cmp::Ordering;

/// The largest power of ten that fits a limb, and its exponent.
const DECIMAL_LIMB: u64 = 10_u64.pow(DECIMAL_LIMB_DIGITS as u32);
const DECIMAL_LIMB_DIGITS: usize = 19;
/// Bits of the quotients that are asked for: a mantissa and one more.
const QUOTIENT_BITS: u32 = 65;

/// A whole number that is not negative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Big(Vec<u64>);

impl From<u64> for Big {
    fn from(value: u64) -> Self {
        Big(if value == 0 { Vec::new() } else { vec![value] })
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl Big {
    /// The number whose digits are those of `first` followed by `digits`, each below `radix` (at least 2).
    pub(super) fn from_digits(digits: impl Iterator<Item = u32>, radix: u64, first: u64) -> Self {
        let mut number = Big::from(first);
        // As many digits as fit a limb are put together before the whole number is multiplied.
        let (mut chunk, mut factor) = (0_u64, 1_u64);
        for digit in digits {
            if factor > u64::MAX / radix {
                number.multiply_add(factor, chunk);
                (chunk, factor) = (0, 1);
            }
            chunk = chunk * radix + u64::from(digit);
            factor *= radix;
        }
        number.multiply_add(factor, chunk);
        number
    }

    fn multiply_add(&mut self, factor: u64, addend: u64) {
        let mut carry = addend;
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            (*limb, carry) = (product as u64, (product >> 64) as u64);
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Bits from the highest that is set on.
    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |highest| 64 * self.0.len() - highest.leading_zeros() as usize)
    }

    /// The number times two to the power of `shift`.
    pub(super) fn shifted(mut self, shift: u32) -> Self {
        if self.0.is_empty() {
            return self;
        }
        if !shift.is_multiple_of(64) {
            self.multiply_add(1 << (shift % 64), 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, (shift / 64) as usize));
        self
    }

    /// Doubles the number.
    pub(super) fn double(&mut self) {
        let mut carry = 0;
        for limb in &mut self.0 {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// The sum.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        let mut carry = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            (*limb, carry) = limb.carrying_add(other.0.get(at).copied().unwrap_or(0), carry);
        }
        if carry {
            self.0.push(1);
        }
        self
    }

    /// The difference to a number that is not larger.
    pub(super) fn minus(mut self, other: &Self) -> Self {
        let mut borrow = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            (*limb, borrow) = limb.borrowing_sub(other.0.get(at).copied().unwrap_or(0), borrow);
        }
        debug_assert!(!borrow, "the larger number is subtracted from");
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    /// Quotient and rest by a number that is not zero. The quotient must be below 2^[`QUOTIENT_BITS`].
    pub(super) fn divided(mut self, divisor: &Self) -> (u128, Self) {
        debug_assert!(self.bits() <= divisor.bits() + QUOTIENT_BITS as usize, "the quotient is short");
        let mut quotient: u128 = 0;
        if let [divisor] = *divisor.0 {
            let mut rest = 0;
            for &limb in self.0.iter().rev() {
                let value = u128::from(rest) << 64 | u128::from(limb);
                quotient = (quotient << 64) | (value / u128::from(divisor));
                rest = (value % u128::from(divisor)) as u64;
            }
            return (quotient, Big::from(rest));
        }
        // Rare, and short enough for one binary digit at a time.
        let mut part = divisor.clone().shifted(QUOTIENT_BITS);
        for _ in 0..=QUOTIENT_BITS {
            quotient <<= 1;
            if self >= part {
                self = self.minus(&part);
                quotient |= 1;
            }
            part.halve();
        }
        (quotient, self)
    }

    /// Halves the number, rounding down.
    fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.0.iter_mut().rev() {
            (*limb, carry) = (*limb >> 1 | carry, *limb << 63);
        }
        if self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// The decimal digits.
    pub(super) fn decimal(mut self) -> String {
        let mut limbs = Vec::new();
        while !self.0.is_empty() {
            let mut rest = 0;
            for limb in self.0.iter_mut().rev() {
                let value = u128::from(rest) << 64 | u128::from(*limb);
                // Fits a limb, because the rest is less than the divisor.
                (*limb, rest) = ((value / u128::from(DECIMAL_LIMB)) as u64, (value % u128::from(DECIMAL_LIMB)) as u64);
            }
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
            limbs.push(rest);
        }
        let mut text = limbs.pop().unwrap_or(0).to_string();
        for limb in limbs.iter().rev() {
            text.push_str(&format!("{limb:0DECIMAL_LIMB_DIGITS$}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn big(value: u128) -> Big {
        Big::from((value >> 64) as u64).shifted(64).plus(&Big::from(value as u64))
    }

    proptest! {
        #[test]
        fn small_numbers_are_those_of_the_machine(first in 0..u128::MAX / 2, second in 0..u128::MAX / 2, shift in 0..128_u32) {
            let (first, second) = (first >> shift, second >> (shift / 2));
            let (large, small) = (first.max(second), first.min(second));
            prop_assert_eq!(big(first).cmp(&big(second)), first.cmp(&second));
            prop_assert_eq!(big(first).plus(&big(second)), big(first + second));
            prop_assert_eq!(big(large).minus(&big(small)), big(large - small));
            prop_assert_eq!(big(first).bits() as u32, 128 - first.leading_zeros());
            prop_assert_eq!(big(first).decimal(), first.to_string());
            let digits = first.to_string();
            prop_assert_eq!(Big::from_digits(digits.bytes().map(|byte| u32::from(byte - b'0')), 10, 0), big(first));
            let mut doubled = big(first);
            doubled.double();
            prop_assert_eq!(doubled, big(first * 2));
            if small > 0 && large / small < 1 << QUOTIENT_BITS {
                prop_assert_eq!(big(large).divided(&big(small)), (large / small, big(large % small)));
            }
        }

        /// A quotient and a rest below the divisor give the dividend back, whatever their lengths.
        #[test]
        fn division_undoes_multiplication(divisor in proptest::collection::vec(any::<u64>(), 1..6), quotient: u64) {
            let mut divisor = Big(divisor);
            divisor = divisor.minus(&Big::from(0)).plus(&Big::from(2));
            let rest = divisor.clone().minus(&Big::from(1));
            let mut dividend = divisor.clone();
            dividend.multiply_add(quotient, 0);
            let dividend = dividend.minus(&Big::from(0)).plus(&rest);
            prop_assert_eq!(dividend.divided(&divisor), (u128::from(quotient), rest));
        }
    }
}
