//! Sorted sets.

use super::transcript;

#[test]
fn what_is_not_there_is_empty() {
    transcript(|t| {
        t.check("ZCARD k", ":0");
        t.check("SET k v", "+OK");
        t.check("ZCARD k", "-WRONGTYPE Operation against a key holding the wrong kind of value");
    });
}
