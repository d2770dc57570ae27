//! What is sent: kinds of operation with their shares, and how an operation becomes bytes.
//!
//! The text of a workload is a name (`named`), a command template
//! (`placeholder`), or several of either with weights, apart by `|`.

use super::keys::{KEYS_MAX, PREFIX};
use super::named::{Choice, Entry, named};
use super::records::{Chooser, Records};
use super::template::Template;
use super::{KeySpec, Operation, PlanError, Sizes, Spread, words};

/// Kinds of operation that a workload can have: an operation says which in a byte.
const KINDS_MAX: usize = 256;

/// What a workload is made with.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shape {
    /// Its keys.
    pub keys: KeySpec,
    /// Its values; none leaves it to the workload (1000 bytes for YCSB, 64 for the others).
    pub sizes: Option<Sizes>,
    /// Seconds that what is set lives; none: forever.
    pub ttl_s: Option<u64>,
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// A hundred neighbouring keys get one hash tag, and keys of one operation are neighbours, so that a cluster takes
    /// them. This gives keys other names.
    pub hash_tags: bool,
    /// Values can be checked: see [`value`](super::value). Their version is the operation's salt, and they are at least
    /// [`MARKED_BYTES_MIN`](super::value::MARKED_BYTES_MIN) long.
    pub marked: bool,
}

/// What is spoken on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// RESP2, and RESP3 after HELLO.
    #[default]
    Redis,
    /// The text protocol of memcached (get and set).
    Memcached,
}

/// One kind of operation in a workload.
#[derive(Clone, PartialEq, Debug)]
pub struct Kind {
    /// What reports call it: `GET`. No two kinds of a workload share a name.
    pub name: String,
    /// Its share of the operations, 0 to 1.
    pub share: f64,
    /// Replies that an operation of this kind gets.
    pub replies: u16,
    /// Whether a null among its replies, or among the elements of a reply that is an array (MGET), is a miss, and
    /// everything else a hit.
    pub reads: bool,
}

/// What is sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    text: String,
    kinds: Vec<Kind>,
    recipes: Vec<Recipe>,
    pub(super) records: Records,
    shape: Shape,
}

/// How operations of a kind are made.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Recipe {
    pub(super) template: Template,
    pub(super) choice: Choice,
    /// Share of the kinds up to this one, of 2^32.
    pub(super) until: u64,
}

impl Workload {
    /// Reads a name (`get`, `mixed 9:1`, `ycsb-a`), a command template (`ZADD board __score__ __member__`), or several
    /// with weights (`9: get | 1: mget 100`).
    pub fn parse(text: &str, shape: Shape) -> Result<Self, PlanError> {
        let mut made = Making { sets: false, spread: None, sizes: None, entries: Vec::new() };
        words::items(text)?.iter().try_for_each(|item| made.add(item, shape.ttl_s))?;
        made.check(&shape)?;
        let keys = &shape.keys;
        let spread = keys.spread.or(made.spread).unwrap_or(Spread::Uniform);
        let sizes = shape.sizes.clone().or(made.sizes).unwrap_or_default();
        let prefix = keys.prefix.clone().unwrap_or_else(|| PREFIX.to_owned());
        let records = Records {
            count: keys.count,
            // A prefix with a hash tag of its own says where its keys belong.
            tags: shape.hash_tags && !prefix.contains('{'),
            sizes: sizes.clone(),
            marked: shape.marked,
            chooser: Chooser::new(spread, keys.count),
        };
        let total: f64 = made.entries.iter().map(|(entry, _)| entry.weight).sum();
        let (mut kinds, mut recipes, mut before) = (Vec::<Kind>::new(), Vec::new(), 0.0);
        for (entry, name) in made.entries {
            let own = entry.prefix.filter(|_| keys.prefix.is_none());
            let commands = words::commands(&entry.commands)?;
            let template = Template::compile(&commands, own.unwrap_or(&prefix), shape.protocol, &records)?;
            let share = entry.weight / total;
            before += share;
            kinds.push(Kind { name: unlike(&kinds, name), share, replies: template.replies, reads: template.reads });
            let until = (before * (1u64 << 32) as f64).round() as u64;
            recipes.push(Recipe { template, choice: entry.choice, until });
        }
        if let Some(last) = recipes.last_mut() {
            last.until = 1 << 32;
        }
        let keys = KeySpec { count: keys.count, spread: Some(spread), prefix: Some(prefix) };
        let shape = Shape { keys, sizes: Some(sizes), ..shape };
        Ok(Self { text: text.trim().to_owned(), kinds, recipes, records, shape })
    }

    /// What it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its kinds of operation, by [`Operation::kind`].
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What it was made with; what had been left to the workload is filled in.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether its sources come to an end (`fill`).
    pub fn ends(&self) -> bool {
        self.recipes.iter().any(|recipe| recipe.choice == Choice::Once)
    }

    /// Appends the request (or requests) of an operation: the same bytes each time.
    #[inline]
    pub fn encode(&self, operation: &Operation, out: &mut Vec<u8>) {
        self.recipes[usize::from(operation.kind)].template.encode(operation, &self.records, out);
    }

    /// The hash slot of an operation: that of its first key or, where no key is drawn, of the first argument. None if
    /// it has no argument.
    #[inline]
    pub fn slot(&self, operation: &Operation) -> Option<u16> {
        self.recipes[usize::from(operation.kind)].template.slot(operation, &self.records)
    }

    /// The name of a key.
    pub fn key_name(&self, key: u64) -> Vec<u8> {
        let mut name = self.shape.keys.prefix.clone().unwrap_or_default().into_bytes();
        self.records.append_number(key, &mut name);
        name
    }

    /// Bytes of the value that a key has.
    pub fn size_of(&self, key: u64) -> u32 {
        self.records.size_of(key)
    }

    #[inline]
    pub(super) fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }
}

/// A workload while its text is read.
struct Making {
    sets: bool,
    spread: Option<Spread>,
    sizes: Option<Sizes>,
    /// With the names for reports.
    entries: Vec<(Entry, String)>,
}

impl Making {
    fn add(&mut self, item: &words::Item<'_>, ttl_s: Option<u64>) -> Result<(), PlanError> {
        let Some(named) = named(item.text, ttl_s)? else {
            let names: Vec<String> = words::commands(item.text)?
                .iter()
                .map(|command| String::from_utf8_lossy(&command[0]).to_ascii_uppercase())
                .collect();
            let commands = item.text.to_owned();
            let entry = Entry { name: "", weight: item.weight, commands, choice: Choice::Drawn, prefix: None };
            self.entries.push((entry, names.join("+")));
            return Ok(());
        };
        self.sets |= named.sets;
        self.spread = self.spread.or(named.spread);
        self.sizes = self.sizes.take().or(named.sizes);
        let total: f64 = named.entries.iter().map(|entry| entry.weight).sum();
        for entry in named.entries {
            let name = entry.name.to_owned();
            self.entries.push((Entry { weight: entry.weight / total * item.weight, ..entry }, name));
        }
        Ok(())
    }

    fn check(&self, shape: &Shape) -> Result<(), PlanError> {
        let count = shape.keys.count;
        if !(1..=KEYS_MAX).contains(&count) {
            return Err(PlanError(format!("a workload has between 1 and {KEYS_MAX} keys, not {count}")));
        }
        if self.entries.len() > KINDS_MAX {
            return Err(PlanError(format!("a workload has at most {KINDS_MAX} kinds of operation")));
        }
        if self.entries.len() > 1 && self.entries.iter().any(|(entry, _)| entry.choice == Choice::Once) {
            return Err(PlanError("fill has an end, and cannot be mixed with what has none".to_owned()));
        }
        match shape.ttl_s {
            Some(0) => Err(PlanError("a time to live must be at least a second".to_owned())),
            Some(_) if !self.sets => {
                let what = "nothing that this workload sends takes a time to live";
                Err(PlanError(format!("{what}: it is for set, mixed, fill and ycsb, and a template says it itself")))
            }
            _ => Ok(()),
        }
    }
}

/// `name`, or with a number behind it if there is one of that name already.
fn unlike(kinds: &[Kind], name: String) -> String {
    let taken = |name: &str| kinds.iter().any(|kind| kind.name == name);
    if !taken(&name) {
        return name;
    }
    (2..).map(|number| format!("{name}-{number}")).find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests;
