//! Lists.

use super::transcript;

#[test]
fn what_is_not_there_is_empty() {
    transcript(|t| {
        t.check("LLEN k", ":0");
        t.check("SET k v", "+OK");
        t.check("LLEN k", "-WRONGTYPE Operation against a key holding the wrong kind of value");
    });
}
