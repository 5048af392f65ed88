//! Two streams that are one: what comes on either side goes out on the other. Neither is read faster than the other is written, an end is passed on while the
//! other direction goes on, and both are let go when nothing has moved for a while; sooner when one direction has ended.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::select;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::answers::Answers;

/// Bytes that are carried at once, in each direction.
const PIECE_BYTES: usize = 16 * 1024;

/// When one direction has ended, the other one may be still for so long: browsers and boxes end both, and who has asked all that he wants is soon answered.
const HALF_CLOSED_IDLE: Duration = Duration::from_secs(10);

/// When something moved last.
struct Stir {
    start: Instant,
    moved_ms: AtomicU64,
}

impl Stir {
    fn moved(&self) {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Ends when nothing has moved for so long.
    async fn still(&self, for_so_long: Duration) {
        loop {
            let moved = self.start + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
            let until = moved + for_so_long;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// Carries bytes between a client and a tunnel until both are at their ends, one fails, or nothing has moved for `idle`, or for [`HALF_CLOSED_IDLE`] after one of
/// them was at its end. Counts what it carried, and says when the client was answered ([`crate::answers`]).
pub async fn pipe(
    client: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    tunnel: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    idle: Duration,
    carried: &AtomicU64,
    answered: impl FnOnce(),
) {
    let stir = Stir { start: Instant::now(), moved_ms: AtomicU64::new(0) };
    let (has_spoken, mut answers, mut answered) =
        (AtomicBool::new(false), Answers::default(), Some(answered));
    let moved = |bytes: &[u8]| {
        carried.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        stir.moved();
    };
    let up = carry(client.0, tunnel.1, |bytes| {
        has_spoken.store(true, Ordering::Relaxed);
        moved(bytes);
    });
    let down = carry(tunnel.0, client.1, |bytes| {
        if answered.is_some()
            && answers.hear(bytes, has_spoken.swap(false, Ordering::Relaxed))
            && let Some(answered) = answered.take()
        {
            answered();
        }
        moved(bytes);
    });
    let (up, down) = (pin!(up), pin!(down));
    let (ended, other) = tokio::select! {
        ended = select(up, down) => ended.factor_first(),
        () = stir.still(idle) => return,
    };
    if ended.is_err() {
        return;
    }
    stir.moved();
    tokio::select! {
        _ = other => {}
        () = stir.still(HALF_CLOSED_IDLE.min(idle)) => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut moved: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        let mut rest = &piece[..count];
        while !rest.is_empty() {
            // Who takes little at a time moves, too.
            let (taken, left) = match to.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => rest.split_at(written),
            };
            moved(taken);
            rest = left;
        }
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex, split};

    use super::*;

    const IDLE: Duration = Duration::from_secs(60);

    fn ends() -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<u64>) {
        let ((browser, near), (far, server)) = (duplex(1_000), duplex(1_000));
        let running = tokio::spawn(async move {
            let carried = AtomicU64::new(0);
            pipe(split(near), split(far), IDLE, &carried, || {}).await;
            carried.into_inner()
        });
        (browser, server, running)
    }

    /// Promise: an end is passed on, and the other direction goes on after it.
    #[tokio::test(start_paused = true)]
    async fn half_closed_goes_on() {
        let (mut browser, mut server, running) = ends();
        browser.write_all(b"question").await.expect("room");
        browser.shutdown().await.expect("open");
        let mut asked = Vec::new();
        server.read_to_end(&mut asked).await.expect("an end");
        assert_eq!(asked, b"question");
        server.write_all(b"answer").await.expect("open still");
        drop(server);
        let mut answered = Vec::new();
        browser.read_to_end(&mut answered).await.expect("an end");
        assert_eq!(answered, b"answer");
        assert_eq!(running.await.expect("no panic"), 14);
    }

    /// Promise: a client counts as answered when its box has sent it data after it had said something, and not before.
    #[tokio::test(start_paused = true)]
    async fn a_client_is_answered() {
        let ((mut browser, near), (far, mut server)) = (duplex(1_000), duplex(1_000));
        let (carried, is_answered) = (AtomicU64::new(0), AtomicBool::new(false));
        let piping =
            pipe(split(near), split(far), IDLE, &carried, || is_answered.store(true, Ordering::Relaxed));
        let flight = [&[22, 3, 3, 0, 2, 1, 1][..], &[23, 3, 3, 0, 40], &[7; 40]].concat();
        let alert = [&[23, 3, 3, 0, 19][..], &[7; 19]].concat();
        let data = [&[23, 3, 3, 0, 22][..], &[7; 22]].concat();
        let talking = async {
            for (asked, answer, is) in
                [(&b""[..], &flight, false), (b"x", &alert, false), (b"x", &data, true)]
            {
                browser.write_all(asked).await.expect("open");
                server.read_exact(&mut vec![0; asked.len()]).await.expect("said");
                server.write_all(answer).await.expect("open");
                browser.read_exact(&mut vec![0; answer.len()]).await.expect("said");
                assert_eq!(is_answered.load(Ordering::Relaxed), is);
            }
        };
        tokio::select! {
            () = piping => panic!("it goes on"),
            () = talking => {}
        }
    }

    /// Promise: when one direction has ended and the other one is still, both are let go soon, whichever has ended; what moves goes on.
    #[tokio::test(start_paused = true)]
    async fn half_closed_and_still_is_let_go() {
        for is_browser in [true, false] {
            let (mut browser, mut server, running) = ends();
            let (ending, other) =
                if is_browser { (&mut browser, &mut server) } else { (&mut server, &mut browser) };
            tokio::time::sleep(IDLE / 2).await;
            ending.shutdown().await.expect("open");
            for _ in 0..4 {
                tokio::time::sleep(HALF_CLOSED_IDLE * 9 / 10).await;
                other.write_all(b"more").await.expect("open still");
                ending.read_exact(&mut [0; 4]).await.expect("it comes");
            }
            let still = Instant::now();
            assert_eq!(running.await.expect("no panic"), 16);
            assert!(still.elapsed() <= HALF_CLOSED_IDLE, "{:?}", still.elapsed());
        }
    }

    /// Promise: who reads slowly gets all of it, though the other direction has ended, as long as he reads at all.
    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_gets_all() {
        const ALL: usize = 4 * PIECE_BYTES;
        let ((mut browser, near), (far, mut server)) = (duplex(500), duplex(PIECE_BYTES));
        let running = tokio::spawn(async move {
            let carried = AtomicU64::new(0);
            pipe(split(near), split(far), IDLE, &carried, || {}).await;
            carried.into_inner()
        });
        browser.shutdown().await.expect("open");
        let sending = tokio::spawn(async move { server.write_all(&[7; ALL]).await });
        let (mut taken, mut piece) = (0, [0; 400]);
        while taken < ALL {
            tokio::time::sleep(HALF_CLOSED_IDLE * 9 / 10).await;
            let read = browser.read(&mut piece).await.expect("open");
            assert_ne!(read, 0, "cut after {taken} bytes");
            taken += read;
        }
        sending.await.expect("no panic").expect("sent");
        assert_eq!(running.await.expect("no panic"), ALL as u64);
    }

    /// Promise: nobody is read faster than the other side takes it.
    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_not_read_for() {
        let (mut browser, server, _running) = ends();
        let flood = async {
            let mut sent = 0_usize;
            while tokio::time::timeout(IDLE / 2, browser.write_all(&[0; 100]))
                .await
                .is_ok_and(|sent| sent.is_ok())
            {
                sent += 100;
            }
            sent
        };
        let sent = flood.await;
        assert!(sent <= 2_000 + PIECE_BYTES, "{sent} bytes are under way");
        drop(server);
    }

    /// Promise: what does not move is let go; what moves in one direction only is not.
    #[tokio::test(start_paused = true)]
    async fn what_does_not_move_is_let_go() {
        let (mut browser, mut server, running) = ends();
        let start = Instant::now();
        for _ in 0..10 {
            tokio::time::sleep(IDLE * 9 / 10).await;
            server.write_all(b"news").await.expect("open");
            browser.read_exact(&mut [0; 4]).await.expect("news");
        }
        assert!(!running.is_finished());
        running.await.expect("no panic");
        assert!(start.elapsed() < IDLE * 11, "{:?}", start.elapsed());
        assert_eq!(browser.read(&mut [0]).await.expect("an end"), 0);
    }
}
