//! Values on their way out of a keyspace and into another: DUMP and RESTORE.

use bytes::Bytes;

use super::{Cx, rdb};
use crate::command::{Args, number};
use crate::keyspace::{Deadline, Event, Shard, Usage};
use crate::resp::{Reply, ReplyError};

/// `DUMP key`
pub(super) fn dump(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).read(args.next()?) {
        None => reply.null(),
        // The format of Redis 7.2 has no place for them.
        Some(value) if value.collection().is_some_and(|collection| collection.next_field_deadline().is_some()) => {
            return Err(ReplyError::DumpFieldDeadlines);
        }
        Some(value) => reply.bulk_shared(&Bytes::from(rdb::serialize(value))),
    }
    Ok(())
}

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(super) fn restore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, ttl, payload) = (args.next()?, args.next()?, args.next()?);
    let options = RestoreOptions::parse(args)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let was_there = keys.peek(key).is_some();
    if was_there && !options.replace {
        return Err(ReplyError::BusyKey);
    }
    let ttl_ms = number::integer(ttl).ok_or(ReplyError::NotInteger)?;
    let ttl_ms = u64::try_from(ttl_ms).map_err(|_| ReplyError::RestoreTtl)?;
    let value = rdb::deserialize(payload, cx.bulk_bytes_max, keys.shapes()).map_err(|corrupt| match corrupt {
        rdb::Corrupt::Footer => ReplyError::RestorePayload,
        rdb::Corrupt::Value => ReplyError::RestoreFormat,
    })?;
    let deadline = match ttl_ms {
        0 => Some(Deadline::NEVER),
        _ => deadline(ttl_ms, keys.now_ms(), options.absolute),
    };
    match deadline {
        Some(deadline) => {
            keys.set(key, value, deadline);
            if let Some(usage) = options.usage {
                keys.set_usage(key, usage);
            }
            if was_there {
                // In Redis it has made way before, so the key counts as a new one.
                keys.notify(Event::NEW, key);
            }
            keys.notify(Event::RESTORE, key);
        }
        None => _ = keys.delete(key),
    }
    reply.ok();
    Ok(())
}

/// The deadline that a TTL stands for; `None` if it has passed. As in Redis, a sum beyond 63 bits counts as long past.
fn deadline(ttl_ms: u64, now_ms: u64, absolute: bool) -> Option<Deadline> {
    let when_ms = if absolute { ttl_ms } else { ttl_ms.saturating_add(now_ms) };
    (when_ms > now_ms && i64::try_from(when_ms).is_ok()).then(|| Deadline::at(when_ms))
}

/// What may follow the payload of RESTORE.
#[derive(Default)]
struct RestoreOptions {
    replace: bool,
    /// The TTL is a moment in milliseconds since 1970.
    absolute: bool,
    usage: Option<Usage>,
}

impl RestoreOptions {
    fn parse(args: &mut Args<'_>) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        while !args.is_empty() {
            match args.keyword_of(&["replace", "absttl", "idletime", "freq"]) {
                Some(0) => options.replace = true,
                Some(1) => options.absolute = true,
                // Idle time and frequency are two readings of the same bits in Redis, so it takes one of them.
                Some(2) if !args.is_empty() && !matches!(options.usage, Some(Usage::Frequency(_))) => {
                    let idle_s = u64::try_from(args.int()?).map_err(|_| ReplyError::RestoreIdleTime)?;
                    options.usage = Some(Usage::Idle(u32::try_from(idle_s).unwrap_or(u32::MAX)));
                }
                Some(3) if !args.is_empty() && !matches!(options.usage, Some(Usage::Idle(_))) => {
                    let frequency = u8::try_from(args.int()?).map_err(|_| ReplyError::RestoreFrequency)?;
                    options.usage = Some(Usage::Frequency(frequency));
                }
                _ => return Err(ReplyError::Syntax),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use crate::exec::rdb;
    use crate::exec::testing::{Bench, START_MS};

    /// `\xHH` for every byte.
    fn quoted(payload: &[u8]) -> String {
        payload.iter().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    fn abc() -> String {
        quoted(&rdb::seal(b"\x00\x03abc", 11))
    }

    #[test]
    fn a_dump_is_restored() {
        let mut bench = Bench::new();
        bench.check("DUMP k", "$-1");
        bench.check("SET k 300", "+OK");
        let dump = bench.run(&[b"DUMP", b"k"]);
        let payload = dump.strip_prefix(b"$14\r\n").and_then(|rest| rest.strip_suffix(b"\r\n")).expect("a bulk string");
        bench.check(&format!("RESTORE j 0 {}", quoted(payload)), "+OK");
        bench.check("GET j", "$3 300");
        bench.check("OBJECT ENCODING j", "$3 int");
        bench.check("TTL j", ":-1");
    }

    #[test]
    fn a_large_value_is_dumped_and_restored() {
        let mut bench = Bench::new();
        let large = "0123456789abcdef".repeat(5000);
        bench.check(&format!("SET k {large}"), "+OK");
        let dump = bench.run(&[b"DUMP", b"k"]);
        let payload =
            dump.strip_prefix(b"$80016\r\n").and_then(|rest| rest.strip_suffix(b"\r\n")).expect("a bulk string");
        assert_eq!(bench.run(&[b"RESTORE", b"j", b"0", payload]), b"+OK\r\n");
        bench.check("GET j", &format!("$80000 {large}"));
        bench.bulk_bytes_max = 79_999;
        assert_eq!(bench.run(&[b"RESTORE", b"i", b"0", payload]), b"-ERR Bad data format\r\n");
    }

    #[test]
    fn deadlines_are_from_now_or_absolute() {
        let mut bench = Bench::new();
        let payload = abc();
        bench.check(&format!("RESTORE k 1500 {payload}"), "+OK");
        bench.check("PTTL k", ":1500");
        bench.check(&format!("RESTORE k {} {payload} ABSTTL replace", START_MS + 7), "+OK");
        bench.check("PTTL k", ":7");
        bench.check(&format!("RESTORE k 0 {payload} ABSTTL REPLACE"), "+OK");
        bench.check("PTTL k", ":-1");
        bench.check(&format!("RESTORE k 9223372036854775807 {payload} ABSTTL REPLACE"), "+OK");
        bench.check("PEXPIRETIME k", ":9223372036854775807");
        bench.check(&format!("RESTORE k 9223372036854775807 {payload} REPLACE"), "+OK");
        bench.check("EXISTS k", ":0");
        bench.check("SET k old", "+OK");
        bench.check(&format!("RESTORE k 1 {payload} ABSTTL REPLACE"), "+OK");
        bench.check("EXISTS k", ":0");
        bench.check(&format!("RESTORE k 1 {payload} ABSTTL"), "+OK");
        bench.check("EXISTS k", ":0");
    }

    #[test]
    fn the_idle_time_comes_along() {
        let mut bench = Bench::new();
        let payload = abc();
        bench.check(&format!("RESTORE k 0 {payload} IDLETIME 1000"), "+OK");
        bench.check("OBJECT IDLETIME k", ":1000");
        bench.check(&format!("RESTORE k 0 {payload} REPLACE IDLETIME 9223372036854775807"), "+OK");
        bench.check("OBJECT IDLETIME k", ":16777215");
        bench.check(&format!("RESTORE k 0 {payload} REPLACE FREQ 255"), "+OK");
        bench.check("OBJECT IDLETIME k", ":0");
    }

    #[test]
    fn mistakes_in_redis_order() {
        let mut bench = Bench::new();
        bench.check("SET i 1", "+OK");
        bench.check("RESTORE i abc x", "-BUSYKEY Target key name already exists.");
        bench.check("RESTORE i abc x FOO", "-ERR syntax error");
        bench.check("RESTORE j abc x REPLACE FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255");
        bench.check("RESTORE j abc x FREQ 1 IDLETIME 2", "-ERR syntax error");
        bench.check("RESTORE j abc x IDLETIME 1 IDLETIME 2 FREQ 1", "-ERR syntax error");
        bench.check("RESTORE j abc x IDLETIME", "-ERR syntax error");
        bench.check("RESTORE j abc x IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0");
        bench.check("RESTORE j abc x IDLETIME x", "-ERR value is not an integer or out of range");
        bench.check("RESTORE j abc x", "-ERR value is not an integer or out of range");
        bench.check("RESTORE j -1 x", "-ERR Invalid TTL value, must be >= 0");
        bench.check("RESTORE j 0 x", "-ERR DUMP payload version or checksum are wrong");
        bench.check("RESTORE j 0 \"\"", "-ERR DUMP payload version or checksum are wrong");
        bench.check(&format!("RESTORE j 0 {}", quoted(&rdb::seal(b"\x00", 10))), "-ERR Bad data format");
        bench.check("RESTORE i 0 x REPLACE", "-ERR DUMP payload version or checksum are wrong");
        bench.check("EXISTS i j", ":1");
    }
}
