//! Hashes: fields by chance and in steps.

use super::draw::{Draws, Urn};
use super::element::element_reply;
use super::scan::{self, KeyList};
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::Shard;
use crate::keyspace::collection::HashRef;
use crate::keyspace::collection::pack::{Digits, Element};
use crate::limits::SCAN_VISITS_MAX;
use crate::resp::{Protocol, Reply, ReplyError};

/// `HRANDFIELD key [count [WITHVALUES]]`
pub(super) fn hrandfield(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    if args.is_empty() {
        let drawn = access::hash(&mut keys, key)?.and_then(|hash| hash.random(cx.rng));
        element_reply(drawn.map(|(field, _)| field), reply);
        return Ok(());
    }
    let draws = Draws::parse(args)?;
    let with_values = args.keyword("withvalues");
    args.finish()?;
    if with_values && draws.count() > (i64::MAX / 2) as usize {
        return Err(ReplyError::OutOfRange);
    }
    let Some(hash) = access::hash(&mut keys, key)? else {
        reply.array(0);
        return Ok(());
    };
    let bytes = |(field, value): (Element<'_>, Element<'_>)| field.len() + if with_values { value.len() } else { 0 };
    let drawn = urn(hash).draw(draws, cx.rng, cx.bulk_bytes_max, bytes)?;
    let is_flat = with_values && reply.protocol() == Protocol::Resp2;
    reply.array(drawn.len() * if is_flat { 2 } else { 1 });
    for (field, value) in drawn {
        if with_values && !is_flat {
            reply.array(2);
        }
        element_reply(Some(field), reply);
        if with_values {
            element_reply(Some(value), reply);
        }
    }
    Ok(())
}

fn urn(hash: HashRef<'_>) -> Urn<'_, Element<'_>> {
    let len = hash.live_len();
    Urn {
        len,
        // Where fields are due and still there, draws may miss.
        is_large: hash.is_large() && len == hash.len(),
        all: hash.iter(),
        any: Box::new(move |rng| hash.random(rng)),
    }
}

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub(super) fn hscan(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, cursor) = (args.next()?, args.cursor()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let (mut next, mut found) = (0, KeyList::default());
    if let Some(hash) = access::hash(&mut keys, key)? {
        let options = scan::parse_options(cursor, args, false)?;
        next = hash.scan(cursor, options.count.min(SCAN_VISITS_MAX), |field, value| {
            let mut digits = Digits::new();
            let field = field.bytes(&mut digits);
            if options.selects(field) {
                found.push(field);
                if !options.names_only {
                    found.push(value.bytes(&mut Digits::new()));
                }
            }
        });
    }
    scan::answer_elements(next, &found, reply);
    Ok(())
}
