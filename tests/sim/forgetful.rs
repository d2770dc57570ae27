//! A node that is too small for its data: it may forget any key at any time, but what it answers was written, was not
//! written over, and had not fallen due; and what was seen to be gone does not come back.

use std::collections::HashMap;

use corewise::base::Rng;
use corewise::config::{Config, EvictionPolicy, MemoryLimit};
use corewise::mesh::LendingMode;

use crate::clients::Clients;
use crate::node::{LAG_US, Node, Setup};
use crate::reply::{Reply, show, show_reply};

/// Commands of one run.
const COMMANDS: usize = 3000;

/// All policies.
const POLICIES: [EvictionPolicy; 11] = [
    EvictionPolicy::AllKeysLru,
    EvictionPolicy::AllKeysS3Fifo,
    EvictionPolicy::VolatileTtl,
    EvictionPolicy::AllKeysFifo,
    EvictionPolicy::VolatileS3Fifo,
    EvictionPolicy::AllKeysRandom,
    EvictionPolicy::VolatileLru,
    EvictionPolicy::AllKeysLfu,
    EvictionPolicy::NoEviction,
    EvictionPolicy::VolatileRandom,
    EvictionPolicy::VolatileLfu,
];

/// What a command that was answered did to one key, or saw of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    /// Wrote the value of this number, to stay for so many milliseconds.
    Wrote(u64, Option<u64>),
    Deleted,
    /// Read the value of this number, or nothing.
    Read(Option<u64>),
}

/// An act with the events and milliseconds between which it happened.
#[derive(Clone, Copy, Debug)]
struct Moment {
    act: Act,
    from: (u64, u64),
    to: (u64, u64),
}

/// What decides a run.
struct Scene {
    policy: EvictionPolicy,
    /// Keys that the clients use, and that the node may hold (0: no limit).
    keys: u32,
    keys_max: u64,
    tagged: bool,
}

impl Scene {
    /// Whether the policy may find nothing to evict.
    fn may_refuse(&self) -> bool {
        self.policy.is_volatile() || !self.policy.evicts()
    }

    fn key(&self, rng: &mut Rng) -> String {
        // Half of the commands go to a tenth of the keys.
        let number = if rng.bool() { rng.u32(..self.keys / 10) } else { rng.u32(..self.keys) };
        if self.tagged { format!("{{{}}}{number}", number % 3) } else { format!("key:{number}") }
    }

    /// A command; values begin with their number.
    fn command(&self, value: &mut u64, rng: &mut Rng) -> String {
        let mut fresh = |rng: &mut Rng| {
            *value += 1;
            let len = if rng.u8(..20) == 0 { rng.usize(..600) } else { rng.usize(..150) };
            format!("{value}:{}", "x".repeat(len))
        };
        let key = self.key(rng);
        match rng.u8(..20) {
            0..7 => format!("GET {key}"),
            7 => format!("MGET {key} {} {}", self.key(rng), self.key(rng)),
            8..14 => format!("SET {key} {}", fresh(rng)),
            14..17 => format!("SET {key} {} PX {}", fresh(rng), rng.u16(1..60)),
            17 => format!("MSET {key} {} {} {}", fresh(rng), self.key(rng), fresh(rng)),
            18 => format!("GETDEL {key}"),
            _ => format!("DEL {key}"),
        }
    }
}

/// Random commands on a node with a small memory, or few keys, and each policy in turn.
pub(crate) fn forgetful(seed: u64, traced: bool) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed ^ 0xF0_46E7);
    let cores = rng.usize(2..=4);
    let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
    let policy = POLICIES[seed as usize % POLICIES.len()];
    let by_keys = rng.u8(..3) == 0;
    let keys_max = if by_keys { rng.u64(200..600) } else { 0 };
    let bytes = if by_keys { 0 } else { cores as u64 * rng.u64(24..48) * 1024 };
    let config = Config {
        maxmemory_policy: policy,
        maxmemory: MemoryLimit::of_bytes(bytes),
        max_keys: keys_max,
        ..Config::default()
    };
    let lateness = [0, 20, 60][rng.usize(..3)];
    let mut clients = Clients::new(Node::new(&Setup { seed, cores, lending, config, lateness }));
    clients.node.trace = traced.then(Vec::new);
    clients.node.log(|| format!("{cores} cores, {policy:?}, {bytes} bytes, {keys_max} keys, lending {lending:?}"));
    let all: Vec<usize> = (0..2 * cores).map(|number| clients.connect(number % cores)).collect();
    let scene = Scene { policy, keys: rng.u32(800..2500), keys_max, tagged: rng.u8(..4) == 0 };
    let mut value = 0;
    for _ in 0..COMMANDS {
        let line = scene.command(&mut value, &mut rng);
        clients.ask_line(all[rng.usize(..all.len())], &line);
        for _ in 0..rng.usize(..3) {
            clients.step()?;
        }
        if rng.u8(..100) == 0 {
            clients.node.pass_us(rng.u64(..100_000));
        }
        if rng.u16(..500) == 0 {
            clients.settle()?;
        }
    }
    clients.settle()?;
    let outcome = judge(&clients, &scene);
    clients.node.print_trace();
    outcome?;
    at_rest(&mut clients, all[0], &scene)
}

/// When the node has come to rest, it keeps to the number of keys.
fn at_rest(clients: &mut Clients, client: usize, scene: &Scene) -> Result<(), String> {
    clients.node.pass_us(10_000_000);
    clients.settle()?;
    let asked = clients.ask_line(client, "DBSIZE");
    clients.settle()?;
    // A command on several shards asks for room on its own only, and elsewhere that is made good by evicting.
    let is_kept = scene.keys_max > 0 && !scene.may_refuse();
    match &clients.operations[asked].reply {
        Some(Reply::Integer(size)) if !is_kept || *size as u64 <= scene.keys_max => Ok(()),
        reply => Err(format!("DBSIZE answers {reply:?} where {} keys are allowed", scene.keys_max)),
    }
}

/// Holds every reply against what was written.
fn judge(clients: &Clients, scene: &Scene) -> Result<(), String> {
    let mut moments: HashMap<&[u8], Vec<Moment>> = HashMap::new();
    for operation in &clients.operations {
        let (Some(from), Some(to), Some(reply)) = (operation.sent, operation.answered, &operation.reply) else {
            return Err(format!("{} has no reply", show(&operation.words)));
        };
        for (key, act) in acts(&operation.words, reply, scene)? {
            moments.entry(key).or_default().push(Moment { act, from, to });
        }
    }
    // So little memory that the wheel of an empty shard is more than its floor: then it has nothing to evict for a while.
    let refused =
        clients.operations.iter().filter(|operation| matches!(operation.reply, Some(Reply::Error(_)))).count();
    if !scene.may_refuse() && refused > COMMANDS / 100 {
        return Err(format!("{refused} commands were refused under {:?}", scene.policy));
    }
    for (key, moments) in &moments {
        for read in moments {
            if let Act::Read(Some(number)) = read.act {
                judge_read(moments, read, number).map_err(|why| {
                    let around = moments.iter().map(|moment| format!("\n  {moment:?}")).collect::<String>();
                    format!("{} answers value {number}, {why}: {around}", key.escape_ascii())
                })?;
            }
        }
    }
    Ok(())
}

/// What a command did to its keys.
fn acts<'o>(words: &'o [Vec<u8>], reply: &Reply, scene: &Scene) -> Result<Vec<(&'o [u8], Act)>, String> {
    let key = words[1].as_slice();
    let unexpected = || format!("{} answers {}", show(words), show_reply(reply));
    Ok(match (words[0].as_slice(), reply) {
        (_, Reply::Error(error)) => {
            if !error.starts_with("OOM") || !scene.may_refuse() && scene.keys_max > 0 {
                return Err(unexpected());
            }
            Vec::new()
        }
        (b"GET", reply) => vec![(key, Act::Read(number(reply)))],
        // Read and deleted in one.
        (b"GETDEL", reply) => vec![(key, Act::Read(number(reply))), (key, Act::Deleted)],
        (b"MGET", Reply::Array(replies)) => {
            words[1..].iter().zip(replies).map(|(key, reply)| (key.as_slice(), Act::Read(number(reply)))).collect()
        }
        (b"DEL", Reply::Integer(_)) => vec![(key, Act::Deleted)],
        (b"SET", Reply::Simple(_)) => {
            let ttl_ms = words.get(4).map(|text| String::from_utf8_lossy(text).parse().expect("a number"));
            vec![(key, Act::Wrote(number_of(&words[2]), ttl_ms))]
        }
        // The second pair wins if both name one key.
        (b"MSET", Reply::Simple(_)) if words[1] == words[3] => vec![(key, Act::Wrote(number_of(&words[4]), None))],
        (b"MSET", Reply::Simple(_)) => {
            words[1..].chunks(2).map(|pair| (pair[0].as_slice(), Act::Wrote(number_of(&pair[1]), None))).collect()
        }
        _ => return Err(unexpected()),
    })
}

fn number(reply: &Reply) -> Option<u64> {
    if let Reply::Bulk(value) = reply { Some(number_of(value)) } else { None }
}

fn number_of(value: &[u8]) -> u64 {
    String::from_utf8_lossy(value).split(':').next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Why a read cannot have seen this value, if it cannot.
fn judge_read(moments: &[Moment], read: &Moment, number: u64) -> Result<(), &'static str> {
    let wrote = |moment: &&Moment| matches!(moment.act, Act::Wrote(written, _) if written == number);
    let Some(write) = moments.iter().find(wrote) else { return Err("which nobody wrote") };
    if write.from.0 > read.to.0 {
        return Err("which is written later");
    }
    if let Act::Wrote(_, Some(ttl_ms)) = write.act
        && read.from.1 > write.to.1 + ttl_ms + LAG_US.div_ceil(1000)
    {
        return Err("which had fallen due");
    }
    for other in moments {
        // It began when the write was done and had ended before the read began.
        let between = other.from.0 > write.to.0 && other.to.0 < read.from.0;
        match other.act {
            Act::Wrote(..) | Act::Deleted if between => return Err("which had been written over"),
            Act::Read(None) if between => return Err("which had been gone before"),
            _ => {}
        }
    }
    Ok(())
}
