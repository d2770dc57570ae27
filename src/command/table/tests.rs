//! What must hold of every row.

use super::{BY_ID, commands};
use crate::command::test_request::with_request;
use crate::command::{Begin, Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec, Scope, syntax};

/// Every row, subcommands included.
fn rows() -> impl Iterator<Item = &'static Command> {
    BY_ID.iter().copied()
}

#[test]
fn names_are_lowercase_and_unique() {
    let mut names: Vec<&str> = rows().map(|row| row.name).collect();
    for name in &names {
        assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'|')), "{name}");
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn rows_are_sorted_within_their_group_and_container() {
    let all: Vec<&Command> = commands().collect();
    for (one, next) in all.iter().zip(&all[1..]) {
        assert!(one.group as u8 != next.group as u8 || one.name < next.name, "{} before {}", one.name, next.name);
    }
    for container in commands().filter(|command| command.is_container()) {
        assert!(container.subcommands.is_sorted_by_key(|sub| sub.name), "{}", container.name);
        for sub in container.subcommands {
            assert_eq!(sub.name.split_once('|').unwrap().0, container.name);
            assert!(!sub.is_container(), "{}", sub.name);
        }
    }
}

#[test]
fn ids_are_the_names() {
    for row in rows() {
        let plain: String = row.name.chars().filter(char::is_ascii_alphanumeric).collect();
        assert_eq!(format!("{:?}", row.id).to_lowercase(), plain);
        assert_eq!(row.id.command().name, row.name);
        assert_eq!(row.name_arguments(), 1 + row.name.matches('|').count());
    }
    assert_eq!(CommandId::COUNT, rows().count());
}

#[test]
fn arity_counts_the_name_and_reaches_the_first_keys() {
    for row in rows() {
        let least = usize::from(row.arity.unsigned_abs());
        assert!(least >= row.name_arguments(), "{}", row.name);
        assert!(row.accepts(least) && !row.accepts(least - 1), "{}", row.name);
        assert_eq!(row.accepts(least + 1), row.arity < 0, "{}", row.name);
    }
}

#[test]
fn keys_and_scope_agree() {
    for row in rows() {
        // WATCH names keys for a command to come; it runs on none.
        let has_keys =
            row.keys.iter().any(|spec| !spec.flags.contains(KeyFlags::NOT_KEY)) && row.id != CommandId::Watch;
        assert_eq!(row.scope == Scope::Shard, has_keys, "{}", row.name);
        assert!(!row.is_write() || row.scope == Scope::Shard || row.scope == Scope::Node, "{}", row.name);
        let is_local = matches!(row.scope, Scope::Shard | Scope::Session);
        assert!(!row.bounded || is_local, "{} is bounded, but asks other cores", row.name);
        assert!(!row.counts || row.bounded, "{} takes as long as it takes, with a number or without", row.name);
        assert!(!(row.flags.contains(Flags::WRITE) && row.flags.contains(Flags::READONLY)), "{}", row.name);
    }
}

#[test]
fn syntax_can_be_read_and_has_a_key_for_every_specification() {
    fn count_keys(arguments: &[syntax::Argument]) -> usize {
        let keys = |argument: &syntax::Argument| match argument.kind.parts() {
            Some(parts) => count_keys(parts),
            None => usize::from(argument.kind.name() == "key"),
        };
        arguments.iter().map(keys).sum()
    }
    for row in rows() {
        let arguments = syntax::parse(row.syntax).unwrap_or_else(|rest| panic!("{}: at {rest:?}", row.name));
        let of_keys = |spec: &&KeySpec| !spec.flags.contains(KeyFlags::NOT_KEY) && spec.begin != Begin::Values;
        let specifications = row.keys.iter().filter(of_keys).count();
        assert!(count_keys(&arguments) >= specifications, "{}", row.name);
        assert_eq!(count_keys(&arguments) == 0, specifications == 0, "{}", row.name);
        let required = arguments.iter().filter(|argument| !argument.optional).count();
        let takes_no_more = usize::from(row.arity.unsigned_abs()) == row.name_arguments();
        let reads_its_own = row.is_container() || row.flags.contains(Flags::SYSTEM);
        assert!(reads_its_own || takes_no_more == (required == 0), "{}", row.name);
    }
}

#[test]
fn texts_are_one_sentence() {
    for row in rows() {
        let summary = row.summary;
        assert!(
            summary.starts_with(|first: char| first.is_ascii_uppercase()) && summary.ends_with('.'),
            "{}",
            row.name
        );
        assert!(!row.complexity.ends_with('.') && !row.complexity.contains(['\r', '\n']), "{}", row.name);
        let parts: Vec<u32> = row.since.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(parts.len() == 3 && parts[0] <= 8, "{}", row.name);
    }
}

#[test]
fn categories_follow_from_flags() {
    for row in rows() {
        let categories = row.categories();
        assert_ne!(categories.contains(Categories::FAST), categories.contains(Categories::SLOW), "{}", row.name);
        assert_eq!(categories.contains(Categories::WRITE), row.is_write(), "{}", row.name);
    }
    let kill = CommandId::ClientKill.command();
    assert_eq!(kill.categories().names().collect::<Vec<_>>(), ["@admin", "@slow", "@dangerous", "@connection"]);
    assert_eq!(Categories::by_name(b"BitMap"), Some(Categories::BITMAP));
    assert_eq!(Categories::by_name(b"@bitmap"), None);
    assert_eq!(Categories::by_name(b""), None);
}

#[test]
fn containers_help() {
    for container in commands().filter(|command| command.is_container()) {
        assert!(container.subcommands.iter().any(|sub| sub.own_name() == "help"), "{}", container.name);
        assert!(container.keys.is_empty() && container.flags.names().count() <= 2, "{}", container.name);
    }
    assert_eq!(commands().filter(|command| command.group == Group::String).count(), 22);
}

#[test]
fn a_number_of_elements_is_no_bound() {
    for (request, bounded) in [
        ("LPOP k", true),
        ("LPOP k 5", false),
        ("SPOP k", true),
        ("SPOP k 5", false),
        ("SRANDMEMBER k -5", false),
        ("HRANDFIELD k", true),
        ("HRANDFIELD k 5 WITHVALUES", false),
        ("ZPOPMAX k", true),
        ("ZPOPMIN k 5", false),
        ("LMPOP 2 count l LEFT", true),
        ("LMPOP 2 k l LEFT COUNT 5", false),
        ("BZMPOP 0 1 k MIN", true),
        ("BZMPOP 0 1 k MIN count 5", false),
        ("LMPOP", true),
        ("RENAME k l", true),
        ("COPY k l", false),
    ] {
        let words: Vec<&str> = request.split(' ').collect();
        with_request(&words, |request| {
            let command = commands().find(|row| row.name.as_bytes().eq_ignore_ascii_case(request.get(0)));
            assert_eq!(command.map(|command| command.is_bounded(request)), Some(bounded), "{words:?}");
        });
    }
}
