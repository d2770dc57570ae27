//! COMMAND and its subcommands, and the HELP of every container: replies drawn from the table.

use super::syntax::{self, Argument};
use super::table::commands;
use super::{Args, Begin, Categories, Command, CommandId, Find, Flags, KeyFlags, KeySpec, keys};
use super::{exact_flags, lookup, lookup_sub, resolve};
use crate::base::glob_matches_ignoring_case;
use crate::resp::{Reply, ReplyError, Request};

/// Answers COMMAND, one of its subcommands, or the HELP of any container. `command` is the row that was found for the
/// request; for any other row there is nothing to answer here, which is a bug of the caller.
pub fn introspect(command: &Command, args: &mut Args<'_>, reply: &mut Reply<'_>) -> Result<(), ReplyError> {
    match command.id {
        CommandId::Command => info_of_all(reply),
        CommandId::CommandCount => reply.integer(commands().len() as i64),
        CommandId::CommandDocs => docs(args.rest(), reply),
        CommandId::CommandGetkeys => return get_keys(args.rest(), false, reply),
        CommandId::CommandGetkeysandflags => return get_keys(args.rest(), true, reply),
        CommandId::CommandInfo if args.is_empty() => info_of_all(reply),
        CommandId::CommandInfo => info_of_named(args.rest(), reply),
        CommandId::CommandList => return list(args, reply),
        _ => {
            let container = command.name.strip_suffix("|help").and_then(|name| lookup(name.as_bytes()));
            help(container.expect("a subcommand of COMMAND, or a HELP"), reply);
        }
    }
    Ok(())
}

/// Writes the HELP of a container: its subcommands in their own words.
pub fn help(container: &Command, reply: &mut Reply<'_>) {
    let others = || container.subcommands.iter().filter(|sub| sub.own_name() != "help");
    let alone = usize::from(container.accepts(1));
    reply.array(1 + 2 * (alone + others().count() + 1));
    let name = container.name.to_ascii_uppercase();
    reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    if alone == 1 {
        reply.simple("(no subcommand)");
        reply.simple(&format!("    {}", container.summary));
    }
    for sub in others() {
        let arguments = syntax::parse(sub.syntax).unwrap_or_default();
        reply.simple(&format!("{}{}", sub.own_name().to_ascii_uppercase(), syntax::usage(&arguments)));
        reply.simple(&format!("    {}", sub.summary));
    }
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}

fn info_of_all(reply: &mut Reply<'_>) {
    reply.array(commands().len());
    commands().for_each(|command| info(command, reply));
}

fn info_of_named(names: Request<'_>, reply: &mut Reply<'_>) {
    reply.array(names.len());
    for name in names {
        match by_full_name(name) {
            Some(command) => info(command, reply),
            None => reply.null(),
        }
    }
}

/// The row called `name`, which for a subcommand is `client|kill`.
fn by_full_name(name: &[u8]) -> Option<&'static Command> {
    match name.iter().position(|&byte| byte == b'|') {
        None => lookup(name),
        Some(bar) => lookup_sub(lookup(&name[..bar])?, &name[bar + 1..]),
    }
}

/// The ten elements that describe a command to cluster clients.
fn info(command: &Command, reply: &mut Reply<'_>) {
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.integer(command.arity.into());
    names(command.flags.names(), reply);
    let (first, last, step) = legacy_range(command.keys);
    reply.integer(first);
    reply.integer(last);
    reply.integer(step);
    names(command.categories().names(), reply);
    reply.set(command.tips.len());
    command.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(command.keys.len());
    command.keys.iter().for_each(|spec| key_spec(spec, reply));
    if command.is_container() {
        reply.array(command.subcommands.len());
        command.subcommands.iter().for_each(|sub| info(sub, reply));
    } else {
        reply.set(0);
    }
}

/// First key, last key and step as clients knew them before there were key specifications: one range over all
/// specifications that are plain and follow one another.
fn legacy_range(specs: &[KeySpec]) -> (i64, i64, i64) {
    let plain = |spec: &KeySpec| match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => {
            let (first, last) = (i64::from(first), i64::from(last));
            Some((first, if last < 0 { last } else { first + last }, i64::from(step)))
        }
        _ => None,
    };
    if let [spec] = specs {
        return plain(spec).unwrap_or_default();
    }
    let mut range: Option<(i64, i64)> = None;
    for (first, last, step) in specs.iter().filter_map(plain) {
        match &mut range {
            _ if step != 1 => {}
            None => range = Some((first, last)),
            Some((_, previous)) if *previous == first - 1 => *previous = last,
            Some(_) => {}
        }
    }
    range.map_or((0, 0, 0), |(first, last)| (first, last, 1))
}

fn key_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(if spec.notes.is_empty() { 3 } else { 4 });
    if !spec.notes.is_empty() {
        field("notes", spec.notes, reply);
    }
    reply.bulk(b"flags");
    names(spec.flags.names(), reply);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => typed_spec("index", &[("index", index.into())], reply),
        Begin::Keyword { word, start_from } => {
            reply.map(2);
            field("type", "keyword", reply);
            reply.bulk(b"spec");
            reply.map(2);
            field("keyword", word, reply);
            reply.bulk(b"startfrom");
            reply.integer(start_from.into());
        }
        Begin::Store | Begin::Values => typed_spec("unknown", &[], reply),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            typed_spec("range", &[("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())], reply);
        }
        Find::Count { count_at, first, step } => {
            let numbers = [("keynumidx", count_at.into()), ("firstkey", first.into()), ("keystep", step.into())];
            typed_spec("keynum", &numbers, reply);
        }
        Find::Found => typed_spec("unknown", &[], reply),
    }
}

fn typed_spec(kind: &str, numbers: &[(&str, i64)], reply: &mut Reply<'_>) {
    reply.map(2);
    field("type", kind, reply);
    reply.bulk(b"spec");
    reply.map(numbers.len());
    for (name, value) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
}

fn docs(wanted: Request<'_>, reply: &mut Reply<'_>) {
    if wanted.is_empty() {
        reply.map(commands().len());
        return commands().for_each(|command| documented(command, reply));
    }
    let found = || wanted.iter().filter_map(by_full_name);
    reply.map(found().count());
    found().for_each(|command| documented(command, reply));
}

/// A command's name and its documentation, as a pair of a map.
fn documented(command: &'static Command, reply: &mut Reply<'_>) {
    reply.bulk(command.name.as_bytes());
    let arguments = syntax::parse(command.syntax).unwrap_or_default();
    let system = command.flags.contains(Flags::SYSTEM);
    let optional = [
        !command.complexity.is_empty(),
        command.deprecated.is_some() || system,
        command.deprecated.is_some(),
        command.deprecated.is_some(),
        !arguments.is_empty(),
        command.is_container(),
    ];
    reply.map(3 + optional.iter().filter(|present| **present).count());
    field("summary", command.summary, reply);
    field("since", command.since, reply);
    field("group", command.group.name(), reply);
    if !command.complexity.is_empty() {
        field("complexity", command.complexity, reply);
    }
    if system {
        reply.bulk(b"doc_flags");
        names(["syscmd"].into_iter(), reply);
    }
    if let Some(deprecation) = command.deprecated {
        reply.bulk(b"doc_flags");
        names(["deprecated"].into_iter(), reply);
        field("deprecated_since", deprecation.since, reply);
        field("replaced_by", deprecation.replaced_by, reply);
    }
    if !arguments.is_empty() {
        reply.bulk(b"arguments");
        let mut keys = KeyCount { seen: 0, specs: command.keys };
        argument_tree(&arguments, &mut keys, reply);
    }
    if command.is_container() {
        reply.bulk(b"subcommands");
        reply.map(command.subcommands.len());
        command.subcommands.iter().for_each(|sub| documented(sub, reply));
    }
}

/// Which key specification the next key argument belongs to: they stand in the same order, the last one taking the rest.
/// A pattern belongs to the one whose keys follow from values.
struct KeyCount {
    seen: usize,
    specs: &'static [KeySpec],
}

impl KeyCount {
    fn specification(&mut self, argument: &Argument) -> Option<usize> {
        let of_values = |(_, spec): &(usize, &KeySpec)| spec.begin == Begin::Values;
        let mut specs = self.specs.iter().enumerate();
        match argument.kind.name() {
            "key" => {
                self.seen += 1;
                specs.filter(|spec| !of_values(spec)).map(|(index, _)| index).take(self.seen).last()
            }
            "pattern" => specs.find(of_values).map(|(index, _)| index),
            _ => None,
        }
    }
}

fn argument_tree(arguments: &[Argument], keys: &mut KeyCount, reply: &mut Reply<'_>) {
    reply.array(arguments.len());
    for argument in arguments {
        let specification = keys.specification(argument);
        let flags = [
            (argument.optional, "optional"),
            (argument.multiple, "multiple"),
            (argument.multiple_token, "multiple_token"),
        ];
        let flags = || flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name);
        let has_flags = flags().next().is_some();
        reply.map(
            3 + usize::from(specification.is_some()) + usize::from(argument.token.is_some()) + usize::from(has_flags),
        );
        field("name", &argument.name, reply);
        field("type", argument.kind.name(), reply);
        if argument.kind.parts().is_none() {
            field("display_text", &argument.display, reply);
        }
        if let Some(index) = specification {
            reply.bulk(b"key_spec_index");
            reply.integer(index as i64);
        }
        if let Some(token) = argument.token {
            field("token", token, reply);
        }
        if has_flags {
            reply.bulk(b"flags");
            names(flags(), reply);
        }
        if let Some(parts) = argument.kind.parts() {
            reply.bulk(b"arguments");
            argument_tree(parts, keys, reply);
        }
    }
}

/// COMMAND LIST, with at most one filter.
fn list(args: &mut Args<'_>, reply: &mut Reply<'_>) -> Result<(), ReplyError> {
    let mut filter = Filter::All;
    if !args.is_empty() {
        if !args.keyword("filterby") || args.remaining() != 2 {
            return Err(ReplyError::Syntax);
        }
        let kind = args.keyword_of(&["module", "aclcat", "pattern"]).ok_or(ReplyError::Syntax)?;
        let argument = args.next()?;
        filter = match kind {
            0 => Filter::None,
            1 => Categories::by_name(argument).map_or(Filter::None, Filter::Category),
            _ => Filter::Pattern(argument),
        };
    }
    let listed = || {
        let all = commands().flat_map(|command| std::iter::once(command).chain(command.subcommands));
        all.filter(|command| filter.lets_through(command))
    };
    reply.array(listed().count());
    listed().for_each(|command| reply.bulk(command.name.as_bytes()));
    Ok(())
}

/// What COMMAND LIST lists.
enum Filter<'a> {
    All,
    /// Nothing: there are no modules, or the category is unknown.
    None,
    Category(Categories),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn lets_through(&self, command: &Command) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Category(category) => command.categories().contains(*category),
            Self::Pattern(pattern) => glob_matches_ignoring_case(pattern, command.name.as_bytes()),
        }
    }
}

/// COMMAND GETKEYS and GETKEYSANDFLAGS of the full command `request`.
fn get_keys(request: Request<'_>, with_flags: bool, reply: &mut Reply<'_>) -> Result<(), ReplyError> {
    let second = (request.len() > 1).then(|| request.get(1));
    let command = resolve(request.get(0), second).ok_or(ReplyError::GetkeysCommand)?;
    if command.keys.iter().all(|spec| spec.flags.contains(KeyFlags::NOT_KEY)) {
        return Err(ReplyError::GetkeysNoKeys);
    }
    if !command.accepts(request.len()) {
        return Err(ReplyError::GetkeysArity);
    }
    let found = keys(command, request).map_err(|_| ReplyError::GetkeysArguments)?;
    let found = || found.clone().filter(|key| !key.flags.contains(KeyFlags::NOT_KEY));
    let count = found().count();
    if count == 0 && !command.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err(ReplyError::GetkeysArguments);
    }
    reply.array(count);
    for key in found() {
        if with_flags {
            reply.array(2);
        }
        reply.bulk(request.get(key.index));
        if with_flags {
            names(exact_flags(command, request, key.flags).names(), reply);
        }
    }
    Ok(())
}

fn field(name: &str, value: &str, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

/// A set of names, as simple strings.
fn names<'n>(names: impl Iterator<Item = &'n str> + Clone, reply: &mut Reply<'_>) {
    reply.set(names.clone().count());
    names.for_each(|name| reply.simple(name));
}

#[cfg(test)]
#[path = "introspect_tests.rs"]
mod tests;
