//! The manual page and the completions of shells: the command line described for those who type it.
//!
//! Both are made from the grammar in [`flags`] at the moment they are asked for, so that they name the
//! settings of the program that prints them and there is no file that could be older than it.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::{CONFIG_VARIABLE, SETTINGS, flags};

/// The ways in which the program is called. That of the grammar would name every setting.
const SYNOPSIS: &str = "corewise [serve] [--SETTING VALUE]...
corewise check-config [--SETTING VALUE]...
corewise ping [--host HOST] [--port PORT] [--unixsocket PATH]
corewise completions SHELL
corewise man";

/// What the program is, in paragraphs.
const DESCRIPTION: [&str; 3] = [
    "Corewise keeps keys and values in memory and serves them to any client of Redis. Each CPU that it may use runs one \
     core, which owns a part of the keys, its own connections and its own io_uring. Any key can be reached through any \
     connection.",
    "Without a command it is a server in the foreground, until SIGTERM, SIGINT or a client's SHUTDOWN. It then takes no \
     new clients and lets output leave for up to two seconds; a second SIGINT ends it at once. Nothing is written to \
     disk: a restart empties the cache.",
    "It needs Linux 6.1 or newer. Where the system refuses something that it needs, the start ends with a sentence that \
     names the cause and the remedy.",
];

/// Environment variables and what they are for.
const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "COREWISE_NAME",
        "Value of a setting: its name in capitals, with underscores for hyphens, such as COREWISE_TCP_KEEPALIVE for \
         --tcp-keepalive. A flag goes before it, and it goes before the configuration file.",
    ),
    (CONFIG_VARIABLE, "Path of the configuration file where --config is not given."),
    ("COREWISE_PORT", "Also the port that corewise ping asks where --port is not given."),
    ("NOTIFY_SOCKET", "Socket of a service manager, which is told when clients are served and when a stop begins."),
];

const EXIT_STATUSES: [(&str, &str); 3] = [
    ("0", "The server has stopped in order; the settings are valid; the server that was asked answers."),
    ("1", "The server could not start or had to stop; a setting is wrong; no answer. The standard error says why."),
    ("2", "The command line has a flag or command that there is not."),
];

/// Command lines, and what they do.
const EXAMPLES: [(&str, &str); 5] = [
    ("corewise", "Serve this machine's clients on port 6379, with one core for each CPU."),
    (
        "corewise --bind '*' '-::*' --requirepass SECRET --maxmemory 4gb --cpus 0-3",
        "Serve everybody who knows the password, with four cores and 4 GiB.",
    ),
    ("corewise check-config --config /etc/corewise.conf", "Say what a server would be started with, or what is wrong."),
    ("corewise ping --port 6380 || echo down", "Check the health of a server."),
    ("corewise man | man -l -", "Read this page."),
];

/// The manual page, in roff.
pub fn page() -> Vec<u8> {
    let command = flags::command()
        .override_usage(SYNOPSIS)
        .disable_help_subcommand(true)
        // Below, each command stands with its own flags; only settings are left for the sections of clap_mangen.
        .mut_subcommands(|command| command.disable_help_flag(true));
    let mut roff = Roff::new();
    section(&mut roff, "DESCRIPTION");
    for paragraph in DESCRIPTION {
        roff.control("PP", []);
        roff.text([roman(paragraph)]);
    }
    section(&mut roff, "COMMANDS");
    command.get_subcommands().for_each(|command| describe(&mut roff, command));
    let before_settings = roff.to_roff();
    let mut roff = Roff::new();
    section(&mut roff, "CONFIGURATION FILE");
    roff.text([roman(
        "Lines of a setting and its value, as in redis.conf; # begins a comment. CONFIG REWRITE writes the settings of \
         the running server into it. Memory has the units kb, mb and gb; maxmemory may be a percentage.",
    )]);
    list(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    list(&mut roff, "EXIT STATUS", &EXIT_STATUSES);
    list(&mut roff, "EXAMPLES", &EXAMPLES);
    let rest = roff.to_roff();

    let version = command.get_version().unwrap_or_default().to_owned();
    let man = Man::new(command).title("COREWISE").source(format!("Corewise {version}")).manual("Corewise");
    let mut page = Vec::new();
    let written = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| {
            page.extend_from_slice(before_settings.as_bytes());
            man.render_options_section(&mut page)
        });
    written.expect("a vector takes what is written to it");
    page.extend_from_slice(rest.as_bytes());
    page
}

fn section(roff: &mut Roff, title: &'static str) {
    roff.control("SH", [title]);
}

fn list(roff: &mut Roff, title: &'static str, items: &[(&str, &str)]) {
    section(roff, title);
    for (term, meaning) in items {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

/// A command, what it does, and the flags that are its own.
fn describe(roff: &mut Roff, command: &Command) {
    roff.control("TP", []);
    roff.text([bold(format!("corewise {}", command.get_name()))]);
    roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    let own = command.get_arguments().filter(|arg| arg.get_help_heading().is_none() && arg.get_id() != "config");
    roff.control("RS", []);
    for arg in own {
        let name = arg.get_long().map(|long| format!("--{long} ")).unwrap_or_default();
        let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        roff.control("TP", []);
        roff.text([bold(name), italic(value)]);
        let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let words: Vec<String> = arg.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
        if !words.is_empty() {
            help = format!("{help}: {}", words.join(", "));
        }
        roff.text([roman(help)]);
    }
    roff.control("RE", []);
}

/// What a shell reads in order to complete command lines.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut command = flags::command().mut_args(hint).mut_subcommands(|command| command.mut_args(hint));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "corewise", &mut script);
    script
}

/// Tells a shell what a flag's value can be. The grammar itself leaves values alone: that a wrong one is refused with a
/// sentence is the business of whoever checks settings.
fn hint(arg: Arg) -> Arg {
    let setting = SETTINGS.iter().find(|setting| arg.get_id() == setting.name);
    let words = setting.map(|setting| (setting.words)()).unwrap_or_default();
    match (arg.get_id().as_str(), setting.map(|setting| (setting.placeholder)())) {
        ("config" | "unixsocket", _) | (_, Some("PATH")) => arg.value_hint(ValueHint::FilePath),
        ("host", _) => arg.value_hint(ValueHint::Hostname),
        _ if !words.is_empty() => arg.value_parser(PossibleValuesParser::new(words)),
        (_, Some(words)) if words.contains('|') => arg.value_parser(PossibleValuesParser::new(words.split('|'))),
        _ => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Change, VARIABLE_PREFIX};
    use clap::ValueEnum;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_page_has_the_sections_that_a_reader_expects() {
        let page = text(page());
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let first = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "NETWORK", "CLIENTS"];
        assert_eq!(sections[..7], first, "{sections:?}");
        for last in ["ENVIRONMENT", "\"EXIT STATUS\"", "EXAMPLES"] {
            assert!(sections.contains(&last), "{sections:?}");
        }
    }

    #[test]
    fn the_page_names_every_setting_but_the_hidden_ones() {
        let page = text(page()).replace("\\-", "-");
        for setting in SETTINGS {
            let shown = page.contains(&format!("\\fB--{}\\fR", setting.name));
            assert_eq!(shown, setting.change != Change::Hidden, "{}", setting.name);
        }
        for command in flags::command().get_subcommands() {
            assert!(page.contains(&format!("\\fBcorewise {}\\fR", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn every_example_is_a_command_line() {
        for (line, _) in EXAMPLES {
            let line = line.split(['|', ';']).next().unwrap();
            let words = line.split_whitespace().map(|word| word.trim_matches('\'').into());
            assert!(flags::parse(words, &[]).is_ok(), "{line}");
        }
        assert!(ENVIRONMENT.iter().all(|(name, _)| name.starts_with(VARIABLE_PREFIX) || *name == "NOTIFY_SOCKET"));
    }

    #[test]
    fn every_shell_completes_commands_settings_and_their_words() {
        for shell in Shell::value_variants() {
            let script = text(completions(*shell));
            for part in ["check-config", "completions", "tcp-keepalive", "unixsocket"] {
                assert!(script.contains(part), "{shell}: {part}");
            }
            // Elvish and PowerShell complete no values.
            if matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish) {
                assert!(
                    script.contains("relaxed") && script.contains("strict") && script.contains("allkeys-s3fifo"),
                    "{shell}"
                );
            }
        }
    }
}
