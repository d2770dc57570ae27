//! Numbers as people write them: `10k` requests, `1.5m` a second, `90s`, `64kb`.

use std::time::Duration;

use super::PlanError;

/// Largest value that Redis and its kin take: 512 MiB.
pub const VALUE_BYTES_MAX: u32 = 512 << 20;

/// Longest stretch of time that can be asked for: ten years, so that sums of nanoseconds stay far from 2^64.
const DURATION_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// A count: `1000`, `10k`, `1.5m`, `2g`, in powers of 1000.
pub fn count(text: &str) -> Result<u64, PlanError> {
    let wrong = || PlanError(format!("{text:?} is no count: it must be a whole number such as 5000, 10k, 1.5m or 1g"));
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    if !text.contains('.') {
        // Exact beyond 2^53 too.
        let scale = scale(&text[digits.len()..]).ok_or_else(wrong)?;
        return unsigned(digits).and_then(|number| number.checked_mul(scale)).ok_or_else(wrong);
    }
    let number = scaled(text).ok_or_else(wrong)?;
    if number.fract() == 0.0 && number < 1e15 { Ok(number as u64) } else { Err(wrong()) }
}

/// A rate per second, above zero: `100`, `0.5`, `100k`, `1.5m`.
pub fn rate(text: &str) -> Result<f64, PlanError> {
    match scaled(text) {
        Some(rate) if rate > 0.0 && rate <= 1e9 => Ok(rate),
        _ => {
            let limits = "above zero and at most 1g, such as 500, 100k or 1.5m";
            Err(PlanError(format!("{text:?} is no rate: it must be a number of requests per second {limits}")))
        }
    }
}

/// A stretch of time: `30` and `30s` are seconds; `10ns`, `50us`, `5ms`, `2m`, `1h`.
pub fn duration(text: &str) -> Result<Duration, PlanError> {
    let number = text.trim_end_matches(|unit: char| unit.is_alphabetic());
    let unit_ns = match &text[number.len()..] {
        "ns" => 1.0,
        "us" | "\u{b5}s" => 1e3,
        "ms" => 1e6,
        "" | "s" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        _ => f64::NAN,
    };
    let ns = decimal(number).unwrap_or(f64::NAN) * unit_ns;
    if ns >= 0.0 && ns <= DURATION_MAX.as_nanos() as f64 {
        Ok(Duration::from_nanos(ns.round() as u64))
    } else {
        Err(PlanError(format!(
            "{text:?} is no time: it must be a number with ns, us, ms, s, m or h, such as 30s or 5ms"
        )))
    }
}

/// The size of a value: `64`, `1kb`, `10mb` (powers of 1024; `k` and `m` are powers of 1000, as in Redis).
pub fn bytes(text: &str) -> Result<u32, PlanError> {
    let found = if text.is_empty() { None } else { corewise::config::memory(text) };
    match found.map(u32::try_from) {
        Some(Ok(bytes)) if bytes <= VALUE_BYTES_MAX => Ok(bytes),
        Some(_) => Err(PlanError(format!("{text} is too large for a value: 512mb is the most that servers take"))),
        None => Err(PlanError(format!("{text:?} is no size: it must be a number of bytes such as 64, 1kb or 10mb"))),
    }
}

/// A time in the largest unit that keeps it whole: `90s`, `1500us`. [`duration`] reads it back.
pub fn duration_text(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let (unit_ns, unit) = units.into_iter().find(|(unit_ns, _)| ns.is_multiple_of(*unit_ns)).unwrap_or((1, "ns"));
    format!("{}{unit}", ns / unit_ns)
}

/// A number with its thousands apart: `1 500 000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Digits alone: no sign, no blank.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Digits with at most one point among them: no sign, no exponent, no `inf`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

fn scaled(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    Some(decimal(number)? * scale(&text[number.len()..])? as f64)
}

fn scale(unit: &str) -> Option<u64> {
    match unit {
        "" => Some(1),
        "k" | "K" => Some(1_000),
        "m" | "M" => Some(1_000_000),
        "g" | "G" => Some(1_000_000_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (text, number) in [
            ("0", 0),
            ("5000", 5000),
            ("10k", 10_000),
            ("10K", 10_000),
            ("1.5m", 1_500_000),
            ("2g", 2_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(count(text), Ok(number), "{text}");
        }
        for wrong in ["", "k", "-1", "+1", "1.5", "1e3", "1 k", "1kb", "18446744073709551616", "inf", "1..5k"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(rate("100k"), Ok(100_000.0));
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["", "0", "-5", "nan", "inf", "2000g", "1e5"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        for (text, ns) in [
            ("30", 30_000_000_000),
            ("30s", 30_000_000_000),
            ("0.25s", 250_000_000),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("5ms", 5_000_000),
            ("50us", 50_000),
            ("50\u{b5}s", 50_000),
            ("10ns", 10),
            ("0", 0),
        ] {
            let found = duration(text).unwrap();
            assert_eq!(found, Duration::from_nanos(ns), "{text}");
            assert_eq!(duration(&duration_text(found)), Ok(found), "{text}");
        }
        for wrong in ["", "s", "-1s", "1d", "1 s", "1s1", "99999999999999h", "infs", "."] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration_text(Duration::from_micros(1500)), "1500us");
        assert_eq!(duration_text(Duration::from_secs(90)), "90s");
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("64"), Ok(64));
        assert_eq!(bytes("1kb"), Ok(1024));
        assert_eq!(bytes("512mb"), Ok(VALUE_BYTES_MAX));
        assert!(bytes("513mb").unwrap_err().0.contains("too large"));
        assert!(bytes("8gb").unwrap_err().0.contains("too large"));
        assert!(bytes("").unwrap_err().0.contains("no size"));
        assert!(bytes("-1").unwrap_err().0.contains("no size"));
    }

    #[test]
    fn thousands_are_kept_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_500_000), "1 500 000");
    }
}
