//! Several Redis servers, of which one takes another's place.

use crate::redis::{HASTY, IN_MEMORY, ON_DISK, Server, until};

const PASSWORD: &str = "geheim";

/// What the master is called among the Sentinels.
const MASTER: &str = "tills";

/// A master with a password, a replica of it, and three Sentinels that watch them.
pub struct Watched {
    pub master: Server,
    pub replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    pub fn start() -> Self {
        let password = [format!("requirepass {PASSWORD}"), format!("masterauth {PASSWORD}")];
        let both = [IN_MEMORY, &[HASTY, &password[0], &password[1]]].concat();
        let master = Server::start(&both);
        let of_master = format!("replicaof 127.0.0.1 {}", master.port());
        let replica = Server::start(&[&both[..], &[&of_master]].concat());
        until("there is a replica", || {
            with_password(&master, &["info", "replication"]).contains("state=online")
        });
        let lines = [
            format!("sentinel monitor {MASTER} 127.0.0.1 {} 2", master.port()),
            format!("sentinel auth-pass {MASTER} {PASSWORD}"),
            format!("sentinel down-after-milliseconds {MASTER} 500"),
            format!("sentinel failover-timeout {MASTER} 3000"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let sentinels: Vec<Server> = (0..3).map(|_| Server::start_sentinel(&lines)).collect();
        for sentinel in &sentinels {
            // They find each other within two seconds, and replicas within ten.
            sentinel.ask(&["sentinel", "debug", "publish-period", "100", "info-period", "100"]);
        }
        for sentinel in &sentinels {
            until("each Sentinel knows all", || {
                let known = sentinel.ask(&["sentinel", "master", MASTER]);
                let counts = ["num-slaves\n1\n", "num-other-sentinels\n2\n"];
                counts.iter().all(|count| known.contains(count))
            });
        }
        Self { master, replica, sentinels }
    }

    pub fn address(&self) -> String {
        format!("redis+sentinel://:{PASSWORD}@{}/{MASTER}", addresses(&self.sentinels).join(","))
    }

    /// What the replica says to a command.
    pub fn ask_replica(&self, words: &[&str]) -> String {
        with_password(&self.replica, words)
    }
}

fn with_password(server: &Server, words: &[&str]) -> String {
    server.ask(&[&["-a", PASSWORD], words].concat())
}

/// A cluster of three masters that keep their data. What all nodes of a relay share is at the first one.
pub struct Cluster {
    pub masters: Vec<Server>,
}

impl Cluster {
    pub fn start() -> Self {
        let masters: Vec<Server> = (0..3).map(|_| member()).collect();
        let all = addresses(&masters);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        masters[0].ask(&[&["--cluster", "create"], &all[..], &["--cluster-yes"]].concat());
        let slot = masters[0].ask(&["cluster", "keyslot", "{tresen}:directory"]);
        assert!(
            slot.trim().parse::<u16>().is_ok_and(|slot| slot < 16_384 / 3),
            "the first one has it: {slot}"
        );
        let cluster = Self { masters };
        until("the cluster is whole", || (0..3).all(|master| cluster.is_whole(master)));
        cluster
    }

    /// A replica of the first master; nobody can take the place of the others.
    pub fn add_replica(&self) -> Server {
        let first = &self.masters[0];
        let id = first.ask(&["cluster", "myid"]);
        let replica = member();
        let as_replica = ["--cluster-slave", "--cluster-master-id", id.trim()];
        let (own, other) = (replica.address(), first.address());
        first.ask(&[&["--cluster", "add-node", &own, &other], &as_replica[..]].concat());
        until("there is a replica", || first.ask(&["info", "replication"]).contains("state=online"));
        until("all know it", || self.masters.iter().all(|master| master.says("cluster_known_nodes:4")));
        replica
    }

    /// As an operator names it: by its masters.
    pub fn address(&self) -> String {
        format!("redis+cluster://{}", addresses(&self.masters).join(","))
    }

    /// Whether all slots are served, as this master sees it.
    pub fn is_whole(&self, master: usize) -> bool {
        self.masters[master].says("cluster_state:ok")
    }
}

fn member() -> Server {
    Server::start_in_cluster(&[ON_DISK, &[HASTY]].concat())
}

fn addresses(servers: &[Server]) -> Vec<String> {
    servers.iter().map(Server::address).collect()
}
