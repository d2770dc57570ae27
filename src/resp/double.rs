//! Floating-point numbers as text, laid out as Redis 7.2 lays them out ([`DoubleText::new`]; where it still does what 7.0
//! did, [`DoubleText::exact`]).
//!
//! The digits are the fewest that read back as the same number. Whole numbers up to 2^52 are written as integers;
//! beyond that, trailing zeros are written out while there are at most seven of them, a fraction is written plainly
//! while it is short or close to one, and everything else gets an exponent: `1e+21`, `1.5e-7`, `0.000123`.
//! (Redis 7.0 wrote seventeen digits: `0.10000000000000001` where this writes `0.1`.)

use std::io::Write;

/// Whole numbers up to here are written as integers: below 2^52 every one of them is a double.
const INTEGER_MAX: f64 = (1_u64 << 52) as f64;

/// The longest text: sign, seventeen digits, point, and an exponent of five characters; or as many zeros as digits.
const TEXT_BYTES_MAX: usize = 32;

/// Digits that tell every number from every other.
const EXACT_DIGITS: usize = 17;

/// A number as text on the stack.
pub struct DoubleText {
    bytes: [u8; TEXT_BYTES_MAX],
    len: usize,
}

impl DoubleText {
    /// The text of `value`.
    pub fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_BYTES_MAX], len: 0 };
        if value.is_nan() {
            text.push(b"nan");
            return text;
        }
        if value.is_sign_negative() {
            text.push(b"-");
        }
        let magnitude = value.abs();
        if magnitude.is_infinite() {
            text.push(b"inf");
        } else if magnitude <= INTEGER_MAX && magnitude.fract() == 0.0 {
            text.push(itoa::Buffer::new().format(magnitude as u64).as_bytes());
        } else {
            text.push_shortest(magnitude);
        }
        text
    }

    /// The text of `value` with seventeen digits, less the zeros at their end: as ZSCAN writes the scores of large sorted
    /// sets, and as Redis wrote all up to 7.0.
    pub fn exact(value: f64) -> Self {
        if !value.is_finite() || value == 0.0 {
            return Self::new(value);
        }
        let mut text = Self { bytes: [0; TEXT_BYTES_MAX], len: 0 };
        if value.is_sign_negative() {
            text.push(b"-");
        }
        let decimal = Decimal::exact(value.abs());
        let (digits, exponent) = (decimal.digits(), decimal.exponent);
        let distance = exponent.unsigned_abs() as usize;
        if exponent < -4 || exponent >= EXACT_DIGITS as i32 {
            text.push_pointed(digits, 1);
            text.push(if exponent < 0 { b"e-" } else { b"e+" });
            if distance < 10 {
                text.push(b"0");
            }
            text.push(itoa::Buffer::new().format(distance).as_bytes());
        } else if exponent < 0 {
            text.push(b"0.");
            text.push_zeros(distance - 1);
            text.push(digits);
        } else {
            text.push_pointed(digits, distance + 1);
            text.push_zeros((distance + 1).saturating_sub(digits.len()));
        }
        text
    }

    /// Digits, with a point behind so many of them if there are more.
    fn push_pointed(&mut self, digits: &[u8], whole: usize) {
        let (before, behind) = digits.split_at(whole.min(digits.len()));
        self.push(before);
        if !behind.is_empty() {
            self.push(b".");
            self.push(behind);
        }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn push_zeros(&mut self, count: usize) {
        self.push(&[b'0'; TEXT_BYTES_MAX][..count]);
    }

    /// `magnitude` is finite and above zero.
    fn push_shortest(&mut self, magnitude: f64) {
        let decimal = Decimal::new(magnitude);
        let digits = decimal.digits();
        // The number is `digits` times ten to the power of `scale`.
        let scale = decimal.exponent - (digits.len() as i32 - 1);
        let exponent = decimal.exponent.unsigned_abs() as usize;
        if scale >= 0 && exponent < digits.len() + 7 {
            self.push(digits);
            self.push_zeros(scale as usize);
        } else if scale < 0 && (scale > -7 || exponent < 4) {
            let fraction = scale.unsigned_abs() as usize;
            match digits.len().checked_sub(fraction) {
                Some(whole) if whole > 0 => {
                    self.push(&digits[..whole]);
                    self.push(b".");
                    self.push(&digits[whole..]);
                }
                _ => {
                    self.push(b"0.");
                    self.push_zeros(fraction - digits.len());
                    self.push(digits);
                }
            }
        } else {
            self.push(&digits[..1]);
            if digits.len() > 1 {
                self.push(b".");
                self.push(&digits[1..]);
            }
            self.push(if decimal.exponent < 0 { b"e-" } else { b"e+" });
            self.push(itoa::Buffer::new().format(exponent).as_bytes());
        }
    }
}

/// Digits of a number: `d.ddd` times ten to the power of `exponent`.
struct Decimal {
    digits: [u8; EXACT_DIGITS],
    len: usize,
    exponent: i32,
}

impl Decimal {
    /// The fewest digits that read back as the same number.
    fn new(magnitude: f64) -> Self {
        Self::read(format_args!("{magnitude:e}"))
    }

    /// Seventeen digits, less the zeros at their end.
    fn exact(magnitude: f64) -> Self {
        let mut decimal = Self::read(format_args!("{magnitude:.*e}", EXACT_DIGITS - 1));
        while decimal.len > 1 && decimal.digits[decimal.len - 1] == b'0' {
            decimal.len -= 1;
        }
        decimal
    }

    /// The standard library finds the digits; its `d.ddde-x` is taken apart again.
    fn read(text: std::fmt::Arguments<'_>) -> Self {
        let mut buffer = [0; TEXT_BYTES_MAX];
        let mut unused = &mut buffer[..];
        unused.write_fmt(text).expect("seventeen digits and an exponent fit");
        let end = TEXT_BYTES_MAX - unused.len();
        let mark = memchr::memchr(b'e', &buffer[..end]).expect("the form has an exponent");
        let mut decimal = Self { digits: [0; EXACT_DIGITS], len: 0, exponent: 0 };
        for &digit in buffer[..mark].iter().filter(|&&byte| byte != b'.') {
            decimal.digits[decimal.len] = digit;
            decimal.len += 1;
        }
        let magnitude = buffer[mark + 1..end].iter().filter(|byte| byte.is_ascii_digit());
        let exponent = magnitude.fold(0, |sum, &digit| sum * 10 + i32::from(digit - b'0'));
        decimal.exponent = if buffer[mark + 1] == b'-' { -exponent } else { exponent };
        decimal
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        String::from_utf8(DoubleText::new(value).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn layouts() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (3.25, "3.25"),
            (-1234.5678, "-1234.5678"),
            (4503599627370496.0, "4503599627370496"),
            (9007199254740993.0, "9007199254740992"),
            (123456789012345680.0, "123456789012345680"),
            (1e17, "1e+17"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000123, "0.000123"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.0012345678, "0.0012345678"),
            (0.00012345678, "1.2345678e-4"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (-5e-324, "-5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(text(value), expected, "{value:e}");
        }
    }

    #[test]
    fn seventeen_digits() {
        // As printf writes them by `%.17g`.
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-1200.0, "-1200"),
            (0.1, "0.10000000000000001"),
            (3.25, "3.25"),
            (-1234.5678, "-1234.5678"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1.5e300, "1.5000000000000001e+300"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012344999999999999"),
            (0.00001, "1.0000000000000001e-05"),
            (1e-300, "1e-300"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(DoubleText::exact(value).as_bytes(), expected.as_bytes(), "{value:e}");
        }
    }

    proptest! {
        #[test]
        fn every_number_reads_back_the_same(value in any::<f64>()) {
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
            let exact = String::from_utf8(DoubleText::exact(value).as_bytes().to_vec()).unwrap();
            prop_assert!(value.is_nan() || exact.parse::<f64>().unwrap().to_bits() == value.to_bits());
        }

        #[test]
        fn every_power_of_ten_reads_back_the_same(digits in 1_u64..1 << 53, exponent in -340_i32..310) {
            let value: f64 = format!("{digits}e{exponent}").parse().unwrap();
            prop_assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }
    }
}
