//! The redis crate against one server, over its blocking connections.
//!
//! It has no connections that reconnect by themselves and no sharded channels outside its asynchronous half, and its
//! pools are other crates.

mod conversations;
mod values;

use std::time::Duration;

use corewise_harness::Server;
use redis::{Client, Connection, RedisResult, TypedCommands, cmd};

use crate::Outcome;

/// Far above any real reply, far below the patience of the test.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server and the protocol version that a section uses.
#[derive(Clone)]
struct Target {
    port: u16,
    protocol: u8,
}

impl Target {
    fn client(&self, database: u8) -> RedisResult<Client> {
        Client::open(format!("redis://127.0.0.1:{}/{database}?protocol=resp{}", self.port, self.protocol))
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client(0)?.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(connection)
    }
}

type Section = (&'static str, fn(&Target) -> RedisResult<()>);

const SECTIONS: &[Section] = &[
    ("connecting", conversations::connecting),
    ("strings", values::strings),
    ("keys", values::keys),
    ("expiry", values::expiry),
    ("hashes", values::hashes),
    ("lists", values::lists),
    ("sets", values::sets),
    ("sorted sets", values::sorted_sets),
    ("pipelines", conversations::pipelines),
    ("transactions", conversations::transactions),
    ("watch", conversations::watch),
    ("aborted transaction", conversations::aborted_transaction),
    ("publish and subscribe", conversations::publish_and_subscribe),
    ("patterns", conversations::patterns),
    ("pushed messages", conversations::pushed_messages),
    ("blocking on lists", conversations::blocking_on_lists),
    ("blocking on sorted sets", conversations::blocking_on_sorted_sets),
    ("scans", values::scans),
    ("scans of collections", values::scans_of_collections),
    ("errors", conversations::errors),
    ("administration", conversations::administration),
    ("a closed connection", conversations::a_closed_connection),
    ("binary values", values::binary_values),
];

/// Carries out every section, each on an empty server and on a thread of its own, so that a failed comparison ends no
/// more than the section.
pub(crate) fn run(server: &Server, protocol: u8) -> Vec<Outcome> {
    let target = Target { port: server.address().port(), protocol };
    let outcome = |(section, body): &Section| {
        let (target, body) = (target.clone(), *body);
        let section_thread = std::thread::spawn(move || {
            target.connect()?.flushall()?;
            body(&target)
        });
        let failure = match section_thread.join() {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(panic.downcast_ref::<String>().map_or("it panicked", String::as_str).to_owned()),
        };
        Outcome { section: (*section).to_owned(), failure }
    };
    SECTIONS.iter().map(outcome).collect()
}

/// A command whose reply is read as whatever the caller expects.
fn ask<T: redis::FromRedisValue>(connection: &mut Connection, line: &str) -> RedisResult<T> {
    let (name, arguments) = line.split_once(' ').unwrap_or((line, ""));
    cmd(name).arg(arguments.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()).query(connection)
}

/// Fails unless the reply is an error whose text holds `text`.
#[track_caller]
fn refused<T: std::fmt::Debug>(text: &str, reply: RedisResult<T>) {
    let error = reply.expect_err(text).to_string();
    assert!(error.contains(text), "expected an error with {text:?}, found {error}");
}
