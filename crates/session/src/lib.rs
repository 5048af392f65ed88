//! Sender and receiver of a screen as state machines
