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
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        unsigned => (false, unsigned),
    };
    let magnitude = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] => hexadecimal(digits)?,
        _ if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") => f64::INFINITY,
        // A number begins with a digit or a point: no second sign, no name, no space.
        [b'0'..=b'9' | b'.', ..] => {
            let value: f64 = std::str::from_utf8(unsigned).ok()?.parse().ok()?;
            let mantissa = unsigned.split(|byte| byte.eq_ignore_ascii_case(&b'e')).next().unwrap_or_default();
            let is_zero = !mantissa.iter().any(|digit| matches!(digit, b'1'..=b'9'));
            if value.is_infinite() || (value == 0.0 && !is_zero) {
                return None;
            }
            value
        }
        _ => return None,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// The digits behind `0x`: a mantissa with an optional point, and an optional power of two.
fn hexadecimal(text: &[u8]) -> Option<f64> {
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
    // Powers of two are exact as long as they are in range: two halves reach every exponent that can matter.
    let exponent = exponent.clamp(-2200, 2200) as i32;
    let value = mantissa as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
    (value.is_finite() && (value != 0.0 || mantissa == 0)).then_some(value)
}
