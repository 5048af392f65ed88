//! The journal of a till in SQLite
