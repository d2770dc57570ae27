//! The table from a command's number to its handler.

use super::{Cx, Handler};
use super::{
    bitfield, bitmap, dump, expire, hash, hash_expire, hash_number, hash_ttl, hash_walk, keys, lcs, list, list_element,
    node, object, set, set_combine, set_walk, sort, string, string_number,
};
use super::{string_range, zset};
use crate::command::{Args, Command, CommandId};
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError, Request};

/// The handler of every command that runs on one shard.
pub static HANDLERS: [Option<Handler>; CommandId::COUNT] = {
    let mut table: [Option<Handler>; CommandId::COUNT] = [None; CommandId::COUNT];
    let mut row = 0;
    while row < ROWS.len() {
        let (id, handler) = ROWS[row];
        assert!(table[id.index()].is_none(), "a command has one handler");
        table[id.index()] = Some(handler);
        row += 1;
    }
    table
};

const ROWS: &[(CommandId, Handler)] = &[
    // Strings.
    (CommandId::Append, string_range::append),
    (CommandId::Decr, string_number::decr),
    (CommandId::Decrby, string_number::decrby),
    (CommandId::Get, string::get),
    (CommandId::Getdel, string::getdel),
    (CommandId::Getex, string::getex),
    (CommandId::Getrange, string_range::getrange),
    (CommandId::Getset, string::getset),
    (CommandId::Incr, string_number::incr),
    (CommandId::Incrby, string_number::incrby),
    (CommandId::Incrbyfloat, string_number::incrbyfloat),
    (CommandId::Lcs, lcs::lcs),
    (CommandId::Mget, string::mget),
    (CommandId::Mset, string::mset),
    (CommandId::Msetnx, string::msetnx),
    (CommandId::Psetex, string::psetex),
    (CommandId::Set, string::set),
    (CommandId::Setex, string::setex),
    (CommandId::Setnx, string::setnx),
    (CommandId::Setrange, string_range::setrange),
    (CommandId::Strlen, string::strlen),
    (CommandId::Substr, string_range::getrange),
    // Bitmaps.
    (CommandId::Bitcount, bitmap::bitcount),
    (CommandId::Bitfield, bitfield::bitfield),
    (CommandId::BitfieldRo, bitfield::bitfield_ro),
    (CommandId::Bitop, bitmap::bitop),
    (CommandId::Bitpos, bitmap::bitpos),
    (CommandId::Getbit, bitmap::getbit),
    (CommandId::Setbit, bitmap::setbit),
    // Hashes.
    (CommandId::Hdel, hash::hdel),
    (CommandId::Hexists, hash::hexists),
    (CommandId::Hexpire, hash_expire::hexpire),
    (CommandId::Hexpireat, hash_expire::hexpireat),
    (CommandId::Hexpiretime, hash_ttl::hexpiretime),
    (CommandId::Hget, hash::hget),
    (CommandId::Hgetall, hash::hgetall),
    (CommandId::Hgetdel, hash_expire::hgetdel),
    (CommandId::Hgetex, hash_expire::hgetex),
    (CommandId::Hincrby, hash_number::hincrby),
    (CommandId::Hincrbyfloat, hash_number::hincrbyfloat),
    (CommandId::Hkeys, hash::hkeys),
    (CommandId::Hlen, hash::hlen),
    (CommandId::Hmget, hash::hmget),
    (CommandId::Hmset, hash::hmset),
    (CommandId::Hpersist, hash_ttl::hpersist),
    (CommandId::Hpexpire, hash_expire::hpexpire),
    (CommandId::Hpexpireat, hash_expire::hpexpireat),
    (CommandId::Hpexpiretime, hash_ttl::hpexpiretime),
    (CommandId::Hpttl, hash_ttl::hpttl),
    (CommandId::Hrandfield, hash_walk::hrandfield),
    (CommandId::Hscan, hash_walk::hscan),
    (CommandId::Hset, hash::hset),
    (CommandId::Hsetex, hash_expire::hsetex),
    (CommandId::Hsetnx, hash::hsetnx),
    (CommandId::Hstrlen, hash::hstrlen),
    (CommandId::Httl, hash_ttl::httl),
    (CommandId::Hvals, hash::hvals),
    // Lists.
    (CommandId::Lindex, list_element::lindex),
    (CommandId::Linsert, list_element::linsert),
    (CommandId::Llen, list::llen),
    (CommandId::Lmove, list::lmove),
    (CommandId::Lmpop, list::lmpop),
    (CommandId::Lpop, list::lpop),
    (CommandId::Lpos, list_element::lpos),
    (CommandId::Lpush, list::lpush),
    (CommandId::Lpushx, list::lpushx),
    (CommandId::Lrange, list_element::lrange),
    (CommandId::Lrem, list_element::lrem),
    (CommandId::Lset, list_element::lset),
    (CommandId::Ltrim, list_element::ltrim),
    (CommandId::Rpop, list::rpop),
    (CommandId::Rpoplpush, list::rpoplpush),
    (CommandId::Rpush, list::rpush),
    (CommandId::Rpushx, list::rpushx),
    // Sets.
    (CommandId::Sadd, set::sadd),
    (CommandId::Scard, set::scard),
    (CommandId::Sdiff, set_combine::sdiff),
    (CommandId::Sdiffstore, set_combine::sdiffstore),
    (CommandId::Sinter, set_combine::sinter),
    (CommandId::Sintercard, set_combine::sintercard),
    (CommandId::Sinterstore, set_combine::sinterstore),
    (CommandId::Sismember, set::sismember),
    (CommandId::Smembers, set::smembers),
    (CommandId::Smismember, set::smismember),
    (CommandId::Smove, set::smove),
    (CommandId::Spop, set_walk::spop),
    (CommandId::Srandmember, set_walk::srandmember),
    (CommandId::Srem, set::srem),
    (CommandId::Sscan, set_walk::sscan),
    (CommandId::Sunion, set_combine::sunion),
    (CommandId::Sunionstore, set_combine::sunionstore),
    // Sorted sets.
    (CommandId::Zadd, zset::zadd),
    (CommandId::Zcard, zset::zcard),
    (CommandId::Zcount, zset::zcount),
    (CommandId::Zdiff, zset::zdiff),
    (CommandId::Zdiffstore, zset::zdiffstore),
    (CommandId::Zincrby, zset::zincrby),
    (CommandId::Zinter, zset::zinter),
    (CommandId::Zintercard, zset::zintercard),
    (CommandId::Zinterstore, zset::zinterstore),
    (CommandId::Zlexcount, zset::zlexcount),
    (CommandId::Zmpop, zset::zmpop),
    (CommandId::Zmscore, zset::zmscore),
    (CommandId::Zpopmax, zset::zpopmax),
    (CommandId::Zpopmin, zset::zpopmin),
    (CommandId::Zrandmember, zset::zrandmember),
    (CommandId::Zrange, zset::zrange),
    (CommandId::Zrangebylex, zset::zrangebylex),
    (CommandId::Zrangebyscore, zset::zrangebyscore),
    (CommandId::Zrangestore, zset::zrangestore),
    (CommandId::Zrank, zset::zrank),
    (CommandId::Zrem, zset::zrem),
    (CommandId::Zremrangebylex, zset::zremrangebylex),
    (CommandId::Zremrangebyrank, zset::zremrangebyrank),
    (CommandId::Zremrangebyscore, zset::zremrangebyscore),
    (CommandId::Zrevrange, zset::zrevrange),
    (CommandId::Zrevrangebylex, zset::zrevrangebylex),
    (CommandId::Zrevrangebyscore, zset::zrevrangebyscore),
    (CommandId::Zrevrank, zset::zrevrank),
    (CommandId::Zscan, zset::zscan),
    (CommandId::Zscore, zset::zscore),
    (CommandId::Zunion, zset::zunion),
    (CommandId::Zunionstore, zset::zunionstore),
    // Keys.
    (CommandId::Copy, keys::copy),
    (CommandId::Del, keys::del),
    (CommandId::Dump, dump::dump),
    (CommandId::Exists, keys::exists),
    (CommandId::Expire, expire::expire),
    (CommandId::Expireat, expire::expireat),
    (CommandId::Expiretime, expire::expiretime),
    (CommandId::Flushall, node::flushall),
    (CommandId::Flushdb, node::flushdb),
    (CommandId::MemoryUsage, object::memory_usage),
    (CommandId::Move, keys::move_key),
    (CommandId::ObjectEncoding, object::encoding),
    (CommandId::ObjectFreq, object::freq),
    (CommandId::ObjectIdletime, object::idletime),
    (CommandId::ObjectRefcount, object::refcount),
    (CommandId::Persist, expire::persist),
    (CommandId::Pexpire, expire::pexpire),
    (CommandId::Pexpireat, expire::pexpireat),
    (CommandId::Pexpiretime, expire::pexpiretime),
    (CommandId::Pttl, expire::pttl),
    (CommandId::Rename, keys::rename),
    (CommandId::Renamenx, keys::renamenx),
    (CommandId::Restore, dump::restore),
    (CommandId::Sort, sort::sort),
    (CommandId::SortRo, sort::sort_ro),
    (CommandId::Swapdb, node::swapdb),
    (CommandId::Touch, keys::touch),
    (CommandId::Ttl, expire::ttl),
    (CommandId::Type, keys::type_name),
    (CommandId::Unlink, keys::del),
];

/// Runs a command of scope shard whose arity has been checked, on a shard that holds all of its keys. An error is for the
/// caller to write: nothing was written yet.
#[inline]
pub fn run(
    command: &'static Command,
    request: Request<'_>,
    shard: &mut Shard,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let Some(handler) = HANDLERS[command.id.index()] else {
        // The table of commands promises a handler for every row of scope shard; `every_row_has_its_handler` holds it.
        return Err(ReplyError::Syntax);
    };
    handler(shard, &mut Args::new(command, request), cx, reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{BY_ID, Scope};

    #[test]
    fn every_row_has_its_handler() {
        for command in BY_ID.iter().filter(|command| command.scope == Scope::Shard && command.subcommands.is_empty()) {
            assert!(HANDLERS[command.id.index()].is_some(), "{}", command.name);
        }
    }
}
