//! Sets.

use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError};

/// `SCARD key`
pub(super) fn scard(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::set(&mut keys, args.next()?)?.map_or(0, |set| set.len()) as i64);
    Ok(())
}
