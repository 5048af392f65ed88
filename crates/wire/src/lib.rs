//! The bytes between a server and a client
