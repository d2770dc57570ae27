//! Replies as a client reads them.

/// One reply in RESP2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Null,
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
}

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::Simple("OK".into())
    }

    pub(crate) fn bulk(bytes: &[u8]) -> Self {
        Self::Bulk(bytes.to_vec())
    }

    /// Reads one reply from the beginning of `bytes`; returns it and its length, or `None` if it is not all there.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let Some(kind) = line.chars().next() else { return Err("an empty line instead of a reply".into()) };
        let rest = &line[kind.len_utf8()..];
        let number = || rest.parse::<i64>().map_err(|_| format!("no number in the reply {line:?}"));
        let mut at = end + 2;
        let reply = match kind {
            '+' => Self::Simple(rest.into()),
            '-' => Self::Error(rest.into()),
            ':' => Self::Integer(number()?),
            '$' | '*' if rest == "-1" => Self::Null,
            '$' => {
                let len = number()? as usize;
                if bytes.len() < at + len + 2 {
                    return Ok(None);
                }
                let body = bytes[at..at + len].to_vec();
                if &bytes[at + len..at + len + 2] != b"\r\n" {
                    return Err("a bulk string is longer than it says".into());
                }
                at += len + 2;
                Self::Bulk(body)
            }
            '*' => {
                let mut elements = Vec::new();
                for _ in 0..number()? {
                    let Some((element, len)) = Self::read(&bytes[at..])? else { return Ok(None) };
                    elements.push(element);
                    at += len;
                }
                Self::Array(elements)
            }
            _ => return Err(format!("no reply: {line:?}")),
        };
        Ok(Some((reply, at)))
    }
}

/// Words in a form that a reader of a failure can take in: long values are cut.
pub(crate) fn show(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| show_word(word)).collect::<Vec<_>>().join(" ")
}

/// A reply in the same form.
pub(crate) fn show_reply(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => format!("+{text}"),
        Reply::Error(text) => format!("-{text}"),
        Reply::Integer(number) => format!(":{number}"),
        Reply::Null => "null".into(),
        Reply::Bulk(bytes) => show_word(bytes),
        Reply::Array(elements) => format!("[{}]", elements.iter().map(show_reply).collect::<Vec<_>>().join(" ")),
    }
}

fn show_word(word: &[u8]) -> String {
    const SHOWN: usize = 24;
    let cut = word.escape_ascii().to_string();
    if word.len() <= SHOWN { cut } else { format!("{}..({} bytes)", &cut[..SHOWN], word.len()) }
}
