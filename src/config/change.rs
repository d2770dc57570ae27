//! CONFIG GET and CONFIG SET on a checked configuration, with the rules and the words of Redis 7.2.
//!
//! Setting is pure: a new configuration comes out or an error, and several pairs go in together or not at all.

use std::borrow::Cow;
use std::fmt;

use super::settings::{Change, Config, SETTINGS, Setting};

/// What a CONFIG SET that succeeded comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Changed {
    /// The configuration from now on.
    pub config: Config,
    /// The settings that were named, whether or not their value differs.
    pub names: Vec<&'static str>,
}

/// Why a CONFIG SET failed; prints as Redis's text behind `ERR `.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingError {
    /// No setting has this name.
    Unknown {
        /// As the client wrote it.
        name: String,
    },
    /// A setting refused its value, or to be set at all.
    Failed {
        /// The setting that stood in the way.
        name: String,
        /// Why.
        reason: String,
    },
}

impl SettingError {
    /// The refusal of a value that is right in itself, by whoever should have applied it.
    pub fn failed(name: &str, reason: impl fmt::Display) -> Self {
        Self::Failed { name: name.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "Unknown option or number of arguments for CONFIG SET - '{name}'"),
            Self::Failed { name, reason } => {
                write!(f, "CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
        }
    }
}

impl std::error::Error for SettingError {}

impl Config {
    /// The configuration with every pair of name and value applied, or the first thing that is wrong: first with the
    /// names in their order, then with the values. Percentages are of `memory_bytes`, what the process may use (0: nobody
    /// knows, and they are refused).
    pub fn set(&self, pairs: &[(&[u8], &[u8])], memory_bytes: u64) -> Result<Changed, SettingError> {
        let mut named: Vec<&'static Setting> = Vec::with_capacity(pairs.len().min(SETTINGS.len()));
        for (name, _) in pairs {
            let name = String::from_utf8_lossy(name);
            let Some(setting) = Setting::named(&name) else {
                return Err(SettingError::Unknown { name: name.into_owned() });
            };
            if setting.change != Change::Live {
                return Err(SettingError::failed(&name, "can't set immutable config"));
            }
            if named.iter().any(|other| other.name == setting.name) {
                return Err(SettingError::failed(&name, "duplicate parameter"));
            }
            named.push(setting);
        }
        let mut config = self.clone();
        for (setting, (_, value)) in named.iter().zip(pairs) {
            let value = std::str::from_utf8(value)
                .map_err(|_| SettingError::failed(setting.name, "argument must be valid UTF-8"))?;
            (setting.write)(&mut config, value).map_err(|mistake| SettingError::failed(setting.name, mistake))?;
        }
        config.resolve(memory_bytes).map_err(|mistake| SettingError::failed("maxmemory", mistake))?;
        Ok(Changed { config, names: named.iter().map(|setting| setting.name).collect() })
    }

    /// The settings that any of `patterns` names, each once, with their values as Redis prints them. A pattern without
    /// wildcards is answered in the client's own spelling and finds hidden settings too, as in Redis.
    pub fn get<'a>(
        &self,
        patterns: &[&'a [u8]],
        matches: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Vec<(Cow<'a, str>, String)> {
        let mut found: Vec<(Cow<'a, str>, &Setting)> = Vec::new();
        let add = |found: &mut Vec<(Cow<'a, str>, &Setting)>, spelling: Cow<'a, str>, setting: &'static Setting| {
            if !found.iter().any(|(_, other)| other.name == setting.name) {
                found.push((spelling, setting));
            }
        };
        for pattern in patterns {
            if pattern.iter().any(|byte| b"[*?".contains(byte)) {
                let visible = SETTINGS.iter().filter(|setting| setting.change != Change::Hidden);
                for setting in visible.filter(|setting| matches(pattern, setting.name.as_bytes())) {
                    add(&mut found, Cow::Borrowed(setting.name), setting);
                }
            } else if let Ok(name) = std::str::from_utf8(pattern)
                && let Some(setting) = Setting::named(name)
            {
                add(&mut found, Cow::Borrowed(name), setting);
            }
        }
        found.into_iter().map(|(name, setting)| (name, (setting.print)(self))).collect()
    }

    /// The value of one setting as CONFIG GET prints it.
    pub fn value(&self, name: &str) -> Option<String> {
        Setting::named(name).map(|setting| (setting.print)(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What percentages are of.
    const MEMORY_BYTES: u64 = 2 << 30;

    fn set(pairs: &[(&str, &str)]) -> Result<Changed, String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        Config::default().set(&pairs, MEMORY_BYTES).map_err(|error| error.to_string())
    }

    fn refused(pairs: &[(&str, &str)], text: &str) {
        assert_eq!(set(pairs).unwrap_err(), text);
    }

    fn failed(pairs: &[(&str, &str)], name: &str, reason: &str) {
        refused(pairs, &format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}"));
    }

    #[test]
    fn names_are_checked_in_order_before_any_value() {
        refused(&[("foo", "1"), ("port", "1")], "Unknown option or number of arguments for CONFIG SET - 'foo'");
        refused(&[("timeout", "bad"), ("Foo", "1")], "Unknown option or number of arguments for CONFIG SET - 'Foo'");
        failed(&[("timeout", "1"), ("TimeOut", "2")], "TimeOut", "duplicate parameter");
        failed(&[("DataBases", "4"), ("foo", "1")], "DataBases", "can't set immutable config");
    }

    #[test]
    fn values_are_refused_in_the_words_of_redis() {
        failed(&[("TIMEOUT", "abc")], "timeout", "argument couldn't be parsed into an integer");
        failed(&[("timeout", "-3")], "timeout", "argument must be between 0 and 2147483647 inclusive");
        failed(&[("maxmemory", "half")], "maxmemory", "argument must be a memory value");
        let name = "proto-max-bulk-len";
        failed(&[(name, "10")], name, "argument must be between 1048576 and 9223372036854775807 inclusive");
        failed(&[("protected-mode", "3")], "protected-mode", "argument must be 'yes' or 'no'");
        failed(&[("maxclients", "0")], "maxclients", "argument must be between 1 and 4294967295 inclusive");
        let name = "slowlog-log-slower-than";
        failed(&[(name, "-5")], name, "argument must be between -1 and 9223372036854775807 inclusive");
        failed(&[("save", "900")], "save", "Invalid save parameters");
        assert!(set(&[("save", "900 1")]).unwrap_err().contains("no persistence"));
        assert!(set(&[("appendonly", "yes")]).unwrap_err().contains("no persistence"));
        assert!(set(&[("lazyfree-lazy-expire", "no")]).unwrap_err().contains("always freed in slices"));
    }

    #[test]
    fn one_bad_value_leaves_everything_as_it_was() {
        failed(&[("timeout", "9"), ("maxmemory", "bad")], "maxmemory", "argument must be a memory value");
        let changed = set(&[("timeout", "9"), ("MAXMEMORY", "1gb"), ("requirepass", "a b")]).unwrap();
        assert_eq!(changed.names, ["timeout", "maxmemory", "requirepass"]);
        assert_eq!((changed.config.timeout_s, changed.config.maxmemory.bytes()), (9, 1 << 30));
        assert!(changed.config.requirepass.unwrap().matches(b"a b"));
    }

    #[test]
    fn values_that_are_no_text_are_refused() {
        let error = Config::default().set(&[(b"requirepass", b"\xff")], 0).unwrap_err();
        assert!(error.to_string().contains("UTF-8"));
    }

    #[test]
    fn get_answers_each_setting_once() {
        let starts = |pattern: &[u8], name: &[u8]| name.starts_with(&pattern[..pattern.len() - 1]);
        let config = Config::default();
        let names = |patterns: &[&'static str]| -> Vec<_> {
            let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
            config.get(&patterns, starts).into_iter().map(|(name, _)| name.into_owned()).collect()
        };
        assert_eq!(names(&["TIMEOUT", "tim*", "nothing"]), ["TIMEOUT"]);
        assert_eq!(names(&["maxm*", "maxmemory"]), ["maxmemory", "maxmemory-policy", "maxmemory-samples"]);
        assert_eq!(names(&["lend*"]), [""; 0]);
        assert_eq!(names(&["lending"]), ["lending"]);
        assert_eq!(names(&["*"]).len(), SETTINGS.iter().filter(|setting| setting.change != Change::Hidden).count());
        assert_eq!(config.value("bind").unwrap(), "127.0.0.1 -::1");
        assert_eq!(config.value("save").unwrap(), "");
    }

    proptest! {
        #[test]
        fn any_pair_gets_an_answer(index in 0..SETTINGS.len(), value in proptest::collection::vec(any::<u8>(), 0..30)) {
            let setting = &SETTINGS[index];
            if let Ok(changed) = Config::default().set(&[(setting.name.as_bytes(), &value)], MEMORY_BYTES) {
                let mut again = Config::default();
                for line in (setting.lines)(&changed.config) {
                    (setting.write)(&mut again, &line).unwrap();
                }
                again.resolve(MEMORY_BYTES).unwrap();
                let printed = again.set(&[(setting.name.as_bytes(), again.value(setting.name).unwrap().as_bytes())], 0);
                prop_assert_eq!(printed.unwrap().config.value(setting.name), changed.config.value(setting.name));
                prop_assert_eq!(again, changed.config);
            }
        }
    }
}
