//! xrdp without its session manager: one session, our own X server with the module of xorgxrdp, no log-in.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Writes the settings and a certificate; returns the settings' file. Everything that Debian's settings leave on is on.
pub fn write_settings(folder: &Path, port: u16, socket: &Path) -> Result<std::path::PathBuf> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.cert.pem())?;
    fs::write(&key, made.signing_key.serialize_pem())?;
    let file = folder.join("xrdp.ini");
    fs::write(&file, settings(port, socket, &certificate, &key, &folder.join("xrdp-own.log")))?;
    Ok(file)
}

fn settings(port: u16, socket: &Path, certificate: &Path, key: &Path, log: &Path) -> String {
    format!(
        "[Globals]
ini_version=1
fork=false
port=tcp://127.0.0.1:{port}
tcp_nodelay=true
security_layer=tls
crypt_level=high
certificate={}
key_file={}
autorun=till
allow_channels=true
bitmap_cache=true
bitmap_compression=true
bulk_compression=true
max_bpp=32
new_cursors=true
use_fastpath=both
[Logging]
LogFile={}
LogLevel=WARNING
EnableSyslog=false
[Channels]
[till]
name=till
lib=libxup.so
ip=127.0.0.1
port={}
code=20
username=
password=
",
        certificate.display(),
        key.display(),
        log.display(),
        socket.display()
    )
}
