//! A world to test in: links with delay, loss and outages, in simulated time.
//!
//! A core: no clock, no socket, no randomness but what a seed gives. So the same seed gives the same world, in a test of
//! thousands of hours as in the emulator of `tresen-loadtest`, which carries real traffic over the links of [`wan`].

pub mod dice;
pub mod sim;
pub mod wan;
