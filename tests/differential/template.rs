//! Command templates: the generator's table reads like the documentation of the commands.
//!
//! ```text
//! word        itself, sometimes in another case        {name}   one argument of that kind, see `Kind`
//! (a|b)       one of the alternatives                  [a|b]    one of them, or nothing
//! <a>         one to four times
//! ```
//!
//! A placeholder may stand inside a word: `#{small}` is one argument.

use fastrand::Rng;

/// Expands `template`; `fill` gives the bytes of a placeholder.
pub(crate) fn expand(template: &str, rng: &mut Rng, fill: &mut dyn FnMut(&mut Rng, &str) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    expand_into(template, rng, fill, &mut words);
    words
}

fn expand_into(
    template: &str,
    rng: &mut Rng,
    fill: &mut dyn FnMut(&mut Rng, &str) -> Vec<u8>,
    words: &mut Vec<Vec<u8>>,
) {
    let mut rest = template.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' | '[' | '<' => {
                let (body, after) = group(rest);
                rest = after.trim_start();
                let times = match first {
                    '[' if rng.bool() => 0,
                    '<' => rng.usize(1..=4),
                    _ => 1,
                };
                for _ in 0..times {
                    let choices = alternatives(body);
                    let choice = choices[rng.usize(..choices.len())];
                    expand_into(choice, rng, fill, words);
                }
            }
            _ => {
                let end = rest.find([' ', '(', '[', '<']).unwrap_or(rest.len());
                words.push(word(&rest[..end], rng, fill));
                rest = rest[end..].trim_start();
            }
        }
    }
}

/// One argument: literal text in a random case, with its placeholders filled.
fn word(text: &str, rng: &mut Rng, fill: &mut dyn FnMut(&mut Rng, &str) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or_else(|| panic!("template: {text} lacks a brace"));
        bytes.extend_from_slice(literal.as_bytes());
        bytes.extend(fill(rng, name));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    if text.contains('{') || rng.u8(..10) > 0 {
        return bytes;
    }
    match rng.bool() {
        true => bytes.make_ascii_lowercase(),
        false => bytes.iter_mut().filter(|_| rng.bool()).for_each(|byte| *byte = byte.to_ascii_lowercase()),
    }
    bytes
}

/// Splits `(body)after` at the matching bracket.
fn group(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[1..at], &text[at + 1..]);
        }
    }
    panic!("template: unbalanced brackets in {text}");
}

/// Splits at the bars that are not inside brackets.
fn alternatives(body: &str) -> Vec<&str> {
    let (mut choices, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in body.char_indices() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            '|' if depth == 0 => {
                choices.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    choices.push(&body[start..]);
    choices
}

#[test]
fn templates_expand() {
    let mut rng = Rng::with_seed(7);
    let mut fill = |_: &mut Rng, name: &str| name.as_bytes().to_vec();
    for _ in 0..100 {
        let words = expand("(SET|get) {k} [EX #{n}|<A>]", &mut rng, &mut fill);
        assert!(words[0].eq_ignore_ascii_case(b"set") || words[0].eq_ignore_ascii_case(b"get"));
        assert_eq!(words[1], b"k");
        match words.get(2) {
            None => {}
            Some(option) if option.eq_ignore_ascii_case(b"ex") => assert_eq!(words[3], b"#n"),
            Some(_) => {
                assert!((3..=6).contains(&words.len()) && words[2..].iter().all(|w| w.eq_ignore_ascii_case(b"a")))
            }
        }
    }
}
