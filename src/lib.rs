//! Corewise: a Redis-compatible cache server in which every CPU core is a small server of its own.

#![deny(unsafe_code)]

pub mod limits;

pub mod base;
pub mod command;
pub mod config;
pub mod engine;
pub mod exec;
pub mod keyspace;
pub mod mesh;
pub mod metrics;
pub mod net;
pub mod os;
pub mod resp;
pub mod route;
pub mod runtime;
pub mod session;
pub mod txn;
