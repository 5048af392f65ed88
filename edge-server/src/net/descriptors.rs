//! How many files and sockets the operating system lets this process open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors for everything but connections: files, listeners, printers, the runtime.
const RESERVED: u64 = 128;

/// Raises the limit as far as this process may, and says how many connections fit, of those that are wanted.
#[must_use]
pub fn connections_that_fit(wanted: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    let limit = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    let fit = clamp(wanted, limit);
    if fit < wanted {
        tracing::warn!(wanted, fit, "fewer connections than configured: the limit of open files is {limit}");
    }
    fit
}

fn clamp(wanted: usize, limit: u64) -> usize {
    let room = limit.saturating_sub(RESERVED).max(1);
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_files() {
        assert_eq!(clamp(4096, 1024), 896);
        assert_eq!(clamp(4096, u64::MAX), 4096);
        assert_eq!(clamp(4096, 5), 1);
    }
}
