//! Building and running the programs.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::setup::{self, WebCompiler};

/// Where the edge server takes the web client from.
const WEB_ASSETS: &str = "edge-server/assets/web";

/// Largest web client, compressed, in bytes.
const WEB_LIMIT_BYTES: usize = 600 * 1024;

/// Runs the demo restaurant until it is interrupted.
///
/// # Errors
/// When something can't be built, or the server fails.
pub fn demo(shell: &Shell, rest: &[String]) -> Result<()> {
    build_web(shell)?;
    cmd!(
        shell,
        "cargo run --quiet --package tresen-edge --bin tresen-edge -- run --demo --data tresen-data {rest...}"
    )
    .quiet()
    .run()?;
    Ok(())
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

/// Builds the web client into the edge server's folder, unless it is newer than its sources.
///
/// # Errors
/// When a tool is missing or the build fails, or the result is larger than promised.
pub fn build_web(shell: &Shell) -> Result<()> {
    let bindgen = setup::wasm_bindgen(shell)?;
    let build = cmd!(
        shell,
        "cargo build --quiet --profile web --package tresen-web --target wasm32-unknown-unknown --target-dir target/wasm"
    );
    match setup::web_compiler(shell)? {
        WebCompiler::Rustup => build.run()?,
        WebCompiler::Debian => build
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
            .run()?,
    }
    shell.create_dir(WEB_ASSETS)?;
    let module = "target/wasm/wasm32-unknown-unknown/web/tresen_web.wasm";
    cmd!(shell, "{bindgen} --target web --no-typescript --out-dir {WEB_ASSETS} {module}").quiet().run()?;
    for file in shell.read_dir("mobile-client/web/www")? {
        shell.copy_file(&file, WEB_ASSETS)?;
    }
    let compressed = cmd!(shell, "gzip -9 -c {WEB_ASSETS}/tresen_web_bg.wasm").quiet().output()?.stdout.len();
    eprintln!("Web client: {} KiB compressed.", compressed / 1024);
    if compressed > WEB_LIMIT_BYTES {
        bail!("The web client is larger than its limit of {} KiB.", WEB_LIMIT_BYTES / 1024);
    }
    Ok(())
}

/// Runs a benchmark of `loadtest`.
///
/// # Errors
/// When it can't be built, or fails.
pub fn bench(shell: &Shell, what: &str) -> Result<()> {
    cmd!(shell, "cargo run --quiet --release --package tresen-loadtest -- bench {what}").quiet().run()?;
    Ok(())
}
