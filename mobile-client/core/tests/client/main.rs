//! The client against the server's end of a session, in memory and in simulated time.

mod guesses;
mod session;
mod touch;
mod world;
