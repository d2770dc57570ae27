//! Compressed values: nothing that a client asks tells them apart from others, but what they take.

use super::Client;
use crate::config::Compression;

/// Text that packs well: short enough to lie in its entry packed, too long for that, and large enough to be shared.
const LENGTHS: [usize; 3] = [100, 4_000, 40_000];

fn text(len: usize) -> String {
    "{_name_:_value_},".chars().cycle().take(len).collect()
}

/// Runs `body` on a server without compression and on one with each codec; they must answer the same.
fn alike(body: impl Fn(&mut Client) -> Vec<String>) {
    let answers = |compression| {
        let mut client = Client::new();
        client.configure(|config| {
            config.compression = compression;
            config.compression_threshold_bytes = 64;
        });
        let answers = body(&mut client);
        (answers, client.shard.stats().packed)
    };
    let (plain, none) = answers(Compression::None);
    assert_eq!(none, 0);
    for codec in [Compression::Lz4, Compression::Zstd] {
        let (packed, some) = answers(codec);
        assert!(some > 0, "{codec:?} has packed nothing");
        for (at, (plain, packed)) in plain.iter().zip(&packed).enumerate() {
            assert_eq!(plain, packed, "answer {at} with {codec:?}");
        }
    }
}

/// Runs `lines` for a value of each length, in which `{v}` is the value and `{len}` its length.
fn alike_for_all(lines: &[&str]) {
    for len in LENGTHS {
        alike(|client| {
            client.check(&format!("SET k {}", text(len)), "+OK");
            let line = |line: &&str| line.replace("{v}", &text(len)).replace("{len}", &len.to_string());
            lines.iter().map(line).map(|line| format!("{line:.60} -> {}", client.ask(&line))).collect()
        });
    }
}

#[test]
fn reading_a_packed_value() {
    alike_for_all(&[
        "GET k",
        "MGET k k none",
        "STRLEN k",
        "GETRANGE k 3 40",
        "GETRANGE k -20 -1",
        "GETRANGE k 0 -1",
        "BITCOUNT k",
        "BITCOUNT k 5 -7",
        "BITPOS k 1",
        "BITPOS k 0 10 20",
        "GETBIT k 11",
        "BITFIELD_RO k GET u8 16",
        "OBJECT ENCODING k",
        "OBJECT REFCOUNT k",
        "TYPE k",
        "GETEX k EX 10",
        "TTL k",
        "GET k",
        "INCR k",
        "INCRBYFLOAT k 1",
        "GET k",
        "GETDEL k",
        "EXISTS k",
    ]);
}

#[test]
fn changing_a_packed_value_in_place() {
    for change in [
        "APPEND k more",
        "APPEND k {v}",
        "SETRANGE k 5 hello",
        "SETRANGE k 40 {v}",
        "SETRANGE k {len} behind",
        "SETBIT k 9 1",
        "SETBIT k 9 0",
        "BITFIELD k SET u8 8 65 INCRBY u16 40 7",
    ] {
        alike_for_all(&[
            "EXPIRE k 100",
            change,
            "GET k",
            "STRLEN k",
            "OBJECT ENCODING k",
            "TTL k",
            change,
            "GET k",
            "SET k {v} KEEPTTL",
            "TTL k",
            "GET k",
            "OBJECT ENCODING k",
            change,
            change,
            "GET k",
        ]);
    }
}

#[test]
fn a_packed_value_on_the_move() {
    alike_for_all(&[
        "DUMP k",
        "COPY k copy",
        "GET copy",
        "OBJECT ENCODING copy",
        "APPEND copy x",
        "GET copy",
        "GET k",
        "RENAME k new",
        "GET new",
        "OBJECT ENCODING new",
        "SETRANGE new 1 y",
        "GET new",
        "COPY new copy DB 1",
        "MOVE new 2",
        "SET a {v}",
        "SET b x{v}x",
        "BITOP AND both a b",
        "GET both",
        "BITOP NOT other a",
        "GET other",
        "GETSET a {v}",
        "SETNX n {v}",
        "MSETNX m {v} l {v}",
        "MGET n m l",
        "EXISTS new copy",
    ]);
}

#[test]
fn a_packed_value_is_dumped_and_restored() {
    alike(|client| {
        let mut answers = Vec::new();
        for len in LENGTHS {
            client.check(&format!("SET k {}", text(len)), "+OK");
            let dump = client.run(&[b"DUMP", b"k"]);
            let start = dump.windows(2).position(|end| end == b"\r\n").expect("a line") + 2;
            let payload = dump[start..dump.len() - 2].to_vec();
            answers.push(client.command(&[b"RESTORE", b"r", b"0", &payload, b"REPLACE"]));
            answers.push(client.ask("GET r"));
            answers.push(client.ask("OBJECT ENCODING r"));
            answers.push(client.ask("APPEND r x"));
            answers.push(client.ask("GET r"));
        }
        answers
    });
}

#[test]
fn lcs_of_packed_values() {
    alike(|client| {
        client.check(&format!("SET a {}", text(700)), "+OK");
        client.check(&format!("SET b x{}y", text(650)), "+OK");
        vec![client.ask("LCS a b"), client.ask("LCS a b LEN"), client.ask("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN")]
    });
}

#[test]
fn packed_values_take_less() {
    for len in LENGTHS {
        let usage = |compression| {
            let mut client = Client::new();
            client.configure(|config| {
                config.compression = compression;
                config.compression_threshold_bytes = 64;
            });
            client.check(&format!("SET k {}", text(len)), "+OK");
            let usage: usize = client.ask("MEMORY USAGE k")[1..].parse().expect("an integer");
            let stats = client.shard.stats();
            if compression != Compression::None {
                assert_eq!((stats.packed, stats.packed_bytes_before), (1, len as u64));
                assert!(stats.packed_bytes_after < len as u64 && stats.packed_bytes_after < usage as u64);
            }
            usage
        };
        let plain = usage(Compression::None);
        assert!(plain > len);
        assert!(usage(Compression::Lz4) < plain, "{len}");
        assert!(usage(Compression::Zstd) < plain, "{len}");
    }
}

#[test]
fn what_would_not_become_smaller_stays_as_it_is() {
    let mut client = Client::new();
    client.configure(|config| {
        config.compression = Compression::Lz4;
        config.compression_threshold_bytes = 64;
    });
    let mut rng = crate::base::Rng::with_seed(1);
    let noise: String =
        (0..1000).map(|_| char::from(rng.u8(b'!'..=b'z'))).filter(|c| *c != '"' && *c != '\\').collect();
    client.check(&format!("SET k {noise}"), "+OK");
    client.check(&format!("SET short {}", text(63)), "+OK");
    assert_eq!(client.shard.stats().packed, 0);
    client.check(&format!("SET k {}", text(64)), "+OK");
    assert_eq!(client.shard.stats().packed, 1);
    // Values that were packed stay readable when the setting changes, and become plain when they are written again.
    client.configure(|config| config.compression = Compression::None);
    client.check("STRLEN k", ":64");
    client.check("APPEND k x", ":65");
    assert_eq!(client.shard.stats().packed, 1);
}
