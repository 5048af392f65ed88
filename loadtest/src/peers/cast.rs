//! Who is measured.

use super::line::Carrier;

/// Somebody who is measured.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The short name.
    pub id: &'static str,
    /// The name in tables and charts.
    pub name: &'static str,
    /// How it is set up.
    pub setting: &'static str,
    pub(super) kind: Kind,
    pub(super) app: App,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// The reference till.
    Till,
    /// The real handheld app.
    Handheld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tresen(Carrier),
    Vnc(&'static str),
    Nx,
    Xpra,
    Xrdp,
}

const fn till(id: &'static str, name: &'static str, setting: &'static str, kind: Kind) -> Peer {
    Peer { id, name, setting, kind, app: App::Till }
}

const fn handheld(id: &'static str, name: &'static str, setting: &'static str, kind: Kind) -> Peer {
    Peer { id, name, setting, kind, app: App::Handheld }
}

/// Everybody, in the order of tables and charts.
pub const CAST: &[Peer] = &[
    till("tresen", "Tresen, QUIC", "tresen-desktop; TLS 1.3 over UDP", Kind::Tresen(Carrier::Udp)),
    till(
        "tresen-ws",
        "Tresen, WebSocket",
        "tresen-desktop where UDP is blocked; TLS 1.3 over TCP",
        Kind::Tresen(Carrier::Tcp),
    ),
    till("nx", "NX", "nxagent and nxproxy, link=adsl, no encryption", Kind::Nx),
    till(
        "vnc-tight",
        "TigerVNC, Tight",
        "Xtigervnc and xtigervncviewer, without JPEG (it makes text larger), no encryption",
        Kind::Vnc("Tight"),
    ),
    till(
        "vnc-zrle",
        "TigerVNC, ZRLE",
        "Xtigervnc and xtigervncviewer, defaults, no encryption",
        Kind::Vnc("ZRLE"),
    ),
    till(
        "xpra",
        "xpra",
        "seamless; xpra's own defaults without sound, printing, clipboard and shared memory; no encryption",
        Kind::Xpra,
    ),
    till("xrdp", "xrdp, FreeRDP", "xrdp with xorgxrdp, xfreerdp, 32 bit, TLS over TCP", Kind::Xrdp),
    handheld(
        "handheld",
        "Handheld app, Tresen",
        "tresen-desktop; TLS 1.3 over UDP",
        Kind::Tresen(Carrier::Udp),
    ),
    handheld(
        "handheld-vnc-tight",
        "Handheld app, VNC Tight",
        "the same window, on Xtigervnc",
        Kind::Vnc("Tight"),
    ),
    handheld(
        "handheld-vnc-zrle",
        "Handheld app, VNC ZRLE",
        "the same window, on Xtigervnc",
        Kind::Vnc("ZRLE"),
    ),
];

impl Peer {
    /// What carries its bytes.
    pub const fn carrier(&self) -> Carrier {
        match self.kind {
            Kind::Tresen(carrier) => carrier,
            _ => Carrier::Tcp,
        }
    }

    /// Whether its server has an X display of its own.
    pub const fn has_display(&self) -> bool {
        !matches!(self.kind, Kind::Tresen(_))
    }

    /// Whether the display is there only once the client is.
    pub const fn display_needs_client(&self) -> bool {
        matches!(self.kind, Kind::Nx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a short name means one.
    #[test]
    fn short_names_are_unique() {
        let names: std::collections::BTreeSet<_> = CAST.iter().map(|peer| peer.id).collect();
        assert_eq!(names.len(), CAST.len());
    }
}
