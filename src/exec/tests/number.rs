//! Values that are numbers.

use proptest::prelude::*;

use super::{Client, transcript};

#[test]
fn counters() {
    transcript(|t| {
        t.check("INCR n", ":1");
        t.check("INCRBY n 41", ":42");
        t.check("DECR n", ":41");
        t.check("DECRBY n 42", ":-1");
        t.check("DECR m", ":-1");
        t.check_encoding("m", "int");
        t.check("SETEX n 10 5", "+OK");
        t.check("INCR n", ":6");
        t.check_ttl_ms("n", Some(10_000));
        t.check("APPEND n 0", ":2");
        t.check("INCRBY n -61", ":-1");
        t.check_encoding("n", "int");
    });
}

#[test]
fn counters_do_not_overflow() {
    let overflow = "-ERR increment or decrement would overflow";
    transcript(|t| {
        t.check("SET n 9223372036854775806", "+OK");
        t.check("INCR n", ":9223372036854775807");
        t.check("INCR n", overflow);
        t.check("DECRBY n -1", overflow);
        t.check("DECRBY n -9223372036854775808", "-ERR decrement would overflow");
        t.check("INCRBY n -9223372036854775808", ":-1");
        t.check("SET n -9223372036854775808", "+OK");
        t.check("DECR n", overflow);
        t.check("INCRBY n 9223372036854775807", ":-1");
    });
}

#[test]
fn counters_count_integers_only() {
    let not_integer = "-ERR value is not an integer or out of range";
    transcript(|t| {
        for text in ["abc", "1.0", "\" 1\"", "01", "+1", "-0", "9223372036854775808", "\"\""] {
            t.check(&format!("SET s {text}"), "+OK");
            t.check("INCR s", not_integer);
            t.check(&format!("INCRBY n {text}"), not_integer);
            t.check(&format!("DECRBY n {text}"), not_integer);
        }
        t.check_absent("n");
    });
}

#[test]
fn decimal_counters() {
    transcript(|t| {
        t.check("INCRBYFLOAT f 3.0", "3");
        t.check_encoding("f", "embstr");
        t.check("INCR f", ":4");
        t.check("INCRBYFLOAT f 1e-5", "4.00001");
        t.check("INCRBYFLOAT f -4.00001", "0");
        t.check("SETEX f 10 10.50", "+OK");
        t.check("INCRBYFLOAT f 0.1", "10.6");
        t.check_ttl_ms("f", Some(10_000));
        t.check("SET f 5.0e3", "+OK");
        t.check("INCRBYFLOAT f 0x2.0p3", "5016");
        t.check("INCRBYFLOAT f 1e40", "9999999999999999999783686092270256259072");
        t.check_encoding("f", "embstr");
        t.check("SET f 9223372036854775807", "+OK");
        t.check("INCRBYFLOAT f 1", "9223372036854775808");
    });
}

#[test]
fn decimal_counters_count_numbers_only() {
    let not_float = "-ERR value is not a valid float";
    transcript(|t| {
        for text in [
            "abc", "\" 1\"", "\"1 \"", "1e", "1e+", ".", "-", "0x", "0xg", "0x1p", "nan", "--1", "1_0", "\"\"",
            "1e4933",
        ] {
            t.check(&format!("SET s {text}"), "+OK");
            t.check("INCRBYFLOAT s 1", not_float);
            t.check(&format!("INCRBYFLOAT n {text}"), not_float);
        }
        t.check_absent("n");
        t.check("INCRBYFLOAT n inf", "-ERR increment would produce NaN or Infinity");
        t.check("SET n 1.1e4932", "+OK");
        t.check("INCRBYFLOAT n 1.1e4932", "-ERR increment would produce NaN or Infinity");
        t.check("SET n -INFINITY", "+OK");
        t.check("INCRBYFLOAT n abc", not_float);
        t.check("INCRBYFLOAT n 1", "-ERR increment would produce NaN or Infinity");
    });
}

#[test]
fn decimal_sums_are_those_of_a_long_double() {
    let largest = "1.18973149535723176502e4932";
    transcript(|t| {
        for (first, second, sum) in [
            ("0.1", "0.2", "0.3"),
            ("0.3", "-0.1", "0.2"),
            ("3.14159265358979323846", "2.71828182845904523536", "5.85987448204883847"),
            // The eighteenth decimal rounds the seventeenth.
            ("1", "1e-17", "1.00000000000000001"),
            ("1", "5e-18", "1"),
            ("1", "15e-18", "1.00000000000000001"),
            ("0", "5e-18", "0"),
            ("0", "15e-18", "0.00000000000000002"),
            ("0", "0x1.8p-17", "0.00001144409179688"),
            ("-1e-18", "0", "0"),
            ("-0", "-0", "0"),
            ("3.6e-4951", "0", "0"),
            // From 2^63 on there is no room for a fraction, from 2^64 on not for every integer.
            ("9007199254740993", "0.5", "9007199254740993.5"),
            ("123456789012345678.9", "0.05", "123456789012345678.9453125"),
            ("1e19", "0.1", "10000000000000000000"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551615", "2", "18446744073709551616"),
            ("36893488147419103231", "0", "36893488147419103232"),
            ("1e30", "1", "1000000000000000000024696061952"),
            (largest, &format!("-{largest}"), "0"),
        ] {
            t.check(&format!("SET f {first}"), "+OK");
            t.check(&format!("INCRBYFLOAT f {second}"), sum);
        }
        t.check(&format!("SET f {largest}"), "+OK");
        t.check("INCRBYFLOAT f 1e4000", &largest_text());
        t.check("SET f 1.8e-4951", "+OK");
        t.check("INCRBYFLOAT f 0", "-ERR value is not a valid float");
        t.check("SET f 1.83e-4951", "+OK");
        t.check("INCRBYFLOAT f 0", "0");
    });
}

/// 2^16384 - 2^16320, the largest number there is.
fn largest_text() -> String {
    let mut digits = vec![1_u8];
    let double = |digits: &mut Vec<u8>| {
        let mut carry = 0;
        for digit in digits.iter_mut() {
            (*digit, carry) = ((*digit * 2 + carry) % 10, (*digit * 2 + carry) / 10);
        }
        if carry > 0 {
            digits.push(carry);
        }
    };
    (0..16320).for_each(|_| double(&mut digits));
    let low = digits.clone();
    (0..64).for_each(|_| double(&mut digits));
    let mut borrow = 0;
    for (at, digit) in digits.iter_mut().enumerate() {
        let less = low.get(at).copied().unwrap_or(0) + borrow;
        borrow = u8::from(*digit < less);
        *digit = *digit + 10 * borrow - less;
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

proptest! {
    /// Where a double holds both numbers and their sum, the sum is that of doubles.
    #[test]
    fn sums_of_short_binary_fractions_are_exact(first: i32, second: i32, halvings in 0..=17_i32) {
        let text = |number: f64| {
            let text = format!("{number:.17}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            if text == "-0" { "0".to_owned() } else { text.to_owned() }
        };
        let [first, second] = [first, second].map(|number| f64::from(number) * 0.5_f64.powi(halvings));
        let mut client = Client::new();
        client.ask(&format!("SET f {}", text(first)));
        prop_assert_eq!(client.ask(&format!("INCRBYFLOAT f {}", text(second))), text(first + second));
    }

    #[test]
    fn sums_of_integers_are_exact(first: i64, second: i64) {
        let mut client = Client::new();
        client.ask(&format!("SET f {first}.0"));
        prop_assert_eq!(client.ask(&format!("INCRBYFLOAT f {second}")), (i128::from(first) + i128::from(second)).to_string());
    }

    #[test]
    fn any_text_is_a_number_or_refused(text in "[-+]?(0x)?[0-9a-f.]{0,30}([ep][-+]?[0-9]{0,12})?") {
        let mut client = Client::new();
        let reply = client.command(&[b"INCRBYFLOAT", b"f", text.as_bytes()]);
        prop_assert!(reply.starts_with("-ERR") || reply.parse::<f64>().is_ok(), "{}", reply);
    }
}
