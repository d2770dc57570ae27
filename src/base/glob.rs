//! Glob matching as KEYS, SCAN, CONFIG GET and PSUBSCRIBE understand it.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any bytes, none included |
//! | `?` | any one byte |
//! | `[abc]` `[a-z]` `[^a]` | one byte of the class, of the range, or outside the class |
//! | `\x` | the byte x itself |
//!
//! The obvious recursion tries every split at every `*` and takes exponential time on `a*a*a*a*b`. It is enough to
//! remember the *last* `*`: if the part behind it fails, only a later start of that part can help, never a longer match of
//! an earlier `*` (whatever that would leave, the last `*` can swallow as well). So the time is at most the product of the
//! two lengths.
//!
//! Redis's corner cases are kept, because clients can see them: a class that is not closed ends with the pattern; the end
//! of a range may be the `]` itself; bounds of a range are compared as signed bytes; and no `*` matches the empty text.

/// Whether `text` matches `pattern`, byte for byte.
#[inline]
pub fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    matches(pattern, text, |byte| byte)
}

/// Whether `text` matches `pattern`, ASCII letters in any case.
pub fn glob_matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    matches(pattern, text, |byte| byte.to_ascii_lowercase())
}

fn matches(pattern: &[u8], text: &[u8], fold: impl Fn(u8) -> u8 + Copy) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut read) = (0, 0);
    // Behind the last `*`, and where its match ends for the time being.
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, read));
        } else if let Some(len) = element(&pattern[at..], text[read], fold) {
            at += len;
            read += 1;
        } else {
            let Some((behind_star, end)) = &mut retry else { return false };
            *end += 1;
            (at, read) = (*behind_star, *end);
        }
        if at == pattern.len() && retry.is_some_and(|(behind_star, _)| behind_star == at) {
            return true;
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the first element of `pattern`, which is not a `*`; answers the element's length.
#[inline]
fn element(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let (literal, len) = match *pattern {
        [] => return None,
        [b'?', ..] => return Some(1),
        [b'[', ref class @ ..] => return self::class(class, byte, fold).map(|len| 1 + len),
        [b'\\', literal, ..] => (literal, 2),
        [literal, ..] => (literal, 1),
    };
    (fold(literal) == fold(byte)).then_some(len)
}

/// Matches one byte against the class that begins behind a `[`; answers the length of the class with its `]`.
fn class(class: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match class[at..] {
            [] => break,
            [b'\\', literal, ..] => {
                // An escaped byte keeps its case even where case is ignored.
                found |= literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [start, b'-', end, ..] => {
                // Redis puts the bounds in order before it folds their case.
                let (start, end) = if (start as i8) <= end as i8 { (start, end) } else { (end, start) };
                found |= (fold(start) as i8..=fold(end) as i8).contains(&(fold(byte) as i8));
                at += 3;
            }
            [literal, ..] => {
                found |= fold(literal) == fold(byte);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(glob_matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} on {text:?}");
    }

    #[test]
    fn stars_and_question_marks() {
        check("", "", true);
        check("", "a", false);
        check("*", "abc", true);
        check("a*", "a", true);
        check("a*c", "abbbc", true);
        check("a*c", "abbbd", false);
        check("*a*b*", "xaybz", true);
        check("*ab", "aab", true);
        check("a?c", "abc", true);
        check("a?", "a", false);
        check("**?", "x", true);
        check("h*llo***", "hello", true);
    }

    #[test]
    fn classes_and_escapes() {
        check("[abc]", "b", true);
        check("[abc]", "d", false);
        check("[^abc]", "d", true);
        check("[a-c]x", "bx", true);
        check("[c-a]x", "bx", true);
        check("[\\]]", "]", true);
        check("\\*", "*", true);
        check("\\*", "a", false);
        check("a[^", "ab", true);
        check("[ab", "b", true);
        check("[", "[", false);
        check("[a-]", "]", true);
        check("[a-]", "-", false);
        check("\\", "\\", true);
        assert!(glob_matches(b"[\x01-\xFF]", b"\xFF") && !glob_matches(b"[\x01-\xFF]", b"\x02"));
        assert!(glob_matches(b"[\x80-\x90]", b"\x85") && !glob_matches(b"[\x80-\x90]", b"a"));
    }

    #[test]
    fn the_empty_text_matches_the_empty_pattern_alone() {
        check("*", "", false);
        check("**", "", false);
        check("?", "", false);
    }

    #[test]
    fn case_is_ignored_on_request() {
        assert!(glob_matches_ignoring_case(b"Cl*|K[H-J]LL", b"client|kill"));
        assert!(!glob_matches(b"Cl*", b"client"));
        assert!(!glob_matches_ignoring_case(b"[\\A]", b"a"));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let (pattern, text) = ("a*".repeat(500) + "b", "a".repeat(5_000));
        check(&pattern, &text, false);
    }

    /// One element of a pattern, for the model.
    #[derive(Debug)]
    enum Element {
        Star,
        Byte(Vec<bool>),
    }

    /// Cuts a pattern into elements, each a star or the set of bytes that it matches.
    fn elements(pattern: &[u8], fold: fn(u8) -> u8) -> Vec<Element> {
        let set = |member: &dyn Fn(u8) -> bool| Element::Byte((0..=255).map(member).collect());
        let (mut elements, mut rest) = (Vec::new(), pattern);
        while let Some((&first, behind)) = rest.split_first() {
            rest = behind;
            elements.push(match first {
                b'*' => Element::Star,
                b'?' => set(&|_| true),
                b'[' => {
                    let negated = rest.first() == Some(&b'^');
                    rest = &rest[usize::from(negated)..];
                    let mut members = vec![false; 256];
                    while !rest.is_empty() && rest[0] != b']' {
                        let taken = if rest[0] == b'\\' && rest.len() > 1 {
                            members[usize::from(rest[1])] = true;
                            2
                        } else if rest.len() > 2 && rest[1] == b'-' {
                            let low = i16::from(rest[0] as i8).min(i16::from(rest[2] as i8));
                            let high = i16::from(rest[0] as i8).max(i16::from(rest[2] as i8));
                            let (low, high) = (fold(low as i8 as u8) as i8, fold(high as i8 as u8) as i8);
                            for byte in 0..=255_u8 {
                                members[usize::from(byte)] |= (low..=high).contains(&(fold(byte) as i8));
                            }
                            3
                        } else {
                            for byte in 0..=255_u8 {
                                members[usize::from(byte)] |= fold(byte) == fold(rest[0]);
                            }
                            1
                        };
                        rest = &rest[taken..];
                    }
                    rest = rest.get(1..).unwrap_or_default();
                    Element::Byte(members.into_iter().map(|member| member != negated).collect())
                }
                b'\\' if !rest.is_empty() => {
                    let literal = rest[0];
                    rest = &rest[1..];
                    set(&|byte| fold(byte) == fold(literal))
                }
                literal => set(&|byte| fold(byte) == fold(literal)),
            });
        }
        elements
    }

    fn model(elements: &[Element], text: &[u8]) -> bool {
        match (elements.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((Element::Star, rest)), None) => model(rest, text),
            (Some((Element::Star, rest)), Some((_, shorter))) => model(rest, text) || model(elements, shorter),
            (Some((Element::Byte(_), _)), None) => false,
            (Some((Element::Byte(set), rest)), Some((byte, shorter))) => {
                set[usize::from(*byte)] && model(rest, shorter)
            }
        }
    }

    fn bytes(alphabet: &'static [u8], most: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(proptest::sample::select(alphabet), 0..most)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn agrees_with_the_model(
            pattern in bytes(b"aabBc**?[]^-\\\x80\xFF", 12),
            text in bytes(b"aaAbBc]-^\\\x80\xFF", 8),
        ) {
            for (fold, got) in [
                ((|byte| byte) as fn(u8) -> u8, glob_matches(&pattern, &text)),
                (|byte: u8| byte.to_ascii_lowercase(), glob_matches_ignoring_case(&pattern, &text)),
            ] {
                let expected = if text.is_empty() { pattern.is_empty() } else { model(&elements(&pattern, fold), &text) };
                prop_assert_eq!(got, expected);
            }
        }
    }
}
