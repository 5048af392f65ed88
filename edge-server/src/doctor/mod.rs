//! The doctor: looks at everything that a server needs, and says what is wrong and what to do; one line each.
//!
//! It changes nothing, and works beside a running server as well as without one.

mod checks;

use std::fmt;
use std::path::PathBuf;

use crate::config::{Config, ConfigError};

/// What the doctor looks at.
pub struct Patient {
    /// The configuration file, if one was named.
    pub config_path: Option<PathBuf>,
    /// What it says.
    pub config: Result<Config, ConfigError>,
    /// Whether the demo's licences count.
    pub demo: bool,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// In order.
    Good,
    /// It runs, but somebody should look at it.
    Warning,
    /// A server can't run like this.
    Bad,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen, and when it is not good, what to do.
    pub text: String,
}

impl Finding {
    fn new(what: &'static str, health: Health, text: impl Into<String>) -> Self {
        Self { what, health, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.health {
            Health::Good => "ok",
            Health::Warning => "warn",
            Health::Bad => "BAD",
        };
        write!(f, "{sign:<5} {:<10} {}", self.what, self.text)
    }
}

/// Looks at everything.
#[must_use]
pub fn examine(patient: &Patient) -> Vec<Finding> {
    let config = match &patient.config {
        Ok(config) => config,
        Err(error) => return vec![Finding::new("config", Health::Bad, error.to_string())],
    };
    let source = match &patient.config_path {
        Some(path) => format!("{} is in order", path.display()),
        None => "no file, built-in defaults".to_owned(),
    };
    let mut findings = vec![Finding::new("config", Health::Good, source)];
    findings.extend(checks::all(config, patient.demo));
    findings
}

/// The worst of them; good when there are none.
#[must_use]
pub fn worst(findings: &[Finding]) -> Health {
    findings.iter().map(|finding| finding.health).max().unwrap_or(Health::Good)
}
