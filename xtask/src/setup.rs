//! What the commands need besides Rust, and how it comes onto the machine.
//!
//! As root on Debian, packages are installed; everybody else is told the exact line to type. Tools that have to be built
//! are kept in the user's cache folder, so that a fresh clone does not build them again.

#![allow(clippy::disallowed_methods, reason = "a shell: it reads the environment")]

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// The version of `wasm-bindgen` in the workspace manifest; its command line tool must be the same.
const WASM_BINDGEN_VERSION: &str = "0.2.130";

/// The version of iroh's relay that ours is measured beside; `loadtest` speaks its protocol.
const IROH_RELAY_VERSION: &str = "1.4.1";

/// A program and the Debian package that brings it.
pub struct Needed {
    /// A file that is there once the package is.
    pub file: &'static str,
    /// The package.
    pub package: &'static str,
}

/// What the tests of the crates need.
const CRATES: &[Needed] = &[Needed { file: "/usr/bin/redis-server", package: "redis-server" }];

/// What the browser and desktop tests need.
pub const END_TO_END: &[Needed] = &[
    Needed { file: "/usr/bin/chromium", package: "chromium" },
    Needed { file: "/usr/bin/Xvfb", package: "xvfb" },
    Needed { file: "/usr/bin/xdotool", package: "xdotool" },
    Needed { file: "/usr/bin/import", package: "imagemagick" },
    Needed { file: "/usr/bin/pebble", package: "pebble" },
];

/// What networks are made of.
pub const NAT: &[Needed] = &[
    Needed { file: "/usr/sbin/ip", package: "iproute2" },
    Needed { file: "/usr/sbin/nft", package: "nftables" },
    Needed { file: "/usr/sbin/sysctl", package: "procps" },
];

/// A router that maps ports.
const ROUTER: &[Needed] = &[Needed { file: "/usr/sbin/miniupnpd", package: "miniupnpd-nftables" }];

/// What builds the relay's image: C for a static program, and the authorities that go into it.
pub const IMAGE: &[Needed] = &[
    Needed { file: "/usr/bin/musl-gcc", package: "musl-tools" },
    Needed { file: "/etc/ssl/certs/ca-certificates.crt", package: "ca-certificates" },
];

/// The peers that Tresen is measured beside, and what shows and taps them.
const PEERS: &[Needed] = &[
    Needed { file: "/usr/bin/Xvfb", package: "xvfb" },
    Needed { file: "/usr/bin/Xtigervnc", package: "tigervnc-standalone-server" },
    Needed { file: "/usr/bin/xtigervncviewer", package: "tigervnc-viewer" },
    Needed { file: "/usr/bin/nxagent", package: "nxagent" },
    Needed { file: "/usr/bin/nxproxy", package: "nxproxy" },
    Needed { file: "/usr/bin/xpra", package: "xpra" },
    Needed { file: "/usr/share/doc/python3-gi-cairo", package: "python3-gi-cairo" },
    Needed { file: "/usr/share/doc/python3-lz4", package: "python3-lz4" },
    Needed { file: "/usr/share/doc/python3-pil", package: "python3-pil" },
    Needed { file: "/usr/sbin/xrdp", package: "xrdp" },
    Needed { file: "/etc/X11/xrdp/xorg.conf", package: "xorgxrdp" },
    Needed { file: "/usr/bin/xfreerdp", package: "freerdp2-x11" },
    Needed { file: "/usr/share/doc/python3-tk", package: "python3-tk" },
    Needed { file: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", package: "fonts-dejavu-core" },
    Needed { file: "/usr/bin/xkbcomp", package: "x11-xkb-utils" },
];

/// The TURN server that the relay is measured beside.
const TURN: &[Needed] = &[Needed { file: "/usr/bin/turnserver", package: "coturn" }];

/// What Debian starts together with the peers, and the file that is there once its package is. The comparison starts its own, and a machine that
/// was only measured on must not listen for RDP from then on.
const PEER_SERVICES: &[(&str, &str)] = &[
    ("/usr/bin/turnserver", "coturn.service"),
    ("/usr/sbin/miniupnpd", "miniupnpd.service"),
    ("/usr/sbin/xrdp", "xrdp.service"),
    ("/usr/sbin/xrdp", "xrdp-sesman.service"),
    ("/usr/bin/xpra", "xpra.service"),
    ("/usr/bin/xpra", "xpra.socket"),
];

/// What runs the browser tests. Only where there is no other Node: people bring it in many ways.
const NODE: &[Needed] =
    &[Needed { file: "/usr/bin/node", package: "nodejs" }, Needed { file: "/usr/bin/npm", package: "npm" }];

/// The oldest Node that runs the browser tests.
const NODE_MAJOR: u32 = 20;

/// What builds WebAssembly where `rustup` has no target to offer.
const WEB: &[Needed] = &[
    Needed { file: "/usr/bin/rustc", package: "rustc-web" },
    Needed { file: "/usr/bin/wasm-ld", package: "lld" },
    Needed { file: "/usr/share/doc/rust-web-src", package: "rust-web-src" },
];

/// The folder of the workspace's manifest.
pub fn workspace_root() -> PathBuf {
    let manifest_dir = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| "xtask".to_owned());
    PathBuf::from(manifest_dir).parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| workspace_root().join("target"), PathBuf::from)
}

/// Installs the Debian packages that are missing.
///
/// # Errors
/// When something is missing and can't be installed from here; the message names the packages.
pub fn install(shell: &Shell, needed: &[Needed]) -> Result<()> {
    install_without_services(shell, needed, &[])
}

/// Installs what the tests of the crates need; they start a Redis of their own.
///
/// # Errors
/// As [`install`].
pub fn install_for_crates(shell: &Shell) -> Result<()> {
    let unwanted = shell.path_exists("/run/systemd/system") && !shell.path_exists(CRATES[0].file);
    install_without_services(shell, CRATES, if unwanted { &["redis-server.service"] } else { &[] })
}

/// Installs the peers that are missing, and stops the services that come with them. Those of peers that were there already are left alone.
///
/// # Errors
/// As [`install`].
pub fn install_peers(shell: &Shell) -> Result<()> {
    install_stopped(shell, PEERS)
}

/// Installs the TURN server if it is missing, and stops its service.
///
/// # Errors
/// As [`install`].
pub fn install_turn(shell: &Shell) -> Result<()> {
    install_stopped(shell, TURN)
}

/// Installs the router that maps ports if it is missing, and stops its service.
///
/// # Errors
/// As [`install`].
pub fn install_router(shell: &Shell) -> Result<()> {
    install_stopped(shell, ROUTER)
}

fn install_stopped(shell: &Shell, needed: &[Needed]) -> Result<()> {
    let systemd = shell.path_exists("/run/systemd/system");
    let comes = |program: &str| needed.iter().any(|each| each.file == program) && !shell.path_exists(program);
    let unwanted = PEER_SERVICES.iter().filter(|(program, _)| systemd && comes(program));
    let services: Vec<&str> = unwanted.map(|(_, service)| *service).collect();
    install_without_services(shell, needed, &services)
}

fn install_without_services(shell: &Shell, needed: &[Needed], services: &[&str]) -> Result<()> {
    let missing: Vec<&str> =
        needed.iter().filter(|each| !shell.path_exists(each.file)).map(|each| each.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install --yes --no-install-recommends {}", missing.join(" "));
    let root = cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id.trim() == "0");
    if !root || !shell.path_exists("/usr/bin/apt-get") {
        let stop = match services {
            [] => String::new(),
            services => format!("\n    sudo systemctl disable --now {}", services.join(" ")),
        };
        bail!(
            "Something is missing on this machine. On Debian, type:\n    sudo {line}{stop}\nand run this command again."
        );
    }
    eprintln!("Installing {} ...", missing.join(", "));
    let lock = "DPkg::Lock::Timeout=300";
    cmd!(shell, "apt-get -o {lock} -qq update").quiet().run()?;
    cmd!(shell, "apt-get -o {lock} -qq install --yes --no-install-recommends {missing...}")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .ignore_stdout()
        .run()
        .with_context(|| format!("This failed: {line}"))?;
    if !services.is_empty() {
        cmd!(shell, "systemctl disable --now {services...}").run()?;
    }
    Ok(())
}

/// How WebAssembly is compiled here.
pub enum WebCompiler {
    /// The installed toolchain has the target.
    Rustup,
    /// Debian's compiler builds the standard library along.
    Debian,
}

/// Finds or installs a compiler for WebAssembly: the toolchain's own target first, then Debian's packages.
///
/// # Errors
/// When neither can be had.
pub fn web_compiler(shell: &Shell) -> Result<WebCompiler> {
    if has_target(shell, "wasm32-unknown-unknown")? {
        return Ok(WebCompiler::Rustup);
    }
    install(shell, WEB)?;
    Ok(WebCompiler::Debian)
}

/// Whether the toolchain has the standard library of a target, or can be given it.
///
/// # Errors
/// Without a compiler.
pub fn has_target(shell: &Shell, target: &str) -> Result<bool> {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    let library = PathBuf::from(sysroot).join("lib/rustlib").join(target).join("lib");
    if library.exists() {
        return Ok(true);
    }
    let added = cmd!(shell, "rustup target add {target}").quiet().ignore_stdout().ignore_stderr().run();
    Ok(added.is_ok() && library.exists())
}

/// The `wasm-bindgen` program of the right version, built into the cache folder when it is not there.
///
/// # Errors
/// When it can't be built.
pub fn wasm_bindgen(shell: &Shell) -> Result<PathBuf> {
    built(shell, "wasm-bindgen-cli", WASM_BINDGEN_VERSION, "wasm-bindgen", &["--debug"])
}

/// iroh's relay, built for speed into the cache folder when it is not there.
///
/// # Errors
/// When it can't be built.
pub fn iroh_relay(shell: &Shell) -> Result<PathBuf> {
    built(shell, "iroh-relay", IROH_RELAY_VERSION, "iroh-relay", &["--features", "server"])
}

/// The program `name` of a crate, built into the cache folder when it is not there.
fn built(shell: &Shell, krate: &str, version: &str, name: &str, how: &[&str]) -> Result<PathBuf> {
    let root = cache_dir()?.join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        eprintln!("Building {name} {version} once (some minutes) ...");
        // With the versions it was tested with; where the registry at hand lags behind those, with what there is.
        let install = || {
            cmd!(shell, "cargo install {krate} --version ={version} {how...} --quiet --root {root}")
                .env_remove("CARGO_TARGET_DIR")
        };
        if install().arg("--locked").quiet().ignore_stderr().run().is_err() {
            install().run()?;
        }
    }
    Ok(program)
}

/// The npm packages of the browser tests.
///
/// # Errors
/// When npm is missing or fails.
pub fn npm_packages(shell: &Shell) -> Result<()> {
    if node_major(shell).is_none() {
        install(shell, NODE)?;
    }
    if node_major(shell).is_none_or(|major| major < NODE_MAJOR) {
        bail!(
            "The browser tests need Node {NODE_MAJOR} or newer with npm. Debian 13 has it: sudo apt-get install nodejs npm"
        );
    }
    let _folder = shell.push_dir("xtask/e2e");
    if shell.path_exists("node_modules/playwright-core") {
        return Ok(());
    }
    cmd!(shell, "npm ci --no-audit --no-fund --silent")
        .run()
        .context("npm did not bring the packages of the browser tests")
}

/// The major version of the Node on the path.
fn node_major(shell: &Shell) -> Option<u32> {
    let version = cmd!(shell, "node --version").quiet().ignore_stderr().read().ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn cache_dir() -> Result<PathBuf> {
    let base = std::env::var("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|_| std::env::var("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("Neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("tresen"))
}
