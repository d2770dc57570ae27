//! The repository lints itself: layering, fences of unsafe code, headers, sizes, and what lies where.
//!
//! Everything that may be decided is data at the top of this file; the rest reads the tree and compares.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/`, innermost first. A room imports only from rooms above it in this list.
const ROOMS: [&str; 20] = [
    "limits", "base", "config", "metrics", "resp", "command", "keyspace", "topology", "exec", "route", "mesh", "txn",
    "pubsub", "session", "proxy", "engine", "net", "os", "http", "runtime",
];

/// Where unsafe code may stand, and how often the word `unsafe` does there: rooms, the test that compiles one of them, and
/// the benchmark that calls allocators.
const UNSAFE: [(&str, usize); 6] = [
    ("src/keyspace/prefetch.rs", 1),
    ("src/mesh/", 6),
    ("src/net/", 22),
    ("src/os/", 22),
    ("tests/loom_mesh.rs", 2),
    ("benches/allocators.rs", 4),
];

/// The rooms that may name the crates of the machine.
const MACHINE_ROOMS: [&str; 4] = ["net", "os", "http", "runtime"];
const MACHINE_CRATES: [&str; 4] = ["glommio", "io_uring", "tokio", "libc"];

/// Longest file, in lines; a longer one is two rooms.
const LINES_MAX: usize = 800;

/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// What the top level holds beside dotfiles and `target`.
const TOP_LEVEL: [&str; 14] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "docker",
    "rustfmt.toml",
    "src",
    "tests",
    "tools",
    "tuning",
];

/// Words that stand for unfinished work. Spelled in halves, because this file is read as well.
const UNFINISHED: [&str; 5] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("dbg", "!("), concat!("todo", "!(")];

/// The commands that README promises a newcomer.
const README_COMMANDS: [&str; 2] = ["cargo run --release", "cargo test"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path from the root, its text, and its text without comments and literals.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The room that the file belongs to, if it lies in `src/`.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
        (room != "main" && room != "lib").then_some(room)
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    for directory in ["src", "tests", "benches", "tools"] {
        walk(&root().join(directory), &mut files);
    }
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let path = file.strip_prefix(root()).expect("it lies below the root").to_string_lossy().into_owned();
        Source { path, code: code_of(&text), text }
    };
    files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")).map(read).collect()
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

/// `text` with comments, strings and characters blanked out; lines keep their numbers.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code: Vec<u8> = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            code[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8(code).expect("only whole literals are blanked")
}

/// Where the comment or literal that starts at `at` ends; `at` itself if none starts there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let find = |needle: &[u8], from: usize| {
        rest[from..]
            .windows(needle.len())
            .position(|window| window == needle)
            .map_or(bytes.len(), |found| at + from + found)
    };
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => find(b"\n", 0),
        [b'/', b'*', ..] => (find(b"*/", 2) + 2).min(bytes.len()),
        [b'r', b'"' | b'#', ..] if !in_word || bytes[at - 1] == b'b' => {
            let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
            if rest.get(1 + hashes) != Some(&b'"') {
                return at;
            }
            let close = [&b"\""[..], &b"#".repeat(hashes)].concat();
            (find(&close, 2 + hashes) + close.len()).min(bytes.len())
        }
        [b'"', ..] => quoted_end(bytes, at, b'"'),
        // A lifetime has no closing quote behind its first character.
        [b'\'', b'\\', ..] => quoted_end(bytes, at, b'\''),
        [b'\'', ..] => {
            let near = &rest[1..rest.len().min(5)];
            let character = near.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            let length = character.chars().next().map_or(0, char::len_utf8);
            if length > 0 && rest.get(1 + length) == Some(&b'\'') { at + length + 2 } else { at }
        }
        _ => at,
    }
}

fn quoted_end(bytes: &[u8], start: usize, mark: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != mark {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The identifiers that follow `prefix` in `code`, those of a `{a, b::c}` group included, with their line numbers.
fn names_after(code: &str, prefix: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + prefix.len()..];
        let name =
            |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0, 0);
            for (place, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth > 0 => depth -= 1,
                    ',' | '}' if depth == 0 => {
                        names.push((line, name(&group[start..place])));
                        start = place + 1;
                        if c == '}' {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        } else {
            names.push((line, name(rest)));
        }
    }
    names.retain(|(_, name)| !name.is_empty());
    names
}

/// Where an identifier stands as a whole word.
fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole = |at: usize| !letter(code[..at].chars().next_back()) && !letter(code[at + word.len()..].chars().next());
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    code.match_indices(word).filter(|(at, _)| whole(*at)).map(|(at, _)| line(at)).collect()
}

/// Fails with every complaint at once.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn rooms_import_only_from_rooms_above_them() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut complaints = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let Some(own) = place(room) else {
            complaints.push(format!("{}: the room {room} is not in the list of rooms", source.path));
            continue;
        };
        let mut imports = names_after(&source.code, "crate::");
        // `super::` leads out of a room from its `mod.rs`, `super::super::` from any of its files.
        let siblings = root().join("src").join(room);
        for prefix in ["super::", "super::super::"] {
            let outside =
                |name: &String| !siblings.join(format!("{name}.rs")).exists() && !siblings.join(name).exists();
            imports.extend(names_after(&source.code, prefix).into_iter().filter(|(_, name)| outside(name)));
        }
        for (line, name) in imports {
            if place(&name).is_some_and(|other| other > own) {
                complaints.push(format!("{}:{line}: {room} must not know {name}", source.path));
            }
        }
    }
    none(complaints);
}

#[test]
fn every_room_is_part_of_the_library() {
    let library = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let mut complaints = Vec::new();
    for source in sources() {
        if let Some(room) = source.room()
            && lines_with_word(&library, &format!("mod {room}")).is_empty()
        {
            complaints.push(format!("{}: lib.rs has no `mod {room}`, so nothing compiles this file", source.path));
        }
    }
    none(complaints);
}

#[test]
fn unsafe_code_stays_behind_its_fences() {
    let mut counts = [0; UNSAFE.len()];
    let mut complaints = Vec::new();
    for source in sources() {
        let lines = lines_with_word(&source.code, "unsafe");
        match UNSAFE.iter().position(|(fence, _)| source.path.starts_with(fence)) {
            Some(fence) => counts[fence] += lines.len(),
            None => {
                complaints
                    .extend(lines.iter().map(|line| format!("{}:{line}: unsafe outside the fences", source.path)));
            }
        }
    }
    for ((fence, expected), found) in UNSAFE.iter().zip(counts) {
        if found != *expected {
            complaints
                .push(format!("{fence} says unsafe {found} times, the list {expected}: look at each, then change it"));
        }
    }
    none(complaints);
}

#[test]
fn only_the_shell_names_the_machine() {
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        if source.room().is_some_and(|room| MACHINE_ROOMS.contains(&room)) {
            continue;
        }
        for name in MACHINE_CRATES {
            let lines = lines_with_word(&source.code, name).into_iter();
            complaints
                .extend(lines.map(|line| format!("{}:{line}: {name} belongs into {MACHINE_ROOMS:?}", source.path)));
        }
    }
    none(complaints);
}

#[test]
fn files_introduce_themselves_and_stay_small() {
    let mut complaints = Vec::new();
    for source in sources() {
        let header = source.text.lines().next().unwrap_or_default();
        if !header.starts_with("//! ") || header.len() < 12 {
            complaints.push(format!("{}: the first line is no `//!` header", source.path));
        }
        let lines = source.text.lines().count();
        let may = LONG_FILES.iter().any(|(path, reason)| *path == source.path && !reason.is_empty());
        if lines > LINES_MAX && !may {
            complaints.push(format!("{}: {lines} lines, {LINES_MAX} are the most", source.path));
        }
        for (at, line) in source.text.lines().enumerate() {
            if line.contains('\t') {
                complaints.push(format!("{}:{}: a tab", source.path, at + 1));
            }
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{}: {word}", source.path, at + 1));
            }
        }
    }
    none(complaints);
}

#[test]
fn no_test_is_ignored_and_every_exception_has_a_reason() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (at, line) in source.code.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("#[ignore") {
                complaints.push(format!("{}:{}: an ignored test", source.path, at + 1));
            }
            if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
                complaints.push(format!("{}:{}: `expect` with a reason instead of `allow`", source.path, at + 1));
            }
        }
    }
    none(complaints);
}

#[test]
fn every_limit_is_used() {
    let sources = sources();
    let limits = sources.iter().find(|source| source.path == "src/limits.rs").expect("src/limits.rs");
    let mut complaints = Vec::new();
    for (_, name) in names_after(&limits.code, "pub const ") {
        let used =
            |source: &&Source| source.path != "src/limits.rs" && !lines_with_word(&source.code, &name).is_empty();
        if sources.iter().find(used).is_none() {
            complaints.push(format!("src/limits.rs: nothing keeps to {name}"));
        }
    }
    none(complaints);
}

#[test]
fn the_top_level_holds_what_the_design_names() {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    let mut complaints = Vec::new();
    for entry in fs::read_dir(root()).expect("the root") {
        let name = entry.expect("a readable directory").file_name().to_string_lossy().into_owned();
        let generated = ignored.lines().any(|line| line.trim_matches('/') == name);
        if !name.starts_with('.') && !generated && !TOP_LEVEL.contains(&name.as_str()) {
            complaints.push(format!("{name} is not part of the repository's top level"));
        }
    }
    none(complaints);
}

#[test]
fn readme_tells_how_to_start() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut complaints = Vec::new();
    for command in README_COMMANDS {
        if !readme.lines().any(|line| line.trim() == command) {
            complaints.push(format!("README.md: `{command}` does not stand on a line of its own"));
        }
    }
    let commands: Vec<&str> = readme.lines().map(str::trim).filter(|line| README_COMMANDS.contains(line)).collect();
    if commands.first() != README_COMMANDS.first() {
        complaints.push(format!("README.md: the first command is not `{}`", README_COMMANDS[0]));
    }
    none(complaints);
}

#[test]
fn code_is_told_from_text() {
    let code = code_of(
        "let a = \"crate::net // \\\" x\"; // unsafe\nlet b = 'u'; fn f<'a>(x: &'a str) {} /* unsafe */ r#\"unsafe\"#",
    );
    assert!(!code.contains("unsafe") && !code.contains("net"), "{code}");
    assert!(code.contains("let b =") && code.contains("fn f<'a>(x: &'a str) {}"), "{code}");
    let names = names_after("use crate::{base::{Now, Rng}, resp::Reply};\nuse crate::limits::X;", "crate::");
    assert_eq!(names, [(1, "base".to_owned()), (1, "resp".to_owned()), (2, "limits".to_owned())]);
}
