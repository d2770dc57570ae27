//! Kinds of values that are text: paths and passwords.

use std::fmt;

use super::value::{Codec, Mistake};
use crate::limits::SOCKET_PATH_BYTES_MAX;

/// Free text; the empty text means that there is none.
pub(super) struct Text {
    pub(super) placeholder: &'static str,
}

impl Codec for Text {
    type Value = Option<String>;

    fn parse(&self, text: &str, _current: Option<&Option<String>>) -> Result<Option<String>, Mistake> {
        match text {
            "" => Ok(None),
            // A path with a NUL byte can name no file.
            _ if text.contains('\0') => Err(Mistake::Refused("it must not contain a NUL byte".to_owned())),
            _ => Ok(Some(text.to_owned())),
        }
    }

    fn print(&self, value: &Option<String>) -> String {
        value.clone().unwrap_or_default()
    }

    fn placeholder(&self) -> &'static str {
        self.placeholder
    }
}

/// Path of a Unix socket, short enough for its address.
pub(super) struct SocketPath;

impl Codec for SocketPath {
    type Value = Option<String>;

    fn parse(&self, text: &str, current: Option<&Option<String>>) -> Result<Option<String>, Mistake> {
        if text.len() > SOCKET_PATH_BYTES_MAX {
            return Err(Mistake::Refused(format!("it must be a path of at most {SOCKET_PATH_BYTES_MAX} bytes")));
        }
        Text { placeholder: self.placeholder() }.parse(text, current)
    }

    fn print(&self, value: &Option<String>) -> String {
        value.clone().unwrap_or_default()
    }

    fn placeholder(&self) -> &'static str {
        "PATH"
    }
}

/// A password; the empty one means that none is asked for.
pub(super) struct Password;

impl Codec for Password {
    type Value = Option<Secret>;

    fn parse(&self, text: &str, _current: Option<&Option<Secret>>) -> Result<Option<Secret>, Mistake> {
        Ok((!text.is_empty()).then(|| Secret(text.to_owned())))
    }

    fn print(&self, value: &Option<Secret>) -> String {
        value.as_ref().map(|secret| secret.0.clone()).unwrap_or_default()
    }

    fn placeholder(&self) -> &'static str {
        "PASSWORD"
    }
}

/// Text that must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Whether `given` is this secret, in a time that depends on the length of `given` alone.
    pub fn matches(&self, given: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let mut differences = u8::from(own.len() != given.len());
        for (index, byte) in given.iter().enumerate() {
            // Wraps around a shorter secret, so that its length does not show either.
            differences |= byte ^ own[index % own.len()];
        }
        differences == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_name_a_file() {
        let check = |text: &str, valid| assert_eq!(SocketPath.parse(text, None).is_ok(), valid, "{text:?}");
        check("", true);
        check("/run/corewise.sock", true);
        check(&"x".repeat(SOCKET_PATH_BYTES_MAX), true);
        check(&"x".repeat(SOCKET_PATH_BYTES_MAX + 1), false);
        check("a\0b", false);
    }

    #[test]
    fn secrets_match_themselves_alone_and_do_not_show() {
        let secret = Password.parse("abab", None).unwrap().unwrap();
        assert!(secret.matches(b"abab"));
        for wrong in [&b""[..], b"ab", b"abababab", b"abac", b"ababa"] {
            assert!(!secret.matches(wrong), "{wrong:?}");
        }
        assert!(!format!("{secret:?}").contains("abab"));
    }
}
