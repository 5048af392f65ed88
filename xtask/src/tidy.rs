//! Rules that the compiler does not know: licences, banned crates, and which way dependencies point.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::{Shell, cmd};

/// Licences that may be shipped with the product.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "Bitstream-Vera",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "LicenseRef-Tresen",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Crates that must not come in, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "rustls is the one TLS"),
    ("openssl-sys", "rustls is the one TLS"),
    ("native-tls", "rustls is the one TLS"),
    ("async-std", "tokio is the one runtime"),
    ("chrono", "jiff is the one calendar"),
    ("lazy_static", "no global statics"),
];

/// What a package must never depend on, directly or not: the arrows of docs/ARCHITECTURE.md.
const FORBIDDEN_ARROWS: &[(&str, &[&str])] = &[
    (
        "tresen-scene",
        &["tresen-wire", "tresen-session", "tresen-till", "tresen-typeset", "tokio", "rusqlite"],
    ),
    ("tresen-wire", &["tresen-session", "tresen-till", "tokio"]),
    ("tresen-session", &["tresen-till", "tresen-mpos", "tresen-typeset", "tokio"]),
    ("tresen-till", &["tresen-scene", "tresen-wire", "tresen-session", "tresen-mpos", "tokio", "rusqlite"]),
    ("tresen-mpos", &["tresen-wire", "tresen-session", "tokio", "rusqlite"]),
    ("tresen-client", &["tresen-till", "tresen-mpos", "tresen-typeset", "tokio"]),
];

/// Checks all of them.
///
/// # Errors
/// With everything that is wrong, one line each.
pub fn check(shell: &Shell) -> Result<()> {
    let text = cmd!(shell, "cargo metadata --format-version 1 --locked").quiet().ignore_stderr().read()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata did not print JSON")?;
    let packages = metadata["packages"].as_array().context("metadata without packages")?;
    let mut wrong: Vec<String> = packages.iter().filter_map(wrong_package).collect();
    wrong.extend(wrong_arrows(&metadata)?);
    if !wrong.is_empty() {
        bail!("Not tidy:\n  {}", wrong.join("\n  "));
    }
    eprintln!("Tidy: {} packages, their licences and arrows are in order.", packages.len());
    Ok(())
}

fn wrong_package(package: &Value) -> Option<String> {
    let name = package["name"].as_str()?;
    if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| *banned == name) {
        return Some(format!("{name} is banned: {reason}"));
    }
    let licence = package["license"].as_str().unwrap_or("none");
    (!licence_allowed(licence))
        .then(|| format!("{name} has the licence '{licence}', which is not on the list"))
}

/// Whether an SPDX expression can be met from [`LICENCES`]: one alternative of every conjunction must be.
fn licence_allowed(expression: &str) -> bool {
    expression
        .replace(['(', ')'], "")
        .replace('/', " OR ")
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

fn wrong_arrows(metadata: &Value) -> Result<Vec<String>> {
    let nodes = metadata["resolve"]["nodes"].as_array().context("metadata without a graph")?;
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .context("metadata without packages")?
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .filter_map(|node| {
            let normal = node["deps"].as_array()?.iter().filter(|dep| {
                dep["dep_kinds"]
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
            });
            Some((node["id"].as_str()?, normal.filter_map(|dep| dep["pkg"].as_str()).collect()))
        })
        .collect();
    let mut wrong = Vec::new();
    for (from, forbidden) in FORBIDDEN_ARROWS {
        let start = name_of.iter().find(|(_, name)| *name == from).map(|(id, _)| *id);
        let reached = reachable(start.with_context(|| format!("no package {from}"))?, &edges);
        let names: BTreeSet<&str> = reached.iter().filter_map(|id| name_of.get(id).copied()).collect();
        wrong.extend(
            forbidden
                .iter()
                .filter(|to| names.contains(**to))
                .map(|to| format!("{from} must not reach {to}")),
        );
    }
    Ok(wrong)
}

fn reachable<'a>(start: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    seen
}
