//! Hashes without deadlines of fields.

use super::transcript;

#[test]
fn fields_are_set_read_and_deleted() {
    transcript(|t| {
        t.check("HGET h f", "(nil)");
        t.check("HSET h f v", ":1");
        t.check("HSET h f w g 12", ":1");
        t.check("HGET h f", "w");
        t.check("HGET h g", "12");
        t.check("HGET h x", "(nil)");
        t.check("HLEN h", ":2");
        t.check("HMSET h a 1 b 2", "+OK");
        t.check("HGETALL h", "[f, w, g, 12, a, 1, b, 2]");
        t.check("HDEL h f x g", ":2");
        t.check("HDEL h a b", ":2");
        t.check_absent("h");
        t.check("HDEL h a", ":0");
        t.check("HLEN h", ":0");
        t.check("HGETALL h", "[]");
    });
}

#[test]
fn hashes_refuse_what_they_should() {
    transcript(|t| {
        t.check("HSET h f v g", "-ERR wrong number of arguments for 'hset' command");
        t.check("HMSET h f v g", "-ERR wrong number of arguments for 'hmset' command");
        t.check("SET s v", "+OK");
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
        for command in ["HSET s f v", "HGET s f", "HDEL s f", "HLEN s", "HGETALL s", "HMSET s f v"] {
            t.check(command, wrong);
        }
        t.check("HSET h f v", ":1");
        for command in ["GET h", "APPEND h x", "INCR h", "GETRANGE h 0 1"] {
            t.check(command, wrong);
        }
        t.check("SET h v", "+OK");
    });
}

#[test]
fn hashes_are_compact_up_to_a_size() {
    transcript(|t| {
        t.check("HSET h f v", ":1");
        t.check("OBJECT ENCODING h", "listpack");
        t.check("TYPE h", "+hash");
        let long = "x".repeat(65);
        t.check(&format!("HSET h f {}", "x".repeat(64)), ":0");
        t.check("OBJECT ENCODING h", "listpack");
        t.check(&format!("HSET h f {long}"), ":0");
        t.check("OBJECT ENCODING h", "hashtable");
        t.check("HGET h f", &long);
        t.check("HDEL h f", ":1");
        t.check_absent("h");
        for field in 0..128 {
            t.check(&format!("HSET h {field} {field}"), ":1");
        }
        t.check("OBJECT ENCODING h", "listpack");
        t.check("HSET h 0 zero", ":0");
        t.check("OBJECT ENCODING h", "listpack");
        t.check("HSET h more 1", ":1");
        t.check("OBJECT ENCODING h", "hashtable");
        t.check("HLEN h", ":129");
        t.check("HGET h 77", "77");
        t.check("HGET h 0", "zero");
    });
}

#[test]
fn collections_move_and_expire_as_strings_do() {
    transcript(|t| {
        t.check("HSET h f v", ":1");
        t.check("COPY h i", ":1");
        t.check("HSET i f w", ":0");
        t.check("HGET h f", "v");
        t.check("RENAME i j", "+OK");
        t.check("HGET j f", "w");
        t.check("PEXPIRE j 10", ":1");
        t.pass_ms(11);
        t.check("HGET j f", "(nil)");
        t.check("HSET j f v", ":1");
        t.check("TTL j", ":-1");
    });
}

#[test]
fn fields_are_asked_about() {
    for entries in [0, 128] {
        transcript(|t| {
            t.configure(|config| config.hash_entries = entries);
            t.check("HMGET none a b", "[(nil), (nil)]");
            t.check("HEXISTS none a", ":0");
            t.check("HSTRLEN none a", ":0");
            t.check("HKEYS none", "[]");
            t.check("HVALS none", "[]");
            t.check("HSETNX h a 1", ":1");
            t.check("HSETNX h a 2", ":0");
            t.check("HKEYS h", "[a]");
            t.check("HVALS h", "[1]");
            t.check("HSET h b word c -70000", ":2");
            t.check("HMGET h a x b a", "[1, (nil), word, 1]");
            t.check("HEXISTS h b", ":1");
            t.check("HEXISTS h x", ":0");
            t.check("HSTRLEN h b", ":4");
            t.check("HSTRLEN h c", ":6");
            t.check("HSTRLEN h x", ":0");
        });
    }
}

#[test]
fn values_are_numbers() {
    for entries in [0, 128] {
        transcript(|t| {
            t.configure(|config| config.hash_entries = entries);
            t.check("HINCRBY h n 5", ":5");
            t.check("HINCRBY h n -7", ":-2");
            t.check("HINCRBY h n 9223372036854775807", ":9223372036854775805");
            t.check("HINCRBY h n 3", "-ERR increment or decrement would overflow");
            t.check("HSET h s word f 1.5 e \"\"", ":3");
            t.check("HINCRBY h s 1", "-ERR hash value is not an integer");
            t.check("HINCRBY h f 1", "-ERR hash value is not an integer");
            t.check("HINCRBY h e 1", "-ERR hash value is not an integer");
            t.check("HINCRBY h n x", "-ERR value is not an integer or out of range");
            t.check("HINCRBYFLOAT h f 1e3", "1001.5");
            t.check("HINCRBYFLOAT h new 0.1", "0.1");
            t.check("HINCRBYFLOAT h s 1", "-ERR hash value is not a float");
            t.check("HINCRBYFLOAT h f x", "-ERR value is not a valid float");
            t.check("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity");
            t.check("HINCRBYFLOAT h f nan", "-ERR value is not a valid float");
            t.check("HSET h i inf", ":1");
            t.check("HINCRBYFLOAT h i 1", "-ERR increment would produce NaN or Infinity");
        });
    }
}

#[test]
fn every_command_wants_a_hash() {
    transcript(|t| {
        t.check("SET s v", "+OK");
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
        for command in [
            "HSETNX s a b",
            "HMGET s a",
            "HEXISTS s a",
            "HSTRLEN s a",
            "HKEYS s",
            "HVALS s",
            "HINCRBY s a 1",
            "HINCRBYFLOAT s a 1",
            "HRANDFIELD s",
            "HRANDFIELD s 1",
            "HSCAN s 0 FOO",
            "HGETDEL s x y z",
            "HGETEX s x y z",
            "HSETEX s FIELDS 1 a b",
            "HEXPIRE s x y z u",
            "HPEXPIRE s x y z u",
            "HEXPIREAT s x y z u",
            "HPEXPIREAT s x y z u",
            "HTTL s x y z",
            "HPTTL s x y z",
            "HEXPIRETIME s x y z",
            "HPEXPIRETIME s x y z",
            "HPERSIST s x y z",
        ] {
            t.check(command, wrong);
        }
    });
}

#[test]
fn fields_are_drawn() {
    for entries in [0, 128] {
        transcript(|t| {
            t.configure(|config| config.hash_entries = entries);
            t.check("HRANDFIELD none", "(nil)");
            t.check("HRANDFIELD none 3 WITHVALUES", "[]");
            t.check("HSET h a 1", ":1");
            t.check("HRANDFIELD h", "a");
            t.check("HRANDFIELD h 5", "[a]");
            t.check("HRANDFIELD h -2", "[a, a]");
            t.check("HRANDFIELD h 0 WITHVALUES", "[]");
            t.check("HRANDFIELD h 5 withvalues", "[a, 1]");
            t.check("HRANDFIELD h -2 WITHVALUES", "[a, 1, a, 1]");
            for number in 0..60 {
                t.check(&format!("HSET many f{number} {number}"), ":1");
            }
            for count in [1, 10, 30, 59] {
                let answer = t.ask(&format!("HRANDFIELD many {count} WITHVALUES"));
                let words: Vec<&str> = answer.trim_matches(['[', ']']).split(", ").collect();
                let fields: std::collections::BTreeSet<&str> = words.chunks(2).map(|pair| pair[0]).collect();
                assert_eq!(fields.len(), count);
                assert!(words.chunks(2).all(|pair| pair[0][1..] == *pair[1]));
            }
            t.check("HRANDFIELD h x foo", "-ERR value is not an integer or out of range");
            t.check("HRANDFIELD h 1 foo", "-ERR syntax error");
            t.check("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error");
            t.check("HRANDFIELD h 4611686018427387904 WITHVALUES", "-ERR value is out of range");
            t.check("HRANDFIELD h -1048577", "-ERR value is out of range");
            t.protocol = crate::resp::Protocol::Resp3;
            t.check("HRANDFIELD h 1", "[a]");
            t.check("HRANDFIELD h -2 WITHVALUES", "[[a, 1], [a, 1]]");
            t.check("HRANDFIELD none", "(null)");
            t.check("HGETALL h", "{a: 1}");
            t.check("HMGET h a x", "[1, (null)]");
        });
    }
}

#[test]
fn a_scan_finds_every_field() {
    for entries in [0, 512] {
        transcript(|t| {
            t.configure(|config| config.hash_entries = entries);
            for number in 0..300 {
                t.run_text(&format!("HSET h f{number} v{number}"));
            }
            let (mut cursor, mut found) = ("0".to_owned(), std::collections::BTreeMap::new());
            loop {
                let answer = t.ask(&format!("HSCAN h {cursor} COUNT 20"));
                let (next, rest) = answer[1..].split_once(", ").expect("cursor and fields");
                let words: Vec<&str> =
                    rest.trim_matches(['[', ']']).split(", ").filter(|word| !word.is_empty()).collect();
                found.extend(words.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())));
                cursor = next.to_owned();
                if cursor == "0" {
                    break;
                }
            }
            assert_eq!(found.len(), 300);
            assert!(found.iter().all(|(field, value)| field[1..] == value[1..]));
        });
    }
    transcript(|t| {
        t.check("HSET h a1 v b1 w", ":2");
        t.check("HSCAN h 0", "[0, [a1, v, b1, w]]");
        t.check("HSCAN h 0 MATCH b*", "[0, [b1, w]]");
        t.check("HSCAN h 0 NOVALUES MATCH a*", "[0, [a1]]");
        t.check("HSCAN none 0 FOO", "[0, []]");
        t.check("HSCAN none x", "-ERR invalid cursor");
        t.check("HSCAN h 0 FOO", "-ERR syntax error");
        t.check("HSCAN h 0 COUNT 0", "-ERR syntax error");
    });
}
