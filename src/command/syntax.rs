//! The notation in which rows write down their arguments, and the tree that COMMAND DOCS shows of it.
//!
//! ```text
//!   key  value  seconds:integer  source:key     an argument: name, and its type unless it is a string
//!   old-format'ip:port'                         a name and the text to show for it
//!   COUNT count:integer   'lib-name' libname    a token in front of an argument (quoted if it is in lower case)
//!   REPLACE                                     a token alone
//!   sorting=ALPHA                               a token alone that has a name of its own
//!   condition=(NX|XX)                           one of several
//!   range=<start:integer end:integer>           several together
//!   [message]   key...   name...+               optional; repeated; repeated with its token
//! ```
//!
//! `key` and `pattern` have the type of their name. The words are protocol: clients complete and check arguments by them.

/// One argument of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Argument {
    /// Name, in lower case.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: Kind,
    /// What to show for it.
    pub(super) display: String,
    /// The token in front of it, or that it is.
    pub(super) token: Option<&'static str>,
    /// May be left out.
    pub(super) optional: bool,
    /// May be repeated.
    pub(super) multiple: bool,
    /// May be repeated, each time with its token.
    pub(super) multiple_token: bool,
}

/// What an argument is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A value; the type as clients know it (`string`, `integer`, `key` ...).
    Value(&'static str),
    /// A token alone.
    Token,
    /// One of several arguments.
    OneOf(Vec<Argument>),
    /// Several arguments together.
    Block(Vec<Argument>),
}

impl Kind {
    /// The type's name in COMMAND DOCS.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Value(kind) => kind,
            Self::Token => "pure-token",
            Self::OneOf(_) => "oneof",
            Self::Block(_) => "block",
        }
    }

    /// The arguments inside.
    pub(super) fn parts(&self) -> Option<&[Argument]> {
        match self {
            Self::OneOf(parts) | Self::Block(parts) => Some(parts),
            Self::Value(_) | Self::Token => None,
        }
    }
}

/// Reads a row's syntax; the error is the rest that makes no sense.
pub(super) fn parse(syntax: &'static str) -> Result<Vec<Argument>, &'static str> {
    let mut cursor = Cursor { rest: syntax };
    if syntax.is_empty() {
        return Ok(Vec::new());
    }
    let arguments = cursor.separated(' ')?;
    if cursor.rest.is_empty() { Ok(arguments) } else { Err(cursor.rest) }
}

/// The arguments as HELP shows them, each with a space in front: ` <key> [COUNT <count>]`.
pub(super) fn usage(arguments: &[Argument]) -> String {
    arguments.iter().map(|argument| format!(" {}", argument.usage())).collect()
}

struct Cursor {
    rest: &'static str,
}

impl Cursor {
    /// Arguments with `separator` between them.
    fn separated(&mut self, separator: char) -> Result<Vec<Argument>, &'static str> {
        let mut arguments = vec![self.argument()?];
        while self.take(separator) {
            arguments.push(self.argument()?);
        }
        Ok(arguments)
    }

    fn argument(&mut self) -> Result<Argument, &'static str> {
        if self.take('[') {
            let argument = self.argument()?;
            self.expect(']')?;
            return Ok(Argument { optional: true, ..argument });
        }
        let token = self.token()?;
        let mut argument = match token {
            // A token stands alone unless a space and a name follow it.
            Some(token) if !self.rest.starts_with(' ') => {
                Argument { token: Some(token), ..Argument::new(&token.to_ascii_lowercase(), Kind::Token) }
            }
            Some(_) => {
                self.expect(' ')?;
                Argument { token, ..self.body()? }
            }
            None => self.body()?,
        };
        if let Some(rest) = self.rest.strip_prefix("...") {
            self.rest = rest;
            argument.multiple = true;
            argument.multiple_token = self.take('+');
        }
        Ok(argument)
    }

    /// A token: a quoted word, or a word in capitals that has no type.
    fn token(&mut self) -> Result<Option<&'static str>, &'static str> {
        if self.rest.starts_with('\'') {
            return self.quoted().map(Some);
        }
        let start = self.rest;
        let word = self.word()?;
        if word.starts_with(|first: char| first.is_ascii_uppercase()) && !self.rest.starts_with(':') {
            return Ok(Some(word));
        }
        self.rest = start;
        Ok(None)
    }

    /// A name and what it names.
    fn body(&mut self) -> Result<Argument, &'static str> {
        let name = self.word()?;
        if self.take('=') {
            return if self.take('(') {
                let parts = self.separated('|')?;
                self.expect(')')?;
                Ok(Argument::new(name, Kind::OneOf(parts)))
            } else if !self.rest.starts_with('<')
                && let Some(token) = self.token()?
            {
                Ok(Argument { token: Some(token), ..Argument::new(name, Kind::Token) })
            } else {
                self.expect('<')?;
                let parts = self.separated(' ')?;
                self.expect('>')?;
                Ok(Argument::new(name, Kind::Block(parts)))
            };
        }
        let display = if self.rest.starts_with('\'') { self.quoted()? } else { name };
        let kind = match name {
            _ if self.take(':') => self.word()?,
            "key" | "pattern" => name,
            _ => "string",
        };
        Ok(Argument { display: display.to_owned(), ..Argument::new(name, Kind::Value(kind)) })
    }

    fn word(&mut self) -> Result<&'static str, &'static str> {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.rest);
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn quoted(&mut self) -> Result<&'static str, &'static str> {
        self.expect('\'')?;
        let (word, rest) = self.rest.split_once('\'').ok_or(self.rest)?;
        self.rest = rest;
        Ok(word)
    }

    fn take(&mut self, mark: char) -> bool {
        let behind = self.rest.strip_prefix(mark);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn expect(&mut self, mark: char) -> Result<(), &'static str> {
        if self.take(mark) { Ok(()) } else { Err(self.rest) }
    }
}

impl Argument {
    fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            display: name.to_owned(),
            token: None,
            optional: false,
            multiple: false,
            multiple_token: false,
        }
    }

    fn usage(&self) -> String {
        let joined = |parts: &[Self], separator| parts.iter().map(Self::usage).collect::<Vec<_>>().join(separator);
        let body = match (&self.kind, self.token) {
            (Kind::Token, _) => self.token.unwrap_or_default().to_owned(),
            (kind, token) => {
                let body = match kind {
                    Kind::OneOf(parts) if self.optional && token.is_none() => joined(parts, "|"),
                    Kind::OneOf(parts) => format!("({})", joined(parts, "|")),
                    Kind::Block(parts) => joined(parts, " "),
                    Kind::Value(_) | Kind::Token => format!("<{}>", self.display),
                };
                token.map_or(body.clone(), |token| format!("{token} {body}"))
            }
        };
        let repeated = if self.multiple { format!("{body} [{body} ...]") } else { body };
        if self.optional { format!("[{repeated}]") } else { repeated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, kind: &'static str) -> Argument {
        Argument::new(name, Kind::Value(kind))
    }

    #[test]
    fn values_have_types() {
        let expected = vec![value("key", "key"), value("value", "string"), value("offset", "integer")];
        assert_eq!(parse("key value offset:integer"), Ok(expected));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn tokens_stand_alone_or_in_front() {
        let replace = Argument { token: Some("REPLACE"), optional: true, ..Argument::new("replace", Kind::Token) };
        let count = Argument { token: Some("COUNT"), optional: true, ..value("count", "integer") };
        assert_eq!(parse("[REPLACE] [COUNT count:integer]"), Ok(vec![replace, count]));
        let name = Argument { token: Some("lib-name"), ..value("libname", "string") };
        assert_eq!(parse("'lib-name' libname"), Ok(vec![name]));
        let address = Argument { display: "ip:port".to_owned(), ..value("addr", "string") };
        assert_eq!(parse("addr'ip:port'"), Ok(vec![address]));
        let alpha = Argument { token: Some("ALPHA"), ..Argument::new("sorting", Kind::Token) };
        assert_eq!(parse("sorting=ALPHA"), Ok(vec![alpha]));
        let repeated = Argument { optional: true, multiple: true, ..value("COMMAND", "string") };
        assert_eq!(parse("[COMMAND:string...]"), Ok(vec![repeated]));
    }

    #[test]
    fn groups_nest() {
        let token = |token| Argument { token: Some(token), ..Argument::new("nx", Kind::Token) };
        let seconds = Argument { token: Some("EX"), ..value("seconds", "integer") };
        let pair =
            Argument { multiple: true, ..Argument::new("data", Kind::Block(vec![value("a", "string"), seconds])) };
        let expected = vec![Argument::new("condition", Kind::OneOf(vec![token("NX"), pair]))];
        assert_eq!(parse("condition=(NX|data=<a EX seconds:integer>...)"), Ok(expected));
    }

    #[test]
    fn nonsense_is_reported_where_it_begins() {
        assert_eq!(parse("key )"), Err(")"));
        assert_eq!(parse("[key"), Err(""));
        assert_eq!(parse("a=(b|c"), Err(""));
        assert_eq!(parse("key  value"), Err(" value"));
    }
}
