//! What is kept on disk: the device's private key and which server it belongs to.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tresen_identity::{Fingerprint, KeyPair, RelayRoute, Secret};
use zeroize::Zeroizing;

const KEY_FILE: &str = "device.key";
const SERVER_FILE: &str = "server.toml";

/// The server that this device is paired with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name, to pin.
    pub name: Fingerprint,
    /// Host and port.
    pub authority: String,
    /// More ways to it.
    pub addresses: Vec<SocketAddr>,
    /// The way from other networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayRoute>,
}

/// The device's folder.
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder given, or the user's; made when it is not there.
    pub fn open(folder: Option<PathBuf>) -> Result<Self> {
        let folder = folder
            .or_else(user_folder)
            .context("The user has no configuration folder: name one with --config")?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("The folder {} can't be made", folder.display()))?;
        Ok(Self { folder })
    }

    /// The device's key pair; made at the first call.
    pub fn key(&self) -> Result<KeyPair> {
        let file = self.folder.join(KEY_FILE);
        let seed = if file.exists() {
            let text = Zeroizing::new(fs::read_to_string(&file).with_context(|| unreadable(&file))?);
            Secret::from_text(text.trim()).with_context(|| format!("{} holds no key", file.display()))?
        } else {
            let mut random = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *random).context("The operating system gives no randomness")?;
            let seed = Secret::new(*random);
            write_private(&file, &Zeroizing::new(seed.to_text()))?;
            seed
        };
        Ok(KeyPair::from_seed(&seed))
    }

    /// The server, if this device is paired.
    pub fn server(&self) -> Result<Option<Server>> {
        let file = self.folder.join(SERVER_FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&file).with_context(|| unreadable(&file))?;
        let server = toml::from_str(&text).with_context(|| unreadable(&file))?;
        Ok(Some(server))
    }

    /// Remembers the server.
    pub fn save_server(&self, server: &Server) -> Result<()> {
        write_private(&self.folder.join(SERVER_FILE), &toml::to_string(server)?)
    }
}

fn unreadable(file: &Path) -> String {
    format!("{} can't be read", file.display())
}

/// Writes a file that only its owner may read; an older one is replaced at once.
fn write_private(file: &Path, text: &str) -> Result<()> {
    let new = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut opened = options.open(&new)?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()?;
        fs::rename(&new, file)
    };
    write().with_context(|| format!("{} can't be written", file.display()))
}

fn user_folder() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = of("XDG_CONFIG_HOME")
        .or_else(|| of("APPDATA"))
        .or_else(|| of("HOME").map(|home| home.join(".config")))?;
    Some(base.join("tresen"))
}

#[cfg(test)]
mod tests {
    use tresen_identity::TenantId;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("device"))).unwrap();
        (folder, store)
    }

    /// Promise: a device keeps its name, and nobody else can read its key.
    #[test]
    fn a_key_is_made_once_and_is_private() {
        let (_folder, store) = store();
        let first = store.key().unwrap().fingerprint();
        assert_eq!(store.key().unwrap().fingerprint(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(store.folder.join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn the_server_is_remembered() {
        let (_folder, store) = store();
        assert_eq!(store.server().unwrap(), None);
        let server = Server {
            name: Fingerprint::from_bytes([7; 32]),
            authority: "192.168.1.10:7843".into(),
            addresses: vec!["127.0.0.1:7843".parse().unwrap()],
            relay: None,
        };
        store.save_server(&server).unwrap();
        assert_eq!(store.server().unwrap().as_ref(), Some(&server));
        let route =
            RelayRoute::new(TenantId::from_bytes([1; 16]), Fingerprint::from_bytes([2; 32]), "r.example:1");
        let relayed = Server { relay: Some(route.unwrap()), ..server };
        store.save_server(&relayed).unwrap();
        assert_eq!(store.server().unwrap(), Some(relayed));
    }
}
