//! Transactions across cores: numbers, intents, schedule first and execute then.
//!
//! A command whose keys lie on several cores must be seen whole or not at all. Locking one core after the other would
//! deadlock as soon as two commands met from opposite sides. Instead every transaction draws a number from one counter of
//! the node and leaves *intents* on its keys with every core concerned ([`Ledger::schedule`]); a core runs transactions
//! that conflict in the order of their numbers, so all cores agree on one order without asking each other (after
//! Thomson and Abadi, "VLL: a lock manager redesign for main memory database systems", VLDB Journal 2015).
//!
//! ```text
//! coordinator            core A                  core B
//!   number 7
//!   ── schedule ───────▶ intent on its keys      intent on its keys
//!   ◀─ accepted ──────── (refused if something with a higher number has already run on them)
//!   all accepted: ─────▶ execute when 7 is first execute when 7 is first
//!   ◀─ executed ──────── holds its keys          holds its keys
//!   all executed: ─────▶ finish                  finish
//!   one refused: ──────▶ withdraw                withdraw; then all again with a new number
//! ```
//!
//! The numbers travel at different speeds: a core may have run 8 before it hears of 7. It then refuses 7, and its
//! coordinator starts again with a higher number. Nothing executes anywhere before all have accepted, so a refusal has
//! nothing to undo.
//!
//! No core lets go of the keys before all have executed. Else a client could see on one core that 8 has run, write something
//! else elsewhere, and 7, which comes late there and goes before 8 on a third core, would come behind that write: no order of
//! the three would explain what was seen.
//!
//! Clients that wait for something to come under a key stand in [`Lines`], one for each name, in the order in which they
//! came.
//!
//! A single command that meets an intent on its key waits behind it ([`Ledger::wait`]); others pass. The room knows
//! nothing of shards, commands or messages: what waits and what is to be run are type parameters.

mod ledger;
mod lines;

pub use ledger::{Intents, Key, Ledger, Ticket, TxnId};
pub use lines::Lines;

#[cfg(test)]
mod tests;
