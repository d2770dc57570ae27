//! Numbers as Redis reads them: stricter than most parsers for integers, and as C's `strtod` for decimals.

/// An integer: an optional minus sign and digits, without leading zeros, spaces or a plus sign, that fits 64 bits.
#[inline]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    // 20 digits hold every 64-bit integer; more cannot fit, as the first is not zero.
    if digits.len() > 20 {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// A cursor of SCAN: as C's `strtoul` in base 10 reads it, so that it may be signed (wrapping) or empty (zero).
pub fn cursor(text: &[u8]) -> Option<u64> {
    // `strtoul` reads a C string: what follows a zero byte is not seen.
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

/// A decimal number as C's `strtod` reads it, but without spaces in front and never NaN: a sign, digits with a point and
/// an exponent, or hexadecimal digits with a binary exponent (`0x1.8p3`), or an infinity. Numbers that overflow, and
/// numbers that are not zero but too small, are refused.
pub fn float(text: &[u8]) -> Option<f64> {
    signed(text).filter(|number| number.is_exact).map(|number| number.value)
}

/// A limit of a range: as [`float`], but as C's `strtod` reads a C string, so that it may have spaces in front or be empty
/// (zero), and numbers that overflow are infinite.
pub fn limit(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    signed(&text[spaces..]).map(|number| number.value)
}

/// A number as it was read.
struct Read {
    value: f64,
    /// Not infinite because it was too large, nor zero because it was too small.
    is_exact: bool,
}

fn signed(text: &[u8]) -> Option<Read> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        unsigned => (false, unsigned),
    };
    let magnitude = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] => hexadecimal(digits)?,
        _ if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") => {
            Read { value: f64::INFINITY, is_exact: true }
        }
        // A number begins with a digit or a point: no second sign, no name, no space.
        [b'0'..=b'9' | b'.', ..] => {
            let value: f64 = std::str::from_utf8(unsigned).ok()?.parse().ok()?;
            let mantissa = unsigned.split(|byte| byte.eq_ignore_ascii_case(&b'e')).next().unwrap_or_default();
            let is_zero = !mantissa.iter().any(|digit| matches!(digit, b'1'..=b'9'));
            Read { value, is_exact: value.is_finite() && (value != 0.0 || is_zero) }
        }
        _ => return None,
    };
    Some(if negative { Read { value: -magnitude.value, ..magnitude } } else { magnitude })
}

/// The digits behind `0x`: a mantissa with an optional point, and an optional power of two.
fn hexadecimal(text: &[u8]) -> Option<Read> {
    let exponent_at = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p'));
    let (digits, mut exponent) = match exponent_at {
        None => (text, 0_i64),
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse::<i32>().ok()?.into()),
    };
    // The first 60 bits as they are; what is beyond decides only the rounding, so one bit stands for all of it.
    let (mut mantissa, mut digits_seen, mut point_seen) = (0_u64, 0, false);
    for &byte in digits {
        if byte == b'.' && !point_seen {
            point_seen = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        digits_seen += 1;
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if point_seen { 4 } else { 0 };
        } else {
            mantissa |= u64::from(digit != 0);
            exponent += if point_seen { 0 } else { 4 };
        }
    }
    if digits_seen == 0 {
        return None;
    }
    // Powers of two are exact as long as they are in range, and two halves reach every exponent that can matter. Only
    // numbers below 2^-1022 are rounded twice.
    let exponent = exponent.clamp(-2000, 2000) as i32;
    let value = mantissa as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
    Some(Read { value, is_exact: value.is_finite() && (value != 0.0 || mantissa == 0) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_are_strict() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("18446744073709551616", None),
            ("99999999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            (" 1", None),
            ("1 ", None),
            ("1a", None),
            ("1.0", None),
            ("0x1", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn floats_are_those_of_strtod() {
        for (text, expected) in [
            ("0x10", Some(16.0)),
            ("0X1p-2", Some(0.25)),
            ("-0x1.8", Some(-1.5)),
            ("0x.8p+1", Some(1.0)),
            ("0x1fffffffffffff8000000000000000", Some(2_f64.powi(117))),
            ("0x10000000000000800000000000000", Some(0x0001_0000_0000_0000_0800_0000_0000_0000_u128 as f64)),
            ("0x10000000000000800000000000001p0", Some(0x0001_0000_0000_0000_0800_0000_0000_0001_u128 as f64)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1080", None),
            ("0x1p1024", None),
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("+1", Some(1.0)),
            ("-0", Some(-0.0)),
            ("0e-999", Some(0.0)),
            ("1e-320", Some(1e-320)),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("1e-400", None),
            ("nan", None),
            ("-nan", None),
            ("", None),
            ("-", None),
            (".", None),
            ("1e", None),
            ("0x", None),
            ("0x.", None),
            ("0x1p", None),
            ("--1", None),
            ("+-1", None),
            (" 1", None),
            ("1 ", None),
            ("1_0", None),
            ("infinit", None),
        ] {
            assert_eq!(float(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
        }
    }

    #[test]
    fn limits_are_those_of_strtod() {
        for (text, expected) in [
            ("", Some(0.0)),
            (" \t-1.5", Some(-1.5)),
            ("1\0x", Some(1.0)),
            ("\0x", Some(0.0)),
            ("1e400", Some(f64::INFINITY)),
            ("-0x1p5000", Some(f64::NEG_INFINITY)),
            ("1e-400", Some(0.0)),
            ("-inf", Some(f64::NEG_INFINITY)),
            (" ", None),
            ("1 ", None),
            ("nan", None),
            ("x", None),
        ] {
            assert_eq!(limit(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
        }
    }

    #[test]
    fn cursors_are_those_of_strtoul() {
        for (text, expected) in [
            ("", Some(0)),
            ("0", Some(0)),
            ("007", Some(7)),
            ("+5", Some(5)),
            ("-1", Some(u64::MAX)),
            ("5\0x", Some(5)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-", None),
            (" 1", None),
            ("5x", None),
            ("+-5", None),
        ] {
            assert_eq!(cursor(text.as_bytes()), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_reads_back(value: i64) {
            prop_assert_eq!(integer(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn an_integer_is_what_prints_the_same(text in "[-+0-9 ]{0,21}") {
            let expected = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
            prop_assert_eq!(integer(text.as_bytes()), expected);
        }

        #[test]
        fn every_finite_float_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(float(format!("{value:e}").as_bytes()), Some(value));
        }

        #[test]
        fn hexadecimal_integers_round_as_they_should(value: u128, seen_zeros in 0..40_usize) {
            let text = format!("0x{}{value:x}", "0".repeat(seen_zeros));
            prop_assert_eq!(float(text.as_bytes()), Some(value as f64));
        }

        #[test]
        fn no_bytes_panic(text: Vec<u8>) {
            let _ = (integer(&text), float(&text), limit(&text), cursor(&text));
        }
    }
}
