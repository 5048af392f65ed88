//! The handheld app: update and view as pure functions
