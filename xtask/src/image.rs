//! The relay's container image of a program that is built here: `infra/container/relay.Dockerfile` with what this puts into a folder. No other image is needed for it.
//!
//! The program is static, with musl: that C library may be shipped within it (MIT), and looks up names without parts that it would have to find in the image.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::setup;

/// What the image is made of, as it lies in it.
const FOLDER: &str = "relay-image";

/// How it is called.
const TAG: &str = "tresen-relay";

/// The authorities by which a Redis with TLS is checked, here and there.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Builds the program, puts it into a folder with what it needs, and has an engine (`docker`, `podman`) make the image; without one, says how to.
///
/// # Errors
/// When it can't be built, this machine knows no authorities, or the engine refuses.
pub fn relay(shell: &Shell, engine: Option<&str>) -> Result<()> {
    setup::install(shell, setup::IMAGE)?;
    let program = build(shell)?;
    let folder = setup::target_dir().join(FOLDER);
    fill(shell, &folder, &program)?;
    let file = setup::workspace_root().join("infra/container/relay.Dockerfile");
    match engine {
        Some(engine) => {
            cmd!(shell, "{engine} build --file {file} --target prebuilt --tag {TAG} {folder}").run()?;
        }
        None => eprintln!(
            "The image can be made now, by docker or podman:\n    docker build --file {} --target prebuilt --tag {TAG} {}",
            file.display(),
            folder.display()
        ),
    }
    Ok(())
}

/// The static program.
fn build(shell: &Shell) -> Result<PathBuf> {
    let host = cmd!(shell, "rustc --print host-tuple").quiet().read()?;
    let processor = host.split('-').next().context("a host without a processor")?;
    let target = format!("{processor}-unknown-linux-musl");
    if !setup::has_target(shell, &target)? {
        bail!("The compiler here has no standard library for {target}: rustup target add {target}");
    }
    cmd!(shell, "cargo build --release --locked --target {target} --package tresen-relay --bins").run()?;
    Ok(setup::target_dir().join(target).join("release/tresen-relay"))
}

fn fill(shell: &Shell, folder: &Path, program: &Path) -> Result<()> {
    shell.remove_path(folder)?;
    shell.create_dir(folder.join("data"))?;
    let authorities = PathBuf::from("/").join(AUTHORITIES);
    for (from, to) in [(program, "usr/bin/tresen-relay"), (&authorities, AUTHORITIES)] {
        let to = folder.join(to);
        shell.create_dir(to.parent().context("a folder of the image")?)?;
        shell.copy_file(from, &to).with_context(|| format!("{} is needed", from.display()))?;
    }
    Ok(())
}
