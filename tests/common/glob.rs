//! Patterns for replies that are only partly known: `*` is any text, `?` any one character; nothing else is special.

/// Whether `pattern` describes the whole of `text`.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to resume after a mismatch: behind the last star, with one more character given to it.
    let mut resume: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            resume = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&c| c == '?' || c == text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((after_star, given)) = resume {
            (p, t) = (after_star, given + 1);
            resume = Some((after_star, given + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The same without regard to ASCII case.
pub fn glob_nocase(pattern: &str, text: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_give_back_what_they_took() {
        assert!(glob("", "") && glob("*", "") && glob("a*b*c", "aXbYbZc") && glob("?", "x"));
        assert!(!glob("a*b", "abc") && !glob("?", "") && !glob("a", "A"));
        assert!(glob_nocase("-err *", "-ERR no"));
    }
}
