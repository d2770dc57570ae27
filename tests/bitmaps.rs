//! Transcripts of the bitmap commands: every option and every error that Redis has for them.

use corewise_harness::transcript;

#[test]
fn setbit_and_getbit() {
    transcript(|t| {
        t.check("SETBIT k 7 1", ":0");
        t.check("SETBIT k 7 0", ":1");
        t.check("GET k", r#""\x00""#);
        t.check("SETBIT k 15 1", ":0");
        t.check("STRLEN k", ":2");
        t.check("GETBIT k 15", ":1");
        t.check("GETBIT k 14", ":0");
        t.check("GETBIT k 100000", ":0");
        t.check("GETBIT absent 0", ":0");
        t.check("SET n 1", "+OK");
        t.check("GETBIT n 2", ":1");
        t.check("SETBIT n 7 0", ":1");
        t.check("GET n", "0");
        t.check("EXPIRE k 100", ":1");
        t.check("SETBIT k 0 1", ":0");
        t.near("TTL k", 100, 1);
        t.check("SETBIT k -1 1", "-ERR bit offset is not an integer or out of range");
        t.check("SETBIT k 4294967296 1", "-ERR bit offset is not an integer or out of range");
        t.check("SETBIT k x 1", "-ERR bit offset is not an integer or out of range");
        t.check("SETBIT k 0 2", "-ERR bit is not an integer or out of range");
        t.check("SETBIT k 0 x", "-ERR bit is not an integer or out of range");
        t.check("GETBIT k -1", "-ERR bit offset is not an integer or out of range");
        t.check("GETBIT k", "-ERR wrong number of arguments for 'getbit' command");
        t.check("SETBIT k 1", "-ERR wrong number of arguments for 'setbit' command");
    });
}

#[test]
fn bitcount() {
    transcript(|t| {
        t.check("BITCOUNT absent", ":0");
        t.check("SET k foobar", "+OK");
        t.check("BITCOUNT k", ":26");
        t.check("BITCOUNT k 0 0", ":4");
        t.check("BITCOUNT k 1 1", ":6");
        t.check("BITCOUNT k 1 1 BYTE", ":6");
        t.check("BITCOUNT k 5 30 BIT", ":17");
        t.check("BITCOUNT k 0 -1", ":26");
        t.check("BITCOUNT k -2 -1", ":7");
        t.check("BITCOUNT k -1 -2", ":0");
        t.check("BITCOUNT k 100 200", ":0");
        t.check("BITCOUNT k -100 200", ":26");
        t.check("BITCOUNT k -8 -1 bit", ":4");
        t.check("BITCOUNT k 0", "-ERR syntax error");
        t.check("BITCOUNT k 0 0 BAD", "-ERR syntax error");
        t.check("BITCOUNT k 0 0 BIT x", "-ERR syntax error");
        t.check("BITCOUNT k a 0", "-ERR value is not an integer or out of range");
        t.check("BITCOUNT", "-ERR wrong number of arguments for 'bitcount' command");
    });
}

#[test]
fn bitpos() {
    transcript(|t| {
        t.check(r#"SET k "\xff\xf0\x00""#, "+OK");
        t.check("BITPOS k 0", ":12");
        t.check("BITPOS k 1", ":0");
        t.check("BITPOS k 0 2", ":16");
        t.check("BITPOS k 1 2", ":-1");
        t.check("BITPOS k 1 1", ":8");
        t.check("BITPOS k 0 0 0", ":-1");
        t.check("BITPOS k 0 0 -1", ":12");
        t.check("BITPOS k 0 0 11 BIT", ":-1");
        t.check("BITPOS k 0 9 20 BIT", ":12");
        t.check("BITPOS k 1 -16 -1 BIT", ":8");
        t.check("BITPOS k 0 1 2 byte", ":12");
        t.check(r#"SET ones "\xff\xff\xff""#, "+OK");
        t.check("BITPOS ones 0", ":24");
        t.check("BITPOS ones 0 0", ":24");
        t.check("BITPOS ones 0 0 -1", ":-1");
        t.check("BITPOS ones 0 5", ":-1");
        t.check("BITPOS absent 0", ":0");
        t.check("BITPOS absent 1", ":-1");
        t.check("BITPOS k 2", "-ERR The bit argument must be 1 or 0.");
        t.check("BITPOS k x", "-ERR value is not an integer or out of range");
        t.check("BITPOS k 0 0 -1 BAD", "-ERR syntax error");
        t.check("BITPOS k 0 x", "-ERR value is not an integer or out of range");
        t.check("BITPOS k", "-ERR wrong number of arguments for 'bitpos' command");
    });
}

#[test]
fn bitop() {
    transcript(|t| {
        t.check("MSET a foobar b abcdef", "+OK");
        t.check("BITOP AND d a b", ":6");
        t.check("GET d", r#""`bc`ab""#);
        t.check("BITOP OR d a b", ":6");
        t.check("GET d", "goofev");
        t.check("BITOP XOR d a b", ":6");
        t.check("GET d", r#""\x07\r\x0c\x06\x04\x14""#);
        t.check("BITOP NOT d a", ":6");
        t.check("GET d", r#""\x99\x90\x90\x9d\x9e\x8d""#);
        t.check("SET short a", "+OK");
        t.check("BITOP AND d a short", ":6");
        t.check("GET d", r#""`\x00\x00\x00\x00\x00""#);
        t.check("BITOP or d a short absent", ":6");
        t.check("GET d", "goobar");
        t.check("BITOP AND d a", ":6");
        t.check("GET d", "foobar");
        t.check("EXPIRE d 100", ":1");
        t.check("BITOP OR d a", ":6");
        t.check("TTL d", ":-1");
        t.check("BITOP OR d absent none", ":0");
        t.check("EXISTS d", ":0");
        t.check("BITOP NOT a a", ":6");
        t.check("BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key.");
        t.check("BITOP BAD d a", "-ERR syntax error");
        t.check("BITOP AND d", "-ERR wrong number of arguments for 'bitop' command");
    });
}

#[test]
fn bitfield() {
    transcript(|t| {
        t.check("BITFIELD k INCRBY i5 100 1 GET u4 0", "[:1, :0]");
        t.check("BITFIELD k SET u8 0 255", "[:0]");
        t.check("BITFIELD k GET u8 0 GET i8 0", "[:255, :-1]");
        t.check("BITFIELD k SET i8 #1 -100 GET i8 #1", "[:0, :-100]");
        t.check("BITFIELD k GET u8 8", "[:156]");
        t.check("BITFIELD w INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", "[:1, :1]");
        t.check("BITFIELD w INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", "[:2, :2]");
        t.check("BITFIELD w INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", "[:3, :3]");
        t.check("BITFIELD w INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", "[:0, :3]");
        t.check("BITFIELD w OVERFLOW FAIL INCRBY u2 102 1", "[(nil)]");
        t.check("BITFIELD w OVERFLOW FAIL SET u2 102 4", "[(nil)]");
        t.check("BITFIELD w OVERFLOW WRAP SET u2 102 5", "[:3]");
        t.check("BITFIELD w GET u2 102", "[:1]");
        t.check("BITFIELD s SET i64 0 9223372036854775807", "[:0]");
        t.check("BITFIELD s OVERFLOW SAT INCRBY i64 0 1", "[:9223372036854775807]");
        t.check("BITFIELD s INCRBY i64 0 1", "[:-9223372036854775808]");
        t.check("BITFIELD s OVERFLOW SAT INCRBY i64 0 -1", "[:-9223372036854775808]");
        t.check("BITFIELD s GET u63 1", "[:0]");
        t.check("BITFIELD k", "[]");
        t.check("BITFIELD absent GET u8 0", "[:0]");
        t.check("EXISTS absent", ":0");
        t.check("BITFIELD_RO k GET u8 0", "[:255]");
        t.check("BITFIELD_RO absent GET u8 0 GET i5 3", "[:0, :0]");
        t.check("BITFIELD_RO k SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand");
        let invalid =
            "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
        t.check("BITFIELD k GET u64 0", invalid);
        t.check("BITFIELD k GET i65 0", invalid);
        t.check("BITFIELD k GET u0 0", invalid);
        t.check("BITFIELD k GET x8 0", invalid);
        t.check("BITFIELD k GET u8 -1", "-ERR bit offset is not an integer or out of range");
        t.check("BITFIELD k GET u8 4294967295", "[:0]");
        t.check("BITFIELD k GET u8 4294967296", "-ERR bit offset is not an integer or out of range");
        t.check("BITFIELD k GET u8 #536870912", "-ERR bit offset is not an integer or out of range");
        t.check("BITFIELD k SET u8 0 x", "-ERR value is not an integer or out of range");
        t.check("BITFIELD k OVERFLOW BAD GET u8 0", "-ERR Invalid OVERFLOW type specified");
        t.check("BITFIELD k GET u8", "-ERR syntax error");
        t.check("BITFIELD k BAD u8 0", "-ERR syntax error");
        t.check("BITFIELD", "-ERR wrong number of arguments for 'bitfield' command");
    });
}
