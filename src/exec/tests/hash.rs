//! Hashes.

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
