//! Classes of devices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a seat is good for, and what a device asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceClass {
    /// A handheld, tablet, browser or desktop.
    Mpos,
    /// A payment terminal.
    Paypos,
}

/// Why a text is no device class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a device class is 'mpos' or 'paypos'")]
pub struct UnknownClass;

impl DeviceClass {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mpos, Self::Paypos];
}

impl fmt::Display for DeviceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mpos => "mpos",
            Self::Paypos => "paypos",
        })
    }
}

impl FromStr for DeviceClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        Self::ALL.into_iter().find(|class| class.to_string() == text).ok_or(UnknownClass)
    }
}
