//! Building and running the programs.

use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::setup::{self, WebCompiler};

/// Builds edge server, relay and desktop, always together: cargo compiles what they share anew for other sets.
///
/// # Errors
/// When something can't be built.
pub fn build(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo build --package tresen-edge --package tresen-relay --package tresen-desktop --bins")
        .quiet()
        .run()?;
    Ok(())
}

/// Where the edge server takes the web client from.
const WEB_ASSETS: &str = "edge-server/assets/web";

/// The web client's service worker; it names its version.
const SERVICE_WORKER: &str = "sw.js";

/// Largest web client, compressed, in bytes.
const WEB_LIMIT_BYTES: usize = 600 * 1024;

/// Runs the demo restaurant until it is interrupted.
///
/// # Errors
/// When something can't be built, or the server fails.
pub fn demo(shell: &Shell, rest: &[String]) -> Result<()> {
    step("1 of 3: the web client (the first time takes some minutes)");
    build_web(shell)?;
    step("2 of 3: the edge server");
    cmd!(shell, "cargo build --package tresen-edge --bins").quiet().run()?;
    step("3 of 3: the demo restaurant; its data is in tresen-data/, ctrl-c ends it");
    let program = setup::target_dir().join("debug/tresen-edge");
    cmd!(shell, "{program} run --demo --data tresen-data {rest...}").quiet().run()?;
    Ok(())
}

fn step(text: &str) {
    eprintln!("\n== {text}");
}

/// Runs the desktop client.
///
/// # Errors
/// When it can't be built, or fails.
pub fn desktop(shell: &Shell, rest: &[String]) -> Result<()> {
    cmd!(shell, "cargo run --quiet --package tresen-desktop --bin tresen-desktop -- {rest...}")
        .quiet()
        .run()?;
    Ok(())
}

/// Builds the web client into the edge server's folder. What did not change keeps its file, so that the edge server is not
/// built again for nothing.
///
/// # Errors
/// When a tool is missing or the build fails, or the result is larger than promised.
pub fn build_web(shell: &Shell) -> Result<()> {
    let bindgen = setup::wasm_bindgen(shell)?;
    let build = cmd!(
        shell,
        "cargo build --profile web --package tresen-web --target wasm32-unknown-unknown --target-dir target/wasm"
    )
    .quiet();
    match setup::web_compiler(shell)? {
        WebCompiler::Rustup => build.run()?,
        WebCompiler::Debian => build
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
            .run()?,
    }
    let module = "target/wasm/wasm32-unknown-unknown/web/tresen_web.wasm";
    let bound = "target/wasm/bound";
    cmd!(shell, "{bindgen} --target web --no-typescript --remove-name-section --out-dir {bound} {module}")
        .quiet()
        .run()?;
    shell.create_dir(WEB_ASSETS)?;
    copy_web_files(shell, &[bound, "mobile-client/web/www"])?;
    let compressed = cmd!(shell, "gzip -9 -c {WEB_ASSETS}/tresen_web_bg.wasm").quiet().output()?.stdout.len();
    eprintln!("Web client: {} KiB compressed.", compressed / 1024);
    if compressed > WEB_LIMIT_BYTES {
        bail!("The web client is larger than its limit of {} KiB.", WEB_LIMIT_BYTES / 1024);
    }
    Ok(())
}

/// Copies the web client's files, and tells its service worker which version they are: a hash over all of them.
fn copy_web_files(shell: &Shell, folders: &[&str]) -> Result<()> {
    let mut version = DefaultHasher::new();
    for folder in folders {
        let mut files = shell.read_dir(folder)?;
        files.retain(|file| file.is_file() && !file.ends_with(SERVICE_WORKER));
        files.sort();
        for file in files {
            let bytes = shell.read_binary_file(&file)?;
            version.write(&bytes);
            write_when_changed(shell, &file, &bytes)?;
        }
    }
    let worker = Path::new("mobile-client/web/www").join(SERVICE_WORKER);
    let text = shell.read_file(&worker)?.replace("@VERSION@", &format!("{:016x}", version.finish()));
    write_when_changed(shell, &worker, text.as_bytes())
}

fn write_when_changed(shell: &Shell, file: &Path, bytes: &[u8]) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    let target = Path::new(WEB_ASSETS).join(name);
    if shell.read_binary_file(&target).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    shell.write_file(&target, bytes)?;
    Ok(())
}

/// Runs sessions in simulated time.
///
/// # Errors
/// When it can't be built, or a seed breaks a promise.
pub fn sim(shell: &Shell, rest: &[String]) -> Result<()> {
    cmd!(shell, "cargo build --quiet --release --package tresen-world").quiet().run()?;
    let program = setup::target_dir().join("release/tresen-world");
    cmd!(shell, "{program} {rest...}").quiet().run()?;
    Ok(())
}

/// Runs the network emulator until it is interrupted.
///
/// # Errors
/// When it can't be built, or an address can't be had.
pub fn wan(shell: &Shell, rest: &[String]) -> Result<()> {
    cmd!(shell, "cargo run --quiet --package tresen-loadtest -- wan {rest...}").quiet().run()?;
    Ok(())
}

/// Measures the handheld's page in a browser.
fn bench_page(shell: &Shell) -> Result<()> {
    setup::install(shell, setup::END_TO_END)?;
    setup::npm_packages(shell)?;
    build_web(shell)?;
    cmd!(shell, "cargo build --quiet --release --package tresen-edge --bins").run()?;
    cmd!(shell, "node xtask/e2e/page.bench.mjs").env("TRESEN_PROFILE", "release").run()?;
    Ok(())
}

/// Runs a benchmark: of the page in a browser, or one of `loadtest`.
///
/// # Errors
/// When it can't be built, or fails.
pub fn bench(shell: &Shell, what: &str, rest: &[String]) -> Result<()> {
    if what == "page" {
        return bench_page(shell);
    }
    let mut programs = vec!["--package", "tresen-loadtest"];
    let mut rest = rest.to_vec();
    if what == "peers" {
        setup::install_peers(shell)?;
        programs.extend(["--package", "tresen-desktop"]);
    }
    if what == "relay" {
        programs.extend(["--package", "tresen-relay", "--package", "tresen-edge"]);
        // The benchmark names who is missing.
        if let Err(error) = setup::install_turn(shell) {
            eprintln!("Without coturn: {error:#}");
        }
        match setup::iroh_relay(shell) {
            Ok(program) => rest.extend(["--iroh".to_owned(), program.to_string_lossy().into_owned()]),
            Err(error) => eprintln!("Without iroh's relay: {error:#}"),
        }
    }
    eprintln!("Building for speed (the first time takes some minutes) ...");
    cmd!(shell, "cargo build --release {programs...}").quiet().run()?;
    let program = setup::target_dir().join("release/tresen-loadtest");
    cmd!(shell, "{program} bench {what} {rest...}").quiet().run()?;
    Ok(())
}
