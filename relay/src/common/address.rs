//! Where the relay's Redis is.
//!
//! ```text
//! redis://[user:password@]host:port[/database]                    one server
//! redis+sentinel://[user:password@]host:port,host:port/master     Sentinels, which know where the master of this name is
//! redis+cluster://[user:password@]host:port,host:port             a cluster
//! ```
//!
//! With `rediss` instead of `redis`, connections to Redis itself are made over TLS.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, TlsMode,
};
use thiserror::Error;

/// How long a connection, and an answer, may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Servers that are named at most.
const HOSTS: usize = 16;

/// See the module. Its `Debug` shows no password.
#[derive(Clone)]
pub struct RedisAddress {
    kind: Kind,
    /// Of each server, as the client reads it.
    urls: Vec<String>,
}

#[derive(Clone)]
enum Kind {
    One,
    Sentinel { master: String, of_master: Box<SentinelNodeConnectionInfo> },
    Cluster,
}

/// Why a text is no such address.
#[derive(Debug, Error)]
pub enum RedisAddressError {
    /// Neither of the forms of the module.
    #[error(
        "expected redis://host:port, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port"
    )]
    Form,
    /// The client can't read it.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisAddress")
    }
}

impl FromStr for RedisAddress {
    type Err = RedisAddressError;

    fn from_str(text: &str) -> Result<Self, RedisAddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(RedisAddressError::Form)?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_known = matches!(scheme, "redis" | "rediss") && matches!(kind, "" | "sentinel" | "cluster");
        if !is_known || rest.is_empty() {
            return Err(RedisAddressError::Form);
        }
        if kind.is_empty() {
            text.into_connection_info()?;
            return Ok(Self { kind: Kind::One, urls: vec![text.to_owned()] });
        }
        let (credentials, rest) = rest.rsplit_once('@').map_or(("", rest), |(who, rest)| (who, rest));
        let (hosts, master) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts: Vec<&str> = hosts.split(',').collect();
        let at = if credentials.is_empty() { "" } else { "@" };
        let with_credentials = |host: &&str| format!("{scheme}://{credentials}{at}{host}");
        let urls: Vec<String> = hosts.iter().map(with_credentials).collect();
        let parsed = urls.iter().map(|url| url.as_str().into_connection_info());
        let parsed = parsed.collect::<RedisResult<Vec<_>>>()?;
        let first = parsed.first().filter(|_| hosts.len() <= HOSTS).ok_or(RedisAddressError::Form)?;
        match (kind, master) {
            ("cluster", "") => Ok(Self { kind: Kind::Cluster, urls }),
            ("sentinel", master) if !master.is_empty() => {
                let of_master = SentinelNodeConnectionInfo::default();
                let of_master = of_master.set_redis_connection_info(first.redis_settings().clone());
                let of_master =
                    if scheme == "rediss" { of_master.set_tls_mode(TlsMode::Secure) } else { of_master };
                let kind = Kind::Sentinel { master: master.to_owned(), of_master: Box::new(of_master) };
                Ok(Self { kind, urls: hosts.iter().map(|host| format!("redis://{host}")).collect() })
            }
            _ => Err(RedisAddressError::Form),
        }
    }
}

/// A connection, shared by all who clone it.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    One(MultiplexedConnection),
    /// To all of a cluster.
    Cluster(ClusterConnection),
}

impl RedisAddress {
    /// Connects: to the server, to the present master, or to the cluster.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        match &self.kind {
            Kind::One => {
                let client = Client::open(self.urls[0].as_str())?;
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
            }
            Kind::Sentinel { master, of_master } => {
                let of_master = Some((**of_master).clone());
                let sentinels = self.urls.clone();
                let mut client =
                    SentinelClient::build(sentinels, master, of_master, SentinelServerType::Master)?;
                client.get_async_connection_with_config(&config).await.map(Connection::One)
            }
            Kind::Cluster => {
                let cluster = ClusterClient::builder(self.urls.clone());
                let cluster = cluster.connection_timeout(PATIENCE).response_timeout(PATIENCE).retries(1);
                cluster.build()?.get_async_connection().await.map(Connection::Cluster)
            }
        }
    }
}

impl Connection {
    /// What a command answers.
    ///
    /// # Errors
    /// When Redis is away, or refuses.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let asked = async {
            match self.clone() {
                Self::One(mut connection) => command.query_async(&mut connection).await,
                Self::Cluster(mut connection) => command.query_async(&mut connection).await,
            }
        };
        match tokio::time::timeout(2 * PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the address names one server, Sentinels or a cluster; anything else is refused, and passwords are not shown.
    #[test]
    fn addresses_are_read() {
        let read = |text: &str| text.parse::<RedisAddress>();
        let one = read("redis://:geheim@127.0.0.1:6379/2").expect("one");
        assert!(matches!(one.kind, Kind::One));
        assert!(!format!("{one:?}").contains("geheim"));
        let sentinel = read("rediss+sentinel://relay:geheim@a:26379,b:26379/tills").expect("Sentinels");
        assert_eq!(sentinel.urls, ["redis://a:26379", "redis://b:26379"]);
        assert!(matches!(&sentinel.kind, Kind::Sentinel { master, .. } if master == "tills"));
        let cluster = read("redis+cluster://a:1,b:2").expect("a cluster");
        assert_eq!(cluster.urls, ["redis://a:1", "redis://b:2"]);
        for wrong in [
            "",
            "redis",
            "http://a",
            "redis+sentinel://a:1",
            "redis+ring://a",
            "redis+cluster://a/b",
            "redis://",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
