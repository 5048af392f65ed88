//! The thin client as a desktop window
