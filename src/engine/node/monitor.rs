//! MONITOR: a client sees the commands of all cores.
//!
//! Every core knows which cores have clients that watch, in one word, so that a command costs one test while nobody does.
//! Whoever begins to watch tells all cores before it is answered; the last one to leave a core tells them too. A core
//! sends each line once to every core that watches.

use std::sync::Arc;

use super::{Ask, Gathered, Handled, Told};
use crate::base::{ConnId, CoreId};
use crate::command::{Command, Flags};
use crate::engine::Engine;
use crate::engine::mail::Rare;
use crate::limits::{MONITOR_LETTERS_MAX, MONITOR_OUTPUT_BYTES_MAX};
use crate::resp::{ReplyError, Request};
use crate::session::Session;

/// Who watches.
#[derive(Debug, Default)]
pub(in crate::engine) struct Watchers {
    /// Bit i: core i has a client that watches.
    cores: u64,
    /// Clients of this core that watch.
    own: Vec<ConnId>,
}

impl Watchers {
    /// Clients of this core that watch.
    pub(super) fn own(&self) -> usize {
        self.own.len()
    }

    fn cores(&self) -> impl Iterator<Item = CoreId> + use<> {
        let cores = self.cores;
        (0..u64::BITS as u16).filter(move |core| cores & 1 << core != 0).map(CoreId)
    }
}

impl Engine {
    pub(super) fn monitor(&mut self, session: &mut Session) -> Handled {
        if session.executing.is_some() {
            return Err(ReplyError::MonitorInMulti.into());
        }
        if !session.monitoring {
            session.monitoring = true;
            self.watchers.own.push(session.conn);
        }
        Ok(self.ask_all(session, Ask::Watch, Gathered::Ok))
    }

    pub(super) fn watch(&mut self, from: CoreId) -> Told {
        self.watchers.cores |= 1 << from.0;
        Told::Done
    }

    /// A core has nobody left that watches.
    pub(in crate::engine) fn unwatched(&mut self, from: CoreId) {
        self.watchers.cores &= !(1 << from.0);
    }

    /// Whether some client of the node watches by MONITOR.
    #[inline]
    pub(in crate::engine) fn is_monitored(&self) -> bool {
        self.watchers.cores != 0
    }

    /// A client that watched has left, or was reset.
    pub(in crate::engine) fn monitor_left(&mut self, conn: ConnId) {
        self.watchers.own.retain(|own| *own != conn);
        if self.watchers.own.is_empty() {
            for core in self.topology.all() {
                self.write(core, Rare::Unwatched);
            }
        }
    }

    /// Whether a client that watches may not run a command: like a replica, it takes no part in the keyspace.
    pub(in crate::engine) fn refuses_watcher(&self, session: &Session, command: &Command) -> bool {
        session.monitoring
            && command.flags.intersects(Flags::of(&[Flags::WRITE, Flags::READONLY, Flags::MAY_REPLICATE]))
    }

    /// Shows a command to those who watch. Those for administrators are not shown.
    #[cold]
    pub(in crate::engine) fn show(&mut self, session: &mut Session, command: &Command, request: Request<'_>) {
        if command.flags.intersects(Flags::ADMIN.with(Flags::SKIP_MONITOR)) {
            return;
        }
        let line: Arc<[u8]> = self.line(session, command, request).into();
        let own = self.core;
        for core in self.watchers.cores().filter(|core| *core != own) {
            if self.outgoing[core.index()].letters.len() < MONITOR_LETTERS_MAX {
                self.write(core, Rare::Seen(Arc::clone(&line)));
            }
        }
        if session.monitoring {
            // It is not in its place while its request runs.
            session.pipeline.reply(|out| out.bytes_mut().extend_from_slice(&line));
        }
        self.seen(&line);
    }

    /// A command was run on some core: its line goes to the clients of this one that watch.
    pub(in crate::engine) fn seen(&mut self, line: &[u8]) {
        let limit = match self.config.output_limits.normal.hard_bytes {
            0 => MONITOR_OUTPUT_BYTES_MAX as u64,
            limit => limit,
        };
        for conn in self.watchers.own.clone() {
            let Some(session) = self.sessions.get_mut(conn) else { continue };
            session.pipeline.provide(|| Self::spare_output(&mut self.pool));
            session.pipeline.reply(|out| out.bytes_mut().extend_from_slice(line));
            if session.output_bytes() as u64 > limit {
                tracing::warn!(client = session.id.0, "a MONITOR client is closed: it does not read its output");
                self.stats.output_closed += 1;
                self.close(conn, false);
            } else {
                self.list_unsent(conn);
            }
        }
    }

    /// `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`
    fn line(&self, session: &Session, command: &Command, request: Request<'_>) -> Vec<u8> {
        let (s, us) = (self.now.unix_us / 1_000_000, self.now.unix_us % 1_000_000);
        let address = if session.peer.unix {
            format!("unix:{}", session.peer.address.strip_suffix(":0").unwrap_or(&session.peer.address))
        } else {
            session.peer.address.clone()
        };
        let mut line = format!("+{s}.{us:06} [{} {address}]", session.database).into_bytes();
        for argument in super::slowlog::shown(command, request) {
            line.push(b' ');
            quote(argument, &mut line);
        }
        line.extend_from_slice(b"\r\n");
        line
    }
}

/// Writes an argument in quotes, with everything escaped that is not plain text.
fn quote(argument: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    for byte in argument {
        match byte {
            b'\\' | b'"' => line.extend([b'\\', *byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            7 => line.extend_from_slice(b"\\a"),
            8 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(*byte),
            other => line.extend_from_slice(format!("\\x{other:02x}").as_bytes()),
        }
    }
    line.push(b'"');
}

/// What a client that watches is told if it asks for keys.
pub(in crate::engine) const WATCHER_REFUSED: &str = "ERR Replica can't interact with the keyspace";
