//! Adding members and changing scores.

use super::score_reply;
use crate::command::Args;
use crate::exec::{Cx, access};
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// What a ZADD may do and what it answers.
#[derive(Clone, Copy, Default)]
struct Options {
    /// Only members that are not there (NX).
    absent: bool,
    /// Only members that are there (XX).
    present: bool,
    /// Only scores that become greater (GT).
    greater: bool,
    /// Only scores that become less (LT).
    less: bool,
    /// Answers changed members as well as added ones (CH).
    changes: bool,
    /// Adds to the score, and answers it (INCR).
    increments: bool,
}

impl Options {
    /// Reads the options that stand in front of the first score.
    fn read(&mut self, args: &mut Args<'_>) {
        while let Some(option) = args.keyword_of(&["nx", "xx", "gt", "lt", "ch", "incr"]) {
            let flags = [
                &mut self.absent,
                &mut self.present,
                &mut self.greater,
                &mut self.less,
                &mut self.changes,
                &mut self.increments,
            ];
            if let Some(flag) = flags.into_iter().nth(option) {
                *flag = true;
            }
        }
    }

    fn check(&self, pairs: usize) -> Result<(), ReplyError> {
        if self.absent && self.present {
            return Err(ReplyError::ZaddNxAndXx);
        }
        if usize::from(self.absent) + usize::from(self.greater) + usize::from(self.less) > 1 {
            return Err(ReplyError::ZaddGtLtAndNx);
        }
        if self.increments && pairs > 1 {
            return Err(ReplyError::ZaddIncrement);
        }
        Ok(())
    }
}

/// What has become of the members so far.
#[derive(Default)]
struct Tally {
    added: i64,
    updated: i64,
    /// The score that the last member has, unless the options forbade to set it.
    score: Option<f64>,
    is_nan: bool,
}

impl Tally {
    /// The score that a member gets, if it gets one.
    fn judge(&mut self, before: Option<f64>, given: f64, options: Options) -> Option<f64> {
        let score = match before {
            None if options.present => return None,
            None => {
                self.added += 1;
                given
            }
            Some(_) if options.absent => return None,
            Some(before) => {
                let score = if options.increments { before + given } else { given };
                self.is_nan |= score.is_nan();
                if self.is_nan || options.less && score >= before || options.greater && score <= before {
                    return None;
                }
                self.updated += i64::from(score != before);
                score
            }
        };
        self.score = Some(score);
        self.score
    }
}

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub(in crate::exec) fn zadd(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    add(shard, args, cx, reply, Options::default())
}

/// `ZINCRBY key increment member`
pub(in crate::exec) fn zincrby(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    // Redis takes an increment that is the name of an option for the option, and so do we.
    add(shard, args, cx, reply, Options { increments: true, ..Options::default() })
}

fn add(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    mut options: Options,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    options.read(args);
    if args.is_empty() || !args.remaining().is_multiple_of(2) {
        return Err(ReplyError::Syntax);
    }
    options.check(args.remaining() / 2)?;
    // All scores are read before anything is changed; the first, mostly the only one, is not read twice.
    let first = args.float()?;
    let mut pairs = *args;
    let mut behind = *args;
    while behind.next().is_ok() && !behind.is_empty() {
        behind.float()?;
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let tally = access::change_zset(&mut keys, key, !options.present, |zset, shapes| {
        let (mut tally, mut given) = (Tally::default(), Ok(first));
        while let (Ok(score), Ok(member)) = (given, pairs.next()) {
            zset.update(member, shapes, |before| tally.judge(before, score, options));
            given = pairs.float();
        }
        let event = if options.increments { Event::ZINCR } else { Event::ZADD };
        ((tally.added + tally.updated > 0).then_some(event), tally)
    })?;
    let tally = tally.unwrap_or_default();
    match options {
        _ if tally.is_nan => return Err(ReplyError::ScoreNaN),
        Options { increments: true, .. } => score_reply(tally.score, reply),
        Options { changes: true, .. } => reply.integer(tally.added + tally.updated),
        _ => reply.integer(tally.added),
    }
    Ok(())
}
