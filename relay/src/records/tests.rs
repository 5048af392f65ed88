use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::{Capacity, ClientName, EdgeName};

use super::*;
use crate::http::{Office, routes};
use crate::node::{Running, Settings, start};

/// Within so long whoever is taken out is gone.
const SOON: Duration = Duration::from_secs(2);

/// Whatever takes longer does not happen.
const PATIENCE: Duration = Duration::from_secs(10);

const TENANT: TenantId = TenantId::from_bytes([1; 16]);

const EDGE: EdgeName = EdgeName { tenant: TENANT, edge: Fingerprint::from_bytes([2; 32]) };

/// A node with one tenant, and its API.
struct World {
    running: Running,
    api: SocketAddr,
    data: TempDir,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let capacity = Capacity { edges: 4, clients: 4, clients_of_edge: 4 };
        let settings = Settings::alone(data.path().to_owned(), ([127, 0, 0, 1], 0).into(), capacity);
        let running = start(&settings).expect("a node");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let api = listener.local_addr().expect("an address");
        let (node, name) = (running.node.clone(), running.key.fingerprint());
        let office = Arc::new(Office { node, name, password: Secret::new([9; 16]) });
        tokio::spawn(async move { axum::serve(listener, routes(office)).await });
        let enrol = |directory: &mut Directory| {
            let secret = Secret::new([3; 32]);
            directory.add_tenant(TENANT, "Gasthaus Linde", 4)?;
            directory.open_enrolment(TENANT, &secret, 0)?;
            directory.enrol(&secret, EDGE.edge, 0)
        };
        running.node.change_directory(enrol).await.expect("changed").result.expect("enrolled");
        let world = Self { running, api, data };
        world.come();
        world
    }

    /// A box and a device of it are here.
    fn come(&self) {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let client = ClientName { edge: EDGE, device: Fingerprint::from_bytes([4; 32]) };
        let (now_ms, lifetime_ms) = (self.node().clock.now_ms(), 60_000);
        let mut router = self.node().switch.router_mut();
        router.register(now_ms, EDGE, at(1), lifetime_ms, Secret::new([5; 32])).expect("room");
        router.admit(now_ms, client, at(2), lifetime_ms, 4, Secret::new([6; 32])).expect("room");
        drop(router);
        assert_eq!(self.node().counts(), (1, 1));
    }

    fn node(&self) -> &Arc<Node> {
        &self.running.node
    }

    /// Asks for something to be taken out.
    async fn delete(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.api).await.expect("its API");
        let password = Secret::<16>::new([9; 16]).to_text();
        let request = format!(
            "DELETE {path} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {password}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("asked");
        stream
    }

    async fn eventually(&self, what: &str, done: impl Fn(&Node) -> bool) {
        let waiting = async {
            while !done(self.node()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
    }
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("in time").expect("an answer");
    text
}

fn tenant_path() -> String {
    format!("/v1/tenants/{TENANT}")
}

/// Promise: whom the operator takes out while the disk hangs is out within two seconds, though the operator's program gives up meanwhile; it is carried through when the
/// disk goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_keeps_nobody_in() {
    let world = World::new().await;
    let hanging = world.node().writing.clone().lock_owned().await;
    let (began, asked) = (Instant::now(), world.delete(&tenant_path()).await);
    world.eventually("they are gone", |node| node.counts() == (0, 0)).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    drop(asked);
    let repeated = answer(world.delete(&tenant_path()).await).await;
    assert!(repeated.starts_with("HTTP/1.1 202"), "it came through, and is not written: {repeated}");
    assert!(!world.node().is_saved(), "it has been long enough");
    drop(hanging);
    world.eventually("it is written", |node| node.is_saved()).await;
    let written = |file| std::fs::read_to_string(world.data.path().join(file)).expect("a file");
    assert!(!written("directory.json").contains("Linde"));
    assert!(written("revocations.json").contains(&TENANT.to_string()));
}

/// Promise: what was changed is written, though whoever asked for it went away while the disk was busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_is_written() {
    let world = World::new().await;
    let busy = world.node().writing.clone().lock_owned().await;
    let change = world.node().change_directory(|directory| directory.add_tenant(TENANT_2, "Zum Anker", 4));
    assert!(change.now_or_never().is_none(), "it waits for the disk");
    drop(busy);
    let file = world.data.path().join("directory.json");
    let is_written = |_: &Node| std::fs::read_to_string(&file).is_ok_and(|text| text.contains("Zum Anker"));
    world.eventually("it is written", is_written).await;
}

/// Promise: whoever asks again cuts off again, though the directory has nothing to take out any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_cuts_off_again() {
    let world = World::new().await;
    for path in [format!("{}/edges/{}", tenant_path(), EDGE.edge), tenant_path()] {
        let first = answer(world.delete(&path).await).await;
        assert!(first.starts_with("HTTP/1.1 204"), "{first}");
        assert_eq!(world.node().counts(), (0, 0));
        world.come();
        let again = answer(world.delete(&path).await).await;
        assert!(again.starts_with("HTTP/1.1 404"), "{again}");
        assert_eq!(world.node().counts(), (0, 0), "{path}");
        world.come();
    }
}

/// Promise: a box that is in the directory no more is let go, whoever changed it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_in_the_directory_is_let_go() {
    let world = World::new().await;
    let kept = world.node().change_directory(|directory| directory.add_tenant(TENANT_2, "Zum Anker", 4));
    kept.await.expect("changed").result.expect("a tenant");
    assert_eq!(world.node().counts(), (1, 1));
    let removed = world.node().change_directory(|directory| directory.remove_edge(&EDGE));
    assert!(removed.await.expect("changed").result);
    assert_eq!(world.node().counts(), (0, 0));
}

const TENANT_2: TenantId = TenantId::from_bytes([2; 16]);
