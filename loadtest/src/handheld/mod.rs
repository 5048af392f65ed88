//! What is played on the real handheld app.

pub mod script;
