//! From what was written to a [`Config`]: flag before environment before file before default.
//!
//! Every mistake is reported, each in a sentence that names the setting, the value, the place, and what would be
//! valid: an operator mends a file once, not line by line.

use std::fmt;

use super::file;
use super::foreign::{Foreign, foreign};
use super::settings::{Config, SETTINGS, Setting};
use super::value::Mistake;
use super::{CONFIG_VARIABLE, VARIABLE_PREFIX};

/// Everything that was written, as text.
#[derive(Clone, Copy, Default)]
pub struct Written<'a> {
    /// Names and values of flags, in their order.
    pub flags: &'a [(String, String)],
    /// The environment; what does not begin with [`VARIABLE_PREFIX`] is not looked at.
    pub environment: &'a [(String, String)],
    /// The configuration file.
    pub file: Option<WrittenFile<'a>>,
    /// Bytes of memory that the process may use, which percentages are of; 0 if nobody knows.
    pub memory_bytes: u64,
}

/// A configuration file that was read.
#[derive(Clone, Copy)]
pub struct WrittenFile<'a> {
    /// Its path, for messages.
    pub path: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// A configuration to start with.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Sentences that the operator should see although the start goes on.
    pub notices: Vec<String>,
}

/// Everything that was wrong, a sentence each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    /// In the order in which they were found; at least one.
    pub mistakes: Vec<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

impl std::error::Error for LoadError {}

/// Checks everything that was written.
pub fn load(written: &Written<'_>) -> Result<Loaded, LoadError> {
    let mut loading = Loading { config: Config::default(), notices: Vec::new(), mistakes: Vec::new() };
    if let Some(file) = &written.file {
        loading.file(file);
    }
    loading.environment(written.environment);
    for (name, value) in written.flags {
        match Setting::named(name) {
            Some(setting) => loading.write(setting, value, &format!("flag --{name}")),
            None => loading.unknown(name, &format!("flag --{name}"), |setting| format!("--{}", setting.name)),
        }
    }
    loading.together(written.memory_bytes);
    match loading.mistakes.is_empty() {
        true => Ok(Loaded { config: loading.config, notices: loading.notices }),
        false => Err(LoadError { mistakes: loading.mistakes }),
    }
}

struct Loading {
    config: Config,
    notices: Vec<String>,
    mistakes: Vec<String>,
}

impl Loading {
    fn file(&mut self, file: &WrittenFile<'_>) {
        let mut passed_over = Vec::new();
        for line in file::lines(file.text) {
            let place = format!("{}, line {}", file.path, line.number);
            match line.words.as_deref() {
                Err(reason) => self.mistakes.push(format!("the line cannot be read: {reason} ({place})")),
                Ok([name, words @ ..]) => match (Setting::named(name), foreign(name)) {
                    (Some(setting), _) => match file::value(setting, words) {
                        Some(value) => self.write(setting, &value, &place),
                        None => self.mistakes.push(format!("{name} takes one value, not {} ({place})", words.len())),
                    },
                    (None, Some(Foreign::WithoutEffect)) => passed_over.push(format!("{name} (line {})", line.number)),
                    (None, Some(Foreign::Missing { neutral, .. })) if neutral == Some(words.join(" ").as_str()) => {}
                    (None, Some(Foreign::Missing { reason, .. })) => {
                        self.mistakes.push(format!("{name} cannot be had: {reason} ({place})"));
                    }
                    (None, None) => self.unknown(name, &place, |setting| setting.name.to_owned()),
                },
                Ok([]) => {}
            }
        }
        if !passed_over.is_empty() {
            let names = passed_over.join(", ");
            self.notices.push(format!("{} has settings of Redis without effect here: {names}", file.path));
        }
    }

    fn environment(&mut self, environment: &[(String, String)]) {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
            if variable == CONFIG_VARIABLE || is_of_a_service(name, value) {
                continue;
            }
            let place = format!("environment variable {variable}");
            match SETTINGS.iter().find(|setting| setting.variable() == *variable) {
                Some(setting) => self.write(setting, value, &place),
                None => self.unknown(&name.replace('_', "-").to_ascii_lowercase(), &place, Setting::variable),
            }
        }
    }

    fn write(&mut self, setting: &Setting, value: &str, place: &str) {
        match (setting.write)(&mut self.config, value) {
            Ok(()) => {}
            Err(Mistake::Immaterial(reason)) => {
                self.notices.push(format!("{} {value} changes nothing: {reason} ({place})", setting.name));
            }
            Err(mistake) => {
                let remedy = mistake.remedy();
                self.mistakes.push(format!("{} cannot be {value:?}: {remedy} ({place})", setting.name));
            }
        }
    }

    fn unknown(&mut self, name: &str, place: &str, spelling: impl Fn(&Setting) -> String) {
        let hint = nearest(name).map(|near| format!("; did you mean {}?", spelling(near))).unwrap_or_default();
        self.mistakes.push(format!("there is no setting {name:?}{hint} ({place})"));
    }

    /// What no single setting can tell.
    fn together(&mut self, memory_bytes: u64) {
        if let Err(mistake) = self.config.resolve(memory_bytes) {
            self.mistakes.push(format!("maxmemory cannot be a percentage: {}", mistake.remedy()));
        }
        self.notices.extend(self.config.memory_notice(memory_bytes));
        let config = &self.config;
        if (config.port == 0 || config.bind.is_empty()) && config.unixsocket.is_none() {
            let cause = if config.port == 0 { "port is 0" } else { "bind is empty" };
            self.mistakes.push(format!(
                "there is nothing to listen on: {cause} and no unixsocket is set; set port and bind, or unixsocket"
            ));
        }
    }
}

/// Whether a variable is one of those that Kubernetes puts into every container of a namespace that has a service
/// whose name begins with "corewise" (`COREWISE_PORT=tcp://10.0.0.7:6379`, `COREWISE_SERVICE_HOST=...`): nobody
/// wrote it, and one of them has the name of a setting.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let protocol = ["tcp://", "udp://", "sctp://"].iter().any(|protocol| value.starts_with(protocol));
    let has_part = |part: &str| format!("_{name}_").contains(part);
    let of_port = has_part("_PORT_") && ["_TCP_", "_UDP_", "_SCTP_"].iter().any(|part| has_part(part));
    has_part("_SERVICE_HOST_") || has_part("_SERVICE_PORT_") || of_port || (protocol && has_part("_PORT_"))
}

/// The setting whose name is nearest to `name`, if it is near enough to be meant.
fn nearest(name: &str) -> Option<&'static Setting> {
    let name = name.to_ascii_lowercase();
    // A third of the letters may be wrong; a longer name that begins alike counts as near as well.
    let distance = |setting: &&Setting| strsim::damerau_levenshtein(&name, setting.name);
    let near = SETTINGS.iter().min_by_key(distance).filter(|setting| distance(setting) <= name.len().div_ceil(3));
    let longer = || SETTINGS.iter().find(|setting| name.len() >= 4 && setting.name.starts_with(&name));
    near.or_else(longer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn load_all(flags: &[(&str, &str)], environment: &[(&str, &str)], text: &str) -> Result<Loaded, LoadError> {
        let file = Some(WrittenFile { path: "a.conf", text });
        load(&Written { flags: &pairs(flags), environment: &pairs(environment), file, memory_bytes: 0 })
    }

    fn mistakes(flags: &[(&str, &str)], environment: &[(&str, &str)], text: &str) -> Vec<String> {
        load_all(flags, environment, text).unwrap_err().mistakes
    }

    #[test]
    fn nothing_written_is_a_working_cache() {
        assert_eq!(load(&Written::default()), Ok(Loaded { config: Config::default(), notices: Vec::new() }));
    }

    #[test]
    fn flag_before_environment_before_file_before_default() {
        let environment = [("COREWISE_TIMEOUT", "2"), ("COREWISE_TCP_KEEPALIVE", "2"), ("PATH", "/bin")];
        let config = load_all(&[("timeout", "1")], &environment, "timeout 3\ntcp-keepalive 3\nport 3").unwrap().config;
        assert_eq!((config.timeout_s, config.tcp_keepalive_s, config.port, config.maxclients), (1, 2, 3, 10000));
    }

    #[test]
    fn mistakes_name_setting_value_place_and_remedy() {
        assert_eq!(
            mistakes(
                &[("port", "70000")],
                &[("COREWISE_MAXMEMORY", "half")],
                "\nprotected-mode 3\ntimeout 1 2\nport \"1"
            ),
            [
                "protected-mode cannot be \"3\": it must be yes or no (a.conf, line 2)",
                "timeout takes one value, not 2 (a.conf, line 3)",
                "the line cannot be read: a quote is not closed (a.conf, line 4)",
                "maxmemory cannot be \"half\": it must be an amount of memory, such as 100mb or 1gb, or a percentage of \
                 what there is, such as 50% (environment variable COREWISE_MAXMEMORY)",
                "port cannot be \"70000\": it must be a whole number between 0 and 65535 (flag --port)",
            ]
        );
    }

    #[test]
    fn near_misses_are_suggested_in_the_spelling_of_their_place() {
        assert_eq!(
            mistakes(&[], &[("COREWISE_MAXMEMROY", "1gb")], "tmeout 3\nzzz 1\nclient-output 3"),
            [
                "there is no setting \"tmeout\"; did you mean timeout? (a.conf, line 1)",
                "there is no setting \"zzz\" (a.conf, line 2)",
                "there is no setting \"client-output\"; did you mean client-output-buffer-limit? (a.conf, line 3)",
                "there is no setting \"maxmemroy\"; did you mean COREWISE_MAXMEMORY? \
                 (environment variable COREWISE_MAXMEMROY)",
            ]
        );
    }

    #[test]
    fn what_is_not_there_yet_stops_the_start() {
        for line in [
            "appendonly yes",
            "save 900 1",
            "daemonize yes",
            "replicaof 10.0.0.1 6379",
            "cluster-enabled yes",
            "include other.conf",
            "user alice on",
        ] {
            assert_eq!(mistakes(&[], &[], line).len(), 1, "{line}");
        }
    }

    #[test]
    fn tunings_of_redis_are_passed_over_aloud() {
        let text = "hz 10\nsave \"\"\ncluster-enabled no\nlazyfree-lazy-expire no\nactiverehashing yes\ntls-port 0";
        let loaded = load_all(&[], &[], text).unwrap();
        assert_eq!(loaded.config, Config::default());
        assert_eq!(
            loaded.notices,
            [
                "lazyfree-lazy-expire no changes nothing: large values are always freed in slices \
                 (a.conf, line 4)",
                "a.conf has settings of Redis without effect here: hz (line 1), activerehashing (line 5)",
            ]
        );
    }

    #[test]
    fn variables_of_a_kubernetes_service_are_nobodys_setting() {
        let environment = [
            ("COREWISE_PORT", "tcp://10.0.0.7:6379"),
            ("COREWISE_SERVICE_HOST", "10.0.0.7"),
            ("COREWISE_SERVICE_PORT", "6379"),
            ("COREWISE_SERVICE_PORT_REDIS", "6379"),
            ("COREWISE_PORT_6379_TCP_ADDR", "10.0.0.7"),
            ("COREWISE_PORT_6379_TCP", "tcp://10.0.0.7:6379"),
            ("COREWISE_PROXY_PORT", "tcp://10.0.0.8:6379"),
            (CONFIG_VARIABLE, "/etc/corewise.conf"),
        ];
        assert_eq!(load_all(&[], &environment, "").unwrap().config, Config::default());
        assert_eq!(mistakes(&[], &[("COREWISE_PORT", "x")], "").len(), 1);
    }

    #[test]
    fn something_must_be_listened_on() {
        assert!(mistakes(&[("port", "0")], &[], "")[0].contains("port is 0"));
        assert!(mistakes(&[("bind", "")], &[], "")[0].contains("bind is empty"));
        assert!(load_all(&[("port", "0"), ("unixsocket", "/run/corewise.sock")], &[], "").is_ok());
    }

    #[test]
    fn classes_of_limits_add_up_over_lines_and_sources() {
        let text = "client-output-buffer-limit normal 1 1 1\nclient-output-buffer-limit pubsub 2 2 2";
        let limits =
            load_all(&[("client-output-buffer-limit", "normal 3 3 3")], &[], text).unwrap().config.output_limits;
        assert_eq!((limits.normal.soft_s, limits.pubsub.soft_s, limits.replica.soft_s), (3, 2, 60));
    }

    proptest! {
        #[test]
        fn any_file_gets_an_answer(text in ".*|(([a-z-]{1,8}|port|bind|save) ?[\"'\\\\x0-9a-z ]{0,8}\n){0,8}") {
            let _ = load_all(&[], &[], &text);
        }
    }
}
