//! Which core does what: the server has one for itself, so that its figures are those of one core.

use anyhow::Result;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Who wants a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The waiters.
    Generator,
    /// The edge server.
    Server,
}

/// How the cores were given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Generator and server have a core each.
    OneEach,
    /// There is only one core: both share it, and times hold the generator's work too.
    Shared,
}

/// Keeps the calling thread, and every thread that it starts from now on, on its side's core.
///
/// # Errors
/// When the operating system refuses.
pub fn pin(side: Side) -> Result<Layout> {
    let cores = mine()?;
    let Some(chosen) = chosen(side, &cores) else { return Ok(Layout::Shared) };
    let layout = if cores.len() > 1 { Layout::OneEach } else { Layout::Shared };
    let mut set = CpuSet::new();
    set.set(chosen)?;
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(layout)
}

/// A side's core, of those that there are.
#[must_use]
pub fn chosen(side: Side, cores: &[usize]) -> Option<usize> {
    match (side, cores) {
        (_, []) => None,
        (_, [only]) | (Side::Generator, [only, ..]) | (Side::Server, [_, only, ..]) => Some(*only),
    }
}

/// Gives a thread that was pinned all cores back, so that a child may choose its own.
///
/// # Errors
/// When the operating system refuses.
pub fn unpin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// The cores that this thread may use.
///
/// # Errors
/// When the operating system does not say.
pub fn mine() -> Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}
