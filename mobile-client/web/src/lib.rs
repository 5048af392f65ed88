//! The thin client in a browser
