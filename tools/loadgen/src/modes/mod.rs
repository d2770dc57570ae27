//! The commands of the program: who asks for what, in which order.

pub mod run;
