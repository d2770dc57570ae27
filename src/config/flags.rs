//! The command line: flags and `--help`, made from the table of settings.
//!
//! Knows what can be asked of the program, not how it is done; values of settings pass through unchecked, because
//! [`load`](super::load) checks them the same way wherever they were written.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;

use super::settings::{Change, SETTINGS, Setting};
use super::value::Arguments;
use super::{CONFIG_VARIABLE, VARIABLE_PREFIX};

/// What the program was asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invocation {
    /// Be a server.
    Serve(Launch),
    /// Check what a server would be started with, and say so.
    CheckConfig(Launch),
    /// Ask a running server whether it answers.
    Ping(PingTarget),
    /// Print what a shell completes command lines by.
    Completions(Shell),
    /// Print the manual page.
    Man,
}

/// What a server is started with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Launch {
    /// Names and values of the settings that were given.
    pub flags: Vec<(String, String)>,
    /// The configuration file.
    pub config: Option<String>,
}

/// The server that `corewise ping` asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PingTarget {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path of a Unix socket to ask instead.
    pub unixsocket: Option<String>,
}

/// Reads the command line (the program's name first). The error prints and exits as clap's do: it carries the text of
/// `--help` and `--version` too.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[(String, String)],
) -> Result<Invocation, clap::Error> {
    let mut command = command();
    let arguments: Result<Vec<_>, _> = arguments.into_iter().map(OsString::into_string).collect();
    let arguments = arguments.map_err(|wrong| {
        command.error(clap::error::ErrorKind::InvalidUtf8, format!("the argument {wrong:?} is no text in UTF-8"))
    })?;
    let matches = command.try_get_matches_from(join_words(arguments))?;
    let variable = |name: &str| environment.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    match matches.subcommand() {
        Some(("check-config", matches)) => Ok(Invocation::CheckConfig(launch(matches, variable(CONFIG_VARIABLE)))),
        Some(("ping", matches)) => Ok(Invocation::Ping(ping_target(matches, variable))),
        Some(("completions", matches)) => {
            Ok(Invocation::Completions(*matches.get_one("shell").expect("the grammar requires it")))
        }
        Some(("man", _)) => Ok(Invocation::Man),
        Some((_, matches)) => Ok(Invocation::Serve(launch(matches, variable(CONFIG_VARIABLE)))),
        None => Ok(Invocation::Serve(launch(&matches, variable(CONFIG_VARIABLE)))),
    }
}

/// The command line's grammar, from which completions and the manual page are made as well.
pub fn command() -> Command {
    let ping = Command::new("ping").about("Ask a running server whether it answers: exit status 0 or 1").args([
        Arg::new("host").long("host").value_name("HOST").help("Name or address [default: 127.0.0.1]"),
        Arg::new("port")
            .long("port")
            .value_name("PORT")
            .value_parser(clap::value_parser!(u16))
            .help("TCP port [default: $COREWISE_PORT or 6379]"),
        Arg::new("unixsocket").long("unixsocket").value_name("PATH").help("Unix socket to ask instead"),
    ]);
    let completions =
        Command::new("completions").about("Print a script that lets a shell complete the command line").arg(
            Arg::new("shell")
                .value_name("SHELL")
                .help("Which shell")
                .required(true)
                .value_parser(clap::value_parser!(Shell)),
        );
    with_settings(Command::new("corewise"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("A Redis-compatible cache server in which every CPU core is a small server of its own")
        .args_conflicts_with_subcommands(true)
        .subcommand(with_settings(Command::new("serve").about("Be a server (what happens without a command)")))
        .subcommand(with_settings(Command::new("check-config").about("Check the settings and print what they come to")))
        .subcommand(ping)
        .subcommand(completions)
        .subcommand(Command::new("man").about("Print the manual page, for man -l -"))
}

fn with_settings(command: Command) -> Command {
    let config = Arg::new("config").long("config").value_name("FILE").help(format!(
        "Configuration file: lines of a setting and its value, as in redis.conf [or ${CONFIG_VARIABLE}]"
    ));
    command.args_override_self(true).arg(config).args(SETTINGS.iter().map(flag)).after_help(format!(
        "A setting is taken from its flag, else from the environment ({VARIABLE_PREFIX}TCP_KEEPALIVE for \
         --tcp-keepalive), else from the configuration file. Memory has the units kb, mb and gb; maxmemory may be a \
         percentage."
    ))
}

fn flag(setting: &'static Setting) -> Arg {
    let default = match setting.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let (words, placeholder) = ((setting.words)(), (setting.placeholder)());
    let choice = match words.is_empty() || placeholder.contains('|') {
        true => String::new(),
        false => format!(" [one of: {}]", words.join(", ")),
    };
    let arg = Arg::new(setting.name)
        .long(setting.name)
        .value_name(placeholder)
        .help(format!("{}{choice}{default}", setting.summary))
        .help_heading(setting.heading.title())
        .hide(setting.change == Change::Hidden);
    match (setting.arguments)() {
        Arguments::Optional => arg.num_args(0..=1).default_missing_value("yes"),
        Arguments::One | Arguments::Several => arg.num_args(1).allow_hyphen_values(true),
        Arguments::Repeated => arg.num_args(1).allow_hyphen_values(true).action(ArgAction::Append),
    }
}

/// Makes one argument of a flag and its several words (`--bind 127.0.0.1 -::1`), as Redis takes them: all that follow
/// up to the next flag.
fn join_words(arguments: Vec<String>) -> Vec<String> {
    let mut joined = Vec::with_capacity(arguments.len());
    let mut rest = arguments.into_iter().peekable();
    while let Some(argument) = rest.next() {
        let several = SETTINGS.iter().any(|setting| {
            matches!((setting.arguments)(), Arguments::Several | Arguments::Repeated)
                && argument.strip_prefix("--") == Some(setting.name)
        });
        let mut words = Vec::new();
        while several && let Some(word) = rest.next_if(|word| !word.starts_with("--")) {
            words.push(word);
        }
        joined.push(if words.is_empty() { argument } else { format!("{argument}={}", words.join(" ")) });
    }
    joined
}

fn launch(matches: &ArgMatches, config_variable: Option<String>) -> Launch {
    let mut flags = Vec::new();
    for setting in SETTINGS {
        for value in matches.get_many::<String>(setting.name).into_iter().flatten() {
            flags.push((setting.name.to_owned(), value.clone()));
        }
    }
    Launch { flags, config: matches.get_one("config").cloned().or(config_variable) }
}

fn ping_target(matches: &ArgMatches, variable: impl Fn(&str) -> Option<String>) -> PingTarget {
    let port = matches.get_one("port").copied().or_else(|| variable("COREWISE_PORT")?.parse().ok());
    let host = matches.get_one::<String>("host").cloned();
    let unixsocket = matches.get_one("unixsocket").cloned();
    PingTarget { host: host.unwrap_or_else(|| "127.0.0.1".to_owned()), port: port.unwrap_or(6379), unixsocket }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> Result<Invocation, String> {
        let arguments = std::iter::once("corewise").chain(line.iter().copied()).map(OsString::from);
        let environment = [(CONFIG_VARIABLE.to_owned(), "/etc/c.conf".to_owned())];
        parse(arguments, &environment).map_err(|error| error.to_string())
    }

    fn serve(line: &[&str], expected: &[(&str, &str)]) {
        let Ok(Invocation::Serve(launch)) = parsed(line) else { panic!("{line:?}: {:?}", parsed(line)) };
        let flags: Vec<_> = launch.flags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(flags, expected, "{line:?}");
    }

    #[test]
    fn the_grammar_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn nothing_and_flags_alone_mean_serve() {
        serve(&[], &[]);
        serve(&["--port", "7000"], &[("port", "7000")]);
        serve(&["serve", "--port=7000"], &[("port", "7000")]);
        serve(&["--port", "7000", "--port", "7001"], &[("port", "7001")]);
        serve(&["--protected-mode", "--timeout", "3"], &[("timeout", "3"), ("protected-mode", "yes")]);
        serve(&["--protected-mode", "no"], &[("protected-mode", "no")]);
        serve(&["--slowlog-log-slower-than", "-1"], &[("slowlog-log-slower-than", "-1")]);
        serve(&["--lending", "always"], &[("lending", "always")]);
    }

    #[test]
    fn several_words_are_taken_as_redis_takes_them() {
        serve(&["--bind", "127.0.0.1", "-::1", "--port", "1"], &[("port", "1"), ("bind", "127.0.0.1 -::1")]);
        serve(&["--bind", "-::1"], &[("bind", "-::1")]);
        serve(&["--save", "", "--appendonly", "no"], &[("save", ""), ("appendonly", "no")]);
        let name = "client-output-buffer-limit";
        let flag = "--client-output-buffer-limit";
        let line = [flag, "normal", "0", "0", "0", flag, "pubsub 1 2 3"];
        serve(&line, &[(name, "normal 0 0 0"), (name, "pubsub 1 2 3")]);
        assert!(parsed(&["--bind"]).is_err());
    }

    #[test]
    fn the_other_commands_have_their_own_arguments() {
        let target = |host: &str, port, unixsocket: Option<&str>| {
            Ok(Invocation::Ping(PingTarget { host: host.to_owned(), port, unixsocket: unixsocket.map(str::to_owned) }))
        };
        assert_eq!(parsed(&["ping"]), target("127.0.0.1", 6379, None));
        assert_eq!(parsed(&["ping", "--host", "h", "--port", "1"]), target("h", 1, None));
        assert_eq!(parsed(&["ping", "--unixsocket", "/s"]), target("127.0.0.1", 6379, Some("/s")));
        let check = parsed(&["check-config", "--config", "mine.conf"]).unwrap();
        assert_eq!(check, Invocation::CheckConfig(Launch { flags: Vec::new(), config: Some("mine.conf".to_owned()) }));
        assert_eq!(parsed(&["man"]), Ok(Invocation::Man));
        assert_eq!(parsed(&["completions", "zsh"]), Ok(Invocation::Completions(Shell::Zsh)));
        assert!(parsed(&["completions", "csh"]).unwrap_err().contains("possible values: bash, elvish, fish"));
        assert!(parsed(&["completions"]).unwrap_err().contains("SHELL"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let arguments = ["corewise".into(), "--requirepass".into(), OsString::from_vec(vec![0xff])];
        assert!(parse(arguments, &[]).unwrap_err().to_string().contains("no text"));
    }

    #[test]
    fn the_file_may_come_from_the_environment() {
        let Ok(Invocation::Serve(launch)) = parsed(&[]) else { panic!("serve") };
        assert_eq!(launch.config.as_deref(), Some("/etc/c.conf"));
    }

    #[test]
    fn help_shows_every_setting_but_the_hidden_ones() {
        let help = parsed(&["--help"]).unwrap_err();
        for setting in SETTINGS {
            let shown = help.contains(&format!("--{} ", setting.name));
            assert_eq!(shown, setting.change != Change::Hidden, "{}", setting.name);
        }
        assert!(
            help.contains("allkeys-s3fifo") && help.contains("volatile-ttl"),
            "words are named where the value is a NAME"
        );
        assert!(parsed(&["--maxmemroy", "1"]).unwrap_err().contains("--maxmemory"), "near misses are suggested");
    }
}
