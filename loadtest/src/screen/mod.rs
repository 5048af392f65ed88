//! `bench screen`: what a tap costs, in bytes, time and memory.
//!
//! The server runs in a process of its own, so that its CPU time and memory are its own. The client is the real core; one
//! tap is made at a time, and counted until the line is silent (slow-motion method, Nieh et al., TOCS 2003).

pub mod bare;
pub mod cpu;
pub mod figures;
pub mod find;
pub mod player;
pub mod report;
pub mod run;
pub mod serve;
