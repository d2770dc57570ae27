//! Numbers of the x87's extended format, as INCRBYFLOAT computes with: 64 bits of mantissa, 15 of exponent.
//!
//! Redis keeps a `long double`, which Rust does not have; its sums and their texts are what clients see. Three steps
//! make them up, and each is exact but for one rounding to the nearest (to the even one of two that are equally near):
//!
//! ```text
//!   parse     "0.1"          ->   1 / 10   -> rounded to 64 bits ->   mantissa * 2^exponent
//!   add       a * 2^i + b * 2^j            -> rounded to 64 bits
//!   text      mantissa * 2^exponent        -> rounded to 17 decimals, zeros at the end left out
//! ```
//!
//! A quotient of two integers of any size is what is rounded, so that the first two are one operation ([`rounded`]).

use super::big::Big;

/// Bits of a mantissa.
const MANTISSA_BITS: i32 = 64;
/// The exponent of the smallest number: below it, mantissas get shorter (`LDBL_MIN_EXP` - `LDBL_MANT_DIG`).
const EXPONENT_MIN: i32 = -16445;
/// The exponent of the largest numbers (`LDBL_MAX_EXP` - `LDBL_MANT_DIG`).
const EXPONENT_MAX: i32 = 16320;
/// Powers of ten that no number reaches (`LDBL_MAX_10_EXP` + 1), and below which all are zero (half of 3.6e-4951).
const DECIMAL_MAX: i64 = 4933;
const DECIMAL_MIN: i64 = -4952;
/// Longest text that is read as a number (`MAX_LONG_DOUBLE_CHARS` of Redis, less the final zero byte).
const TEXT_BYTES_MAX: usize = 5 * 1024 - 1;
/// An exponent that is out of reach whatever digits stand in front of it, and yet far from overflowing any sum.
const EXPONENT_CAP: i64 = 1_000_000;
/// Digits behind the point of a text.
const DECIMALS: usize = 17;
const DECIMALS_POWER: u128 = 10_u128.pow(DECIMALS as u32);

/// A number of the extended format, or an infinity; never NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extended {
    negative: bool,
    magnitude: Magnitude,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Magnitude {
    /// The mantissa times two to the power of the exponent.
    Finite {
        mantissa: u64,
        exponent: i32,
    },
    Infinite,
}

impl From<i64> for Extended {
    fn from(value: i64) -> Self {
        Extended { negative: value < 0, magnitude: Magnitude::Finite { mantissa: value.unsigned_abs(), exponent: 0 } }
    }
}

impl Extended {
    /// Reads what C's `strtold` reads, but no space in front and no NaN. Numbers too large are refused, and so are
    /// numbers that are not zero but too small.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (negative, unsigned) = match text {
            [b'-', unsigned @ ..] => (true, unsigned),
            [b'+', unsigned @ ..] => (false, unsigned),
            unsigned => (false, unsigned),
        };
        let magnitude = match unsigned {
            _ if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") => {
                Magnitude::Infinite
            }
            [b'0', b'x' | b'X', digits @ ..] => hexadecimal(digits)?,
            digits => decimal(digits)?,
        };
        Some(Extended { negative, magnitude })
    }

    /// Whether it is no infinity.
    pub(super) fn is_finite(&self) -> bool {
        self.magnitude != Magnitude::Infinite
    }

    /// The sum, unless it is infinite or not a number.
    pub(super) fn checked_add(&self, other: &Self) -> Option<Self> {
        let (
            Magnitude::Finite { mantissa: first, exponent: first_exponent },
            Magnitude::Finite { mantissa: second, exponent: second_exponent },
        ) = (self.magnitude, other.magnitude)
        else {
            return None;
        };
        let exponent = first_exponent.min(second_exponent);
        let first = Big::from(first).shifted(first_exponent.abs_diff(exponent));
        let second = Big::from(second).shifted(second_exponent.abs_diff(exponent));
        let (negative, sum) = match (self.negative == other.negative, first >= second) {
            (true, _) => (self.negative, first.plus(&second)),
            (false, true) => (self.negative, first.minus(&second)),
            (false, false) => (other.negative, second.minus(&first)),
        };
        match rounded(sum, Big::from(1), exponent) {
            Magnitude::Infinite => None,
            magnitude => Some(Extended { negative, magnitude }),
        }
    }

    /// The number in decimal digits without an exponent, with at most seventeen of them behind the point.
    pub(super) fn text(&self) -> String {
        let digits = match self.magnitude {
            Magnitude::Infinite => "inf".to_owned(),
            Magnitude::Finite { mantissa, exponent: exponent @ 0.. } => {
                Big::from(mantissa).shifted(exponent.unsigned_abs()).decimal()
            }
            Magnitude::Finite { mantissa, exponent } => fraction(mantissa, exponent.unsigned_abs()),
        };
        if self.negative && digits != "0" { format!("-{digits}") } else { digits }
    }
}

/// `mantissa` divided by two to the power of `shift`, as text.
fn fraction(mantissa: u64, shift: u32) -> String {
    // Below 2^121, so that shifting further than that leaves less than a half.
    let scaled = u128::from(mantissa) * DECIMALS_POWER;
    let nearest = match (scaled.checked_shr(shift), 1_u128.checked_shl(shift)) {
        (Some(whole), Some(unit)) => {
            let (rest, half) = (scaled & (unit - 1), unit / 2);
            whole + u128::from(rest > half || (rest == half && whole % 2 == 1))
        }
        _ => 0,
    };
    let text = format!("{}.{:0DECIMALS$}", nearest / DECIMALS_POWER, nearest % DECIMALS_POWER);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The number nearest to `numerator` / `denominator` times two to the power of `exponent`.
fn rounded(mut numerator: Big, mut denominator: Big, exponent: i32) -> Magnitude {
    // The quotient lies between 2^(gap - 1) and 2^(gap + 1): in units of 2^(gap - 64), between 2^63 and 2^65. A unit
    // below the smallest number's is raised to that, which leaves fewer bits.
    let gap = numerator.bits() as i32 - denominator.bits() as i32;
    let unit = (gap - MANTISSA_BITS).max(EXPONENT_MIN - exponent);
    if unit < 0 {
        numerator = numerator.shifted(unit.unsigned_abs());
    } else {
        denominator = denominator.shifted(unit.unsigned_abs());
    }
    let (quotient, mut rest) = numerator.divided(&denominator);
    let (mut mantissa, mut exponent) = (quotient, exponent + unit);
    let up = if quotient >> MANTISSA_BITS == 0 {
        // Twice the rest compares with the divisor as the rest does with a half.
        rest.double();
        rest > denominator || (rest == denominator && quotient % 2 == 1)
    } else {
        mantissa >>= 1;
        exponent += 1;
        quotient % 2 == 1 && (rest != Big::from(0) || mantissa % 2 == 1)
    };
    mantissa += u128::from(up);
    if mantissa >> MANTISSA_BITS != 0 {
        mantissa >>= 1;
        exponent += 1;
    }
    match u64::try_from(mantissa) {
        Ok(0) => Magnitude::Finite { mantissa: 0, exponent: 0 },
        Ok(mantissa) if exponent <= EXPONENT_MAX => Magnitude::Finite { mantissa, exponent },
        _ => Magnitude::Infinite,
    }
}

/// `12.5e-3` and the like.
fn decimal(text: &[u8]) -> Option<Magnitude> {
    let (digits, exponent) = mantissa_and_exponent(text, b'e')?;
    let digits = Digits::new(digits, 10)?;
    if digits.significant == 0 {
        return Some(Magnitude::Finite { mantissa: 0, exponent: 0 });
    }
    let scale = exponent - digits.decimals;
    // The number is at least ten to the power of `top` - 1 and less than ten to the power of `top`.
    let top = scale + digits.significant;
    if !(DECIMAL_MIN..=DECIMAL_MAX).contains(&top) {
        return None;
    }
    let power = |exponent: i64| Big::from_digits(std::iter::repeat_n(0, exponent as usize), 10, 1);
    let (numerator, denominator) = match scale {
        0.. => (Big::from_digits(digits.values().chain(std::iter::repeat_n(0, scale as usize)), 10, 0), Big::from(1)),
        _ => (Big::from_digits(digits.values(), 10, 0), power(-scale)),
    };
    nonzero_and_finite(rounded(numerator, denominator, 0))
}

/// What stands behind `0x`: `1.8p3` and the like.
fn hexadecimal(text: &[u8]) -> Option<Magnitude> {
    let (digits, exponent) = mantissa_and_exponent(text, b'p')?;
    let digits = Digits::new(digits, 16)?;
    if digits.significant == 0 {
        return Some(Magnitude::Finite { mantissa: 0, exponent: 0 });
    }
    // Beyond these the number is out of reach whatever its digits are: as many as there may be, and some.
    let reach = i64::from(EXPONENT_MAX) + 8 * TEXT_BYTES_MAX as i64;
    let exponent = (exponent - 4 * digits.decimals).clamp(-reach, reach);
    nonzero_and_finite(rounded(Big::from_digits(digits.values(), 16, 0), Big::from(1), exponent as i32))
}

/// Refuses what `strtold` calls out of range.
fn nonzero_and_finite(magnitude: Magnitude) -> Option<Magnitude> {
    match magnitude {
        Magnitude::Infinite | Magnitude::Finite { mantissa: 0, .. } => None,
        magnitude => Some(magnitude),
    }
}

/// Splits at the exponent's letter (given in lower case), if there is one. Exponents are capped at [`EXPONENT_CAP`].
fn mantissa_and_exponent(text: &[u8], letter: u8) -> Option<(&[u8], i64)> {
    let Some(at) = text.iter().position(|byte| byte.to_ascii_lowercase() == letter) else {
        return Some((text, 0));
    };
    let (negative, digits) = match &text[at + 1..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent: i64 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(10)?;
        exponent = (exponent * 10 + i64::from(digit)).min(EXPONENT_CAP);
    }
    Some((&text[..at], if negative { -exponent } else { exponent }))
}

/// Digits around a point, checked.
struct Digits<'a> {
    text: &'a [u8],
    radix: u32,
    /// Digits from the first that is not zero on.
    significant: i64,
    /// Digits behind the point.
    decimals: i64,
}

impl<'a> Digits<'a> {
    fn new(text: &'a [u8], radix: u32) -> Option<Self> {
        let mut digits = Digits { text, radix, significant: 0, decimals: 0 };
        let (mut seen, mut point) = (false, false);
        for &byte in text {
            if byte == b'.' && !point {
                point = true;
                continue;
            }
            let digit = char::from(byte).to_digit(radix)?;
            seen = true;
            digits.decimals += i64::from(point);
            digits.significant += i64::from(digits.significant > 0 || digit > 0);
        }
        seen.then_some(digits)
    }

    fn values(&self) -> impl Iterator<Item = u32> + use<'a> {
        let radix = self.radix;
        self.text.iter().filter_map(move |&byte| char::from(byte).to_digit(radix))
    }
}
