//! Transcripts of what needs no key and no other core.

use crate::base::ConnId;
use crate::command::{Scope, commands};
use crate::config::{Config, DebugAccess};
use crate::engine::testing::{Node, START_S};
use crate::limits::{BURIAL_BYTES, REQUESTS_PER_TURN};
use crate::mesh::LendingMode;

fn with_password() -> Node {
    let config = Config::default().set(&[(b"requirepass", b"secret")], 0).expect("a valid password").config;
    Node::with(1, LendingMode::Usual, |settings| *settings = config)
}

#[test]
fn the_session_answers_for_itself() {
    let mut node = Node::new(1);
    let client = node.connect(0);
    node.check(client, "PING", "PONG");
    node.check(client, "PING hello", r#""hello""#);
    node.check(client, "PING a b", "(error) ERR wrong number of arguments for 'ping' command");
    node.check(client, "ECHO x", r#""x""#);
    node.check(client, "SELECT 16", "(error) ERR DB index is out of range");
    node.check(client, "SELECT -1", "(error) ERR DB index is out of range");
    node.check(client, "SELECT x", "(error) ERR value is not an integer or out of range");
    node.check(
        client,
        "SELECT 3000000000",
        "(error) ERR value is out of range, value must between -2147483648 and 2147483647",
    );
    node.check(client, "TIME", &format!("[\"{START_S}\", \"0\"]"));
    node.check(client, "ROLE", "[\"master\", (integer) 0, []]");
    node.check(client, "WAIT 1 0", "(integer) 0");
    node.check(client, "WAIT 0 -1", "(error) ERR timeout is negative");
    node.check(client, "LASTSAVE", &format!("(integer) {START_S}"));
    assert!(node.run(client, "SAVE").contains("no persistence"));
    node.check(client, "BGSAVE foo", "(error) ERR syntax error");
    assert!(node.run(client, "BGSAVE SCHEDULE").contains("no persistence"));
    assert!(node.run(client, "LOLWUT").contains("Redis ver. 7.2.0"));
    node.check(client, "LOLWUT VERSION x", "(error) ERR value is not an integer or out of range");
    node.check(client, "QUIT", "OK");
    assert!(node.is_closed(client));
}

#[test]
fn hello_chooses_the_protocol() {
    let mut node = Node::new(1);
    let client = node.connect(0);
    let fields = |proto| {
        format!(
            r#"{{"server": "redis", "version": "7.2.0", "proto": (integer) {proto}, "id": (integer) 1, "mode": "standalone", "role": "master", "modules": []}}"#
        )
    };
    node.check(client, "HELLO 3 SETNAME me", &fields(3));
    node.check(client, "CLIENT GETNAME", r#""me""#);
    node.check(client, "HELLO", &fields(3));
    node.check(client, "HELLO 4", "(error) NOPROTO unsupported protocol version");
    node.check(client, "HELLO x", "(error) ERR Protocol version is not an integer or out of range");
    node.check(client, "HELLO 2 foo", "(error) ERR Syntax error in HELLO option 'foo'");
    node.check(client, "HELLO 2 AUTH a", "(error) ERR Syntax error in HELLO option 'AUTH'");
    node.check(client, "HELLO 2 AUTH a b", "(error) WRONGPASS invalid username-password pair or user is disabled.");
    node.check(client, "GET nosuch", "(nil)");
    node.check(client, "RESET", "RESET");
    node.check(client, "CLIENT GETNAME", "(nil)");
    assert!(node.run(client, "HELLO").starts_with(r#"["server", "redis""#), "RESP2 again, in which a map is an array");
}

#[test]
fn a_password_is_asked_for() {
    let mut node = with_password();
    let client = node.connect(0);
    let wrong = "(error) WRONGPASS invalid username-password pair or user is disabled.";
    node.check(client, "GET k", "(error) NOAUTH Authentication required.");
    node.check(client, "PING", "(error) NOAUTH Authentication required.");
    assert!(node.run(client, "HELLO 3").starts_with("(error) NOAUTH HELLO must be called"));
    node.check(client, "AUTH no", wrong);
    node.check(client, "AUTH someone secret", wrong);
    node.check(client, "AUTH a b c", "(error) ERR syntax error");
    node.check(client, "AUTH default secret", "OK");
    node.check(client, "GET k", "(nil)");
    node.check(client, "RESET", "RESET");
    node.check(client, "GET k", "(error) NOAUTH Authentication required.");
    assert!(node.run(client, "HELLO 3 AUTH default secret").starts_with("{"));
    node.check(client, "GET k", "(nil)");
    let other = node.connect(0);
    node.check(client, "CONFIG SET requirepass ''", "OK");
    node.check(other, "GET k", "(nil)");
    assert!(node.run(other, "AUTH x").starts_with("(error) ERR AUTH <password> called without any password"));
    node.check(other, "AUTH default x", "OK");
}

#[test]
fn a_connection_describes_itself() {
    let mut node = Node::new(1);
    let client = node.connect(0);
    node.check(client, "CLIENT ID", "(integer) 1");
    node.check(client, "CLIENT GETNAME", "(nil)");
    let spaces = "(error) ERR Client names cannot contain spaces, newlines or special characters.";
    node.check(client, "CLIENT SETNAME 'a b'", spaces);
    node.check(client, "CLIENT SETNAME worker", "OK");
    node.check(client, "CLIENT SETINFO lib-name redis-rs", "OK");
    node.check(client, "CLIENT SETINFO LIB-VER 1.0", "OK");
    node.check(
        client,
        "CLIENT SETINFO lib-ver 'a b'",
        "(error) ERR lib-ver cannot contain spaces, newlines or special characters.",
    );
    node.check(client, "CLIENT SETINFO color red", "(error) ERR Unrecognized option 'color'");
    node.check(client, "CLIENT NO-EVICT on", "OK");
    node.check(client, "CLIENT NO-TOUCH ON", "OK");
    node.check(client, "CLIENT NO-TOUCH maybe", "(error) ERR syntax error");
    node.pass_ms(3_000);
    let info = node.run(client, "CLIENT INFO");
    for field in [
        "id=1 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name=worker age=3 idle=0 flags=eT db=0",
        "multi=-1",
        "cmd=client|info user=default redir=-1 resp=2 lib-name=redis-rs lib-ver=1.0\\n",
    ] {
        assert!(info.contains(field), "{field} in {info}");
    }
    node.check(client, "CLIENT SETNAME ''", "OK");
    node.check(client, "CLIENT GETNAME", "(nil)");
}

#[test]
fn replies_can_be_switched_off() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    node.check(client, "CLIENT REPLY OFF", "");
    node.check(client, "PING", "");
    node.check(client, "MGET a b c d", "");
    node.check(client, "DBSIZE", "");
    node.check(client, "CLIENT REPLY SKIP", "");
    node.check(client, "CLIENT REPLY ON", "OK");
    node.check(client, "CLIENT REPLY SKIP", "");
    node.check(client, "PING", "");
    node.check(client, "PING", "PONG");
    node.check(client, "CLIENT REPLY SKIP", "");
    node.check(client, "DBSIZE", "");
    node.check(client, "DBSIZE", "(integer) 0");
    node.check(client, "CLIENT REPLY foo", "(error) ERR syntax error");
}

#[test]
fn every_command_of_the_table_is_answered() {
    let all = || commands().flat_map(|command| std::iter::once(command).chain(command.subcommands));
    let ours = all().filter(|command| command.scope != Scope::Shard && !command.is_container());
    for command in ours.chain(all().filter(|command| command.is_container() && command.accepts(1))) {
        let name = command.name.replace('|', " ");
        let least = usize::from(command.arity.unsigned_abs()) - name.split(' ').count();
        // Up to two arguments more than it needs, of a kind that no command takes for what it wants.
        for arguments in least..least + 3 {
            let mut node = Node::with(2, LendingMode::Usual, |config| config.enable_debug_command = DebugAccess::Yes);
            let client = node.connect(1);
            let reply = node.run(client, &format!("{name}{}", " 1".repeat(arguments)));
            let silent = ["client reply", "shutdown"].contains(&&*name) && !reply.starts_with("(error)");
            assert!(!reply.is_empty() || silent, "{name} with {arguments} arguments is not answered");
            let unserved = arguments == least && command.arity > 0 && reply == "(error) ERR syntax error";
            assert!(!unserved || name.starts_with("client "), "{name} is not served");
        }
    }
}

#[test]
fn errors_are_counted() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    node.check(client, "GET", "(error) ERR wrong number of arguments for 'get' command");
    node.check(client, "nonsense", "(error) ERR unknown command 'nonsense', with args beginning with: ");
    node.check(client, "EXPIRE a x", "(error) ERR value is not an integer or out of range");
    node.check(client, "EXPIRE b x", "(error) ERR value is not an integer or out of range");
    node.check(client, "HELLO 9", "(error) NOPROTO unsupported protocol version");
    node.check(client, "CONFIG SET timeout x", "(error) ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer");
    let info = node.run(client, "INFO errorstats commandstats stats");
    for line in [
        "errorstat_ERR:count=5",
        "errorstat_NOPROTO:count=1",
        "total_error_replies:6",
        "cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0",
        "rejected_calls=0,failed_calls=2",
    ] {
        assert!(info.contains(line), "{line} in {info}");
    }
}

#[test]
fn whoever_waits_goes_on_in_turns_that_others_fill() {
    let (mut node, waiting) = (Node::new(1), REQUESTS_PER_TURN * 8);
    let client = node.connect(0);
    let mut answered = 0;
    for turn in 0..5 {
        let requests = if turn == 0 { "PING\r\n".repeat(waiting) } else { String::new() };
        node.turn_crowded(client, requests.as_bytes());
        let now = node.received(client).matches("PONG").count();
        assert!(now > 0, "turn {turn}: {answered} of {waiting} were answered before, and none now");
        answered += now;
    }
    assert!(answered < waiting, "nothing waited: the test shows nothing");
}

#[test]
fn a_large_input_is_freed_in_slices() {
    const BYTES: usize = 16 << 20;
    let request = format!("*2\r\n$4\r\nECHO\r\n${BYTES}\r\n{}", "x".repeat(BYTES)).into_bytes();
    for whole in [false, true] {
        let mut node = Node::new(1);
        let client = node.connect(0);
        node.turn_crowded(client, &request);
        if whole {
            node.turn_crowded(client, b"\r\n");
        } else {
            node.engines[0].close(ConnId { index: 0, generation: 0 }, false);
        }
        let mut turns = 0;
        while node.engines[0].assembly.as_ref().is_some_and(|assembly| assembly.has_remains()) {
            node.turn_crowded(client, b"");
            turns += 1;
        }
        assert!(turns >= BYTES / BURIAL_BYTES - 1, "{turns} turns");
    }
}
