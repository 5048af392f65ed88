//! A timer that is exact to some tens of microseconds; the runtime's own counts milliseconds, which is too coarse for a LAN.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use anyhow::Result;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Clock;

/// A timer that is set again and again.
pub(super) struct Alarm {
    clock: Clock,
    timer: AsyncFd<Bell>,
    set_us: Option<u64>,
}

struct Bell(TimerFd);

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Alarm {
    #[allow(deprecated, reason = "its successor is unsafe; this descriptor is owned and stays the same")]
    pub(super) fn new(clock: Clock) -> Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
        Ok(Self { clock, timer: AsyncFd::with_interest(Bell(timer), Interest::READABLE)?, set_us: None })
    }

    /// Waits until then; for ever without a time. May be dropped and called again.
    pub(super) async fn wait(&mut self, until_us: Option<u64>) -> Result<()> {
        let Some(until_us) = until_us else { return std::future::pending().await };
        let now_us = self.clock.now_us();
        if until_us <= now_us {
            return Ok(());
        }
        if self.set_us != Some(until_us) {
            let ahead = TimeSpec::from_duration(Duration::from_micros(until_us - now_us));
            self.timer.get_ref().0.set(Expiration::OneShot(ahead), TimerSetTimeFlags::empty())?;
            self.set_us = Some(until_us);
        }
        let mut ready = self.timer.readable().await?;
        self.set_us = None;
        // It has rung: reading makes it silent, and does not wait.
        let _ = ready.get_inner().0.wait();
        ready.clear_ready();
        Ok(())
    }
}
