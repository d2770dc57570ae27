//! Corewise: a Redis-compatible cache server in which every CPU core is a small server of its own.

#![deny(unsafe_code)]

pub mod limits;

pub mod base;
pub mod config;
pub mod metrics;
pub mod resp;
pub mod command;
pub mod keyspace;
pub mod exec;
pub mod route;
pub mod mesh;
pub mod txn;
pub mod session;
pub mod engine;
pub mod net;
pub mod os;
pub mod runtime;
