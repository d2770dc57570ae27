//! Lists.

use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError};

/// `LLEN key`
pub(super) fn llen(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::list(&mut keys, args.next()?)?.map_or(0, |list| list.len()) as i64);
    Ok(())
}
