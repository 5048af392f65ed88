//! Rules that the compiler does not know: licences, banned crates, and which way dependencies point.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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
    "MPL-2.0+",
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
];

/// Crates that our own must not name; what comes in through others is theirs to clean.
const BANNED_FOR_US: &[(&str, &str)] =
    &[("chrono", "jiff is the one calendar"), ("lazy_static", "no global statics")];

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
    (
        "tresen-path",
        &["tresen-till", "tresen-mpos", "tresen-scene", "tresen-session", "tresen-wire", "tokio", "quinn"],
    ),
    (
        "tresen-relay",
        &["tresen-till", "tresen-mpos", "tresen-scene", "tresen-session", "tresen-wire", "tresen-typeset"],
    ),
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
    wrong.extend(packages.iter().flat_map(wrong_dependencies));
    wrong.extend(wrong_arrows(&metadata)?);
    wrong.extend(without_licence(shell)?);
    wrong.extend(wrong_npm_packages(shell)?);
    wrong.extend(unproven_promises(shell)?);
    wrong.extend(unknown_metrics(shell)?);
    if !wrong.is_empty() {
        bail!("Not tidy:\n  {}", wrong.join("\n  "));
    }
    eprintln!("Tidy: {} packages, their licences and arrows are in order.", packages.len());
    Ok(())
}

/// Names in the table of promises that stand for no test, module or other function.
fn unproven_promises(shell: &Shell) -> Result<Vec<String>> {
    let files = cmd!(shell, "git ls-files *.rs *.mjs").quiet().read()?;
    let read = |file: &str| Ok((format!("/{file}"), shell.read_file(file)?));
    let sources: Vec<(String, String)> = files.lines().map(read).collect::<Result<_>>()?;
    let promises = shell.read_file("docs/PROMISES.md")?;
    let is_name = |name: &&str| {
        (name.contains('_') || name.contains("::"))
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':')
    };
    let names: BTreeSet<&str> = promises.split('`').skip(1).step_by(2).filter(is_name).collect();
    let unknown = names.into_iter().filter(|name| !stands_for_something(name, &sources));
    Ok(unknown.map(|name| format!("docs/PROMISES.md: nothing is called `{name}`")).collect())
}

/// Whether a name stands somewhere in the sources (path, text). Of `net::gate::tests` or `pairing::a_code_is_good_once` the first parts are in the path of a
/// file, and the others are modules or functions in it.
fn stands_for_something(name: &str, sources: &[(String, String)]) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    if parts.len() == 1 {
        return sources.iter().any(|(_, text)| text.contains(name));
    }
    let in_path = |path: &str, part: &str| path.split('/').any(|word| word.trim_end_matches(".rs") == part);
    let in_text = |text: &str, part: &str| {
        ["mod", "fn"].iter().any(|kind| {
            let declared = format!("{kind} {part}");
            text.match_indices(&declared)
                .any(|(at, _)| text[at + declared.len()..].starts_with([' ', ';', '(']))
        })
    };
    sources.iter().any(|(path, text)| {
        let outside = parts.iter().take_while(|part| in_path(path, part)).count();
        outside > 0 && parts[outside..].iter().all(|part| in_text(text, part))
    })
}

/// Names of metrics on dashboards and in alerts that no program has.
fn unknown_metrics(shell: &Shell) -> Result<Vec<String>> {
    let sources = cmd!(shell, "git ls-files relay/src edge-server/src").quiet().read()?;
    let sources: Vec<String> = sources.lines().map(|file| shell.read_file(file)).collect::<Result<_, _>>()?;
    let shown = cmd!(shell, "git ls-files infra/grafana infra/prometheus").quiet().read()?;
    let mut wrong = Vec::new();
    for file in shown.lines() {
        let text = shell.read_file(file)?;
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        // What is added to the name of a histogram is not its own.
        let own = |name: &str| sources.iter().any(|source| source.contains(&format!("\"{name}\"")));
        let known = |name: &str| {
            let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|part| name.strip_suffix(part));
            own(name) || parts.into_iter().any(own)
        };
        let unknown = words.filter(|word| word.starts_with("tresen_") && !known(word));
        wrong.extend(unknown.map(|name| format!("{file}: no program has a metric {name}")));
    }
    Ok(wrong)
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

fn wrong_dependencies(package: &Value) -> Vec<String> {
    // A package without a source lies in this tree.
    let ours = package["source"].is_null();
    let dependencies = package["dependencies"].as_array().filter(|_| ours).into_iter().flatten();
    let names: Vec<&str> = dependencies.filter_map(|dependency| dependency["name"].as_str()).collect();
    let banned = BANNED_FOR_US.iter().filter(|(banned, _)| names.contains(banned));
    banned.map(|(banned, reason)| format!("{} must not name {banned}: {reason}", package["name"])).collect()
}

/// Whether an SPDX expression can be met from [`LICENCES`]: one alternative of every conjunction must be.
fn licence_allowed(expression: &str) -> bool {
    expression
        .replace(['(', ')'], "")
        .replace('/', " OR ")
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

/// Fonts and scripts of others that are kept in the tree: their licence has to lie beside them.
fn without_licence(shell: &Shell) -> Result<Vec<String>> {
    let files = cmd!(shell, "git ls-files").quiet().read()?;
    let files: Vec<&Path> = files.lines().map(Path::new).collect();
    let foreign = |file: &Path| {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("");
        ["ttf", "otf", "woff", "woff2"].contains(&extension) || name.contains(".min.js")
    };
    let is_licence = |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("").to_uppercase();
        ["LICENSE", "LICENCE", "OFL", "COPYING"].iter().any(|word| name.contains(word))
    };
    let folders: BTreeSet<&Path> =
        files.iter().filter(|file| is_licence(file)).filter_map(|file| file.parent()).collect();
    let missing = files.iter().filter(|file| foreign(file)).filter(|file| {
        let covered = file.ancestors().skip(1).take(2).any(|folder| folders.contains(folder));
        !covered
    });
    Ok(missing.map(|file| format!("{}: no licence beside it", file.display())).collect())
}

/// The packages of the browser tests; they are not shipped, but run on our machines.
fn wrong_npm_packages(shell: &Shell) -> Result<Vec<String>> {
    let lock: Value = serde_json::from_str(&shell.read_file("xtask/e2e/package-lock.json")?)?;
    let packages = lock["packages"].as_object().context("package-lock.json without packages")?;
    let wrong = packages.iter().filter(|(path, _)| !path.is_empty()).filter_map(|(path, package)| {
        let licence = package["license"].as_str().unwrap_or("none");
        (!licence_allowed(licence)).then(|| format!("{path} has the licence '{licence}'"))
    });
    Ok(wrong.collect())
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
