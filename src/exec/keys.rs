//! Keys of any type.

use super::Cx;
use crate::command::Args;
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError};

/// `DEL key [key ...]`, `UNLINK key [key ...]`
pub(super) fn del(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let mut deleted = 0;
    while let Ok(key) = args.next() {
        deleted += i64::from(keys.delete(key));
    }
    reply.integer(deleted);
    Ok(())
}
