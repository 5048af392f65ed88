//! CPU time and memory of another process, from its kernel accounts.

use anyhow::{Context, Result};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

/// CPU time that all threads of `process` have used so far, in microseconds, kernel time included.
///
/// # Errors
/// When the process is gone.
pub fn used_us(process: u32) -> Result<f64> {
    let clock = nix::time::clock_getcpuclockid(Pid::from_raw(process.cast_signed()))?;
    let now = nix::time::clock_gettime(clock)?;
    Ok(now.num_nanoseconds() as f64 / 1000.0)
}

/// Memory that only `process` holds (private pages), in bytes.
///
/// # Errors
/// When the process is gone.
pub fn private_bytes(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} can't be read"))?;
    let kib = text
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum::<u64>();
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the figure of a benchmark is the process's own work: it grows while this test computes.
    #[test]
    fn used_time_grows_with_work() {
        let me = std::process::id();
        let before = used_us(me).expect("this process runs");
        let mut sum = 0_u64;
        while used_us(me).expect("this process runs") < before + 2000.0 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(private_bytes(me).expect("this process runs") > 64 * 1024);
    }
}
