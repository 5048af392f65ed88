//! The threads that a server runs on.
//!
//! A tap is a chain of small tasks: the socket, the connection, the instance, the connection again. Spread over two threads, each link of it wakes the
//! other one, and waking costs more than the work. So sessions share as few threads as carry them: one a core, and one core less where there
//! are several, for the ledger's own thread and for slow work (PINs, photos, files), which never runs on these.

use std::io::Result;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// Starts the runtime.
///
/// # Errors
/// When the operating system gives no threads.
pub fn start() -> Result<Runtime> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread().worker_threads(threads(cores)).enable_all().build()
}

fn threads(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: every box has a thread for its sessions, and the ledger a core that they leave alone where there are two.
    #[test]
    fn one_core_is_left_where_there_are_several() {
        assert_eq!([1, 2, 4, 16].map(threads), [1, 1, 3, 15]);
    }
}
