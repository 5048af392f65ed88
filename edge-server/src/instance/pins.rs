//! Checks of PINs, one after the other. Each takes 4 MiB and a core for some milliseconds; when a shift begins, everybody logs in at once, and
//! more at a time would take the cores from those who tap. A hundred people are through in a second.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tresen_identity::{HashMemory, verify_password_in};
use tresen_till::PinHash;
use zeroize::Zeroizing;

/// PINs that are checked at the same time on the whole server.
pub const PIN_CHECKS: usize = 1;

/// Turns for checking PINs, and the memory for as many.
pub struct PinChecks {
    pub(super) turns: Arc<Semaphore>,
    memory: Mutex<Vec<HashMemory>>,
}

impl Default for PinChecks {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(PIN_CHECKS)), memory: Mutex::default() }
    }
}

impl PinChecks {
    /// Whether a PIN fits, on a thread for slow work, when its turn comes.
    pub async fn check(self: Arc<Self>, pin: Zeroizing<String>, hash: PinHash) -> bool {
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return false };
        let check = move || {
            let mut memory = self.memory().pop().unwrap_or_default();
            let right = verify_password_in(&mut memory, &pin, hash.reveal());
            self.memory().push(memory);
            drop(turn);
            right
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Vec<HashMemory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
