use super::*;

/// Promise: whoever has lost his tunnel while he asks the node by UDP goes on by UDP when it says yes, looks elsewhere as soon as it says no, and after a moment when
/// it says nothing.
#[tokio::test(start_paused = true)]
async fn who_is_refused_by_udp_looks_elsewhere_at_once() {
    const AFTER: Duration = Duration::from_millis(100);
    let of = async |is_granted: bool, is_answered: bool| {
        let (is_asking, mut asking) = watch::channel(true);
        let better = async {
            if is_answered {
                sleep(AFTER).await;
            } else {
                std::future::pending::<()>().await;
            }
            if !is_granted {
                is_asking.send_replace(false);
                std::future::pending::<()>().await;
            }
        };
        let start = Instant::now();
        (answer(better, &mut asking).await.is_some(), start.elapsed())
    };
    assert_eq!(of(true, true).await, (true, AFTER));
    assert_eq!(of(false, true).await, (false, AFTER));
    assert_eq!(of(true, false).await, (false, CONNECT_PATIENCE));
    let (_is_asking, mut asking) = watch::channel(false);
    assert_eq!(answer(std::future::pending::<()>(), &mut asking).await, None, "nothing is asked");
}
