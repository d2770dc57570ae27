//! Reads what `corewise-tune check --json` prints. A reader of just that shape, which fails on anything else.

use std::collections::BTreeMap;

use crate::ADVISED;

/// What the script said of one setting.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Advice {
    pub(crate) verdict: String,
    pub(crate) now: String,
    pub(crate) advised: String,
    pub(crate) why: String,
    pub(crate) how: String,
    pub(crate) apply: bool,
}

/// The settings in what `check --json` printed. A reader of just this shape: it fails on anything that is not JSON.
pub(crate) fn parse_report(json: &str) -> Vec<(String, Advice)> {
    let mut reader = Json { rest: json };
    let Value::Object(mut report) = reader.value() else { panic!("no object: {json}") };
    assert!(reader.rest.trim().is_empty(), "after the object: {}", reader.rest);
    let Some(Value::Array(settings)) = report.remove("settings") else { panic!("no settings: {json}") };
    let advised = settings.iter().filter(|setting| setting.text("verdict") == ADVISED).count();
    assert_eq!(report.remove("advised"), Some(Value::Number(advised.to_string())));
    let advice = |setting: &Value| {
        let (verdict, now, advised) = (setting.text("verdict"), setting.text("now"), setting.text("advised"));
        let (why, how) = (setting.text("why"), setting.text("how"));
        let Value::Object(fields) = setting else { panic!("no object: {setting:?}") };
        let apply = fields["apply"] == Value::Bool(true);
        (setting.text("name"), Advice { verdict, now, advised, why, how, apply })
    };
    settings.iter().map(advice).collect()
}

#[derive(Clone, PartialEq, Debug)]
enum Value {
    Object(BTreeMap<String, Value>),
    Array(Vec<Value>),
    Text(String),
    Number(String),
    Bool(bool),
}

impl Value {
    fn text(&self, key: &str) -> String {
        match self {
            Self::Object(fields) => match &fields[key] {
                Self::Text(text) => text.clone(),
                other => panic!("{key} is {other:?}"),
            },
            other => panic!("no object: {other:?}"),
        }
    }
}

struct Json<'a> {
    rest: &'a str,
}

impl Json<'_> {
    fn is_next(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let next = self.rest.strip_prefix(token);
        self.rest = next.unwrap_or(self.rest);
        next.is_some()
    }

    fn expect(&mut self, token: &str) {
        assert!(self.is_next(token), "{token} is missing before {:.80}", self.rest);
    }

    fn string(&mut self) -> String {
        self.expect("\"");
        let mut string = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return string;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => string.push('\n'),
                    Some((_, 't')) => string.push('\t'),
                    Some((_, escaped @ ('"' | '\\'))) => string.push(escaped),
                    other => panic!("the escape {other:?}"),
                },
                _ => {
                    assert!(!character.is_control(), "{character:?} inside a string");
                    string.push(character);
                }
            }
        }
        panic!("a string without an end")
    }

    fn value(&mut self) -> Value {
        if self.is_next("{") {
            let mut fields = BTreeMap::new();
            while !self.is_next("}") {
                if !fields.is_empty() {
                    self.expect(",");
                }
                self.rest = self.rest.trim_start();
                let key = self.string();
                self.expect(":");
                fields.insert(key, self.value());
            }
            Value::Object(fields)
        } else if self.is_next("[") {
            let mut items = Vec::new();
            while !self.is_next("]") {
                if !items.is_empty() {
                    self.expect(",");
                }
                items.push(self.value());
            }
            Value::Array(items)
        } else if self.is_next("true") {
            Value::Bool(true)
        } else if self.is_next("false") {
            Value::Bool(false)
        } else if self.rest.starts_with('"') {
            Value::Text(self.string())
        } else {
            let end = self.rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(self.rest.len());
            assert!(end > 0, "no value: {:.80}", self.rest);
            let (number, rest) = self.rest.split_at(end);
            self.rest = rest;
            Value::Number(number.to_owned())
        }
    }
}
