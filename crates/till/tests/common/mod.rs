//! Golden files: compared in every test run, renewed by `cargo xtask renew`.
#![allow(clippy::disallowed_methods, reason = "a test reads whether it shall renew its golden files")]

use std::path::Path;

/// Compares text with a golden file, or renews the file.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("TRESEN_RENEW").is_some() {
        std::fs::write(&path, text).expect("the folder of golden files is there");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{name} differs; was:\n{known}\nis:\n{text}");
}
