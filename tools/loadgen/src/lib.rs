//! `corewise-loadgen`: measures servers that speak the Redis protocol, Corewise and others alike.
//!
//! ```text
//!            plan                    drive                      measure              report
//!   what is asked: commands,   one thread a core, each    histograms and counts   a table, JSON,
//!   keys, sizes, arrivals  ──▶  with a ring of its own ──▶ of each interval    ──▶ .hgrm, SVG, the
//!   (pure, seeded)              and its connections        (plain data)            live line
//!                                    ▲
//!             modes: run, search, compare, check, replay, fill (who asks for what, in which order)
//! ```
//!
//! # Rooms
//!
//! - [`plan`] says what is sent: it knows no socket and no clock, and the same seed draws the same operations.
//! - [`measure`] holds what was found: plain data that can be added up.
//! - [`drive`] sends and receives. It uses the server's own ring (`corewise::net`), under the same rules.
//! - [`report`] turns measurements into text and pictures.
//! - [`modes`] are the commands of the program.
//!
//! # What a latency is
//!
//! In the closed loop it is the time from handing a request to the kernel until its reply has been taken from it. In the
//! open loop it counts from the moment at which the request *should* have been sent, so that a server that stalls is
//! charged for the requests that could not be sent meanwhile ("coordinated omission").

#![forbid(unsafe_code)]

pub mod drive;
pub mod flags;
pub mod measure;
pub mod modes;
pub mod plan;
pub mod report;
