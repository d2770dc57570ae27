//! Requests that no row fits, and what they are told.

use super::{Command, lookup, lookup_sub};
use crate::resp::{Reply, ReplyError, Request};

/// Bytes of a name, and of all arguments together, that the error texts quote.
const QUOTED_BYTES_MAX: usize = 128;

/// Why a request has no command to run.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    /// No command has this name.
    UnknownCommand,
    /// The container has no such subcommand.
    UnknownSubcommand,
    /// Too few or too many arguments for the command.
    WrongArity(&'static Command),
}

/// Finds the command that runs `request` (which is not empty) and checks its arity.
#[inline]
pub fn find(request: Request<'_>) -> Result<&'static Command, Refusal> {
    let mut command = lookup(request.get(0)).ok_or(Refusal::UnknownCommand)?;
    if command.is_container() && request.len() > 1 {
        command = lookup_sub(command, request.get(1)).ok_or(Refusal::UnknownSubcommand)?;
    }
    if command.accepts(request.len()) { Ok(command) } else { Err(Refusal::WrongArity(command)) }
}

impl Refusal {
    /// Writes the error for `request`, in Redis's words.
    #[cold]
    pub fn write(self, request: Request<'_>, reply: &mut Reply<'_>) {
        let mut line = Vec::with_capacity(2 * QUOTED_BYTES_MAX);
        match self {
            Self::WrongArity(command) => return reply.error(ReplyError::WrongArity(command.name)),
            Self::UnknownCommand => {
                line.extend_from_slice(b"ERR unknown command '");
                line.extend_from_slice(quoted(request.get(0), QUOTED_BYTES_MAX));
                line.extend_from_slice(b"', with args beginning with: ");
                let start = line.len();
                for argument in request.iter().skip(1) {
                    let used = line.len() - start;
                    if used >= QUOTED_BYTES_MAX {
                        break;
                    }
                    line.push(b'\'');
                    line.extend_from_slice(quoted(argument, QUOTED_BYTES_MAX - used));
                    line.extend_from_slice(b"' ");
                }
            }
            Self::UnknownSubcommand => {
                line.extend_from_slice(b"ERR unknown subcommand '");
                end_with_help(&mut line, request);
            }
        }
        reply.error_bytes(&line);
    }
}

/// Writes the error of a command that reads its second argument itself (DEBUG) and can make nothing of the request.
#[cold]
pub fn refuse_subcommand(request: Request<'_>, reply: &mut Reply<'_>) {
    let mut line = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
    end_with_help(&mut line, request);
    reply.error_bytes(&line);
}

/// `<subcommand>'. Try <COMMAND> HELP.`
fn end_with_help(line: &mut Vec<u8>, request: Request<'_>) {
    line.extend_from_slice(quoted(request.get(1), QUOTED_BYTES_MAX));
    line.extend_from_slice(b"'. Try ");
    line.extend(request.get(0).to_ascii_uppercase());
    line.extend_from_slice(b" HELP.");
}

/// What Redis quotes of `text`, which it prints as a C string: at most `most` bytes, and nothing from a zero byte on.
fn quoted(text: &[u8], most: usize) -> &[u8] {
    let text = &text[..text.len().min(most)];
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::test_request::{reply_text, with_request};
    use crate::resp::Protocol;

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let got = with_request(arguments, |request| match find(request) {
            Ok(command) => command.name.to_owned(),
            Err(refusal) => reply_text(Protocol::Resp2, |reply| refusal.write(request, reply)),
        });
        assert_eq!(got, expected);
    }

    #[test]
    fn requests_find_their_rows() {
        check(&["GET", "k"], "get");
        check(&["set", "k", "v", "ex", "1"], "set");
        check(&["Client", "KILL", "x"], "client|kill");
        check(&["COMMAND"], "command");
        check(&["command", "count"], "command|count");
    }

    #[test]
    fn arity_errors_name_the_subcommand() {
        check(&["get"], "-ERR wrong number of arguments for 'get' command\r\n");
        check(&["GET", "a", "b"], "-ERR wrong number of arguments for 'get' command\r\n");
        check(&["CLIENT"], "-ERR wrong number of arguments for 'client' command\r\n");
        check(&["CLIENT", "KILL"], "-ERR wrong number of arguments for 'client|kill' command\r\n");
    }

    #[test]
    fn unknown_commands_quote_the_beginning_of_their_arguments() {
        check(&["foo", "a", "b"], "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n");
        check(&["foo"], "-ERR unknown command 'foo', with args beginning with: \r\n");
        check(&["f\0oo", "x"], "-ERR unknown command 'f', with args beginning with: 'x' \r\n");
        check(&["f\r\no", ""], "-ERR unknown command 'f  o', with args beginning with: '' \r\n");
        let (long, name) = ("a".repeat(125), "n".repeat(200));
        let line = format!("-ERR unknown command 'foo', with args beginning with: '{long}' \r\n");
        check(&["foo", &long, "b"], &line);
        let line = format!(
            "-ERR unknown command '{}', with args beginning with: '{}' 'bbbb' \r\n",
            &name[..128],
            &long[..121]
        );
        check(&[&name, &long[..121], "bbbbbb"], &line);
    }

    #[test]
    fn unknown_subcommands_point_to_help() {
        check(&["client", "foo"], "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n");
        check(&["ConFig", "f\no", "x"], "-ERR unknown subcommand 'f o'. Try CONFIG HELP.\r\n");
        let text = with_request(&["debug", "foo"], |request| {
            reply_text(Protocol::Resp2, |reply| refuse_subcommand(request, reply))
        });
        assert_eq!(text, "-ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.\r\n");
    }
}
