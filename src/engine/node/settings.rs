//! CONFIG SET and CONFIG REWRITE.
//!
//! Two clients may change different settings through different cores at the same time, and neither change may undo the
//! other. So the first core puts them in order: it applies the change to what it has, numbers the outcome, and the asking
//! core hands that to all others, which keep the one with the largest number. The client is answered when all have it.
//!
//! ```text
//! coordinator          core 0                    the others
//!   ── Set(pairs) ──▶  version n+1, or an error
//!   ◀───────────────
//!   ── Configure(version n+1) ─────────────────▶ unless they have a later one
//!   ◀──────────────────────────────────────────
//!   +OK
//! ```

use std::sync::Arc;

use super::{Ask, ConfigVersion, Gathered, Handled, Told};
use crate::base::CoreId;
use crate::command::Args;
use crate::engine::requests::Flow;
use crate::engine::{Effect, Engine};
use crate::keyspace::Rules;
use crate::resp::ReplyError;
use crate::session::Session;

/// The name and the new value of a setting, as the client sent them.
pub(in crate::engine) type Pair = (Box<[u8]>, Box<[u8]>);

/// The core that decides the order of changes.
const FIRST: CoreId = CoreId(0);

impl Engine {
    pub(super) fn config_set(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let mut pairs: Vec<Pair> = Vec::with_capacity(args.remaining() / 2);
        while !args.is_empty() {
            pairs.push((args.next()?.into(), args.next()?.into()));
        }
        Ok(self.ask_one(session, FIRST, Ask::Set(pairs.into()), Gathered::Settings))
    }

    /// Applies a change on the first core.
    pub(super) fn set(&mut self, pairs: &[Pair]) -> Result<ConfigVersion, String> {
        let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let memory_bytes = self.facts.total_memory_bytes;
        let changed = self.config.set(&pairs, memory_bytes).map_err(|error| format!("ERR {error}"))?;
        tracing::info!(settings = ?changed.names, "settings were changed by a client");
        if changed.names.contains(&"maxmemory")
            && let Some(notice) = changed.config.memory_notice(memory_bytes)
        {
            tracing::warn!("{notice}");
        }
        let version = ConfigVersion { number: self.config_number + 1, config: Arc::new(changed.config) };
        self.configure(version.clone());
        Ok(version)
    }

    /// Takes over settings, if they are the latest.
    pub(super) fn configure(&mut self, version: ConfigVersion) -> Told {
        if version.number > self.config_number {
            self.config_number = version.number;
            self.config = version.config;
            if self.core == FIRST {
                self.shared.set_limits(&self.config);
            }
            // Now, since the shard may be lent as soon as this turn ends.
            self.apply_rules();
            if let Some(assembly) = &mut self.assembly {
                assembly.follow(self.config_number, || Rules::of_assembly(&self.config));
            }
            self.slowlog.trim(self.slowlog_max());
            if self.config.requirepass.is_none() {
                self.sessions.iter_mut().for_each(|session| session.authenticated = true);
            }
            self.effects.push_back(Effect::Reconfigured(Arc::clone(&self.config)));
        }
        Told::Done
    }

    /// The shell writes the file and answers by [`Engine::config_rewritten`].
    pub(super) fn config_rewrite(&mut self, session: &mut Session) -> Handled {
        if self.facts.config_file.is_empty() {
            return Err(ReplyError::NoConfigFile.into());
        }
        let ticket = self.question(session, 1, Gathered::Rewrite).0;
        self.effects.push_back(Effect::RewriteConfig { ticket, config: Arc::clone(&self.config) });
        Ok(Flow::Next)
    }

    /// The configuration file was rewritten, or not, for the reason that the error gives.
    pub(in crate::engine) fn config_rewritten(&mut self, ticket: u32, outcome: Result<(), String>) {
        let outcome = outcome.map_err(|reason| format!("ERR Rewriting config file: {reason}"));
        self.told(self.core, crate::engine::mail::Handle(ticket), Told::Rewritten(outcome));
    }
}
