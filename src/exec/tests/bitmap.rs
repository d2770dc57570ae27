//! Bitmaps and bitfields.

use proptest::prelude::*;

use super::{Client, transcript};

#[test]
fn setbit_and_getbit() {
    transcript(|t| {
        t.check("SETBIT k 7 1", ":0");
        t.check_encoding("k", "raw");
        t.check("SETBIT k 7 0", ":1");
        t.check("GET k", r#""\x00""#);
        t.check("SETBIT k 23 0", ":0");
        t.check("STRLEN k", ":3");
        t.check("SETEX n 10 1", "+OK");
        t.check("GETBIT n 2", ":1");
        t.check("SETBIT n 7 0", ":1");
        t.check("GET n", "0");
        t.check_ttl_ms("n", Some(10_000));
        t.check("GETBIT n 4294967295", ":0");
        t.check("GETBIT missing 0", ":0");
        t.check_absent("missing");
    });
}

#[test]
fn places_have_bounds() {
    let offset = "-ERR bit offset is not an integer or out of range";
    let bit = "-ERR bit is not an integer or out of range";
    transcript(|t| {
        for place in ["-1", "4294967296", "x", "#1", "1.0"] {
            t.check(&format!("SETBIT k {place} x"), offset);
            t.check(&format!("GETBIT k {place}"), offset);
        }
        for value in ["2", "-1", "x", "9223372036854775808"] {
            t.check(&format!("SETBIT k 0 {value}"), bit);
        }
        t.check_absent("k");
    });
}

#[test]
fn bitcount() {
    transcript(|t| {
        t.check("BITCOUNT k x y z z", ":0");
        t.check("SET k foobar", "+OK");
        t.check("BITCOUNT k", ":26");
        t.check("BITCOUNT k 0 0", ":4");
        t.check("BITCOUNT k 1 1 byte", ":6");
        t.check("BITCOUNT k 5 30 BIT", ":17");
        t.check("BITCOUNT k -8 -1 BIT", ":4");
        t.check("BITCOUNT k 3 3 BIT", ":0");
        t.check("BITCOUNT k -100 -99", ":4");
        t.check("BITCOUNT k -99 -100", ":0");
        t.check("BITCOUNT k 0 -9223372036854775808", ":4");
        t.check("BITCOUNT k 0", "-ERR syntax error");
        t.check("BITCOUNT k 0 0 x", "-ERR syntax error");
        t.check("BITCOUNT k 0 0 BIT x", "-ERR syntax error");
        t.check("BITCOUNT k -1 -2 x", ":0");
        t.check("BITCOUNT k 0 x x", "-ERR value is not an integer or out of range");
    });
}

#[test]
fn bitpos() {
    transcript(|t| {
        t.check("BITPOS k 1", ":-1");
        t.check("BITPOS k 0 x", ":0");
        t.check("BITPOS k 2 x", "-ERR The bit argument must be 1 or 0.");
        t.check("BITPOS k x", "-ERR value is not an integer or out of range");
        t.check(r#"SET k "\xff\xf0\x00""#, "+OK");
        t.check("BITPOS k 0", ":12");
        t.check("BITPOS k 1 1", ":8");
        t.check("BITPOS k 1 2", ":-1");
        t.check("BITPOS k 0 0 0", ":-1");
        t.check("BITPOS k 0 0 7 BIT", ":-1");
        t.check("BITPOS k 0 7 13 BIT", ":12");
        t.check("BITPOS k 1 -24 -1 BIT", ":0");
        t.check("BITPOS k 1 -99 -100", ":0");
        t.check("BITPOS k 0 3", ":-1");
        t.check(r#"SET k "\xff\xff""#, "+OK");
        t.check("BITPOS k 0", ":16");
        t.check("BITPOS k 0 1", ":16");
        t.check("BITPOS k 0 1 -1", ":-1");
        t.check(r#"SET k """#, "+OK");
        t.check("BITPOS k 0", ":-1");
        t.check("BITPOS k 0 0 0 x", "-ERR syntax error");
        t.check("BITPOS k 0 0 x x", "-ERR syntax error");
        t.check("BITPOS k 0 0 x BIT", "-ERR value is not an integer or out of range");
        t.check("BITPOS k 0 0 0 BIT x", "-ERR syntax error");
    });
}

#[test]
fn bitop() {
    transcript(|t| {
        t.check(r#"MSET a "\xf0\xff" b "\x3c""#, "+OK");
        t.check("SETEX d 10 x", "+OK");
        t.check("BITOP AND d a b", ":2");
        t.check("GET d", r#""0\x00""#);
        t.check_ttl_ms("d", None);
        t.check("BITOP or d a b", ":2");
        t.check("GET d", r#""\xfc\xff""#);
        t.check("BITOP XOR d a b missing", ":2");
        t.check("GET d", r#""\xcc\xff""#);
        t.check("BITOP AND d a missing", ":2");
        t.check("GET d", r#""\x00\x00""#);
        t.check("BITOP NOT a a", ":2");
        t.check("GET a", r#""\x0f\x00""#);
        t.check_encoding("a", "raw");
        t.check("BITOP NOT d missing", ":0");
        t.check_absent("d");
        t.check("BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key.");
        t.check("BITOP DIFF d a b", "-ERR syntax error");
    });
}

#[test]
fn bitfield() {
    transcript(|t| {
        t.check("BITFIELD k", "[]");
        t.check("BITFIELD k GET u8 0 OVERFLOW SAT", "[:0]");
        t.check_absent("k");
        t.check("BITFIELD k INCRBY i5 100 1 GET u4 0", "[:1, :0]");
        t.check("STRLEN k", ":14");
        t.check("BITFIELD k SET u8 0 255 GET u8 0 GET i8 0 get i4 #1", "[:0, :255, :-1, :-1]");
        t.check("BITFIELD k SET i8 #1 -100 GET u8 8 GET u63 0", "[:0, :156, :9209298288019243008]");
        t.check("BITFIELD_RO k GET u8 0 GET i64 1000", "[:255, :0]");
        t.check("BITFIELD_RO missing GET i64 0", "[:0]");
        t.check_absent("missing");
    });
}

#[test]
fn bitfield_overflow() {
    transcript(|t| {
        t.check("BITFIELD k OVERFLOW FAIL SET u2 0 4 SET u2 2 3 INCRBY u2 2 1", "[(nil), :0, (nil)]");
        t.check("BITFIELD k OVERFLOW SAT SET u2 0 -1 INCRBY u2 0 -9 INCRBY u2 0 9", "[:0, :0, :3]");
        t.check("BITFIELD k SET u2 0 5 GET u2 0 INCRBY u2 0 -2", "[:3, :1, :3]");
        t.check("BITFIELD k SET i4 0 8 GET i4 0 INCRBY i4 0 -1", "[:-1, :-8, :7]");
        t.check("BITFIELD k OVERFLOW SAT SET i4 0 8 INCRBY i4 0 1 INCRBY i4 0 -100", "[:7, :7, :-8]");
        t.check("BITFIELD k OVERFLOW FAIL INCRBY i4 0 -1 OVERFLOW WRAP INCRBY i4 0 -1", "[(nil), :7]");
        t.check("BITFIELD l SET i64 0 9223372036854775807 INCRBY i64 0 1", "[:0, :-9223372036854775808]");
        t.check("BITFIELD l OVERFLOW SAT INCRBY i64 0 -1", "[:-9223372036854775808]");
        t.check("BITFIELD n OVERFLOW SAT SET i8 0 -999 SET i8 0 -9223372036854775680 GET i8 0", "[:0, :-128, :-128]");
        // Redis loses the sign of what is still farther below.
        t.check("BITFIELD n OVERFLOW SAT SET i8 0 -9223372036854775681 GET i8 0", "[:-128, :127]");
        t.check("BITFIELD m OVERFLOW FAIL SET u1 800 2", "[(nil)]");
        t.check("STRLEN m", ":101");
    });
}

#[test]
fn bitfield_mistakes() {
    let kind = "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    let offset = "-ERR bit offset is not an integer or out of range";
    transcript(|t| {
        for text in ["u64", "i65", "u0", "i-1", "x8", "U8", "u", "u08", "\"\""] {
            t.check(&format!("BITFIELD k SET {text} x x"), kind);
        }
        for text in ["-1", "x", "#", "#-1", "#x", "4294967296", "#536870912", "#9223372036854775807"] {
            t.check(&format!("BITFIELD k SET u8 {text} x"), offset);
        }
        t.check("BITFIELD k SET u8 0 x", "-ERR value is not an integer or out of range");
        t.check("BITFIELD k SET u8 0", "-ERR syntax error");
        t.check("BITFIELD k GET x8", "-ERR syntax error");
        t.check("BITFIELD k OVERFLOW", "-ERR syntax error");
        t.check("BITFIELD k OVERFLOW x", "-ERR Invalid OVERFLOW type specified");
        t.check("BITFIELD k SET u8 0 1 NIL", "-ERR syntax error");
        t.check("BITFIELD_RO k GET u8 0 SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand");
        t.check("BITFIELD_RO k SET u8 0 x", "-ERR value is not an integer or out of range");
        t.check_absent("k");
    });
}

#[derive(Clone, Debug)]
enum Step {
    Setbit(usize, bool),
    Getbit(usize),
    Count(i64, i64, bool),
    Position(bool, i64, i64, bool),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let place = || -700..700_i64;
    prop_oneof![
        6 => (0..640_usize, any::<bool>()).prop_map(|(at, on)| Step::Setbit(at, on)),
        1 => (0..700_usize).prop_map(Step::Getbit),
        2 => (place(), place(), any::<bool>()).prop_map(|(start, end, bits)| Step::Count(start, end, bits)),
        2 => (any::<bool>(), place(), place(), any::<bool>())
            .prop_map(|(on, start, end, bits)| Step::Position(on, start, end, bits)),
        1 => Just(Step::Read),
    ]
}

/// The places of the bits that a range names, in a row of `len` bits.
fn model_range(start: i64, end: i64, unit: i64, len: usize) -> impl Iterator<Item = usize> {
    let units = len as i64 / unit;
    let place = move |at: i64| if at < 0 { (at + units).max(0) } else { at };
    (0..len).filter(move |at| (place(start)..=place(end)).contains(&(*at as i64 / unit)))
}

proptest! {
    #[test]
    fn a_bitmap_is_a_row_of_bits(steps in proptest::collection::vec(step(), 1..60)) {
        let mut client = Client::new();
        let mut row: Vec<bool> = Vec::new();
        for step in steps {
            let (command, expected) = match step {
                Step::Setbit(at, on) => {
                    row.resize(row.len().max(at / 8 * 8 + 8), false);
                    (format!("SETBIT k {at} {}", u8::from(on)), i64::from(std::mem::replace(&mut row[at], on)))
                }
                Step::Getbit(at) => (format!("GETBIT k {at}"), i64::from(row.get(at).copied().unwrap_or(false))),
                Step::Count(start, end, bits) => {
                    let (word, unit) = if bits { ("BIT", 1) } else { ("BYTE", 8) };
                    let crossed = start < 0 && end < start;
                    let ones = model_range(start, end, unit, row.len()).filter(|at| row[*at] && !crossed).count();
                    (format!("BITCOUNT k {start} {end} {word}"), ones as i64)
                }
                Step::Position(on, start, end, bits) => {
                    let (word, unit) = if bits { ("BIT", 1) } else { ("BYTE", 8) };
                    let found = model_range(start, end, unit, row.len()).find(|at| row[*at] == on);
                    let expected = if row.is_empty() && !on { 0 } else { found.map_or(-1, |at| at as i64) };
                    (format!("BITPOS k {} {start} {end} {word}", u8::from(on)), expected)
                }
                // Reading all of it changes its encoding, which must not show.
                Step::Read => {
                    client.ask("GET k");
                    ("STRLEN k".to_owned(), row.len() as i64 / 8)
                }
            };
            prop_assert_eq!(client.ask(&command), format!(":{expected}"), "{}", command);
        }
    }

    #[test]
    fn a_bitfield_is_an_integer(
        (signed, bits) in any::<bool>().prop_flat_map(|signed| (Just(signed), 1..64_u32 + u32::from(signed))),
        at in 0..200_usize,
        first: i64,
        increment in prop_oneof![-300..300_i64, any::<i64>()],
        overflow in 0..3_usize,
    ) {
        let mut client = Client::new();
        let kind = format!("{}{bits} {at}", if signed { 'i' } else { 'u' });
        let (min, max) = if signed { (-1_i128 << (bits - 1), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) };
        let wrap = |value: i128| (value - min).rem_euclid(1 << bits) + min;
        let before = wrap(i128::from(first));
        prop_assert_eq!(client.ask(&format!("BITFIELD k SET {kind} {first} GET {kind}")), format!("[:0, :{before}]"));
        let sum = before + i128::from(increment);
        let after = match overflow {
            0 => Some(wrap(sum)),
            1 => Some(sum.clamp(min, max)),
            _ => (min..=max).contains(&sum).then_some(sum),
        };
        let word = ["WRAP", "SAT", "FAIL"][overflow];
        let reply = client.ask(&format!("BITFIELD k OVERFLOW {word} INCRBY {kind} {increment} GET {kind}"));
        let answer = after.map_or("(nil)".to_owned(), |after| format!(":{after}"));
        prop_assert_eq!(reply, format!("[{answer}, :{}]", after.unwrap_or(before)));
    }
}
